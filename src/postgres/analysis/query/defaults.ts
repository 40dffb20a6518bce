/**
 * Column defaults, which the proxy applies: the server has none on sealed columns. DEFAULT becomes the sealed value where it stands; a column
 * that an INSERT leaves out is added to it.
 */
import type { InsertStmt, SetToDefault } from 'libpg-query';
import type { SealedColumn, SealedLiteral } from '../../plan.ts';
import { quoteIdentifier } from '../../service/names.ts';
import type { Analysis } from './analysis.ts';
import type { CatalogColumn } from '../catalog/catalog.ts';
import { refuseUse } from '../errors.ts';
import type { SourceText } from '../text/source-text.ts';
import { locationOf } from '../text/syntax.ts';
import { columnName } from '../expressions/values.ts';

type Defaulted = { readonly name: string; readonly literal: SealedLiteral };

/** DEFAULT as a value of a sealed column. Without a default it is the server's NULL. */
export function sealDefault(analysis: Analysis, keyword: SetToDefault, column: SealedColumn): void {
  const literal = defaultOf(analysis, column);
  if (literal === undefined) return;
  const start = locationOf(keyword);
  const token = analysis.source.tokenAt(start);
  const end = token === undefined ? undefined : analysis.source.tokens[token]?.end;
  if (end === undefined) throw refuseUse('a DEFAULT was not found in the text', start);
  analysis.edit({ start, end, replacement: [literal] });
}

function defaultOf(analysis: Analysis, column: SealedColumn): SealedLiteral | undefined {
  if (column.default === undefined) return undefined;
  analysis.use(column);
  return { column, value: column.default, purpose: 'store', isDefault: true };
}

/**
 * What the INSERT leaves out.
 *
 * @param columns of the relation, in order. @param given those that the source fills.
 */
export function insertDefaults(
  analysis: Analysis,
  insert: InsertStmt,
  columns: readonly CatalogColumn[],
  given: readonly CatalogColumn[],
): void {
  const left = columns.filter((column) => column.sealed?.default !== undefined && !given.includes(column));
  if (left.length === 0) return;
  const defaults = left.flatMap(({ name, sealed }): Defaulted[] => {
    const literal = sealed && defaultOf(analysis, sealed);
    return literal === undefined ? [] : [{ name, literal }];
  });
  const start = locationOf(insert.relation);
  if (insert.selectStmt === undefined) return replaceDefaultValues(analysis, start, defaults);
  const isValues = 'SelectStmt' in insert.selectStmt && insert.selectStmt.SelectStmt.valuesLists !== undefined;
  if (!isValues) throw leftOut(left[0]?.sealed, start);
  if (insert.cols === undefined) return fillRows(analysis, start, columns, given.length, defaults);
  nameColumns(analysis, start, defaults);
  addToRows(
    analysis,
    start,
    defaults.flatMap(({ literal }) => [', ', literal]),
  );
}

/** Where a statement cannot be given the defaults of the columns it leaves out. */
export function requireNoDefaults(
  columns: readonly CatalogColumn[],
  given: readonly CatalogColumn[],
  location: number,
): void {
  const left = columns.find((column) => column.sealed?.default !== undefined && !given.includes(column));
  if (left !== undefined) throw leftOut(left.sealed, location);
}

/** One sealed value for all rows of a query would show in which of them the default stands. */
function leftOut(column: SealedColumn | undefined, location: number): Error {
  const name = column === undefined ? 'a sealed column' : `sealed column ${columnName(column)}`;
  return refuseUse(
    `what is inserted here leaves out ${name}, which has a default`,
    location,
    'Name the column, and give it a value.',
  );
}

/** `INSERT INTO t DEFAULT VALUES` */
function replaceDefaultValues(analysis: Analysis, from: number, defaults: readonly Defaulted[]): void {
  const { source } = analysis;
  const at = wordAt(source, from, 'default');
  const [first, last] = [source.tokens[at], source.tokens[at + 1]];
  if (first === undefined || last === undefined) throw notFound(from);
  const list = defaults.map(({ name }) => quoteIdentifier(name)).join(', ');
  const values = separated(defaults.map(({ literal }) => literal));
  analysis.edit({ start: first.start, end: last.end, replacement: [`(${list}) VALUES (`, ...values, ')'] });
}

/** Without a list of columns, rows may end early: they are filled up to the last default. */
function fillRows(
  analysis: Analysis,
  from: number,
  columns: readonly CatalogColumn[],
  given: number,
  defaults: readonly Defaulted[],
): void {
  const missing = columns.slice(given);
  const last = missing.findLastIndex(({ name }) => defaults.some((entry) => entry.name === name));
  const values = missing
    .slice(0, last + 1)
    .map(({ name }) => defaults.find((entry) => entry.name === name)?.literal ?? 'DEFAULT');
  addToRows(
    analysis,
    from,
    values.flatMap((value) => [', ', value]),
  );
}

/** Into the parentheses after the table's name. */
function nameColumns(analysis: Analysis, from: number, defaults: readonly Defaulted[]): void {
  const { source } = analysis;
  const open = wordAt(source, from, '(');
  const names = defaults.map(({ name }) => `, ${quoteIdentifier(name)}`).join('');
  insertBefore(analysis, closing(source, open, from), [names]);
}

/** Into every row of VALUES, before its closing parenthesis. */
function addToRows(analysis: Analysis, from: number, values: readonly (string | SealedLiteral)[]): void {
  const { source } = analysis;
  let open = wordAt(source, from, 'values') + 1;
  for (;;) {
    if (source.tokenText(open) !== '(') throw notFound(from);
    const close = closing(source, open, from);
    insertBefore(analysis, close, values);
    if (source.tokenText(close + 1) !== ',') return;
    open = close + 2;
  }
}

function insertBefore(analysis: Analysis, token: number, replacement: readonly (string | SealedLiteral)[]): void {
  const at = analysis.source.tokens[token]?.start ?? 0;
  analysis.edit({ start: at, end: at, replacement });
}

/** The first such token after a table's name, outside of parentheses. The name, and an alias, may be the word itself. */
function wordAt(source: SourceText, from: number, word: string): number {
  let index = source.tokenAt(from) ?? source.tokens.length;
  index += 1;
  while (source.tokenText(index) === '.') index += 2;
  for (let depth = 0; index < source.tokens.length && depth >= 0; index++) {
    const text = source.tokenText(index);
    if (depth === 0 && text.toLowerCase() === word) return index;
    if (text === '(') depth++;
    if (text === ')') depth--;
  }
  throw notFound(from);
}

/** The parenthesis that closes the one at a token. */
function closing(source: SourceText, open: number, from: number): number {
  for (let index = open, depth = 0; index < source.tokens.length; index++) {
    const text = source.tokenText(index);
    if (text === '(') depth++;
    if (text === ')' && --depth === 0) return index;
  }
  throw notFound(from);
}

function separated(literals: readonly SealedLiteral[]): readonly (string | SealedLiteral)[] {
  return literals.flatMap((literal, index) => (index === 0 ? [literal] : [', ', literal]));
}

function notFound(location: number): Error {
  return refuseUse('the place of a default was not found in the text', location);
}
