/** COPY's csv format: fields between delimiters, quoted where need be (CopyReadLineText, CopyReadAttributesCSV, CopyAttributeOutCSV). */
import { byteaFromText } from '../carried/bytea-text.ts';
import { badCopyData } from './errors.ts';
import { FieldList } from './fields.ts';
import { BACKSLASH, chooses, DOT, NEWLINE, RETURN, sameBytes, type CsvFormat } from './format.ts';
import { LineEnds } from './line-ends.ts';
import type { CopyOutput } from './output.ts';
import type { FieldCodec, Found, RowScanner } from './rows.ts';

export class CsvRows implements RowScanner {
  readonly fields: FieldList;
  contentEnd = 0;
  next = 0;
  lines = 1;
  unterminated = false;
  readonly #format: CsvFormat;
  readonly #dotEnds: boolean;
  readonly #lineEnds = new LineEnds(true);
  #seen = 0;
  #quoted = false;

  /** `dotEnds`: `\.` alone on a line ends the data, as it does before PostgreSQL 18. */
  constructor(format: CsvFormat, columns: number, dotEnds: boolean) {
    this.fields = new FieldList(columns);
    this.#format = format;
    this.#dotEnds = dotEnds;
  }

  scan(bytes: Uint8Array, start: number, end: number, last: boolean): Found {
    const { delimiter, quote, escape } = this.#format;
    if (this.#seen === 0) {
      const marker = this.#marker(bytes, start, end, last);
      if (marker !== undefined) return marker;
      this.fields.reset();
      this.lines = 1;
    }
    let at = start + this.#seen;
    while (at < end) {
      const byte = bytes[at];
      if (this.#quoted) {
        if (byte === escape) {
          if (at + 1 >= end && !last) break;
          const next = at + 1 < end ? bytes[at + 1] : undefined;
          if (next === escape || next === quote) {
            at += 2;
            continue;
          }
        }
        if (byte === quote) this.#quoted = false;
        else if (byte === this.#lineEnds.counted) this.lines++;
        at++;
      } else if (byte === delimiter) {
        this.fields.close(at - start);
        at++;
      } else if (byte === quote) {
        this.#quoted = true;
        at++;
      } else if (byte === NEWLINE || byte === RETURN) {
        const width = this.#lineEnds.width(bytes, at, end, last);
        if (width === 0) break;
        return this.#row(at - start, width);
      } else {
        at++;
      }
    }
    if (!last) {
      this.#seen = at - start;
      return 'more';
    }
    this.unterminated = this.#quoted;
    return end === start ? 'end' : this.#row(end - start, 0);
  }

  #row(length: number, width: number): Found {
    this.fields.close(length);
    this.contentEnd = length;
    this.next = length + width;
    this.#seen = 0;
    return 'row';
  }

  #marker(bytes: Uint8Array, start: number, end: number, last: boolean): Found | undefined {
    if (!this.#dotEnds || bytes[start] !== BACKSLASH || start >= end) return undefined;
    if (start + 1 < end && bytes[start + 1] !== DOT) return undefined;
    if (!last && end - start < 4 && !(end - start === 3 && bytes[start + 2] === NEWLINE)) return 'more';
    const first = start + 2 < end ? bytes[start + 2] : undefined;
    if (first !== NEWLINE && first !== RETURN) return undefined;
    if (!this.#lineEnds.fits(first, start + 3 < end ? bytes[start + 3] : undefined))
      throw badCopyData('end-of-copy marker does not match previous newline style');
    return 'end';
  }
}

const LOWER_X = 0x78;
const HEX_TEXT = Buffer.from('\\x0123456789abcdef');

export class CsvFields implements FieldCodec {
  readonly valueFormat = 'text';
  readonly #format: CsvFormat;
  /** Quote or escape is one of the characters of bytea's text. */
  readonly #escapesHex: boolean;

  constructor(format: CsvFormat) {
    this.#format = format;
    this.#escapesHex = HEX_TEXT.includes(format.quote) || HEX_TEXT.includes(format.escape);
  }

  read(bytes: Uint8Array, start: number, end: number, index: number): Uint8Array | undefined {
    const { nullMarker, defaultMarker, forceNull, forceNotNull } = this.#format;
    // The marker never holds the quote.
    if (sameBytes(bytes, start, end, nullMarker)) return chooses(forceNotNull, index) ? nullMarker : undefined;
    if (defaultMarker !== undefined && sameBytes(bytes, start, end, defaultMarker)) return undefined;
    const value = this.#unquoted(bytes, start, end);
    return chooses(forceNull, index) && sameBytes(value, 0, value.length, nullMarker) ? undefined : value;
  }

  /** Quoted: whatever the delimiter and the marker of NULL are, it is taken for neither. */
  writeSealed(output: CopyOutput, sealed: Uint8Array): void {
    const { quote } = this.#format;
    output.byte(quote);
    if (this.#escapesHex) {
      this.#escaped(output, Buffer.from(`\\x${Buffer.from(sealed).toString('hex')}`));
    } else {
      output.byte(BACKSLASH);
      output.byte(LOWER_X);
      output.hex(sealed);
    }
    output.byte(quote);
  }

  writePreserved(output: CopyOutput, text: Uint8Array): void {
    output.byte(this.#format.quote);
    this.#escaped(output, text);
    output.byte(this.#format.quote);
  }

  sealedBytes(value: Uint8Array): Uint8Array {
    return byteaFromText(value);
  }

  writeValue(output: CopyOutput, value: Uint8Array, index: number, alone: boolean): void {
    const { quote } = this.#format;
    if (!this.#needsQuotes(value, index, alone)) return output.bytes(value);
    output.byte(quote);
    this.#escaped(output, value);
    output.byte(quote);
  }

  #needsQuotes(value: Uint8Array, index: number, alone: boolean): boolean {
    const { delimiter, quote, nullMarker, forceQuote } = this.#format;
    if (chooses(forceQuote, index) || sameBytes(value, 0, value.length, nullMarker)) return true;
    if (alone && value.length === 2 && value[0] === BACKSLASH && value[1] === DOT) return true;
    for (const byte of value)
      if (byte === delimiter || byte === quote || byte === NEWLINE || byte === RETURN) return true;
    return false;
  }

  #escaped(output: CopyOutput, text: Uint8Array): void {
    const { quote, escape } = this.#format;
    for (const byte of text) {
      if (byte === quote || byte === escape) output.byte(escape);
      output.byte(byte);
    }
  }

  #unquoted(bytes: Uint8Array, start: number, end: number): Uint8Array {
    const { quote, escape } = this.#format;
    const written = bytes.subarray(start, end);
    if (!written.includes(quote)) return written;
    const value = new Uint8Array(end - start);
    let length = 0;
    let quoted = false;
    for (let at = start; at < end; at++) {
      const byte = bytes[at] ?? 0;
      const next = at + 1 < end ? bytes[at + 1] : undefined;
      if (quoted && byte === escape && (next === escape || next === quote)) value[length++] = bytes[++at] ?? 0;
      else if (byte === quote) quoted = !quoted;
      else value[length++] = byte;
    }
    return value.subarray(0, length);
  }
}
