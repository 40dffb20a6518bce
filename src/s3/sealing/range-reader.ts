/**
 * Opens the stored bytes of a range over the parts of an object, as they flow: skips what lies between, reads the headers of parts that are
 * not remembered.
 */
import { Collector } from '../../envelope/object/collector.ts';
import type { PartRange } from '../../envelope/object/part-table.ts';
import { RangeOpener } from '../../envelope/object/range-plan.ts';
import { BODY_PREFIX_BYTES } from '../../envelope/object/sizes.ts';
import { S3Error } from '../errors.ts';
import type { ObjectKey } from './data-key.ts';
import type { ObjectLayout } from './object-layout.ts';
import type { StoredRange } from './read-range.ts';

export class RangeReader {
  readonly #layout: ObjectLayout;
  readonly #key: ObjectKey;
  readonly #parts: Iterator<PartRange, undefined>;
  /** Offset in the object of the next byte pushed. */
  #position: number;
  #part: PartReader | undefined;

  constructor(layout: ObjectLayout, { storedFrom, parts }: StoredRange, key: ObjectKey) {
    this.#layout = layout;
    this.#key = key;
    this.#parts = parts.values();
    this.#position = storedFrom;
  }

  /** Takes the next stored bytes; appends plaintext of the range to `out`. Throws where it does not open, or goes on beyond what was asked for. */
  push(chunk: Uint8Array, out: Uint8Array[]): void {
    for (let at = 0; at < chunk.length;) {
      const part = (this.#part ??= this.#nextPart());
      const end = part.consume(chunk, at, out);
      this.#position += end - at;
      at = end;
      if (part.done) this.#part = undefined;
    }
  }

  /** Throws ERR_S3_SEALED_OBJECT_INVALID where stored bytes were missing. */
  finish(): void {
    if (this.#part !== undefined || this.#parts.next().done !== true) throw wrongLength('shorter');
  }

  /** A part whose header is remembered is begun here: what is wrong with it is thrown where bytes are pushed, so that their source is let go. */
  #nextPart(): PartReader {
    const { value } = this.#parts.next();
    if (value === undefined) throw wrongLength('longer');
    return new PartReader(this.#layout, value, this.#key, this.#position);
  }
}

const wrongLength = (how: 'longer' | 'shorter'): S3Error =>
  new S3Error('ERR_S3_SEALED_OBJECT_INVALID', `The stored object is ${how} than it says.`);

class PartReader {
  readonly #layout: ObjectLayout;
  readonly #range: PartRange;
  readonly #key: ObjectKey;
  /** The part's header, where it is read and not remembered. */
  readonly #prefix = new Collector(BODY_PREFIX_BYTES);
  #skip = 0;
  #left = 0;
  #opener: RangeOpener | undefined;

  /** `position`: where reading stands in the object. */
  constructor(layout: ObjectLayout, range: PartRange, key: ObjectKey, position: number) {
    this.#layout = layout;
    this.#range = range;
    this.#key = key;
    const { partNumber, storedStart } = range.part;
    if (position <= storedStart) this.#skip = storedStart - position;
    else this.#begin(layout.prefixes.get(partNumber) ?? new Uint8Array(0), position);
  }

  get done(): boolean {
    return this.#opener !== undefined && this.#left === 0;
  }

  /** Takes what belongs to the part from `chunk` at `from`; returns the offset after it. */
  consume(chunk: Uint8Array, from: number, out: Uint8Array[]): number {
    let at = this.#skipped(chunk, from);
    if (this.#opener === undefined) {
      at = this.#prefix.consume(chunk, at);
      if (!this.#prefix.complete) return at;
      this.#begin(this.#prefix.bytes, this.#range.part.storedStart + BODY_PREFIX_BYTES);
      at = this.#skipped(chunk, at);
    }
    return this.#opened(chunk, at, out);
  }

  #skipped(chunk: Uint8Array, from: number): number {
    const skipped = Math.min(this.#skip, chunk.length - from);
    this.#skip -= skipped;
    return from + skipped;
  }

  #opened(chunk: Uint8Array, from: number, out: Uint8Array[]): number {
    const run = chunk.subarray(from, from + this.#left);
    if (run.length === 0 || this.#opener === undefined) return from;
    out.push(...this.#opener.push(run));
    this.#left -= run.length;
    if (this.#left === 0) this.#opener.finish();
    return from + run.length;
  }

  #begin(prefix: Uint8Array, position: number): void {
    const { part, from, to } = this.#range;
    const { dek, objectId } = this.#key;
    const expect = { partNumber: part.partNumber, plainLength: part.plainLength };
    this.#opener = new RangeOpener({ dek, objectId, prefix, from, to, expect });
    // Proven by its MAC just now.
    this.#layout.prefixes.set(part.partNumber, prefix);
    const { storedFrom, storedTo } = this.#opener.plan;
    this.#skip = part.storedStart + storedFrom - position;
    this.#left = storedTo - storedFrom;
  }
}
