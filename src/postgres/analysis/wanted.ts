/**
 * Rows that travel inside a statement: `INSERT ... SELECT v.a FROM (VALUES ...) v`, `... FROM unnest($1, $2)`, `UPDATE ... FROM (VALUES ...)`, as
 * ORMs write many rows at once. What a column of theirs is stored in decides how its constants and parameters are sealed, so it is found out
 * by name before FROM is read. A name found wrongly here refuses the statement later: the column then is sealed where a plain one is needed.
 */
import type { Alias, ColumnRef, RangeSubselect } from 'libpg-query';
import type { Analysis, ExpectedColumn, ExpectedColumns } from './analysis.ts';
import { locationOf, namesOf, type Node } from './syntax.ts';
import { unnestArguments } from './unnest.ts';

/** By FROM item: what its columns are to be. */
export type Wanted = ReadonlyMap<Node, ExpectedColumns>;

/** A value of the statement and the column that it is stored in. */
export type Stored = { readonly value: Node | undefined; readonly expected: ExpectedColumn };

type Source = { readonly item: Node; readonly alias: string; readonly names: readonly string[] };

export const NOTHING_WANTED: Wanted = new Map();

/** @param whole everything that can name columns of `from`. */
export function wantedColumns(from: readonly Node[], stored: readonly Stored[], whole: readonly Node[]): Wanted {
  if (stored.every(({ expected }) => expected?.purpose !== 'store')) return NOTHING_WANTED;
  const sources = from.flatMap((item) => sourceOf(item) ?? []);
  if (sources.length === 0) return NOTHING_WANTED;
  const references = columnRefsIn(whole);
  const [only] = sources;
  if (!isOneStar(stored)) return wantedByName(sources, stored, references);
  return from.length === 1 && only !== undefined ? wantedByStar(only, stored, references) : NOTHING_WANTED;
}

/** SELECT * FROM the one source: column for column. */
function wantedByStar(source: Source, stored: readonly Stored[], references: readonly ColumnRef[]): Wanted {
  const columns = source.names.map((name, index) => storing(stored[index]?.expected, source, name, references));
  return new Map([[source.item, columns]]);
}

function wantedByName(sources: readonly Source[], stored: readonly Stored[], references: readonly ColumnRef[]): Wanted {
  const wanted = new Map<Node, ExpectedColumn[]>();
  for (const { value, expected } of stored) {
    const ref = value === undefined ? undefined : refUnderCasts(value);
    if (ref === undefined) continue;
    const [qualifier, name] = parts(ref);
    const source = sources.find(
      ({ alias, names }) => names.includes(name) && (qualifier === undefined || qualifier === alias),
    );
    if (source === undefined) continue;
    const columns = wanted.get(source.item) ?? source.names.map(() => undefined);
    columns[source.names.indexOf(name)] ??= storing(expected, source, name, references);
    wanted.set(source.item, columns);
  }
  return wanted;
}

function storing(
  expected: ExpectedColumn,
  source: Source,
  name: string,
  references: readonly ColumnRef[],
): ExpectedColumn {
  if (expected?.purpose !== 'store') return undefined;
  // Stored, a value is rounded or refused as its column's modifier says: another use of it would see that.
  const isUsedOnce = references.filter((ref) => mayMean(ref, source, name)).length === 1;
  return expected.column.type.typmod === -1 || isUsedOnce ? { ...expected, named: false } : undefined;
}

/** What the values of VALUES are to the server where nothing names their types: text, cast to the column's type where it is stored. */
export function readRows(analysis: Analysis, query: Node, expected: ExpectedColumns): void {
  const lists = 'SelectStmt' in query ? (query.SelectStmt.valuesLists ?? []) : [];
  for (const list of lists) {
    const items = 'List' in list ? (list.List.items ?? []) : [];
    items.forEach((item, index) => {
      if (expected[index] !== undefined) readValue(analysis, item);
    });
  }
}

function readValue(analysis: Analysis, item: Node): void {
  if ('ParamRef' in item) analysis.texts.add(`$${item.ParamRef.number ?? 0}`);
  if (!('A_Const' in item)) return;
  const start = locationOf(item.A_Const);
  if (item.A_Const.sval !== undefined) analysis.texts.add(start);
  // A column in which there is nothing but NULL would be text, which cannot be stored as ciphertext.
  if (item.A_Const.isnull === true)
    analysis.edit({ start, end: start + 'NULL'.length, replacement: 'NULL::pg_catalog.bytea' });
}

function sourceOf(item: Node): Source | undefined {
  if ('RangeSubselect' in item) return valuesSource(item, item.RangeSubselect);
  if (!('RangeFunction' in item)) return undefined;
  const args = unnestArguments(item.RangeFunction);
  if (args === undefined) return undefined;
  const { alias } = item.RangeFunction;
  const own = args.length === 1 ? (alias?.aliasname ?? 'unnest') : 'unnest';
  return {
    item,
    alias: alias?.aliasname ?? 'unnest',
    names: named(
      args.map(() => own),
      alias,
    ),
  };
}

function valuesSource(item: Node, { subquery, alias }: RangeSubselect): Source | undefined {
  if (subquery === undefined || !('SelectStmt' in subquery)) return undefined;
  const [first] = subquery.SelectStmt.valuesLists ?? [];
  if (first === undefined || !('List' in first)) return undefined;
  const own = (first.List.items ?? []).map((_, index) => `column${index + 1}`);
  return { item, alias: alias?.aliasname ?? '', names: named(own, alias) };
}

function named(own: readonly string[], alias: Alias | undefined): readonly string[] {
  const names = namesOf(alias?.colnames);
  return own.map((name, index) => names[index] ?? name);
}

function refUnderCasts(node: Node): ColumnRef | undefined {
  if ('TypeCast' in node && node.TypeCast.arg !== undefined) return refUnderCasts(node.TypeCast.arg);
  return 'ColumnRef' in node ? node.ColumnRef : undefined;
}

/** `SELECT *`, and nothing beside it. */
function isOneStar([first, ...others]: readonly Stored[]): boolean {
  const value = first?.value;
  if (value === undefined || !('ColumnRef' in value) || others.some((other) => other.value !== undefined)) return false;
  return value.ColumnRef.fields?.length === 1 && isStar(value.ColumnRef);
}

function isStar({ fields }: ColumnRef): boolean {
  const last = fields?.at(-1);
  return last !== undefined && 'A_Star' in last;
}

/** Its qualifier, where there is one, and its name. */
function parts({ fields }: ColumnRef): readonly [qualifier: string | undefined, name: string] {
  const names = namesOf(fields);
  return [names.at(-2), names.at(-1) ?? ''];
}

function mayMean(ref: ColumnRef, { alias }: Source, name: string): boolean {
  const [qualifier, last] = parts(ref);
  if (isStar(ref)) return true;
  return last === alias || (last === name && (qualifier === undefined || qualifier === alias));
}

function columnRefsIn(part: unknown): readonly ColumnRef[] {
  if (typeof part !== 'object' || part === null) return [];
  if (Array.isArray(part)) return part.flatMap(columnRefsIn);
  return Object.entries(part).flatMap(([key, value]: [string, unknown]) =>
    // The parser's tree: a node of this kind is a ColumnRef.
    key === 'ColumnRef' ? [value as ColumnRef] : columnRefsIn(value),
  );
}
