/**
 * ALTER ... RENAME and ALTER ... SET SCHEMA. A rule names its column, and a column's identity is bound to that name: what would take
 * the name away, or give it to something else, is refused.
 */
import type { AlterObjectSchemaStmt, RangeVar, RenameStmt } from 'libpg-query';
import { relationKey, type Catalog } from '../catalog/catalog.ts';
import { locationOf } from '../text/syntax.ts';
import { refuseDdl } from './errors.ts';
import type { DdlStatement } from './statement.ts';
import { columnOf, existingTable, isSealedColumn, type DdlTable } from './tables.ts';

const HOW =
  'Stop what writes it, rename it directly on the server, write the new name in its rules, then run `sealgate check --rebind`.';

export function rename(ddl: DdlStatement, statement: RenameStmt): void {
  const { renameType, relation, subname = '', newname = '' } = statement;
  const { catalog } = ddl.context;
  if (renameType === 'OBJECT_SCHEMA') return renameSchema(catalog, subname, newname);
  if (relation === undefined) return;
  const table = existingTable(relation, ddl.context);
  ddl.qualify(relation, table);
  if (renameType === 'OBJECT_COLUMN' || renameType === 'OBJECT_ATTRIBUTE')
    return renameColumn(table, relation, { subname, newname });
  if (!RELATIONS.has(renameType ?? '')) return;
  refuseRuled(table, relation);
  const schemas = table === undefined ? ddl.context.settings.searchPath : [table.schema];
  refuseTaken(catalog, relation.schemaname === undefined ? schemas : [relation.schemaname], newname, relation);
  if (table !== undefined) ddl.makes({ schemaname: table.schema, relname: newname });
}

const RELATIONS: ReadonlySet<string> = new Set([
  'OBJECT_TABLE',
  'OBJECT_VIEW',
  'OBJECT_MATVIEW',
  'OBJECT_FOREIGN_TABLE',
  'OBJECT_SEQUENCE',
  'OBJECT_INDEX',
]);

function renameColumn(
  table: DdlTable | undefined,
  relation: RangeVar,
  { subname, newname }: { readonly subname: string; readonly newname: string },
): void {
  if (table === undefined) return;
  if (isSealedColumn(table, subname))
    throw refuseDdl(`sealed column ${columnOf(table, subname)} cannot be renamed here`, locationOf(relation), HOW);
  if (table.rules.has(newname))
    throw refuseDdl(
      `a column cannot be renamed to ${columnOf(table, newname)}, which has a rule`,
      locationOf(relation),
      HOW,
    );
}

export function setSchema(ddl: DdlStatement, { relation, newschema = '' }: AlterObjectSchemaStmt): void {
  if (relation === undefined) return;
  const table = existingTable(relation, ddl.context);
  ddl.qualify(relation, table);
  refuseRuled(table, relation);
  refuseTaken(ddl.context.catalog, [newschema], relation.relname ?? '', relation);
  if (table !== undefined) ddl.makes({ schemaname: newschema, relname: table.name });
}

function refuseRuled(table: DdlTable | undefined, relation: RangeVar): void {
  if (table === undefined || table.rules.size === 0 || table.inherits === true) return;
  throw refuseDdl(
    `${table.schema}.${table.name} has sealed columns and cannot be renamed here`,
    locationOf(relation),
    HOW,
  );
}

/** Another table in the place of a ruled one. */
function refuseTaken(catalog: Catalog, schemas: readonly string[], name: string, relation: RangeVar): void {
  const schema = schemas.find((candidate) => catalog.rules.has(relationKey(candidate, name)));
  if (schema === undefined) return;
  throw refuseDdl(
    `the name ${schema}.${name} has rules, and cannot be given to another table here`,
    locationOf(relation),
    HOW,
  );
}

function renameSchema(catalog: Catalog, from: string, to: string): void {
  for (const rules of catalog.rules.values()) {
    for (const { schema, table } of rules.values()) {
      if (schema !== from && schema !== to) continue;
      throw refuseDdl(`schema ${schema} has a table with rules, ${schema}.${table}`, -1, HOW);
    }
  }
}
