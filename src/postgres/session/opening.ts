/**
 * Values on their way to the client: the sealed fields of a row are opened; the rest passes as it is.
 */
import { byteaFromText } from '../carried/bytea-text.ts';
import { followsSettings } from '../carried/cast-text.ts';
import { readCarried, type CarriedValue, type OpenPart } from '../carried/carried-value.ts';
import { openFailed } from '../carried/errors.ts';
import type { ColumnSession } from '../columns/column-service.ts';
import { isRowTyped } from '../columns/stored-type.ts';
import { formatAt } from '../messages/bind.ts';
import { decodeDataRow, encodeDataRow } from '../messages/data-row.ts';
import type { SealedColumn } from '../plan.ts';
import type { ResultOpening } from './reply.ts';
import type { SessionSettings } from './settings.ts';
import { inTurns } from '../turns.ts';

export type SealedRow = {
  readonly values: (Uint8Array | undefined)[];
  /** By index: values that have sealed ones inside. */
  readonly carried: ReadonlyMap<number, CarriedValue>;
  readonly opening: ResultOpening & { readonly columns: ColumnSession };
  /** As the session has it for all rows. */
  readonly of: ResultOpening;
};

const NOTHING_CARRIED: ReadonlyMap<number, CarriedValue> = new Map();

/** The row's values, with sealed ones in their raw bytes. Throws where the row does not fit the plan. */
export function readRow(body: Uint8Array, opening: ResultOpening): SealedRow {
  const { columns, plan, textual } = opening;
  const values = decodeDataRow(body);
  if (columns === undefined || values.length !== plan.results?.length)
    throw openFailed('a row does not have the planned columns');
  let carried: Map<number, CarriedValue> | undefined;
  plan.results.forEach((column, index) => {
    const value = values[index];
    if (column === undefined || value === undefined) return;
    const isText = isRowTyped(column) && !textual ? formatAt(opening.formats, index) === 0 : textual;
    if (column.carries !== undefined) (carried ??= new Map()).set(index, carriedValue(column, value, isText));
    else if (textual && column.format === undefined) values[index] = byteaFromText(value);
  });
  return { values, carried: carried ?? NOTHING_CARRIED, opening: { ...opening, columns }, of: opening };
}

function carriedValue(column: SealedColumn, value: Uint8Array, textual: boolean): CarriedValue {
  if (column.carries === undefined) throw new TypeError('a column that carries nothing');
  try {
    return readCarried(column, column.carries, value, textual);
  } catch (error) {
    throw openFailed(placeOf(column), error);
  }
}

/** Gets the keys that are not at hand; undefined where all are, so that the common case stays synchronous. */
export function fetchKeys({ values, carried, opening }: SealedRow): Promise<void> | undefined {
  let work: Promise<void> | undefined;
  const fetch = (column: SealedColumn, sealed: Uint8Array): void => {
    if (opening.columns.has(column, sealed)) return;
    work = (work ?? Promise.resolve()).then(async () => {
      if (!opening.columns.has(column, sealed)) await opening.columns.fetch(column, sealed);
    });
  };
  opening.plan.results?.forEach((column, index) => {
    const value = values[index];
    if (column === undefined || value === undefined) return;
    if (column.carries === undefined) return fetch(column, value);
    for (const { column: inner, sealed } of carried.get(index)?.parts ?? []) fetch(inner, sealed);
  });
  return work;
}

/**
 * The DataRow frame with every sealed value opened; later where there are so many that others would wait. Throws and rejects with
 * ERR_POSTGRES_OPEN_FAILED: one code for whatever went wrong.
 */
export function openRow(row: SealedRow, settings: SessionSettings): Uint8Array | Promise<Uint8Array> {
  const { values, carried, opening } = row;
  opening.plan.results?.forEach((column, index) => {
    const value = values[index];
    if (column === undefined || column.carries !== undefined || value === undefined) return;
    try {
      values[index] = opening.columns.unseal(column, value, formatOf(opening, index), settings);
    } catch (error) {
      throw openFailed(placeOf(column), error);
    }
  });
  if (carried.size === 0) return encodeDataRow(values);
  requireSameSettings(row, settings);
  return inTurns(openCarried(row, settings));
}

/** What settings the first row with such text was opened under. */
const settingsOf = new WeakMap<ResultOpening, SessionSettings>();

/** A portal may be fetched from in parts, between which its client changes settings: what the server would have made of its texts is not known then. */
function requireSameSettings({ carried, of }: SealedRow, settings: SessionSettings): void {
  const follows = [...carried.keys()].some((index) => {
    const column = of.plan.results?.[index];
    return column !== undefined && followsSettings(column);
  });
  if (!follows) return;
  const before = settingsOf.get(of);
  if (before === undefined) settingsOf.set(of, settings);
  else if (TEXT_SETTINGS.some((name) => before[name] !== settings[name]))
    throw openFailed('settings that its text depends on have changed since the first row');
}

const TEXT_SETTINGS = ['timeZone', 'dateStyle', 'intervalStyle', 'extraFloatDigits', 'byteaOutput'] as const;

function* openCarried(row: SealedRow, settings: SessionSettings): Generator<void, Uint8Array> {
  const { values, carried, opening } = row;
  const open: OpenPart = ({ column, sealed }, format, iso) =>
    opening.columns.unseal(column, sealed, format, iso ? { ...settings, dateStyle: ISO } : settings);
  for (const [index, value] of carried) {
    try {
      values[index] = yield* value.print(open, formatOf(opening, index));
    } catch (error) {
      const column = opening.plan.results?.[index];
      throw openFailed(column === undefined ? 'a value with others inside' : placeOf(column), error);
    }
  }
  return encodeDataRow(values);
}

function formatOf({ formats }: ResultOpening, index: number): 'binary' | 'text' {
  return formatAt(formats, index) === 1 ? 'binary' : 'text';
}

const ISO = 'ISO, MDY';

function placeOf({ schema, table, column }: SealedColumn): string {
  return `column ${schema}.${table}.${column}`;
}
