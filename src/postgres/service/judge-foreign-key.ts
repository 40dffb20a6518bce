/** Foreign keys of a ruled column: which may stay, and how its type is changed beneath those. */
import type { ForeignKeyEnd, LiveColumn } from './live-column.ts';
import { quoteIdentifier } from './names.ts';
import type { SealRule } from './rules.ts';

/** Between columns whose equal values look equal. */
export function staysTied(rule: SealRule, end: ForeignKeyEnd, rules: readonly SealRule[]): boolean {
  const other = rules.find((each) => names(each, end));
  const itself = other === rule && rule.mode === 'deterministic';
  return itself || (other?.domain !== undefined && other.domain === rule.domain);
}

const names = (
  rule: SealRule,
  { schema, table, column }: Pick<ForeignKeyEnd, 'schema' | 'table' | 'column'>,
): boolean => rule.schema === schema && rule.table === table && rule.column === column;

/** `IF EXISTS`: each column that it ties names it, and their DDL may be run column by column. */
export function dropForeignKey({ owner, name }: ForeignKeyEnd): string {
  return `ALTER TABLE ${owner} DROP CONSTRAINT IF EXISTS ${quoteIdentifier(name)};`;
}

/**
 * The server changes no column's type under a foreign key whose other end has another: it goes before the first of them and comes
 * back after the last. Rules are judged in their order.
 */
export function aroundForeignKeys(
  rule: SealRule,
  live: LiveColumn,
  rules: readonly SealRule[],
  ddl: readonly string[],
): readonly string[] {
  const kept = (live.foreignKeys ?? []).filter((end) => staysTied(rule, end, rules));
  const last = kept.filter(({ tied }) => rules.findLast((each) => tied.some((end) => names(each, end))) === rule);
  const add = ({ owner, name, definition }: ForeignKeyEnd): string =>
    `ALTER TABLE ${owner} ADD CONSTRAINT ${quoteIdentifier(name)} ${definition};`;
  return [...kept.map(dropForeignKey), ...ddl, ...last.map(add)];
}
