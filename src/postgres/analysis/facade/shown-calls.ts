/** Calls that print expressions of the catalog: what the catalog does not hold of them is said beside. Their columns keep the names that they have. */
import type { FuncCall, RangeVar } from 'libpg-query';
import { quoteIdentifier } from '../../service/names.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Edit } from '../text/edits.ts';
import type { SourceText } from '../text/source-text.ts';
import { builtinName, locationOf, namesOf } from '../text/syntax.ts';
import { declaredChecks } from './declared-checks.ts';
import { asFunction, endOf, lacksName } from './from-functions.ts';
import { declaredDefaults } from './logical-attributes.ts';
import type { References } from './references.ts';

export const CONSTRAINT_TEXT = 'pg_get_constraintdef';

type Shown = { readonly found: References; readonly targets: readonly RangeVar[]; readonly source: SourceText };

/** `targets`: the catalog's tables that are shown otherwise. */
export function shownCalls(
  found: References,
  targets: readonly RangeVar[],
  source: SourceText,
  catalog: Catalog,
): readonly Edit[] {
  const shown = { found, targets, source };
  return found.calls.flatMap((call) => {
    switch (builtinName(namesOf(call.funcname))) {
      case 'pg_get_expr':
        return [...shownDefault(call, shown, catalog), ...shownCheck(call, shown, catalog)];
      case CONSTRAINT_TEXT:
        return shownConstraint(call, shown, catalog);
      default:
        return [];
    }
  });
}

/** Of what pg_attrdef holds. */
function shownDefault(call: FuncCall, shown: Shown, catalog: Catalog): readonly Edit[] {
  const defaults = declaredDefaults(catalog);
  const row = defaults.isEmpty ? undefined : rowOf(call, 'adbin', 'pg_attrdef', shown);
  const span = callSpan(shown.source, locationOf(call));
  if (row === undefined || span === undefined) return [];
  // A CASE without a name is called as what it ELSE is.
  return around(call, span, [defaults.textOr(row), ' END'], shown);
}

/** Of what pg_constraint holds. */
function shownCheck(call: FuncCall, shown: Shown, catalog: Catalog): readonly Edit[] {
  const checks = declaredChecks(catalog);
  const row = checks.isEmpty ? undefined : rowOf(call, 'conbin', 'pg_constraint', shown);
  const span = callSpan(shown.source, locationOf(call));
  // `oid` alone may be another table's.
  if (row === undefined || row === '' || span === undefined) return [];
  const mark = checks.markOf(`${row}oid`, pretty(call, 2, shown.source));
  return around(call, span, [`(SELECT coalesce(${mark}, `, ') AS pg_get_expr)'], shown);
}

function shownConstraint(call: FuncCall, shown: Shown, catalog: Catalog): readonly Edit[] {
  const { source } = shown;
  const checks = declaredChecks(catalog);
  const [id] = call.args ?? [];
  const span = callSpan(source, locationOf(call));
  const written = id && argumentText(call, 0, source);
  if (checks.isEmpty || id === undefined || span === undefined || written === undefined) return [];
  // A table that is a subquery by now has no schema.
  const path = 'ColumnRef' in id ? namesOf(id.ColumnRef.fields).slice(-2).map(quoteIdentifier).join('.') : written;
  const mark = checks.markOf(path, pretty(call, 1, source));
  const end = `, 'CHECK (true)', coalesce('CHECK (' || ${mark} || ')', 'CHECK (true)')) AS ${CONSTRAINT_TEXT})`;
  return around(call, span, ['(SELECT pg_catalog.replace(', end], shown);
}

/** What becomes of a call: an expression, or in FROM a function. */
function around(call: FuncCall, span: Span, expression: readonly [string, string], shown: Shown): readonly Edit[] {
  const item = shown.found.fromItems.get(call);
  const name = namesOf(call.funcname).at(-1) ?? '';
  const [before, after] = item === undefined ? expression : asFunction(expression, name, item);
  const aliasAt = item === undefined || !lacksName(item) ? undefined : endOf(item.range, span.end, shown.source);
  const alias = ` AS ${name}`;
  const start = { start: span.start, end: span.start, replacement: before };
  const end = { start: span.end, end: span.end, replacement: aliasAt === span.end ? after + alias : after };
  if (aliasAt === undefined || aliasAt === span.end) return [start, end];
  return [start, end, { start: aliasAt, end: aliasAt, replacement: alias }];
}

/** Whether it is wanted as psql prints, as a condition in SQL. */
function pretty(call: FuncCall, at: number, source: SourceText): string {
  return argumentText(call, at, source) ?? 'false';
}

/** How the query names the columns of the row whose expression is printed, with a point behind it; undefined: another's. */
function rowOf(call: FuncCall, column: string, table: string, { found, targets }: Shown): string | undefined {
  const [tree] = call.args ?? [];
  if (tree === undefined || !('ColumnRef' in tree)) return undefined;
  const path = namesOf(tree.ColumnRef.fields);
  const [qualifier] = path.slice(-2, -1);
  const names = targets.filter(({ relname }) => relname === table).map(({ alias }) => alias?.aliasname ?? table);
  if (path.at(-1) !== column || names.length === 0) return undefined;
  if (qualifier !== undefined) return names.includes(qualifier) ? `${quoteIdentifier(qualifier)}.` : undefined;
  if (found.commonTables.size > 0) return undefined;
  const [only, ...more] = names;
  return only === undefined || more.length > 0 ? '' : `${quoteIdentifier(only)}.`;
}

type Span = { readonly start: number; readonly end: number };

/** From the function's name to the parenthesis that ends its arguments. */
function callSpan(source: SourceText, start: number): Span | undefined {
  const last = argumentSpans(source, start).at(-1);
  return last === undefined ? undefined : { start, end: last.end + 1 };
}

function argumentText({ args = [], location }: FuncCall, at: number, source: SourceText): string | undefined {
  const span = args.length > at ? argumentSpans(source, location ?? 0)[at] : undefined;
  return span && source.slice(span.start, span.end);
}

/** What stands between its parentheses and commas. */
function argumentSpans(source: SourceText, start: number): readonly Span[] {
  const spans: Span[] = [];
  const first = source.tokenAt(start) ?? source.tokens.length;
  for (let index = first, depth = 0, from = 0; source.tokens[index] !== undefined; index++) {
    const text = source.tokenText(index);
    const { start: at = 0, end = 0 } = source.tokens[index] ?? {};
    const opens = text === '(' || text === '[';
    if (opens && ++depth === 1) from = end;
    if (depth === 1 && (text === ',' || text === ')')) spans.push({ start: from, end: at });
    if (depth === 1 && text === ',') from = end;
    if ((text === ')' || text === ']') && --depth === 0) return spans;
  }
  return [];
}
