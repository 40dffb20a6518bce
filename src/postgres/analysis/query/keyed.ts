/**
 * Columns that a primary key beside them tells apart. Where DISTINCT or GROUP BY names the whole key of a table, rows that agree on it are one
 * row of it, with the same bytes in every column: what those are need not tell whether values are equal, so randomized columns may stand there.
 *
 * Source: PostgreSQL manual, "GROUP BY Clause" (functional dependency on a primary key).
 */
import type { SettledValue } from '../expressions/values.ts';
import { locationOf, namesOf, type Node } from '../text/syntax.ts';
import type { RangeEntry, Scope } from './scope.ts';

/** By identity: of each entry of FROM whose key is named whole among `nodes` (expressions, stars among them). */
export function keyedValues(nodes: readonly Node[], scope: Scope): ReadonlySet<SettledValue> {
  const named = new Set<unknown>(nodes.flatMap((node) => columnsOf(node, scope)));
  const keyed = scope.entries.filter(({ key = [] }) => key.length > 0 && key.every((column) => named.has(column)));
  return new Set(
    keyed.flatMap(({ columns }) => columns.map(({ value }) => value)).filter(({ type }) => type === 'sealed'),
  );
}

/** The entries' own columns that an expression is. */
function columnsOf(node: Node, scope: Scope): readonly unknown[] {
  if (!('ColumnRef' in node)) return [];
  const { fields = [] } = node.ColumnRef;
  const names = namesOf(fields.filter((field) => 'String' in field));
  const isStar = names.length < fields.length;
  if (names.length === 0) return scope.entries.flatMap(({ columns }) => columns);
  const qualifiers = isStar ? names : names.slice(0, -1);
  if (qualifiers.length === 0) return [scope.findColumn(names[0] ?? '', locationOf(node.ColumnRef))];
  const entry = ownEntry(qualifiers, scope);
  return (entry?.columns ?? []).filter(({ name }) => isStar || name === names.at(-1));
}

/** Not one of a query around it, whose row is the same for all. */
function ownEntry(qualifiers: readonly string[], { entries }: Scope): RangeEntry | undefined {
  const [alias, schema] = qualifiers.toReversed();
  const found = entries.filter((entry) => entry.alias === alias && (schema === undefined || entry.schema === schema));
  return found.length === 1 ? found[0] : undefined;
}
