/**
 * Opens one whole body as it flows: header, stream, record, padding. `BodyOpener` is for a body that stands alone; `BodyReader`,
 * which says how much it took, is what `ObjectOpener` walks the parts of an object with.
 *
 * Invariant: only verified segments are given out, and the last one only when record and padding have verified too: whoever
 * got all the plaintext got all of a body that was proven whole.
 */
import { isZero } from '../../crypto/bytes.ts';
import type { Dek } from '../../crypto/key-types.ts';
import { openFailed } from '../errors.ts';
import { FOOTER_BLOCK_BYTES } from '../limits.ts';
import { Collector } from './collector.ts';
import type { PartHeader } from './part-header.ts';
import { openRecord, type BodyRecord } from './record.ts';
import { SegmentOpener } from './segment-opener.ts';
import { BODY_PREFIX_BYTES, RECORD_BYTES, paddingOf } from './sizes.ts';
import { openPrefix, type StreamParameters } from './stream.ts';

export type BodyOpenerInput = {
  readonly dek: Dek;
  /** 16 bytes, from the verified envelope. */
  readonly objectId: Uint8Array;
  /** What the header must say, as far as it is known. */
  readonly expect?: Partial<Omit<PartHeader, 'objectId'>>;
};

type BodyReaderInput = BodyOpenerInput & { readonly accepts?: (header: PartHeader) => boolean };

export class BodyReader {
  readonly #input: BodyReaderInput;
  readonly #prefix = new Collector(BODY_PREFIX_BYTES);
  #stream: StreamParameters | undefined;
  #segments: SegmentOpener | undefined;
  #tail: Collector | undefined;
  #withheld: Uint8Array[] = [];
  #record: BodyRecord | undefined;

  constructor(input: BodyReaderInput) {
    this.#input = input;
  }

  /** The verified header and salt, once the first 104 bytes are there. */
  get stream(): StreamParameters | undefined {
    return this.#stream;
  }

  /** The record, once everything has verified. */
  get record(): BodyRecord | undefined {
    return this.#record;
  }

  /** A final part's footer block, once everything has verified. */
  get footerBlock(): Uint8Array | undefined {
    const header = this.#stream?.header;
    if (this.#record === undefined || header?.layout !== 'part' || !header.final) return undefined;
    return this.#tail?.bytes.subarray(-FOOTER_BLOCK_BYTES);
  }

  /** Takes what belongs to this body; returns the offset after it. Errors: ERR_ENVELOPE_OPEN_FAILED. */
  consume(chunk: Uint8Array, from: number, out: Uint8Array[]): number {
    let at = from;
    if (this.#stream === undefined) {
      at = this.#prefix.consume(chunk, at);
      if (!this.#prefix.complete) return at;
      this.#begin();
    }
    if (this.#segments !== undefined && !this.#segments.done) at = this.#openSegments(this.#segments, chunk, at, out);
    if (this.#tail !== undefined && this.#record === undefined) {
      at = this.#tail.consume(chunk, at);
      if (this.#tail.complete) this.#finishTail(this.#tail.bytes, out);
    }
    return at;
  }

  #begin(): void {
    const { dek, objectId, expect = {} } = this.#input;
    const stream = openPrefix(this.#prefix.bytes, dek, objectId);
    const { layout, partNumber, final, plainLength } = stream.header;
    const found = { layout, partNumber, final, plainLength };
    for (const name of ['layout', 'partNumber', 'final', 'plainLength'] as const) {
      if (expect[name] !== undefined && expect[name] !== found[name]) throw openFailed();
    }
    if (this.#input.accepts?.(stream.header) === false) throw openFailed();
    this.#stream = stream;
    this.#segments = new SegmentOpener(stream, 0, stream.segments);
  }

  #openSegments(segments: SegmentOpener, chunk: Uint8Array, from: number, out: Uint8Array[]): number {
    const opened: Uint8Array[] = [];
    const at = segments.consume(chunk, from, opened);
    if (segments.done && this.#stream !== undefined) {
      this.#tail = new Collector(RECORD_BYTES + paddingOf(this.#stream.header));
      // The last piece is enough to withhold: without it the plaintext is not complete.
      const last = opened.pop();
      if (last !== undefined) this.#withheld = [last];
    }
    for (const piece of opened) out.push(piece);
    return at;
  }

  #finishTail(tail: Uint8Array, out: Uint8Array[]): void {
    const stream = this.#stream;
    if (stream === undefined) throw openFailed();
    const { header, headerBytes, salt } = stream;
    const padding = header.layout === 'part' && header.final ? tail.length - FOOTER_BLOCK_BYTES : tail.length;
    // A short enough final part is our own promise (BodySealer); a header under our MAC that breaks it is still refused.
    if (padding < RECORD_BYTES || !isZero(tail.subarray(RECORD_BYTES, padding))) throw openFailed();
    const place = { ...this.#input, salt, header: headerBytes, plainLength: header.plainLength };
    this.#record = openRecord(tail.subarray(0, RECORD_BYTES), place);
    for (const piece of this.#withheld) out.push(piece);
    this.#withheld = [];
  }
}

export class BodyOpener {
  readonly #reader: BodyReader;
  #failed = false;

  constructor(input: BodyOpenerInput) {
    this.#reader = new BodyReader(input);
  }

  /** The verified header, once the first 104 bytes were pushed. */
  get header(): PartHeader | undefined {
    return this.#reader.stream?.header;
  }

  /** The stream's salt, likewise. */
  get salt(): Uint8Array | undefined {
    return this.#reader.stream?.salt;
  }

  /** A final part's footer block, for `openFooter`, once everything was pushed. */
  get footerBlock(): Uint8Array | undefined {
    return this.#reader.footerBlock;
  }

  /** Takes the next stored bytes, of any length; gives the plaintext they proved. Errors: ERR_ENVELOPE_OPEN_FAILED, then for ever. */
  push(chunk: Uint8Array): Uint8Array[] {
    if (this.#failed) throw openFailed();
    this.#failed = true;
    const out: Uint8Array[] = [];
    if (this.#reader.consume(chunk, 0, out) !== chunk.length) throw openFailed();
    this.#failed = false;
    return out;
  }

  /** The record, if the body was whole. Errors: ERR_ENVELOPE_OPEN_FAILED (cut). */
  finish(): BodyRecord {
    if (this.#failed || this.#reader.record === undefined) throw openFailed();
    return this.#reader.record;
  }
}
