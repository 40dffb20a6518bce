/** Where a query names pg_attribute or pg_attrdef, or a view of information_schema that tells types; and what stands in the way of replacing it. */
import type { ColumnRef, FuncCall, RangeFunction, RangeVar } from 'libpg-query';
import { namesOf, type Node } from '../text/syntax.ts';

export type References = {
  readonly tables: readonly RangeVar[];
  readonly columns: readonly { readonly names: readonly string[]; readonly star: boolean; readonly ref: ColumnRef }[];
  /** Calls of functions, by any name. */
  readonly calls: readonly FuncCall[];
  /** Where those are that stand in FROM themselves, not in an argument there. */
  readonly fromItems: ReadonlyMap<FuncCall, FromItem>;
  /** Names that mean a common table of the query. */
  readonly commonTables: ReadonlySet<string>;
};

/** `hasColumns`: a column definition list of its own. */
export type FromItem = { readonly range: RangeFunction; readonly at: number; readonly hasColumns: boolean };

export function referencesOf(query: Node): References {
  const found = {
    tables: [] as RangeVar[],
    calls: [] as FuncCall[],
    fromItems: new Map<FuncCall, FromItem>(),
    columns: [] as References['columns'][number][],
    commonTables: new Set<string>(),
  };
  visit(query, found);
  return found;
}

type Found = {
  tables: RangeVar[];
  calls: FuncCall[];
  fromItems: Map<FuncCall, FromItem>;
  columns: References['columns'][number][];
  commonTables: Set<string>;
};

function visit(part: unknown, found: Found): void {
  if (Array.isArray(part)) {
    for (const item of part) visit(item, found);
    return;
  }
  if (typeof part !== 'object' || part === null) return;
  // As in survey.ts: no other node of the grammar has these fields.
  if ('relname' in part && 'relpersistence' in part) found.tables.push(part as RangeVar);
  if ('ctename' in part && typeof part.ctename === 'string') found.commonTables.add(part.ctename);
  if ('ColumnRef' in part) noteColumn(part.ColumnRef as ColumnRef, found); // the grammar's name for just this node
  if ('FuncCall' in part) found.calls.push(part.FuncCall as FuncCall);
  if ('RangeFunction' in part) noteFrom(part.RangeFunction as RangeFunction, found); // likewise
  for (const value of Object.values(part)) visit(value, found);
}

function noteFrom(range: RangeFunction, { fromItems }: Found): void {
  for (const [at, item] of (range.functions ?? []).entries()) {
    const [call, columns] = 'List' in item ? (item.List.items ?? []) : [];
    if (call === undefined || !('FuncCall' in call)) continue;
    fromItems.set(call.FuncCall, { range, at, hasColumns: columns !== undefined && 'List' in columns });
  }
}

function noteColumn(ref: ColumnRef, found: Found): void {
  const fields = ref.fields ?? [];
  const last = fields.at(-1);
  const star = last !== undefined && 'A_Star' in last;
  found.columns.push({ names: namesOf(star ? fields.slice(0, -1) : fields), star, ref });
}
