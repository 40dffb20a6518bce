/**
 * array_agg(DISTINCT c) and array_agg(c ORDER BY c), and json_agg likewise: of sealed values the server has the order of their ciphertext, and the proxy puts what it opens in that of
 * the values. Only for types whose order is known, and in which what is equal looks the same.
 */
import type { FuncCall, SortBy } from 'libpg-query';
import { sortsByValue } from '../../carried/sorted.ts';
import type { Carried, SealedColumn, ValueSort } from '../../plan.ts';
import { namesOf, type Node } from '../text/syntax.ts';
import type { SettledValue } from './values.ts';

/** `others`: what of ORDER BY comes behind the values themselves, where none are left to be told apart. Undefined: the values are not put in an order. */
export type SortedCall = { readonly sorted: ValueSort | undefined; readonly others: readonly Node[] };

const SORTED_CALLS: ReadonlySet<string> = new Set(['array_agg', 'json_agg', 'jsonb_agg']);

/** Its order by other expressions is the server's. */
export function sortedCall(
  name: string,
  call: FuncCall,
  { carries, type, storedType = type }: SealedColumn,
): SortedCall {
  const [first, ...others] = call.agg_order ?? [];
  const unsorted = { sorted: undefined, others: call.agg_order ?? [] };
  if (!SORTED_CALLS.has(name) || carries !== undefined || !sortsByValue(storedType)) return unsorted;
  if (first === undefined)
    return call.agg_distinct === true ? { sorted: { descending: false, nullsFirst: false }, others } : unsorted;
  const sort = 'SortBy' in first ? first.SortBy : undefined;
  const [arg] = call.args ?? [];
  if (sort === undefined || sort.sortby_dir === 'SORTBY_USING' || !isSameColumn(arg, sort.node)) return unsorted;
  return { sorted: directionOf(sort), others };
}

/** What of an aggregate's ORDER BY is the server's. */
export function orderLeft(name: string, call: FuncCall, made: SettledValue | undefined): readonly Node[] {
  const column = made?.type === 'sealed' ? sortedColumn(made.column.carries) : undefined;
  return column === undefined ? (call.agg_order ?? []) : sortedCall(name, call, column).others;
}

/** Whose values are put in an order, where the value is a list of such. */
function sortedColumn(carries: Carried | undefined): SealedColumn | undefined {
  if (carries?.as === 'array') return carries.sorted && carries.of;
  if (carries?.as !== 'json' || carries.shape.is !== 'list' || carries.shape.sorted === undefined) return undefined;
  return carries.shape.items.is === 'value' ? carries.shape.items.column : undefined;
}

function directionOf({ sortby_dir, sortby_nulls }: SortBy): ValueSort {
  const descending = sortby_dir === 'SORTBY_DESC';
  const nullsFirst = sortby_nulls === 'SORTBY_NULLS_FIRST' || (descending && sortby_nulls !== 'SORTBY_NULLS_LAST');
  return { descending, nullsFirst };
}

/** Of one row, that is, and not of another with the same table. */
function isSameColumn(one: Node | undefined, other: Node | undefined): boolean {
  if (one === undefined || other === undefined || !('ColumnRef' in one) || !('ColumnRef' in other)) return false;
  const names = (node: Node): readonly string[] => ('ColumnRef' in node ? namesOf(node.ColumnRef.fields) : []);
  return JSON.stringify(names(one)) === JSON.stringify(names(other));
}
