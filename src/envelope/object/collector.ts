/** Gathers a field of known length that may arrive in any pieces. */
export class Collector {
  readonly bytes: Uint8Array;
  #filled = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
  }

  get complete(): boolean {
    return this.#filled === this.bytes.length;
  }

  /** Takes what it lacks from `chunk` at `from`; returns the offset after it. */
  consume(chunk: Uint8Array, from: number): number {
    const take = Math.min(this.bytes.length - this.#filled, chunk.length - from);
    this.bytes.set(chunk.subarray(from, from + take), this.#filled);
    this.#filled += take;
    return from + take;
  }
}
