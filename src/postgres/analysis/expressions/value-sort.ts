/**
 * array_agg(DISTINCT c) and array_agg(c ORDER BY c): of sealed values the server has the order of their ciphertext, and the proxy puts what it opens in that of
 * the values. Only for types whose order is known, and in which what is equal looks the same.
 */
import type { FuncCall, SortBy } from 'libpg-query';
import { sortsByValue } from '../../carried/sorted.ts';
import type { SealedColumn, ValueSort } from '../../plan.ts';
import { namesOf, type Node } from '../text/syntax.ts';

/** `others`: what of ORDER BY comes behind the values themselves, where none are left to be told apart. Undefined: the values are not put in an order. */
export type SortedCall = { readonly sorted: ValueSort | undefined; readonly others: readonly Node[] };

/** Of array_agg; its order by other expressions is the server's. */
export function sortedCall(call: FuncCall, { carries, type, storedType = type }: SealedColumn): SortedCall {
  const [first, ...others] = call.agg_order ?? [];
  const unsorted = { sorted: undefined, others: call.agg_order ?? [] };
  if (carries !== undefined || !sortsByValue(storedType)) return unsorted;
  if (first === undefined)
    return call.agg_distinct === true ? { sorted: { descending: false, nullsFirst: false }, others } : unsorted;
  const sort = 'SortBy' in first ? first.SortBy : undefined;
  const [arg] = call.args ?? [];
  if (sort === undefined || sort.sortby_dir === 'SORTBY_USING' || !isSameColumn(arg, sort.node)) return unsorted;
  return { sorted: directionOf(sort), others };
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
