/** Column references: `c`, `t.c`, `s.t.c`, and whole rows. */
import type { A_Indirection, ColumnRef } from 'libpg-query';
import type { RowField } from '../../plan.ts';
import type { Analysis } from '../query/analysis.ts';
import { refuseName, refuseUse } from '../errors.ts';
import { noteSchema } from '../query/relations.ts';
import type { OpenColumn } from './open-column.ts';
import { PLAIN_COLUMN, SYSTEM_COLUMNS, type RangeEntry, type ReadColumn, type Scope } from '../query/scope.ts';
import { locationOf, namesOf, type Node } from '../text/syntax.ts';
import { carriedRow, placesIn } from './carried.ts';
import { requireNoSealed } from './counts.ts';
import { refuseSealed } from './refuse-sealed.ts';
import { ROW_FUNCTIONS } from './row-functions.ts';
import type { Value } from './values.ts';

export function analyzeColumnRef(analysis: Analysis, ref: ColumnRef, scope: Scope): Value {
  const { value, open } = resolve(analysis, ref, scope);
  if (open !== undefined) return { type: 'mouldable', node: { ColumnRef: ref } };
  if (value.type === 'sealed') analysis.refer(value);
  return value;
}

/** The column of constants and parameters that a reference reads. */
export function openColumn(analysis: Analysis, ref: ColumnRef, scope: Scope): OpenColumn | undefined {
  return resolve(analysis, ref, scope).open;
}

function resolve(analysis: Analysis, ref: ColumnRef, scope: Scope): ReadColumn {
  const location = locationOf(ref);
  const fields = ref.fields ?? [];
  const names = fields.flatMap((field) => ('String' in field ? [field.String.sval ?? ''] : []));
  if (names.length < fields.length) return wholeRow(analysis, starEntry(analysis, names, scope, location), location);
  const [first = '', second, third] = names;
  if (names.length === 1) return bareName(analysis, first, scope, location);
  if (names.length > 3) throw refuseName('0A000', 'a database name in front of a column is not supported', location);
  if (third !== undefined)
    return inEntry(analysis, requireEntry(analysis, second ?? '', first, scope, location), third, location);
  return inEntry(analysis, requireEntry(analysis, first, undefined, scope, location), second ?? '', location);
}

/** `(t).c` and `(t.*).c`, which the server reads as `t.c`. Undefined: it is another selection. */
export function analyzeSelection(
  analysis: Analysis,
  { arg, indirection = [] }: A_Indirection,
  scope: Scope,
): Value | undefined {
  const [field, ...more] = indirection;
  if (field === undefined || more.length > 0 || !('String' in field)) return undefined;
  const entry = rowEntry(analysis, arg, scope);
  const [found, ...others] = entry?.columns.filter(({ name }) => name === field.String.sval) ?? [];
  // What is no column may be a function of the row.
  if (found === undefined || others.length > 0) return undefined;
  found.open?.settlePlain();
  if (found.value.type === 'sealed') analysis.refer(found.value);
  return found.value;
}

/** What a whole row is of: `t`, where that is no column's name, and `t.*`. */
export function rowEntry(analysis: Analysis, node: Node | undefined, scope: Scope): RangeEntry | undefined {
  if (node === undefined || !('ColumnRef' in node)) return undefined;
  const { fields = [] } = node.ColumnRef;
  const location = locationOf(node.ColumnRef);
  const names = namesOf(fields.filter((field) => 'String' in field));
  if (names.length < fields.length) return starEntry(analysis, names, scope, location);
  const [name = ''] = names;
  if (names.length > 1 || scope.findColumn(name, location) !== undefined) return undefined;
  return scope.findEntry(name, undefined, location);
}

function bareName(analysis: Analysis, name: string, scope: Scope, location: number): ReadColumn {
  const column = scope.findColumn(name, location);
  if (column !== undefined) return column;
  const entry = scope.findEntry(name, undefined, location);
  if (entry !== undefined) return wholeRow(analysis, entry, location);
  throw refuseName('42703', `column "${name}" does not exist`, location);
}

function inEntry(analysis: Analysis, entry: RangeEntry, name: string, location: number): ReadColumn {
  const found = entry.columns.filter((column) => column.name === name);
  if (found.length > 1) throw refuseName('42702', `column reference "${name}" is ambiguous`, location);
  if (found[0] !== undefined) return found[0];
  if (entry.isRelation && SYSTEM_COLUMNS.has(name)) return PLAIN_COLUMN;
  if (analysis.catalog.rowRoutines.has(name) || ROW_FUNCTIONS.has(name))
    return calledOnRow(analysis, entry, name, location);
  if (entry.opaque || entry.wide) return PLAIN_COLUMN;
  throw refuseName('42703', `column ${entry.alias}.${name} does not exist`, location);
}

/** `t.routine`, which the server reads as `routine(t)`. */
function calledOnRow(analysis: Analysis, entry: RangeEntry, name: string, location: number): ReadColumn {
  const { value } = wholeRow(analysis, entry, location);
  if (value.type === 'sealed') throw refuseSealed(value.column, `as an argument of ${name}()`, location);
  return PLAIN_COLUMN;
}

export function requireEntry(
  analysis: Analysis,
  alias: string,
  schema: string | undefined,
  scope: Scope,
  location: number,
): RangeEntry {
  const entry = scope.findEntry(alias, schema, location);
  if (entry === undefined) throw refuseName('42P01', `missing FROM-clause entry for table "${alias}"`, location);
  if (schema !== undefined) noteSchema(analysis, schema, alias, location);
  return entry;
}

/** `t.*`, or `s.t.*`, in an expression. */
function starEntry(analysis: Analysis, names: readonly string[], scope: Scope, location: number): RangeEntry {
  const [first, second] = names;
  if (first === undefined || names.length > 2) throw refuseUse('* cannot stand here', location);
  return second === undefined
    ? requireEntry(analysis, first, undefined, scope, location)
    : requireEntry(analysis, second, first, scope, location);
}

/** A row as one value carries its sealed columns into whatever takes it. */
function wholeRow(
  analysis: Analysis,
  { alias, columns, wide, renamesRow = false }: RangeEntry,
  location: number,
): ReadColumn {
  if (wide) requireNoSealed(columns, 0, location);
  const fields = columns.map(({ name, value, open }): RowField => {
    open?.settlePlain();
    return { name: renamesRow ? undefined : name, column: value.type === 'sealed' ? value.column : undefined };
  });
  // Rows of rows of rows: each name would be as much again.
  analysis.source.spend(fields.reduce((sum, { column }) => sum + placesIn(column), 0));
  const value = carriedRow(alias, location, fields);
  return value === undefined ? PLAIN_COLUMN : { value };
}
