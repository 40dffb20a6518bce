/**
 * Ranged reads of one body: which stored bytes hold a range of plaintext, and an opener for just those.
 *
 * Invariant: the header's MAC is verified before its length is believed, and every segment's tag (which binds its index, and
 * whether it is the last) before a byte of it is given out.
 */
import type { Dek } from '../../crypto/key-types.ts';
import { openFailed } from '../errors.ts';
import { SEGMENT_TAG_BYTES } from '../limits.ts';
import type { PartHeader } from './part-header.ts';
import { SegmentOpener } from './segment-opener.ts';
import { STREAM_HEADER_BYTES, segmentCount, segmentSizeOf, type BodyShape } from './sizes.ts';
import { openPrefix, plainOffsetOf, storedOffsetOf } from './stream.ts';

export type RangePlan = {
  /** Stored bytes to fetch, counted from the body's first byte; `storedTo` is exclusive. */
  readonly storedFrom: number;
  readonly storedTo: number;
  readonly firstSegment: number;
  /** Exclusive. */
  readonly endSegment: number;
  /** Plaintext bytes of the first segment before the range, and bytes in the range. */
  readonly skip: number;
  readonly take: number;
};

/** The plan for plaintext bytes `from` to `to` (exclusive) of a body. Precondition: 0 <= from < to <= plaintext length. */
export function planRange(body: BodyShape, from: number, to: number): RangePlan {
  const { plainLength } = body;
  if (!(from >= 0 && from < to && to <= plainLength)) throw new RangeError('the range is not within the plaintext');
  const segmentSize = segmentSizeOf(body);
  const segmentOf = (offset: number) => Math.floor((offset + STREAM_HEADER_BYTES) / (segmentSize - SEGMENT_TAG_BYTES));
  const firstSegment = segmentOf(from);
  const endSegment = segmentOf(to - 1) + 1;
  const isLast = endSegment === segmentCount(plainLength, segmentSize);
  const lastPlainEnd = isLast ? plainLength : plainOffsetOf({ segmentSize }, endSegment);
  const lastStart = endSegment - 1;
  const lastPlain = lastPlainEnd - plainOffsetOf({ segmentSize }, lastStart);
  return {
    storedFrom: storedOffsetOf({ segmentSize }, firstSegment),
    storedTo: storedOffsetOf({ segmentSize }, lastStart) + lastPlain + SEGMENT_TAG_BYTES,
    firstSegment,
    endSegment,
    skip: from - plainOffsetOf({ segmentSize }, firstSegment),
    take: to - from,
  };
}

export type RangeOpenerInput = {
  readonly dek: Dek;
  readonly objectId: Uint8Array;
  /** The body's first 104 bytes (BODY_PREFIX_BYTES). */
  readonly prefix: Uint8Array;
  /** Plaintext range of this body; `to` is exclusive. */
  readonly from: number;
  readonly to: number;
  /** What the header must say, as far as it is known: from the part table, or the plaintext size already promised. */
  readonly expect?: Partial<Omit<PartHeader, 'objectId'>>;
};

/** Opens the stored bytes of `plan`, pushed in order. */
export class RangeOpener {
  readonly plan: RangePlan;
  readonly #segments: SegmentOpener;
  #skip: number;
  #take: number;
  #failed = false;

  /** Errors: ERR_ENVELOPE_OPEN_FAILED (the prefix does not verify, says other than expected, or ends before the range). */
  constructor(input: RangeOpenerInput) {
    const { dek, objectId, prefix, from, to, expect = {} } = input;
    const stream = openPrefix(Uint8Array.from(prefix), dek, objectId);
    for (const name of ['layout', 'partNumber', 'final', 'plainLength'] as const) {
      if (expect[name] !== undefined && expect[name] !== stream.header[name]) throw openFailed();
    }
    if (to > stream.header.plainLength) throw openFailed();
    this.plan = planRange(stream.header, from, to);
    this.#segments = new SegmentOpener(stream, this.plan.firstSegment, this.plan.endSegment);
    this.#skip = this.plan.skip;
    this.#take = this.plan.take;
  }

  /** Takes the next stored bytes; gives plaintext of the range. Errors: ERR_ENVELOPE_OPEN_FAILED, then for ever. */
  push(chunk: Uint8Array): Uint8Array[] {
    if (this.#failed) throw openFailed();
    this.#failed = true;
    const opened: Uint8Array[] = [];
    if (this.#segments.consume(chunk, 0, opened) !== chunk.length) throw openFailed();
    this.#failed = false;
    return opened.map((piece) => this.#cut(piece)).filter((piece) => piece.length > 0);
  }

  /** Errors: ERR_ENVELOPE_OPEN_FAILED where stored bytes were missing. */
  finish(): void {
    if (this.#failed || !this.#segments.done) throw openFailed();
  }

  #cut(piece: Uint8Array): Uint8Array {
    const from = Math.min(this.#skip, piece.length);
    const to = Math.min(piece.length, from + this.#take);
    this.#skip -= from;
    this.#take -= to - from;
    return piece.subarray(from, to);
  }
}
