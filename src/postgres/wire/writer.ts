/**
 * Writes one message. A writer is made per message, so half a message can never leak into the next.
 */

const INITIAL_BYTES = 256;
const HEADER_BYTES = 5;

export class Writer {
  #buffer: Buffer;
  #length: number;

  /** `type`: the message's type byte. `capacity`: expected size of the body. */
  constructor(type: number, capacity = INITIAL_BYTES) {
    this.#buffer = Buffer.allocUnsafe(HEADER_BYTES + capacity);
    this.#buffer[0] = type;
    this.#length = HEADER_BYTES;
  }

  byte(value: number): this {
    const at = this.#reserve(1);
    this.#buffer.writeUInt8(value, at);
    return this;
  }

  int16(value: number): this {
    const at = this.#reserve(2);
    this.#buffer.writeUInt16BE(value & 0xffff, at);
    return this;
  }

  int32(value: number): this {
    const at = this.#reserve(4);
    this.#buffer.writeInt32BE(value | 0, at);
    return this;
  }

  bytes(value: Uint8Array): this {
    const at = this.#reserve(value.length);
    this.#buffer.set(value, at);
    return this;
  }

  cstring(value: string | Uint8Array): this {
    return this.bytes(typeof value === 'string' ? Buffer.from(value) : value).byte(0);
  }

  /** A name as Reader.name gives it. */
  name(value: string): this {
    const at = this.#reserve(value.length);
    this.#buffer.write(value, at, 'latin1');
    return this.byte(0);
  }

  /** A length-prefixed value; undefined is NULL (length -1). */
  value(value: Uint8Array | undefined): this {
    if (value === undefined) return this.int32(-1);
    return this.int32(value.length).bytes(value);
  }

  /** The whole frame: type, length, body. The writer must not be used afterwards. */
  frame(): Uint8Array {
    this.#buffer.writeUInt32BE(this.#length - 1, 1);
    return this.#buffer.subarray(0, this.#length);
  }

  /** May replace the buffer: called before the buffer is touched. */
  #reserve(length: number): number {
    const at = this.#length;
    const needed = at + length;
    if (needed > this.#buffer.length) this.#grow(needed);
    this.#length = needed;
    return at;
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
