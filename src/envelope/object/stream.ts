/**
 * The segmented stream of Tink's AES256_GCM_HKDF (https://developers.google.com/tink/streaming-aead/aes_gcm_hkdf_streaming), proven
 * nOAE secure by Hoang and Shen (https://eprint.iacr.org/2020/1019): reordering, cutting and splicing segments fail.
 *
 *   header: length byte 40 | salt 32 | nonce prefix 7          segment: ciphertext | tag 16, nonce = prefix 7 | index 4 | last 1
 *   key = HKDF-SHA-256(ikm = the object's stream key, salt, info = part header 64, 32 bytes)
 */
import { hkdfSha256 } from '../../crypto/hkdf.ts';
import { KEY_BYTES, takeKey, type Dek } from '../../crypto/key-types.ts';
import { Reader, Writer } from '../codec.ts';
import { openFailed, opening } from '../errors.ts';
import { SEGMENT_TAG_BYTES } from '../limits.ts';
import { BODY_PREFIX_BYTES, PART_HEADER_BYTES, STREAM_HEADER_BYTES, segmentCount, segmentSizeOf } from './sizes.ts';
import { decodePartHeader, type PartHeader } from './part-header.ts';
import { SALT_BYTES, objectKey } from './subkeys.ts';

export const NONCE_PREFIX_BYTES = 7;

/** All that is needed to seal or open the segments of one stream. */
export type StreamParameters = {
  readonly header: PartHeader;
  readonly headerBytes: Uint8Array;
  readonly salt: Uint8Array;
  readonly key: Dek;
  readonly noncePrefix: Uint8Array;
  readonly segmentSize: number;
  readonly segments: number;
};

/** The stream's 40 header bytes. */
export function encodeStreamHeader(salt: Uint8Array, noncePrefix: Uint8Array): Uint8Array {
  return new Writer().uint8(STREAM_HEADER_BYTES).bytes(salt).bytes(noncePrefix).finish();
}

export function streamParameters(
  dek: Dek,
  header: PartHeader,
  headerBytes: Uint8Array,
  salt: Uint8Array,
  noncePrefix: Uint8Array,
): StreamParameters {
  const streamKey = objectKey(dek, header.objectId, 'stream');
  const key = takeKey('Dek', hkdfSha256(streamKey, salt, headerBytes, KEY_BYTES));
  const segmentSize = segmentSizeOf(header);
  const segments = segmentCount(header.plainLength, segmentSize);
  return { header, headerBytes, salt, key, noncePrefix, segmentSize, segments };
}

/** Verifies and reads the first 104 bytes of a body. Errors: ERR_ENVELOPE_OPEN_FAILED. */
export function openPrefix(prefix: Uint8Array, dek: Dek, objectId: Uint8Array): StreamParameters {
  if (prefix.length !== BODY_PREFIX_BYTES) throw openFailed();
  const headerBytes = prefix.subarray(0, PART_HEADER_BYTES);
  const header = decodePartHeader(headerBytes, dek, objectId);
  return opening(() => {
    const reader = new Reader(prefix.subarray(PART_HEADER_BYTES));
    reader.expect(STREAM_HEADER_BYTES);
    return streamParameters(dek, header, headerBytes, reader.bytes(SALT_BYTES), reader.bytes(NONCE_PREFIX_BYTES));
  });
}

/** Nonce of a segment: 12 bytes. */
export function segmentNonce(stream: StreamParameters, index: number): Uint8Array {
  const nonce = new Uint8Array(NONCE_PREFIX_BYTES + 5);
  nonce.set(stream.noncePrefix);
  new DataView(nonce.buffer).setUint32(NONCE_PREFIX_BYTES, index);
  nonce[NONCE_PREFIX_BYTES + 4] = index === stream.segments - 1 ? 1 : 0;
  return nonce;
}

/** Offset in the plaintext at which a segment begins (for `segments`: a value at or past the end). */
export function plainOffsetOf(stream: Pick<StreamParameters, 'segmentSize'>, index: number): number {
  return index === 0 ? 0 : index * (stream.segmentSize - SEGMENT_TAG_BYTES) - STREAM_HEADER_BYTES;
}

/** Plaintext bytes of one segment. */
export function plainBytesOf(stream: StreamParameters, index: number): number {
  const end = Math.min(plainOffsetOf(stream, index + 1), stream.header.plainLength);
  return end - plainOffsetOf(stream, index);
}

/** Offset in the stored body at which a segment begins. */
export function storedOffsetOf(stream: Pick<StreamParameters, 'segmentSize'>, index: number): number {
  return PART_HEADER_BYTES + (index === 0 ? STREAM_HEADER_BYTES : index * stream.segmentSize);
}
