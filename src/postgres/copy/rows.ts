/** How a format's rows are found in a stream that is cut anywhere, and how values are read from and written into their fields. */
import type { CopyOutput } from './output.ts';
import type { FieldList } from './fields.ts';

/**
 * `row`: one was found, its fields are in `fields`. `more`: it goes on beyond what is there. `end`: the data has said that it ends; what
 * follows is not looked at.
 */
export type Found = 'row' | 'more' | 'end';

export interface RowScanner {
  readonly fields: FieldList;
  /** Of the row found, from its first byte: where its content ends, and where the next row begins. */
  readonly contentEnd: number;
  readonly next: number;
  /** Lines that the server counts for the row. */
  readonly lines: number;
  /** The row found is the last, and ends within quotes: an error, unless it is a header that nobody reads. */
  readonly unterminated: boolean;
  /**
   * Looks on for the end of the row whose bytes begin at `start`. `last`: nothing comes after `end`. After `row` and `end` the next call
   * is about the row that follows. Throws ERR_POSTGRES_COPY_DATA.
   */
  scan(bytes: Uint8Array, start: number, end: number, last: boolean): Found;
}

/** What a field of a sealed column holds: a value to be sealed or opened, or what stays as it is written (NULL, DEFAULT). */
export interface FieldCodec {
  readonly valueFormat: 'text' | 'binary';
  /** Undefined: it stays as it is written. A view where that is possible. */
  read(bytes: Uint8Array, start: number, end: number, index: number): Uint8Array | undefined;
  /** The sealed bytes, as bytea is written in this format. */
  writeSealed(output: CopyOutput, sealed: Uint8Array): void;
  /** What keeps its form, as text is written in this format, so that it is taken for neither NULL nor DEFAULT. */
  writePreserved(output: CopyOutput, text: Uint8Array): void;
  /** Of `read`'s value, or `writeSealed`'s: the sealed bytes. */
  sealedBytes(value: Uint8Array): Uint8Array;
  /** A value as the server writes it in COPY TO. `alone`: the only column. */
  writeValue(output: CopyOutput, value: Uint8Array, index: number, alone: boolean): void;
}
