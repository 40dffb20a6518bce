/**
 * Expressions in schema changes: CHECKs, defaults, generated columns, index predicates, policies, trigger conditions. The server evaluates
 * them, over ciphertext, and their constants would go upstream in clear: none may read a sealed column.
 */
import type { ColumnRef } from 'libpg-query';
import { locationOf, namesOf, type Node } from '../text/syntax.ts';
import { refuseDdl } from './errors.ts';
import { columnOf, isSealedColumn, type DdlTable } from './tables.ts';

/** `what`: as the message names it, "a CHECK constraint". NULL tests of a sealed column are exact, and carry no value: `nullTests` lets them be. `rows`: other names of the table's row. */
export function refuseSealedIn(
  expression: unknown,
  table: DdlTable | undefined,
  what: string,
  options: { readonly nullTests?: true; readonly rows?: ReadonlySet<string> } = {},
): void {
  if (table === undefined) return;
  for (const { names, wholeRow, location } of columnRefs(expression, options.nullTests === true)) {
    const name = names.at(-1) ?? '';
    const takesRow = wholeRow || (names.length === 1 && (name === table.name || options.rows?.has(name) === true));
    if (takesRow && hasSealed(table))
      throw refused(`${what} takes whole rows of ${table.schema}.${table.name}`, location);
    if (isSealedColumn(table, name)) throw refused(`${what} reads sealed column ${columnOf(table, name)}`, location);
  }
}

function hasSealed(table: DdlTable): boolean {
  return (
    table.opaque === true ||
    table.rules.size > 0 ||
    table.relation?.columns.some(({ name }) => isSealedColumn(table, name)) === true
  );
}

function refused(message: string, location: number): Error {
  return refuseDdl(message, location, 'The server sees only its ciphertext: check or compute it in the application.');
}

type Reference = { readonly names: readonly string[]; readonly wholeRow: boolean; readonly location: number };

function* columnRefs(part: unknown, skipsNullTests: boolean): Generator<Reference> {
  if (Array.isArray(part)) {
    for (const item of part) yield* columnRefs(item, skipsNullTests);
    return;
  }
  if (typeof part !== 'object' || part === null) return;
  if ('ColumnRef' in part) {
    // The grammar's name for just this node.
    yield referenceOf(part.ColumnRef as ColumnRef);
    return;
  }
  if (skipsNullTests && isPlainNullTest(part)) return;
  for (const value of Object.values(part)) yield* columnRefs(value, skipsNullTests);
}

function referenceOf(ref: ColumnRef): Reference {
  const fields = ref.fields ?? [];
  const last: Node | undefined = fields.at(-1);
  const wholeRow = last !== undefined && 'A_Star' in last;
  return { names: namesOf(fields), wholeRow, location: locationOf(ref) };
}

/** `column IS [NOT] NULL`. */
function isPlainNullTest(part: object): boolean {
  if (!('NullTest' in part)) return false;
  const test = part.NullTest;
  if (typeof test !== 'object' || test === null || !('arg' in test)) return false;
  return typeof test.arg === 'object' && test.arg !== null && 'ColumnRef' in test.arg;
}
