/**
 * Opens a run of segments of one stream as their ciphertext flows in.
 *
 * Invariant: plaintext of a segment is given out only after its tag has verified; at most one segment is kept.
 */
import { createDecipheriv, type DecipherGCM } from 'node:crypto';
import { openFailed } from '../errors.ts';
import { SEGMENT_TAG_BYTES } from '../limits.ts';
import { plainBytesOf, segmentNonce, type StreamParameters } from './stream.ts';

export class SegmentOpener {
  readonly #stream: StreamParameters;
  readonly #end: number;
  #segment: number;
  #decipher: DecipherGCM;
  #left: number;
  #unverified: Uint8Array[] = [];
  readonly #tag = new Uint8Array(SEGMENT_TAG_BYTES);
  #tagFilled = 0;

  /** Opens segments `first` to `end` (exclusive). */
  constructor(stream: StreamParameters, first: number, end: number) {
    this.#stream = stream;
    this.#segment = first;
    this.#end = end;
    this.#decipher = this.#newDecipher();
    this.#left = plainBytesOf(stream, first);
  }

  get done(): boolean {
    return this.#segment === this.#end;
  }

  /**
   * Takes what belongs to the run from `chunk` at `from`; appends verified plaintext to `out`; returns the offset after what it
   * took. Errors: ERR_ENVELOPE_OPEN_FAILED.
   */
  consume(chunk: Uint8Array, from: number, out: Uint8Array[]): number {
    let at = from;
    while (at < chunk.length && !this.done) {
      if (this.#left > 0) {
        const take = Math.min(this.#left, chunk.length - at);
        this.#unverified.push(this.#decipher.update(chunk.subarray(at, at + take)));
        this.#left -= take;
        at += take;
      } else {
        at += this.#takeTag(chunk, at, out);
      }
    }
    return at;
  }

  #takeTag(chunk: Uint8Array, at: number, out: Uint8Array[]): number {
    const take = Math.min(SEGMENT_TAG_BYTES - this.#tagFilled, chunk.length - at);
    this.#tag.set(chunk.subarray(at, at + take), this.#tagFilled);
    this.#tagFilled += take;
    if (this.#tagFilled === SEGMENT_TAG_BYTES) this.#verify(out);
    return take;
  }

  #verify(out: Uint8Array[]): void {
    try {
      this.#decipher.setAuthTag(this.#tag);
      this.#decipher.final();
    } catch {
      this.#unverified = [];
      throw openFailed();
    }
    for (const piece of this.#unverified) out.push(piece);
    this.#unverified = [];
    this.#tagFilled = 0;
    this.#segment += 1;
    if (this.done) return;
    this.#left = plainBytesOf(this.#stream, this.#segment);
    this.#decipher = this.#newDecipher();
  }

  #newDecipher(): DecipherGCM {
    const nonce = segmentNonce(this.#stream, this.#segment);
    return createDecipheriv('aes-256-gcm', this.#stream.key, nonce, { authTagLength: SEGMENT_TAG_BYTES });
  }
}
