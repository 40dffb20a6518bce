/** Every limit and fixed size of the formats at rest, with its reason. docs/FORMAT.md states the same numbers. */
import { GCM_TAG_BYTES } from '../crypto/aes-gcm.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** Bytes a wrapped key may hold. AWS KMS Encrypt: 4096. */
export const MAX_WRAPPED_PLAINTEXT_BYTES = 4 * KIB;

/** Canonical encryption context. AWS KMS allows 8 KiB of text; the rest is for the length prefixes of up to 1000 pairs. */
export const MAX_CONTEXT_BYTES = 16 * KIB;

/** Plaintext of one sealed value: bytea's own limit. Rules set far smaller ones (16 MiB by default). */
export const MAX_VALUE_PLAINTEXT_BYTES = GIB - 1;

/** The metadata value: a client's 2 KB sealed in it, three wraps, and room. Stores that take no more than S3 get less. */
export const MAX_ENVELOPE_CHARS = 6 * KIB;

/** S3 gives all user metadata 2 KB, names included. */
export const S3_METADATA_BYTES = 2 * KIB;
/** Of what a store takes, not for the envelope: its name, and what the gateway may have to say beside it. */
export const METADATA_RESERVE_BYTES = 128;

/** Tags and counts of an envelope's key wraps: recipients that can each open the object. */
export const MAX_KEY_WRAPS = 4;

/** S3: the largest object and part a client can store. */
export const S3_MAX_PART_BYTES = 5 * GIB;
export const S3_MAX_PUT_BYTES = 5 * GIB;
/** S3 since December 2025: 50 TB; before, 5 TiB. The format's own arithmetic is exact to 2^53. */
export const MAX_OBJECT_BYTES = 50 * 1024 * GIB;

/** S3: part numbers run from 1 to 10000. */
export const MAX_PART_NUMBER = 10_000;

/** The least and usual ciphertext segment, tag included (and, for the first, the stream header): what a small range costs to read. */
export const MIN_SEGMENT_BYTES = 64 * KIB;
/** Segments of larger parts are multiples of this. */
export const SEGMENT_STEP_BYTES = 4 * KIB;
/** A part has at most so many segments, so that tags cost a constant: 16 * 512 = 8 KiB. */
export const MAX_PART_SEGMENTS = 512;
/** Part 10 000 has at most so many: nothing can follow it, so beside their tags its 8 KiB hold the list (512 - 96) * 16 = 6656. */
export const MAX_LAST_PART_SEGMENTS = 96;
export const SEGMENT_TAG_BYTES = GCM_TAG_BYTES;

/** S3's least part but the last, 5 MiB. A shorter last part carries the list in its own padding instead of being followed by a footer part. */
export const SHORT_PART_BYTES = 5 * MIB;

/** The sealed list at the end of a multipart object. A part below SHORT_PART_BYTES has at most 81 segments: 431 * 16 = 6896 bytes of padding. */
export const FOOTER_BLOCK_BYTES = 6656;

/** Client-held text of an upload token; AWS's own ids have about 128, clients put them into URLs and columns. */
export const MAX_UPLOAD_TOKEN_CHARS = 1024;
/** The backend's own UploadId inside of it. */
export const MAX_BACKEND_UPLOAD_ID_BYTES = 384;
