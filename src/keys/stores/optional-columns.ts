/** Columns that may be NULL, or that a store has not yet where a schema step is still to reach it. */
import { integer, text } from './key-database.ts';
import type { Row } from './row-mac.ts';

export function optionalText(row: Row, column: string): string | undefined {
  return isAbsent(row, column) ? undefined : text(row, column);
}

export function optionalInteger(row: Row, column: string): number | undefined {
  return isAbsent(row, column) ? undefined : integer(row, column);
}

const isAbsent = (row: Row, column: string): boolean => row[column] === null || row[column] === undefined;
