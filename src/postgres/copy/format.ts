/** How a COPY's data is written: its format and options, as far as rows are told apart and values read (manual, "COPY"). */

/** `skip`: the first line is left out (or written); `match`: it must hold the columns' names. */
export type HeaderLine = 'none' | 'skip' | 'match';

/** Places of columns in the COPY, from 0; `all` of them. */
export type ColumnChoice = ReadonlySet<number> | 'all';

type Lines = {
  /** One byte. */
  readonly delimiter: number;
  /** What stands for NULL, and for the column's default, compared with a field as it is written. */
  readonly nullMarker: Uint8Array;
  readonly defaultMarker: Uint8Array | undefined;
  readonly header: HeaderLine;
};

export type TextFormat = Lines & { readonly type: 'text' };
export type CsvFormat = Lines & {
  readonly type: 'csv';
  /** One byte each. */
  readonly quote: number;
  readonly escape: number;
  readonly forceQuote: ColumnChoice;
  readonly forceNull: ColumnChoice;
  readonly forceNotNull: ColumnChoice;
};
export type BinaryFormat = { readonly type: 'binary' };
export type CopyFormat = TextFormat | CsvFormat | BinaryFormat;

export const NEWLINE = 0x0a;
export const RETURN = 0x0d;
export const DOT = 0x2e;
export const BACKSLASH = 0x5c;

export function chooses(choice: ColumnChoice, index: number): boolean {
  return choice === 'all' || choice.has(index);
}

export function sameBytes(bytes: Uint8Array, start: number, end: number, other: Uint8Array): boolean {
  if (end - start !== other.length) return false;
  for (let at = 0; at < other.length; at++) if (bytes[start + at] !== other[at]) return false;
  return true;
}
