/**
 * Values in other numbers than the columns they are for: the server's own errors, told before it is asked. What no column takes is no column's to be
 * sealed for, and would stand in the statement that the server logs with its error. Locations are those of the server's errors.
 */
import type { SelectStmt } from 'libpg-query';
import { refuseSyntax } from '../errors.ts';
import type { Node } from '../text/syntax.ts';

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

export function requireOneColumn(columns: number, location: number): void {
  if (columns > 1) throw refuseSyntax('subquery must return only one column', location);
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
