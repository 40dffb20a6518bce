/** Bytes on their way out as CopyData messages ('d'), many rows to one. */

const COPY_DATA = 'd'.charCodeAt(0);
const HEADER_BYTES = 5;
/** A message is sent once it has so much; rows are not cut. */
export const COPY_MESSAGE_BYTES = 64 * 1024;
/** Room for what a row adds beyond. */
const SLACK_BYTES = 4 * 1024;
const HEX = new Uint8Array(Buffer.from('0123456789abcdef'));

export class CopyOutput {
  #buffer: Buffer;
  #length = HEADER_BYTES;
  readonly #capacity: number;

  /** `capacity`: of a message's body, to begin with. */
  constructor(capacity = COPY_MESSAGE_BYTES + SLACK_BYTES) {
    this.#capacity = capacity;
    this.#buffer = Buffer.allocUnsafe(HEADER_BYTES + capacity);
  }

  get isFull(): boolean {
    return this.#length >= COPY_MESSAGE_BYTES;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  int32(value: number): void {
    this.#reserve(4);
    this.#length = this.#buffer.writeInt32BE(value, this.#length);
  }

  bytes(source: Uint8Array, start = 0, end = source.length): void {
    this.#reserve(end - start);
    // A short copy by hand costs less than a call.
    if (end - start < 32)
      for (let at = start, to = this.#length; at < end; at++, to++) this.#buffer[to] = source[at] ?? 0;
    else this.#buffer.set(start === 0 && end === source.length ? source : source.subarray(start, end), this.#length);
    this.#length += end - start;
  }

  hex(source: Uint8Array): void {
    this.#reserve(2 * source.length);
    const buffer = this.#buffer;
    let to = this.#length;
    for (let at = 0; at < source.length; at++) {
      const byte = source[at] ?? 0;
      buffer[to++] = HEX[byte >> 4] ?? 0;
      buffer[to++] = HEX[byte & 15] ?? 0;
    }
    this.#length = to;
  }

  /** The message so far, or undefined where it is empty; what comes now goes into another. */
  take(): Uint8Array | undefined {
    if (this.#length === HEADER_BYTES) return undefined;
    const message = this.#buffer.subarray(0, this.#length);
    message[0] = COPY_DATA;
    message.writeUInt32BE(message.length - 1, 1);
    this.#buffer = Buffer.allocUnsafe(HEADER_BYTES + this.#capacity);
    this.#length = HEADER_BYTES;
    return message;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
