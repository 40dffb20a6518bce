/** FROM: tables, subqueries, functions, joins. Follows src/backend/parser/parse_clause.c. */
import type { Alias, JoinExpr, RangeFunction, RangeSubselect } from 'libpg-query';
import type { Analysis } from './analysis.ts';
import { requireComparable, requireDeterministic } from '../expressions/comparisons.ts';
import { refuseName, refuseStatement, refuseUse } from '../errors.ts';
import { plainParts } from '../expressions/expressions.ts';
import { requirePlain } from '../expressions/mould.ts';
import { entry, renamed, tableEntry } from './relations.ts';
import { unnestedColumns } from './unnest.ts';
import { PLAIN_COLUMN, type MergedColumn, type RangeEntry, type ReadColumn, type Scope } from './scope.ts';
import { kindOf, locationOf, namesOf, type Node } from '../text/syntax.ts';
import {
  columnName,
  passedThrough,
  PLAIN,
  sameBytes,
  WIDE,
  type OutputColumn,
  type SettledValue,
} from '../expressions/values.ts';

/** What one FROM item brings: its entries, and the columns its joins merge. */
export type FromItem = {
  readonly entries: readonly RangeEntry[];
  readonly merged: readonly MergedColumn[];
  readonly columns: readonly OutputColumn[];
};

/** Fills the scope, item by item: LATERAL items see those before them. */
export function analyzeFrom(analysis: Analysis, items: readonly Node[], scope: Scope): readonly FromItem[] {
  return items.map((item) => {
    const added = fromItem(analysis, item, scope);
    for (const added_ of added.entries) scope.add(added_);
    scope.merged.push(...added.merged);
    return added;
  });
}

function fromItem(analysis: Analysis, item: Node, scope: Scope): FromItem {
  if ('RangeVar' in item) return single(tableEntry(analysis, item.RangeVar, scope));
  if ('RangeSubselect' in item) return single(subselectEntry(analysis, item.RangeSubselect, scope));
  if ('RangeFunction' in item) return single(functionEntry(analysis, item.RangeFunction, scope));
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

function subselectEntry(analysis: Analysis, item: RangeSubselect, scope: Scope): RangeEntry {
  if (item.subquery === undefined) throw refuseStatement('an empty subquery', -1);
  const outer = item.lateral === true ? scope : scope.beside();
  const columns = analysis.query(item.subquery, outer);
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

function functionEntry(analysis: Analysis, item: RangeFunction, scope: Scope): RangeEntry {
  const name = functionName(item);
  const alias = item.alias?.aliasname ?? name ?? '';
  const [only, ...more] = item.functions ?? [];
  const args =
    only !== undefined && 'List' in only && only.List.items?.[0] !== undefined && 'FuncCall' in only.List.items[0]
      ? (only.List.items[0].FuncCall.args ?? [])
      : [];
  const isAlone = more.length === 0 && item.ordinality !== true && (item.coldeflist ?? []).length === 0;
  const unnested = unnestedColumns(analysis, item, scope);
  if (unnested !== undefined) return entry(alias, undefined, renamed(unnested, item.alias), {});
  plainParts(analysis, { functions: { list: item.functions ?? [] } }, scope, 'as an argument of a function in FROM');
  const known = isAlone && name !== undefined && ONE_COLUMN.has(name) && (name !== 'unnest' || args.length === 1);
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
  if (join.alias !== undefined) {
    const all = [
      ...using.map(({ name, value }) => ({ name, value })),
      ...without(inAll(left), names),
      ...without(inAll(right), names),
    ];
    const opaque = isOpaque(left) || isOpaque(right);
    return single(entry(join.alias.aliasname ?? '', undefined, renamed(all, join.alias), { opaque }));
  }
  const alias = join.join_using_alias?.aliasname;
  const named = alias === undefined ? [] : [entry(alias, undefined, using, { qualifiedOnly: true })];
  return {
    entries: [...left.entries, ...right.entries, ...named],
    // A column that is merged again is found as what it has become: `a JOIN b USING (x) JOIN c USING (x)`.
    merged: [...without([...left.merged, ...right.merged], names), ...using],
    columns,
  };
}

const isOpaque = ({ entries }: FromItem): boolean => entries.some(({ opaque }) => opaque);

/** Those that are not known have a place among them, too, which no name after it can be counted from. */
const inAll = (item: FromItem): readonly OutputColumn[] => (isOpaque(item) ? [WIDE, ...item.columns] : item.columns);

function without<T extends { readonly name: string }>(columns: readonly T[], names: readonly string[]): readonly T[] {
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
  if ([...left.entries, ...right.entries].some((side) => side.opaque || side.wide)) {
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
    const location = itemLocation(join.rarg);
    const [one, other] = mouldedAlike(
      columnOf(left, name, 'left', location),
      columnOf(right, name, 'right', location),
      location,
    );
    for (const side of [one, other]) if (side.type === 'sealed') analysis.refer(side);
    const members = [...left.entries, ...right.entries].filter((side) =>
      side.columns.some((column) => column.name === name),
    );
    return { name, value: mergedValue(one, other, join, location), members };
  });
}

/** Constants and parameters on one side become values of the sealed column on the other. */
function mouldedAlike(one: ReadColumn, other: ReadColumn, location: number): readonly [SettledValue, SettledValue] {
  const become = ({ value, open }: ReadColumn, partner: SettledValue): SettledValue => {
    if (open === undefined) return value;
    if (partner.type !== 'sealed') {
      open.settlePlain();
      return value;
    }
    requireDeterministic(partner.column, location);
    open.mould(partner.column, 'compare', undefined);
    if (!open.printsExactly)
      throw refuseUse(
        `a join merges sealed column ${columnName(partner.column)} with numbers that may have other decimals`,
        location,
        'Write JOIN ... ON.',
      );
    return passedThrough(partner.column, 'any');
  };
  return [become(one, other.value), become(other, one.value)];
}

function columnOf(item: FromItem, name: string, side: 'left' | 'right', location: number): ReadColumn {
  const [found, ...more] = item.columns.filter((column) => column.name === name);
  if (more.length > 0)
    throw refuseName('42702', `common column name "${name}" appears more than once in ${side} table`, location);
  if (found !== undefined) return found;
  if (item.entries.some((entry) => entry.opaque || entry.wide)) return PLAIN_COLUMN;
  throw refuseName('42703', `column "${name}" specified in USING clause does not exist in ${side} table`, location);
}

/** Where a refusal about a side of a join points. */
function itemLocation(item: Node | undefined): number {
  if (item === undefined) return -1;
  if ('RangeVar' in item) return locationOf(item.RangeVar);
  return 'JoinExpr' in item ? itemLocation(item.JoinExpr.larg) : -1;
}

function mergedValue(left: SettledValue, right: SettledValue, join: JoinExpr, location: number): SettledValue {
  if (left.type === 'plain' && right.type === 'plain') return PLAIN;
  if (left.type === 'plain' || right.type === 'plain') {
    const column = left.type === 'sealed' ? left.column : right.type === 'sealed' ? right.column : undefined;
    throw refuseUse(
      `a join compares sealed column ${column === undefined ? '' : columnName(column)} with one that is not sealed`,
      location,
      'Join on sealed columns of one domain, or on columns that are not sealed.',
    );
  }
  requireComparable(left.column, right.column, location);
  if (!sameBytes(left.column, right.column))
    throw refuseUse('a join merges sealed columns of different types', location, 'Write JOIN ... ON.');
  const isOuter = join.jointype === 'JOIN_FULL' || join.jointype === 'JOIN_RIGHT';
  // Where one side is no column of a table the two have different types upstream, and the server takes the side that needs no cast.
  const areColumns = left.origin.type === 'column' && right.origin.type === 'column';
  return isOuter || !areColumns ? passedThrough(left.column, 'any') : left;
}
