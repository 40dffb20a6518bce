/** Bytes that have come and are not used up: a row that is not whole yet lies in it, and in it alone. */
const INITIAL_BYTES = 16 * 1024;

export class RowBuffer {
  bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  start = 0;
  end = 0;

  get length(): number {
    return this.end - this.start;
  }

  append(chunk: Uint8Array): void {
    if (this.end + chunk.length > this.bytes.length) this.#makeRoom(chunk.length);
    this.bytes.set(chunk, this.end);
    this.end += chunk.length;
  }

  /** The first `length` bytes are used up. */
  drop(length: number): void {
    this.start += length;
    if (this.start === this.end) this.clear();
  }

  clear(): void {
    this.start = 0;
    this.end = 0;
  }

  #makeRoom(more: number): void {
    const { length } = this;
    const needed = length + more;
    if (needed <= this.bytes.length) {
      this.bytes.copyWithin(0, this.start, this.end);
    } else {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.bytes.length));
      this.bytes.copy(larger, 0, this.start, this.end);
      this.bytes = larger;
    }
    this.start = 0;
    this.end = length;
  }
}
