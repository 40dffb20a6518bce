/** Constraints of a table or column: which of them hold over ciphertext. Equality does, of deterministic columns; nothing else does. */
import type { Constraint } from 'libpg-query';
import type { RuledColumn } from '../catalog/rules.ts';
import { locationOf, namesOf, type Node } from '../text/syntax.ts';
import type { DdlStatement } from './statement.ts';
import { replaceDeclaredCheck } from './declared.ts';
import { refuseSealedIn } from './expressions.ts';
import { refuseDdl } from './errors.ts';
import { columnOf, existingTable, isSealedColumn, type DdlTable } from './tables.ts';

/**
 * `column`: of a constraint written behind a column. `of`: whether its columns are made with it, and hold no values yet. Throws
 * ERR_POSTGRES_SEALED_DDL.
 */
export function checkConstraint(
  ddl: DdlStatement,
  constraint: Constraint,
  table: DdlTable | undefined,
  column: string | undefined,
  of: 'new' | 'existing',
): void {
  const own = column === undefined ? [] : [column];
  switch (constraint.contype) {
    case 'CONSTR_CHECK':
      if (of === 'new' && table !== undefined && replaceDeclaredCheck(ddl, constraint, table)) return;
      return refuseSealedIn(constraint.raw_expr, table, 'a CHECK constraint');
    case 'CONSTR_GENERATED':
      return refuseSealedIn(constraint.raw_expr, table, 'a generated column');
    case 'CONSTR_DEFAULT':
      return refuseSealedIn(constraint.raw_expr, table, 'a default');
    case 'CONSTR_PRIMARY':
    case 'CONSTR_UNIQUE':
      for (const name of [...own, ...namesOf(constraint.keys)]) requireEquality(table, name, constraint);
      return;
    case 'CONSTR_FOREIGN':
      return checkForeignKey(ddl, constraint, table, own.length > 0 ? own : namesOf(constraint.fk_attrs));
    case 'CONSTR_EXCLUSION':
      return checkExclusion(constraint, table);
    default:
      return;
  }
}

/** Unique and primary keys compare ciphertext. */
function requireEquality(table: DdlTable | undefined, column: string, constraint: Constraint): void {
  if (table === undefined || !isSealedColumn(table, column)) return;
  if (table.rules.get(column)?.mode === 'deterministic') return;
  throw refuseDdl(
    `a unique constraint on ${columnOf(table, column)}: equal values of a randomized column never look equal`,
    locationOf(constraint),
    'Write "mode: deterministic" in its rule, or leave the constraint out.',
  );
}

function checkForeignKey(
  ddl: DdlStatement,
  constraint: Constraint,
  table: DdlTable | undefined,
  columns: readonly string[],
): void {
  const { pktable, pk_attrs: theirs } = constraint;
  if (pktable === undefined) return;
  const isItself =
    table !== undefined && pktable.relname === table.name && (pktable.schemaname ?? table.schema) === table.schema;
  const other = isItself ? table : existingTable(pktable, ddl.context);
  ddl.qualify(pktable, other);
  const targets = namesOf(theirs);
  for (const [index, column] of columns.entries()) {
    const target = targets[index];
    const isSealed = isSealedColumn(table, column);
    if (target === undefined && isSealed) throw unnamedTarget(constraint);
    if (!isSealed && (target === undefined || !isSealedColumn(other, target))) continue;
    const mine = table?.rules.get(column);
    if (sharesEquality(mine, target === undefined ? undefined : other?.rules.get(target))) continue;
    throw refuseDdl(
      `a foreign key from ${column} to ${pktable.relname ?? ''}.${target ?? ''}: sealed columns look equal only within one domain`,
      locationOf(constraint),
      'Give both columns rules with mode: deterministic and the same domain.',
    );
  }
}

function unnamedTarget(constraint: Constraint): Error {
  return refuseDdl(
    'a foreign key of a sealed column does not say which column it refers to',
    locationOf(constraint),
    'Write the column behind the table it refers to.',
  );
}

function sharesEquality(mine: RuledColumn | undefined, theirs: RuledColumn | undefined): boolean {
  if (mine?.mode !== 'deterministic' || theirs === undefined) return false;
  return mine === theirs || (mine.domain !== undefined && mine.domain === theirs.domain);
}

function checkExclusion(constraint: Constraint, table: DdlTable | undefined): void {
  refuseSealedIn([constraint.exclusions, constraint.where_clause], table, 'an exclusion constraint');
  for (const name of elementNames(constraint.exclusions ?? [])) {
    if (table === undefined || !isSealedColumn(table, name)) continue;
    throw refuseDdl(
      `an exclusion constraint compares sealed column ${columnOf(table, name)}`,
      locationOf(constraint),
      'Leave the column out of it.',
    );
  }
}

/** Names of the plain columns among index elements, however deep they lie in lists. */
function elementNames(nodes: readonly Node[]): readonly string[] {
  return nodes.flatMap((node) => {
    if ('List' in node) return elementNames(node.List.items ?? []);
    return 'IndexElem' in node && node.IndexElem.name !== undefined ? [node.IndexElem.name] : [];
  });
}
