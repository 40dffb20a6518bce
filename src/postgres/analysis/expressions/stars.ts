/** Stars in ROW(...), in rows of VALUES, and of composite values: what they stand for, where that is known. Follows transformExpressionList. */
import type { Analysis } from '../query/analysis.ts';
import type { RangeEntry, Scope } from '../query/scope.ts';
import type { Node } from '../text/syntax.ts';
import { rowEntry } from './column-refs.ts';
import { unknownColumns } from './counts.ts';
import { nodeLocation, settlePlain } from './mould.ts';

/** `t.*` and `(expression).*`. */
export function isStar(node: Node): boolean {
  const last =
    'ColumnRef' in node
      ? node.ColumnRef.fields?.at(-1)
      : 'A_Indirection' in node
        ? node.A_Indirection.indirection?.at(-1)
        : undefined;
  return last !== undefined && 'A_Star' in last;
}

/** `(t).*`, which is `t.*`, and that itself: the row it is of. */
export function starredEntry(analysis: Analysis, node: Node, scope: Scope): RangeEntry | undefined {
  const row = rowOf(node);
  return row === undefined ? undefined : rowEntry(analysis, row, scope);
}

function rowOf(node: Node): Node | undefined {
  if (!isStar(node)) return undefined;
  if (!('A_Indirection' in node)) return node;
  const { arg, indirection = [] } = node.A_Indirection;
  return indirection.length === 1 ? arg : undefined;
}

/** With each `t.*` of a row whose columns are known written as these. */
export function expandItems(analysis: Analysis, items: readonly Node[], scope: Scope): readonly Node[] {
  return items.flatMap((item) => columnsFor(analysis, item, scope) ?? [item]);
}

function columnsFor(analysis: Analysis, item: Node, scope: Scope): readonly Node[] | undefined {
  const row = rowOf(item);
  const entry = row && rowEntry(analysis, row, scope);
  if (row === undefined || entry === undefined || entry.opaque || entry.wide || !('ColumnRef' in row)) return undefined;
  const { ColumnRef: ref } = row;
  const qualifiers = (ref.fields ?? []).filter((field) => 'String' in field);
  const names = entry.columns.map(({ name }) => name);
  // Of two columns with one name neither can be written.
  if (qualifiers.length !== 1 || new Set(names).size < names.length) return undefined;
  analysis.source.spend(names.length);
  return names.map((name) => ({ ColumnRef: { ...ref, fields: [...qualifiers, { String: { sval: name } }] } }));
}

/** How many items come before the first star that is left. */
export function placedItems(items: readonly Node[]): number {
  const first = items.findIndex(isStar);
  return first === -1 ? items.length : first;
}

/** From a place on where no other is known, no item may be sealed. */
export function requirePlainItems(analysis: Analysis, items: readonly Node[], from: number, scope: Scope): void {
  for (const item of items.slice(from)) {
    if ('SetToDefault' in item) continue;
    const value = analysis.infer(item, scope);
    if (value.type === 'mouldable') settlePlain(analysis, value.node, scope);
    if (value.type === 'sealed') throw unknownColumns(nodeLocation(item));
  }
}

/** The same for the columns that the items are for. */
export function requireNoneSealed(columns: readonly unknown[], from: number, items: readonly Node[]): void {
  const star = items[from];
  if (columns.slice(from).some((column) => column !== undefined))
    throw unknownColumns(star === undefined ? -1 : nodeLocation(star));
}
