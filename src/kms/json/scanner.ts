/**
 * Reads JSON (RFC 8259) from bytes, one token at a time, as the shapes ask for it. Text becomes a string only where it is no
 * secret; a blob is taken as the bytes it stands in (`json/base64.ts`). Total: whatever is sent is read or refused with
 * ERR_KMS_SERIALIZATION.
 */
import { KmsError } from '../errors.ts';
import { MAX_JSON_DEPTH } from '../limits.ts';

/** What a value turns out to be; AWS's words for them stand in messages. */
export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'true' | 'false' | 'null';

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY] = [0x7b, 0x7d, 0x5b, 0x5d];

/** One character of an escape, and what it stands for. */
const ESCAPES: Readonly<Record<number, number>> = {
  0x22: 0x22,
  0x5c: 0x5c,
  0x2f: 0x2f,
  0x62: 0x08,
  0x66: 0x0c,
  0x6e: 0x0a,
  0x72: 0x0d,
  0x74: 0x09,
};

export function unreadable(message: string): KmsError {
  return new KmsError('ERR_KMS_SERIALIZATION', message);
}

export class JsonScanner {
  readonly #bytes: Buffer;
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** The kind of the value that begins here. */
  kind(): JsonKind {
    switch (this.#next()) {
      case OPEN_OBJECT:
        return 'object';
      case OPEN_ARRAY:
        return 'array';
      case QUOTE:
        return 'string';
      case 0x74:
        return 'true';
      case 0x66:
        return 'false';
      case 0x6e:
        return 'null';
      default:
        return 'number';
    }
  }

  /** Calls `member` at each value; it must read it. A name that stands twice is refused. */
  object(member: (name: string) => void): void {
    const names = new Set<string>();
    this.#items(OPEN_OBJECT, CLOSE_OBJECT, () => {
      const name = this.string();
      if (names.has(name)) throw unreadable('A member stands twice in one object.');
      names.add(name);
      this.#expect(COLON);
      member(name);
    });
  }

  /** Calls `element` at each value; it must read it. */
  array(element: () => void): void {
    this.#items(OPEN_ARRAY, CLOSE_ARRAY, element);
  }

  /** A string as text; no half surrogates, no bytes that are not UTF-8. */
  string(): string {
    if (this.#next() === QUOTE) {
      const start = this.#at + 1;
      let end = start;
      while (isPlain(this.#bytes[end])) end += 1;
      // Nearly every text is ASCII without escapes, and its decoder costs more than the text.
      if (this.#bytes[end] === QUOTE) {
        this.#at = end + 1;
        return this.#bytes.toString('latin1', start, end);
      }
    }
    return this.#decode(this.stringBytes());
  }

  /** A string's raw bytes, escapes and all; they stay where they are. */
  stringBytes(): Uint8Array {
    this.#expect(QUOTE);
    const start = this.#at;
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined || byte < 0x20) throw unreadable('A text does not end, or holds control characters.');
      this.#at += byte === BACKSLASH ? 2 : 1;
      if (byte === QUOTE) return this.#bytes.subarray(start, this.#at - 1);
    }
  }

  number(): number {
    this.#next();
    const start = this.#at;
    while (isNumberByte(this.#bytes[this.#at])) this.#at += 1;
    const text = Buffer.from(this.#bytes.subarray(start, this.#at)).toString('latin1');
    if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/u.test(text)) throw unreadable('This is not JSON.');
    return Number(text);
  }

  /** `true`, `false` or `null`. */
  word(word: 'true' | 'false' | 'null'): void {
    this.#next();
    for (const char of Buffer.from(word)) {
      if (this.#bytes[this.#at] !== char) throw unreadable('This is not JSON.');
      this.#at += 1;
    }
  }

  /** A value that nobody wants; well-formed all the same. */
  skip(depth = 0): void {
    if (depth > MAX_JSON_DEPTH) throw unreadable('The request is nested too deeply.');
    const kind = this.kind();
    switch (kind) {
      case 'object':
        return this.object(() => this.skip(depth + 1));
      case 'array':
        return this.array(() => this.skip(depth + 1));
      case 'string':
        return void this.string();
      case 'number':
        return void this.number();
      case 'true':
      case 'false':
      case 'null':
        return this.word(kind);
    }
  }

  /** Nothing but white space may follow. */
  end(): void {
    this.#skipSpace();
    if (this.#at !== this.#bytes.length) throw unreadable('Something follows the request.');
  }

  #items(open: number, close: number, item: () => void): void {
    this.#expect(open);
    if (this.#next() === close) return this.#expect(close);
    for (;;) {
      item();
      if (this.#next() === close) return this.#expect(close);
      this.#expect(COMMA);
    }
  }

  #skipSpace(): void {
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
      this.#at += 1;
    }
  }

  #next(): number {
    this.#skipSpace();
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw unreadable('The request ends too early.');
    return byte;
  }

  #expect(byte: number): void {
    if (this.#next() !== byte) throw unreadable('This is not JSON.');
    this.#at += 1;
  }

  #decode(raw: Uint8Array): string {
    const bytes = raw.includes(BACKSLASH) ? unescapeBytes(raw) : raw;
    try {
      return this.#utf8.decode(bytes);
    } catch (cause) {
      throw new KmsError('ERR_KMS_SERIALIZATION', 'A text is not UTF-8.', { cause });
    }
  }
}

/** ASCII that stands for itself in a text and does not end it. */
const isPlain = (byte: number | undefined): boolean =>
  byte !== undefined && byte >= 0x20 && byte < 0x7f && byte !== QUOTE && byte !== BACKSLASH;

const isNumberByte = (byte: number | undefined): boolean =>
  byte !== undefined && ((byte >= 0x30 && byte <= 0x39) || '+-.eE'.includes(String.fromCharCode(byte)));

/** A string's raw bytes without escapes, in memory of their own: it may be key material, and the caller zeroes it. */
export function unescapeBytes(raw: Uint8Array): Buffer {
  // Never longer than it was: `\u0000` has six bytes and stands for at most three.
  const out = Buffer.alloc(raw.length);
  let to = 0;
  for (let from = 0; from < raw.length;) {
    const byte = raw[from] ?? 0;
    if (byte !== BACKSLASH) {
      out[to++] = byte;
      from += 1;
    } else if (raw[from + 1] === 0x75) {
      const unit = hexUnit(raw, from + 2);
      const low = isHigh(unit) && raw[from + 6] === BACKSLASH && raw[from + 7] === 0x75 ? hexUnit(raw, from + 8) : 0;
      const paired = isLow(low);
      if (!paired && (isHigh(unit) || isLow(unit))) throw unreadable('A text holds half of a surrogate pair.');
      to += out.write(paired ? String.fromCharCode(unit, low) : String.fromCharCode(unit), to, 'utf8');
      from += paired ? 12 : 6;
    } else {
      const escaped = ESCAPES[raw[from + 1] ?? 0];
      if (escaped === undefined) throw unreadable('A text holds an escape that JSON does not know.');
      out[to++] = escaped;
      from += 2;
    }
  }
  return out.subarray(0, to);
}

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

function hexUnit(raw: Uint8Array, at: number): number {
  let unit = 0;
  for (let place = at; place < at + 4; place += 1) {
    const digit = Number.parseInt(String.fromCharCode(raw[place] ?? 0), 16);
    if (Number.isNaN(digit)) throw unreadable('A text holds an escape that JSON does not know.');
    unit = unit * 16 + digit;
  }
  return unit;
}
