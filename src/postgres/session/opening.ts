/**
 * Values on their way to the client: the sealed fields of a row are opened; the rest passes as it is.
 */
import { PostgresError } from '../errors.ts';
import type { ColumnSession } from '../columns/column-service.ts';
import { formatAt } from '../messages/bind.ts';
import { decodeDataRow, encodeDataRow } from '../messages/data-row.ts';
import type { ResultOpening } from './reply.ts';
import type { SessionSettings } from './settings.ts';

export type SealedRow = {
  readonly values: (Uint8Array | undefined)[];
  readonly opening: ResultOpening & { readonly columns: ColumnSession };
};

/** The row's values, with sealed ones in their raw bytes. Throws where the row does not fit the plan. */
export function readRow(body: Uint8Array, opening: ResultOpening): SealedRow {
  const { columns, plan, textual } = opening;
  const values = decodeDataRow(body);
  if (columns === undefined || values.length !== plan.results?.length)
    throw openFailed('a row does not have the planned columns');
  if (textual)
    plan.results.forEach((column, index) => {
      const value = values[index];
      if (column === undefined || value === undefined) return;
      values[index] = column.format === undefined ? byteaFromText(value) : value;
    });
  return { values, opening: { ...opening, columns } };
}

/** Gets the keys that are not at hand; undefined where all are, so that the common case stays synchronous. */
export function fetchKeys({ values, opening }: SealedRow): Promise<void> | undefined {
  let work: Promise<void> | undefined;
  opening.plan.results?.forEach((column, index) => {
    const value = values[index];
    if (column === undefined || value === undefined || opening.columns.has(column, value)) return;
    work = (work ?? Promise.resolve()).then(() => opening.columns.fetch(column, value));
  });
  return work;
}

/** The DataRow frame with every sealed value opened. Throws ERR_POSTGRES_OPEN_FAILED: one code for whatever went wrong. */
export function openRow({ values, opening }: SealedRow, settings: SessionSettings): Uint8Array {
  opening.plan.results?.forEach((column, index) => {
    const value = values[index];
    if (column === undefined || value === undefined) return;
    const format = formatAt(opening.formats, index) === 1 ? 'binary' : 'text';
    try {
      values[index] = opening.columns.unseal(column, value, format, settings);
    } catch (error) {
      throw openFailed(`column ${column.schema}.${column.table}.${column.column}`, error);
    }
  });
  return encodeDataRow(values);
}

export function openFailed(where: string, cause?: unknown): PostgresError {
  const message = `a sealed value could not be opened: ${where}`;
  return new PostgresError(
    'ERR_POSTGRES_OPEN_FAILED',
    message,
    { sqlstate: '58030', detail: 'Rows may have been sent already: the outcome of the statement is unknown.' },
    { cause },
  );
}

const BACKSLASH = 0x5c;
const LOWER_X = 0x78;

/** bytea's text output, either form (bytea_output hex or escape), to bytes. */
export function byteaFromText(text: Uint8Array): Uint8Array {
  if (text[0] === BACKSLASH && text[1] === LOWER_X) return hexBytes(text);
  return escapedBytes(text);
}

function hexBytes(text: Uint8Array): Uint8Array {
  const bytes = Buffer.from(Buffer.from(text.buffer, text.byteOffset + 2, text.length - 2).toString('latin1'), 'hex');
  if (bytes.length * 2 !== text.length - 2) throw openFailed('malformed bytea text');
  return bytes;
}

/** Escape form: `\\` is a backslash, `\ooo` three octal digits, everything else itself. */
function escapedBytes(text: Uint8Array): Uint8Array {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const byte = text[at] ?? 0;
    if (byte !== BACKSLASH) bytes.push(byte);
    else if (text[at + 1] === BACKSLASH) bytes.push(text[++at] ?? 0);
    else {
      const octal = Number.parseInt(String.fromCharCode(...text.subarray(at + 1, at + 4)), 8);
      if (!(octal >= 0 && octal <= 255)) throw openFailed('malformed bytea text');
      bytes.push(octal);
      at += 3;
    }
  }
  return Uint8Array.from(bytes);
}
