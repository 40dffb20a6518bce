/** Reader and Writer: the only places where offsets into formats live. Integers are big-endian; every read is bounds-checked. */
import { malformed } from './errors.ts';

const MAX_SAFE_HIGH_WORD = 2 ** 21 - 1;

/** Reads a format from front to back. Errors: ERR_ENVELOPE_MALFORMED. */
export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  /** A view, not a copy. */
  bytes(length: number): Uint8Array {
    if (length > this.remaining) throw malformed();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  uint8(): number {
    const value = this.#bytes[this.#at];
    if (value === undefined) throw malformed();
    this.#at += 1;
    return value;
  }

  uint16(): number {
    return this.uint8() * 0x100 + this.uint8();
  }

  uint32(): number {
    return this.uint16() * 0x1_0000 + this.uint16();
  }

  /** An unsigned 64-bit integer that a number holds exactly (below 2^53). */
  uint64(): number {
    const high = this.uint32();
    if (high > MAX_SAFE_HIGH_WORD) throw malformed();
    return high * 0x1_0000_0000 + this.uint32();
  }

  /** LEB128 of a whole number below 2^53, in its shortest form alone. */
  varint(): number {
    let value = 0;
    for (let factor = 1, byte = 0x80; byte >= 0x80; factor *= 0x80) {
      byte = this.uint8();
      value += (byte & 0x7f) * factor;
      if (value > Number.MAX_SAFE_INTEGER || (byte === 0 && factor > 1)) throw malformed();
    }
    return value;
  }

  /** Length in 16 bits, then so many bytes. */
  block16(): Uint8Array {
    return this.bytes(this.uint16());
  }

  expect(...expected: readonly number[]): void {
    for (const byte of expected) if (this.uint8() !== byte) throw malformed();
  }

  end(): void {
    if (this.remaining !== 0) throw malformed();
  }
}

/** Most messages are shorter; longer ones grow the buffer to twice its size. */
const FIRST_WRITER_BYTES = 256;

/** Writes a format from front to back. A new one for each message. */
export class Writer {
  #written = new Uint8Array(FIRST_WRITER_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  bytes(part: Uint8Array): this {
    const at = this.#reserve(part.length);
    this.#written.set(part, at);
    return this;
  }

  uint8(...values: readonly number[]): this {
    let at = this.#reserve(values.length);
    for (const value of values) {
      assertWithin(value, 0xff);
      this.#written[at] = value;
      at += 1;
    }
    return this;
  }

  uint16(value: number): this {
    assertWithin(value, 0xffff);
    return this.uint8(value >>> 8, value & 0xff);
  }

  uint32(value: number): this {
    assertWithin(value, 0xffff_ffff);
    return this.uint16(Math.floor(value / 0x1_0000)).uint16(value % 0x1_0000);
  }

  uint64(value: number): this {
    assertWithin(value, Number.MAX_SAFE_INTEGER);
    return this.uint32(Math.floor(value / 0x1_0000_0000)).uint32(value % 0x1_0000_0000);
  }

  varint(value: number): this {
    assertWithin(value, Number.MAX_SAFE_INTEGER);
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.uint8((rest % 0x80) + 0x80);
    return this.uint8(rest);
  }

  block16(part: Uint8Array): this {
    return this.uint16(part.length).bytes(part);
  }

  zeros(count: number): this {
    // Nothing was written there yet, and an array begins as zeros.
    this.#reserve(count);
    return this;
  }

  /** A new array of its own. */
  finish(): Uint8Array {
    return this.#written.slice(0, this.#length);
  }

  /** Makes room for `count` bytes; the offset where they begin. */
  #reserve(count: number): number {
    const at = this.#length;
    const end = at + count;
    if (end > this.#written.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.#written.length));
      grown.set(this.#written);
      this.#written = grown;
    }
    this.#length = end;
    return at;
  }
}

function assertWithin(value: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < 0 || value > most)
    throw new RangeError('a number does not fit its field');
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Strict UTF-8. Errors: ERR_ENVELOPE_MALFORMED. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw malformed();
  }
}

export const encodeUtf8 = (text: string): Uint8Array => Buffer.from(text, 'utf8');

/** base64url without padding, in its one canonical form. Errors: ERR_ENVELOPE_MALFORMED. */
export function decodeBase64url(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) throw malformed();
  return Uint8Array.from(bytes);
}

export function encodeBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}

/** A field of fixed length given by a caller of ours: a wrong length is a bug, not bad input. */
export function assertLength(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.length !== length) throw new RangeError(`${what} has ${length} bytes, not ${bytes.length}`);
}
