/** COPY's text format: fields between delimiters, backslash escapes (CopyReadLineText, CopyReadAttributesText, CopyAttributeOutText). */
import { byteaFromText } from '../carried/bytea-text.ts';
import { badCopyData } from './errors.ts';
import { FieldList } from './fields.ts';
import { BACKSLASH, DOT, NEWLINE, RETURN, sameBytes, type TextFormat } from './format.ts';
import { LineEnds } from './line-ends.ts';
import type { CopyOutput } from './output.ts';
import type { FieldCodec, Found, RowScanner } from './rows.ts';

export class TextRows implements RowScanner {
  readonly fields: FieldList;
  readonly lines = 1;
  readonly unterminated = false;
  contentEnd = 0;
  next = 0;
  readonly #delimiter: number;
  readonly #lineEnds = new LineEnds(false);
  readonly #markerEndsRows: boolean;
  #isOver = false;
  /** How far the present row has been looked at. */
  #seen = 0;

  /** `markerEndsRows`: as servers before 18 take it, the end-of-copy marker ends the row that it stands in as well. */
  constructor(format: TextFormat, columns: number, markerEndsRows = false) {
    this.fields = new FieldList(columns);
    this.#delimiter = format.delimiter;
    this.#markerEndsRows = markerEndsRows;
  }

  scan(bytes: Uint8Array, start: number, end: number, last: boolean): Found {
    if (this.#isOver) return 'end';
    const delimiter = this.#delimiter;
    if (this.#seen === 0) this.fields.reset();
    let at = start + this.#seen;
    while (at < end) {
      const byte = bytes[at];
      if (byte === delimiter) {
        this.fields.close(at - start);
        at++;
      } else if (byte === BACKSLASH) {
        if (at + 1 >= end && !last) break;
        if (at + 1 < end && bytes[at + 1] === DOT) return this.#marker(bytes, start, at, end, last);
        at += 2;
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
    return end === start ? 'end' : this.#row(end - start, 0);
  }

  #row(length: number, width: number): Found {
    this.fields.close(length);
    this.contentEnd = length;
    this.next = length + width;
    this.#seen = 0;
    return 'row';
  }

  /** `\.` alone on its line. */
  #marker(bytes: Uint8Array, start: number, at: number, end: number, last: boolean): Found {
    if (at !== start && !this.#markerEndsRows) throw this.#badMarker();
    // A carriage return may be half of a line end.
    if (!last && end - at < 4 && !(end - at === 3 && bytes[at + 2] === NEWLINE)) return 'more';
    const [first, second] = [at + 2 < end ? bytes[at + 2] : undefined, at + 3 < end ? bytes[at + 3] : undefined];
    if (first !== NEWLINE && first !== RETURN) throw this.#badMarker();
    if (!this.#lineEnds.fits(first, second))
      throw badCopyData('end-of-copy marker does not match previous newline style');
    if (at === start) return 'end';
    this.#isOver = true;
    return this.#row(at - start, 0);
  }

  #badMarker(): Error {
    return badCopyData(
      this.#markerEndsRows ? 'end-of-copy marker corrupt' : 'end-of-copy marker is not alone on its line',
    );
  }
}

const BY_LETTER: Readonly<Record<number, number>> = { 0x62: 8, 0x66: 12, 0x6e: 10, 0x72: 13, 0x74: 9, 0x76: 11 };
const LETTER_BY_BYTE: Readonly<Record<number, number>> = { 8: 0x62, 12: 0x66, 10: 0x6e, 13: 0x72, 9: 0x74, 11: 0x76 };
const LOWER_X = 0x78;

export class TextFields implements FieldCodec {
  readonly valueFormat = 'text';
  readonly #format: TextFormat;

  constructor(format: TextFormat) {
    this.#format = format;
  }

  read(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
    const { nullMarker, defaultMarker } = this.#format;
    if (sameBytes(bytes, start, end, nullMarker)) return undefined;
    if (defaultMarker !== undefined && sameBytes(bytes, start, end, defaultMarker)) return undefined;
    for (let at = start; at < end; at++) if (bytes[at] === BACKSLASH) return unescaped(bytes, start, end);
    return bytes.subarray(start, end);
  }

  writeSealed(output: CopyOutput, sealed: Uint8Array): void {
    output.byte(BACKSLASH);
    output.byte(BACKSLASH);
    output.byte(LOWER_X);
    output.hex(sealed);
  }

  /** Markers that look like such a text are refused by the analysis. */
  writePreserved(output: CopyOutput, text: Uint8Array): void {
    this.writeValue(output, text);
  }

  sealedBytes(value: Uint8Array): Uint8Array {
    return byteaFromText(value);
  }

  writeValue(output: CopyOutput, value: Uint8Array): void {
    const { delimiter } = this.#format;
    for (const byte of value) {
      const letter = LETTER_BY_BYTE[byte];
      if (letter !== undefined) {
        output.byte(BACKSLASH);
        output.byte(letter);
      } else {
        if (byte === BACKSLASH || byte === delimiter) output.byte(BACKSLASH);
        output.byte(byte);
      }
    }
  }
}

/** A backslash that nothing follows is dropped, as the server does. */
function unescaped(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const value = new Uint8Array(end - start);
  let length = 0;
  for (let at = start; at < end;) {
    const byte = bytes[at++] ?? 0;
    if (byte !== BACKSLASH) {
      value[length++] = byte;
      continue;
    }
    if (at >= end) break;
    const escape = bytes[at++] ?? 0;
    const digits = escape === LOWER_X ? hexDigits(bytes, at, end) : octalDigits(bytes, at - 1, end);
    if (digits === 0) {
      value[length++] = BY_LETTER[escape] ?? escape;
      continue;
    }
    if (escape !== LOWER_X) at--;
    value[length++] =
      Number.parseInt(Buffer.from(bytes.subarray(at, at + digits)).toString('latin1'), escape === LOWER_X ? 16 : 8) &
      0xff;
    at += digits;
  }
  return value.subarray(0, length);
}

function hexDigits(bytes: Uint8Array, at: number, end: number): number {
  let count = 0;
  while (count < 2 && at + count < end && /[0-9a-fA-F]/.test(String.fromCharCode(bytes[at + count] ?? 0))) count++;
  return count;
}

function octalDigits(bytes: Uint8Array, at: number, end: number): number {
  let count = 0;
  while (count < 3 && at + count < end && /[0-7]/.test(String.fromCharCode(bytes[at + count] ?? 0))) count++;
  return count;
}
