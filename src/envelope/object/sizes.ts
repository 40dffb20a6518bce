/**
 * Size arithmetic of sealed bodies, both ways. Every constant follows from the segment size, which counts CIPHERTEXT: tag included,
 * and for the first segment the stream header as well (as Tink counts).
 *
 * A whole object (single PUT, or a held part):  header 64 | stream (64 KiB segments) | record 192
 * A part of a multipart object:                 header 64 | stream (segments grow with the part) | record 192 | padding
 * so that every part costs exactly PART_OVERHEAD bytes: `plaintext = stored - N * PART_OVERHEAD`, whatever the parts' lengths.
 * Part 10 000 has fewer and larger segments than others of its length, so that its padding always has room for the list.
 */
import {
  MAX_LAST_PART_SEGMENTS,
  MAX_PART_NUMBER,
  MAX_PART_SEGMENTS,
  MIN_SEGMENT_BYTES,
  S3_MAX_PART_BYTES,
  S3_MAX_PUT_BYTES,
  SEGMENT_STEP_BYTES,
  SEGMENT_TAG_BYTES,
} from '../limits.ts';

export const PART_HEADER_BYTES = 64;
/** Length byte 1 | salt 32 | nonce prefix 7. */
export const STREAM_HEADER_BYTES = 40;
/** Part header and stream header: what must be read before any segment can be opened. */
export const BODY_PREFIX_BYTES = PART_HEADER_BYTES + STREAM_HEADER_BYTES;
/** The sealed record of plaintext checksums: 176 and a tag. */
export const RECORD_BYTES = 192;

/** What every part of a multipart object is longer than its plaintext. */
export const PART_OVERHEAD = BODY_PREFIX_BYTES + MAX_PART_SEGMENTS * SEGMENT_TAG_BYTES + RECORD_BYTES;

const SINGLE_FIXED_BYTES = BODY_PREFIX_BYTES + RECORD_BYTES;

/** Longest plaintext of one part. */
export const MAX_PART_PLAIN_BYTES = S3_MAX_PART_BYTES - PART_OVERHEAD;
/** Longest plaintext of a single PUT. */
export const MAX_PUT_PLAIN_BYTES = largestSinglePlain(S3_MAX_PUT_BYTES);

/** How a body is laid out: a whole object, a part of a multipart object, or a part held back until its upload completes. */
export type BodyLayout = 'single' | 'part' | 'held';

/** All that a body's sizes follow from. */
export type BodyShape = {
  readonly layout: BodyLayout;
  /** 0 for a single PUT. */
  readonly partNumber: number;
  readonly plainLength: number;
};

/** Segment size: 64 KiB, or of a part as much more as keeps it within 512 segments (of part 10 000: 96), in steps of 4 KiB. */
export function segmentSizeOf({ layout, partNumber, plainLength }: BodyShape): number {
  if (layout !== 'part') return MIN_SEGMENT_BYTES;
  const most = partNumber === MAX_PART_NUMBER ? MAX_LAST_PART_SEGMENTS : MAX_PART_SEGMENTS;
  const least = Math.ceil((plainLength + STREAM_HEADER_BYTES) / most) + SEGMENT_TAG_BYTES;
  return Math.max(MIN_SEGMENT_BYTES, Math.ceil(least / SEGMENT_STEP_BYTES) * SEGMENT_STEP_BYTES);
}

/** Number of segments: at least one, and an empty one only for the empty plaintext. */
export function segmentCount(plain: number, segmentSize: number): number {
  return Math.max(1, Math.ceil((plain + STREAM_HEADER_BYTES) / (segmentSize - SEGMENT_TAG_BYTES)));
}

/** Stored size of a single PUT (and of a held part). */
export function sealedSize(plain: number): number {
  return plain + SINGLE_FIXED_BYTES + SEGMENT_TAG_BYTES * segmentCount(plain, MIN_SEGMENT_BYTES);
}

/** Stored size of a body of any layout. */
export function storedSizeOf(layout: BodyLayout, plain: number): number {
  return layout === 'part' ? plain + PART_OVERHEAD : sealedSize(plain);
}

/** Plaintext size of a stored single PUT; undefined where no plaintext has this stored size (it was not sealed by us). */
export function plainSize(stored: number): number | undefined {
  const stream = stored - PART_HEADER_BYTES - RECORD_BYTES;
  const segments = Math.max(1, Math.ceil(stream / MIN_SEGMENT_BYTES));
  const plain = stream - STREAM_HEADER_BYTES - SEGMENT_TAG_BYTES * segments;
  return plain >= 0 && sealedSize(plain) === stored ? plain : undefined;
}

/** Plaintext size of a stored multipart object of `parts` backend parts, the footer part among them; undefined where impossible. */
export function plainSizeOfMultipart(stored: number, parts: number): number | undefined {
  const plain = stored - parts * PART_OVERHEAD;
  return plain >= 0 ? plain : undefined;
}

/** Zero padding of a part (a footer block may take its end). */
export function paddingOf(body: BodyShape): number {
  if (body.layout !== 'part') return 0;
  return (MAX_PART_SEGMENTS - segmentCount(body.plainLength, segmentSizeOf(body))) * SEGMENT_TAG_BYTES;
}

function largestSinglePlain(stored: number): number {
  const stream = stored - PART_HEADER_BYTES - RECORD_BYTES;
  return stream - STREAM_HEADER_BYTES - SEGMENT_TAG_BYTES * Math.ceil(stream / MIN_SEGMENT_BYTES);
}
