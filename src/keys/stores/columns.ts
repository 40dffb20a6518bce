/** Readers of a row's columns: a column of another type is a damaged store, never a default. */
import { KeysError } from '../errors.ts';
import type { Row } from './row-mac.ts';

export function text(row: Row, column: string): string {
  const value = row[column];
  return typeof value === 'string' ? value : wrongColumn(column);
}

export function integer(row: Row, column: string): number {
  const value = row[column];
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : wrongColumn(column);
}

export function bytes(row: Row, column: string): Uint8Array {
  const value = row[column];
  return value instanceof Uint8Array ? value : wrongColumn(column);
}

/** May be NULL, or not there yet where a schema step is still to reach the store. */
export function optionalText(row: Row, column: string): string | undefined {
  return isAbsent(row, column) ? undefined : text(row, column);
}

export function optionalInteger(row: Row, column: string): number | undefined {
  return isAbsent(row, column) ? undefined : integer(row, column);
}

const isAbsent = (row: Row, column: string): boolean => row[column] === null || row[column] === undefined;

function wrongColumn(column: string): never {
  throw new KeysError('ERR_KEYS_STORE_DAMAGED', `column ${column} of the key store is not of its type`);
}
