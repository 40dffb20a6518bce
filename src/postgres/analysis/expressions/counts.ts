/**
 * Values in other numbers than the columns they are for: the server's own errors, told before it is asked. What no column takes is no column's to be
 * sealed for, and would stand in the statement that the server logs with its error. Locations are those of the server's errors. From a star on that
 * stands for columns that are not known, no place is: nothing is counted, and no value there may be for a sealed column.
 */
import type { SelectStmt } from 'libpg-query';
import { refuseSyntax, refuseUse } from '../errors.ts';
import type { Node } from '../text/syntax.ts';
import { PLAIN, type OutputColumn } from './values.ts';

/** How many columns come before the first whose width is not known. */
export function placedColumns(columns: readonly OutputColumn[]): number {
  const first = columns.findIndex(({ wide }) => wide === true);
  return first === -1 ? columns.length : first;
}

export function unknownColumns(location: number): Error {
  return refuseUse('* stands for columns that are not known here', location, 'Name the columns one by one.');
}

/** From a place on where no other is known, no column may be sealed. */
export function requireNoSealed(columns: readonly OutputColumn[], from: number, location: number): void {
  for (const { value, open } of columns.slice(from)) {
    if (value.type === 'sealed') throw unknownColumns(location);
    open?.settlePlain();
  }
}

/** Of VALUES: the first row that is not as long as the first of all. */
export function unequalRow(rows: readonly (readonly Node[])[]): readonly Node[] | undefined {
  const [first = []] = rows;
  return rows.find((row) => row.length !== first.length);
}

export function requireInsertFits(given: number, columns: number, location: number): void {
  if (given > columns) throw refuseSyntax('INSERT has more expressions than target columns', location);
}

export function requireAssignedAll(given: number, columns: number, location: number): void {
  if (given !== columns) throw refuseSyntax('number of columns does not match number of values', location);
}

/** Of a subquery that `items` are compared with. */
export function requireNoMoreThan(items: number, columns: number, location: number): void {
  if (columns > items) throw refuseSyntax('subquery has too many columns', location);
}

/** The one that a subquery may give. */
export function onlyColumn(columns: readonly OutputColumn[], location: number): OutputColumn {
  const placed = placedColumns(columns);
  if (placed > 1) throw refuseSyntax('subquery must return only one column', location);
  requireNoSealed(columns, placed, location);
  const [first] = columns;
  return placed === 0 || first === undefined ? { name: '', value: PLAIN } : first;
}

export function requireSameColumns(op: SelectStmt['op'], left: number, right: number, location: number): void {
  const name = op?.replace('SETOP_', '') ?? '';
  if (left !== right) throw refuseSyntax(`each ${name} query must have the same number of columns`, location);
}

/** What a query gives in its first row, as it is written. */
export function writtenRow(select: SelectStmt): readonly Node[] {
  if (select.larg !== undefined) return writtenRow(select.larg);
  const [row] = select.valuesLists ?? [];
  if (row !== undefined) return 'List' in row ? (row.List.items ?? []) : [];
  return (select.targetList ?? []).flatMap((target) => ('ResTarget' in target ? (target.ResTarget.val ?? []) : []));
}
