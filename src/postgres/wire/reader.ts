/**
 * Reads the body of one message. Every read is bounds-checked against the body's end; a read past it is ERR_POSTGRES_PROTOCOL, in the
 * server's own words (libpq/pqformat.c).
 */
import { isUtf8 } from 'node:buffer';
import { protocolError } from './protocol-error.ts';

/** Big-endian unsigned 32-bit integer; the caller has checked that four bytes are there. */
export function uint32At(bytes: Uint8Array, offset: number): number {
  const high = ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
  const low = ((bytes[offset + 2] ?? 0) << 8) | (bytes[offset + 3] ?? 0);
  return high * 0x10000 + low;
}

/** What came from a socket is one already. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** UTF-8, lenient: for names and texts that are only compared or shown. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  return bufferOf(bytes).toString('utf8', start, end);
}

/** The name of a statement or portal: one character for each byte (latin1), whatever the encoding, so that no two names become one. */
export function nameOf(bytes: Uint8Array, start: number, end: number): string {
  if (start === end) return '';
  return bufferOf(bytes).toString('latin1', start, end);
}

/** UTF-8, strict: undefined where the bytes are not. */
export function strictTextOf(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes) ? textOf(bytes, 0, bytes.length) : undefined;
}

export class Reader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #offset: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    if (start < 0 || end > bytes.length || start > end) throw protocolError('message body out of bounds');
    this.#bytes = bytes;
    this.#offset = start;
    this.#end = end;
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  byte(): number {
    if (this.remaining === 0) throw protocolError('no data left in message');
    return this.#bytes[this.#advance(1)] ?? 0;
  }

  uint16(): number {
    const at = this.#advance(2);
    return ((this.#bytes[at] ?? 0) << 8) | (this.#bytes[at + 1] ?? 0);
  }

  int16(): number {
    return (this.uint16() << 16) >> 16;
  }

  uint32(): number {
    return uint32At(this.#bytes, this.#advance(4));
  }

  int32(): number {
    return this.uint32() | 0;
  }

  /** A view, not a copy. */
  bytes(length: number): Uint8Array {
    const at = this.#advance(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** The bytes of a NUL-terminated string, without the NUL; a view. */
  cstringBytes(): Uint8Array {
    const start = this.#offset;
    return this.#bytes.subarray(start, this.#pastNul() - 1);
  }

  cstring(): string {
    const view = this.cstringBytes();
    return textOf(view, 0, view.length);
  }

  /** The name of a statement or portal: see `nameOf`. */
  name(): string {
    const start = this.#offset;
    return nameOf(this.#bytes, start, this.#pastNul() - 1);
  }

  /** Fails unless the whole body was read: trailing bytes mean that we read it otherwise than the server would. */
  end(): void {
    if (this.#offset !== this.#end) throw protocolError('invalid message format');
  }

  /** Moves on behind the next NUL; where that is. */
  #pastNul(): number {
    const nul = this.#bytes.indexOf(0, this.#offset);
    if (nul < 0 || nul >= this.#end) throw protocolError('invalid string in message');
    this.#offset = nul + 1;
    return this.#offset;
  }

  #advance(length: number): number {
    const at = this.#offset;
    if (length < 0 || length > this.#end - at) throw protocolError('insufficient data left in message');
    this.#offset = at + length;
    return at;
  }
}
