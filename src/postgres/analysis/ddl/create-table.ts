/** CREATE TABLE of a table with rules, of a partition or child of one, or of one that refers to one. */
import type { CreateStmt, RangeVar, TableLikeClause } from 'libpg-query';
import type { RuledColumn } from '../catalog/rules.ts';
import { locationOf } from '../text/syntax.ts';
import { defineColumn } from './column.ts';
import { checkConstraint } from './constraint.ts';
import { refuseDdl } from './errors.ts';
import { refuseSealedIn } from './expressions.ts';
import type { DdlStatement } from './statement.ts';
import { columnOf, existingTable, isSealedColumn, newTable, userSchemas, type DdlTable } from './tables.ts';

export function createTable(ddl: DdlStatement, statement: CreateStmt): void {
  const { relation } = statement;
  if (relation === undefined) return;
  const own = newTable(relation, ddl.context);
  const table = withParents(ddl, own, relation, statement);
  ddl.qualify(relation, own);
  if (own === undefined && table !== undefined) ddl.makes(relation, table.rules);
  if (statement.ofTypename !== undefined && table !== undefined && table.rules.size > 0)
    throw refuseDdl(
      `${table.schema}.${table.name} has rules and would take its columns from a type`,
      locationOf(statement.ofTypename),
      'Write its columns out.',
    );
  for (const element of statement.tableElts ?? []) {
    if ('ColumnDef' in element) defineColumn(ddl, element.ColumnDef, table, 'new table');
    if ('Constraint' in element) checkConstraint(ddl, element.Constraint, table, undefined, 'new');
    if ('TableLikeClause' in element) copyColumns(ddl, element.TableLikeClause, own);
  }
  for (const constraint of statement.constraints ?? [])
    if ('Constraint' in constraint) checkConstraint(ddl, constraint.Constraint, table, undefined, 'new');
  checkPartitionKey(statement, table);
}

/** A partition or child has its parents' sealed columns: its own definition of them must not be another. */
function withParents(
  ddl: DdlStatement,
  own: DdlTable | undefined,
  name: RangeVar,
  { inhRelations = [] }: CreateStmt,
): DdlTable | undefined {
  const rules = new Map<string, RuledColumn>();
  let hasHotParent = false;
  for (const node of inhRelations) {
    if (!('RangeVar' in node)) continue;
    const parent = existingTable(node.RangeVar, ddl.context);
    if (parent === undefined) continue;
    hasHotParent = true;
    ddl.qualify(node.RangeVar, parent);
    for (const [column, rule] of parent.rules) {
      const other = rules.get(column);
      if (other !== undefined && other !== rule) throw torn(column, [other, rule], locationOf(node.RangeVar));
      rules.set(column, rule);
    }
  }
  if (own !== undefined && own.rules.size > 0 && hasHotParent)
    throw refuseDdl(
      `${own.schema}.${own.name} has rules of its own and would share columns with another table that has`,
      locationOf(name),
      'Write rules for the parent alone: they hold for its partitions and children.',
    );
  if (own === undefined && !hasHotParent) return undefined;
  const { schemaname: schema = userSchemas(ddl.context)[0] ?? '', relname = '' } = name;
  return {
    schema: own?.schema ?? schema,
    name: own?.name ?? relname,
    relation: undefined,
    rules: hasHotParent ? rules : (own?.rules ?? rules),
  };
}

/** Values that are written through one parent are read through the other. */
function torn(column: string, rules: readonly RuledColumn[], location: number): Error {
  return refuseDdl(
    `column ${column} would be sealed by the rules of two tables, ${rules.map((rule) => `${rule.schema}.${rule.table}`).join(' and ')}`,
    location,
    'Let it inherit from one of them.',
  );
}

/** LIKE copies types, so sealed columns stay sealed; each needs a rule of the same kind in the new table. */
function copyColumns(ddl: DdlStatement, { relation }: TableLikeClause, own: DdlTable | undefined): void {
  if (relation === undefined) return;
  const source = existingTable(relation, ddl.context);
  ddl.qualify(relation, source);
  const names = new Set([...(own?.rules.keys() ?? []), ...sealedNames(source)]);
  for (const name of names) {
    const mine = own?.rules.get(name);
    const theirs = source?.rules.get(name);
    if (mine !== undefined && theirs !== undefined && mine.type === theirs.type && mine.mode === theirs.mode) continue;
    // A column of the new table that is not copied.
    if (theirs === undefined && !isSealedColumn(source, name) && mine !== undefined && !hasColumn(source, name))
      continue;
    throw refuseDdl(
      `LIKE would copy column ${name}, which is not sealed in the same way in both tables`,
      locationOf(relation),
      'Write the columns out, or give both tables the same rules.',
    );
  }
}

function sealedNames(table: DdlTable | undefined): readonly string[] {
  if (table === undefined) return [];
  const live = table.relation?.columns.map(({ name }) => name) ?? [];
  return [...table.rules.keys(), ...live.filter((name) => isSealedColumn(table, name))];
}

/** Of a table the catalog does not know anything may be a column. */
function hasColumn(table: DdlTable | undefined, column: string): boolean {
  return table?.relation === undefined || table.relation.columns.some(({ name }) => name === column);
}

function checkPartitionKey({ partspec }: CreateStmt, table: DdlTable | undefined): void {
  for (const node of partspec?.partParams ?? []) {
    if (!('PartitionElem' in node)) continue;
    const { name, expr, location } = node.PartitionElem;
    refuseSealedIn(expr, table, 'a partition key');
    if (table !== undefined && name !== undefined && isSealedColumn(table, name))
      throw refuseDdl(
        `sealed column ${columnOf(table, name)} cannot be part of a partition key`,
        location ?? 0,
        'Partition by another column.',
      );
  }
}
