/** FROM: tables, subqueries, functions, joins. Follows src/backend/parser/parse_clause.c. */
import type { Alias, JoinExpr, RangeFunction, RangeSubselect } from 'libpg-query';
import type { Analysis, ExpectedColumns } from './analysis.ts';
import { requireComparable } from './comparisons.ts';
import { refuseName, refuseStatement, refuseUse } from './errors.ts';
import { plainParts } from './expressions.ts';
import { requirePlain } from './mould.ts';
import { entry, renamed, tableEntry } from './relations.ts';
import type { MergedColumn, RangeEntry, Scope } from './scope.ts';
import { kindOf, locationOf, namesOf, type Node } from './syntax.ts';
import { unnestArguments, unnestEntry } from './unnest.ts';
import { columnName, passedThrough, PLAIN, sameBytes, type OutputColumn, type SettledValue } from './values.ts';
import { NOTHING_WANTED, readRows, type Wanted } from './wanted.ts';

/** What one FROM item brings: its entries, and the columns its joins merge. */
export type FromItem = {
  readonly entries: readonly RangeEntry[];
  readonly merged: readonly MergedColumn[];
  readonly columns: readonly OutputColumn[];
};

/** Fills the scope, item by item: LATERAL items see those before them. */
export function analyzeFrom(
  analysis: Analysis,
  items: readonly Node[],
  scope: Scope,
  wanted: Wanted = NOTHING_WANTED,
): readonly FromItem[] {
  return items.map((item) => {
    const expected = wanted.get(item);
    const added = fromItem(analysis, item, scope, expected);
    for (const added_ of added.entries) scope.add(added_);
    scope.merged.push(...added.merged);
    return added;
  });
}

function fromItem(analysis: Analysis, item: Node, scope: Scope, expected?: ExpectedColumns): FromItem {
  if ('RangeVar' in item) return single(tableEntry(analysis, item.RangeVar, scope));
  if ('RangeSubselect' in item) return single(subselectEntry(analysis, item.RangeSubselect, scope, expected));
  if ('RangeFunction' in item) return single(functionEntry(analysis, item.RangeFunction, scope, expected));
  if ('JoinExpr' in item) return joinItem(analysis, item.JoinExpr, scope);
  if ('RangeTableSample' in item && item.RangeTableSample.relation !== undefined) {
    plainParts(analysis, { sample: { args: item.RangeTableSample.args ?? [] } }, scope, 'in TABLESAMPLE');
    return fromItem(analysis, item.RangeTableSample.relation, scope);
  }
  if ('RangeTableFunc' in item || 'JsonTable' in item) {
    plainParts(analysis, item, scope, 'in a table function');
    const alias = 'JsonTable' in item ? item.JsonTable.alias : item.RangeTableFunc.alias;
    return single(entry(alias?.aliasname ?? '', undefined, [], { opaque: true }));
  }
  throw refuseStatement(`${kindOf(item)} in FROM is not supported together with sealed columns`, -1);
}

function single(added: RangeEntry): FromItem {
  return { entries: [added], merged: [], columns: added.columns };
}

function subselectEntry(
  analysis: Analysis,
  item: RangeSubselect,
  scope: Scope,
  expected: ExpectedColumns | undefined,
): RangeEntry {
  if (item.subquery === undefined) throw refuseStatement('an empty subquery', -1);
  const outer = item.lateral === true ? scope : scope.beside();
  const columns = analysis.query(item.subquery, outer, expected);
  if (expected !== undefined) readRows(analysis, item.subquery, expected);
  return entry(item.alias?.aliasname ?? '', undefined, renamed(columns, item.alias), {});
}

/** Set-returning functions of one column, named by alias or by themselves. */
const ONE_COLUMN: ReadonlySet<string> = new Set([
  'generate_series',
  'generate_subscripts',
  'unnest',
  'regexp_split_to_table',
  'string_to_table',
  'jsonb_array_elements',
  'jsonb_array_elements_text',
  'json_array_elements',
  'json_array_elements_text',
]);

function functionEntry(
  analysis: Analysis,
  item: RangeFunction,
  scope: Scope,
  expected: ExpectedColumns | undefined,
): RangeEntry {
  const arrays = expected === undefined ? undefined : unnestArguments(item);
  if (expected !== undefined && arrays !== undefined) return unnestEntry(analysis, item, arrays, expected, scope);
  plainParts(analysis, { functions: { list: item.functions ?? [] } }, scope, 'as an argument of a function in FROM');
  const name = functionName(item);
  const alias = item.alias?.aliasname ?? name ?? '';
  const [only, ...more] = item.functions ?? [];
  const args =
    only !== undefined && 'List' in only && only.List.items?.[0] !== undefined && 'FuncCall' in only.List.items[0]
      ? (only.List.items[0].FuncCall.args ?? [])
      : [];
  const known =
    more.length === 0 &&
    name !== undefined &&
    ONE_COLUMN.has(name) &&
    (name !== 'unnest' || args.length === 1) &&
    item.ordinality !== true &&
    (item.coldeflist ?? []).length === 0;
  if (!known) return entry(alias, undefined, aliasedColumns(item.alias), { opaque: true });
  return entry(alias, undefined, renamed([{ name: alias, value: PLAIN }], item.alias), {});
}

function aliasedColumns(alias: Alias | undefined): readonly OutputColumn[] {
  return namesOf(alias?.colnames).map((name) => ({ name, value: PLAIN }));
}

function functionName(item: RangeFunction): string | undefined {
  const [first] = item.functions ?? [];
  const call = first !== undefined && 'List' in first ? first.List.items?.[0] : undefined;
  return call !== undefined && 'FuncCall' in call ? namesOf(call.FuncCall.funcname).at(-1) : undefined;
}

function joinItem(analysis: Analysis, join: JoinExpr, scope: Scope): FromItem {
  if (join.larg === undefined || join.rarg === undefined) throw refuseStatement('an empty join', -1);
  const left = fromItem(analysis, join.larg, scope);
  // The right side may be LATERAL over the left one.
  const rightScope = withItems(scope, [left]);
  const right = fromItem(analysis, join.rarg, rightScope);
  const names = join.isNatural === true ? commonNames(left, right) : namesOf(join.usingClause);
  const using = mergeColumns(analysis, left, right, names, join);
  if (join.quals !== undefined) requirePlain(analysis, join.quals, onScope(scope, left, right), 'as a join condition');
  const columns = [
    ...using.map(({ name, value }) => ({ name, value })),
    ...without(left.columns, names),
    ...without(right.columns, names),
  ];
  if (join.alias !== undefined)
    return single(entry(join.alias.aliasname ?? '', undefined, renamed(columns, join.alias), {}));
  if (join.join_using_alias !== undefined)
    throw refuseUse(
      'an alias of JOIN USING is not supported together with sealed columns',
      -1,
      'Qualify the columns by their tables.',
    );
  return { entries: [...left.entries, ...right.entries], merged: [...left.merged, ...right.merged, ...using], columns };
}

function without(columns: readonly OutputColumn[], names: readonly string[]): readonly OutputColumn[] {
  return columns.filter((column) => !names.includes(column.name));
}

function withItems(scope: Scope, items: readonly FromItem[]): Scope {
  const level = scope.beside();
  for (const added of [...scope.entries, ...items.flatMap((item) => item.entries)]) level.add(added);
  level.merged.push(...scope.merged, ...items.flatMap((item) => item.merged));
  return level;
}

/** ON sees the two sides and what is outside of this query level, not its siblings. */
function onScope(scope: Scope, left: FromItem, right: FromItem): Scope {
  const level = scope.beside();
  for (const added of [...left.entries, ...right.entries]) level.add(added);
  level.merged.push(...left.merged, ...right.merged);
  return level;
}

function commonNames(left: FromItem, right: FromItem): readonly string[] {
  if ([...left.entries, ...right.entries].some((side) => side.opaque)) {
    throw refuseName('0A000', 'NATURAL JOIN with columns that are not known', -1, 'Write JOIN ... ON.');
  }
  const names = new Set(right.columns.map((column) => column.name));
  return left.columns.map((column) => column.name).filter((name) => names.has(name));
}

function mergeColumns(
  analysis: Analysis,
  left: FromItem,
  right: FromItem,
  names: readonly string[],
  join: JoinExpr,
): readonly MergedColumn[] {
  return names.map((name) => {
    const one = columnOf(left, name, join);
    const other = columnOf(right, name, join);
    for (const side of [one, other]) if (side.type === 'sealed') analysis.refer(side);
    const members = [...left.entries, ...right.entries].filter((side) =>
      side.columns.some((column) => column.name === name),
    );
    return { name, value: mergedValue(one, other, join), members };
  });
}

function columnOf(item: FromItem, name: string, join: JoinExpr): SettledValue {
  const found = item.columns.filter((column) => column.name === name);
  if (found.length === 0 && item.entries.some((side) => side.opaque)) return PLAIN;
  const [only] = found;
  if (only === undefined || found.length > 1) {
    throw refuseName(
      '42703',
      `column "${name}" in USING does not name one column on each side`,
      locationOf({ location: join.rtindex ?? -1 }),
    );
  }
  return only.value;
}

function mergedValue(left: SettledValue, right: SettledValue, join: JoinExpr): SettledValue {
  if (left.type === 'plain' && right.type === 'plain') return PLAIN;
  if (left.type === 'plain' || right.type === 'plain') {
    const column = left.type === 'sealed' ? left.column : right.type === 'sealed' ? right.column : undefined;
    throw refuseUse(
      `a join compares sealed column ${column === undefined ? '' : columnName(column)} with one that is not sealed`,
      -1,
    );
  }
  requireComparable(left.column, right.column, -1);
  if (!sameBytes(left.column, right.column))
    throw refuseUse('a join merges sealed columns of different types', -1, 'Write JOIN ... ON.');
  if (join.jointype === 'JOIN_FULL' || join.jointype === 'JOIN_RIGHT') return passedThrough(left.column, 'any');
  return left;
}
