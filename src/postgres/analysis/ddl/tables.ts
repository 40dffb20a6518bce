/**
 * Tables as schema changes name them: which rules hold for a name, whether or not the table is there yet.
 *
 * A schema change may come in a transaction whose catalog nobody else can see, so what can be known from rules and search path alone is
 * taken from there; what cannot is refused.
 */
import type { RangeVar } from 'libpg-query';
import { GUARD_DOMAIN_QUALIFIED } from '../../service/names.ts';
import { findRelation, relationKey, type Catalog, type Relation } from '../catalog/catalog.ts';
import type { PlanningContext } from '../draft-query.ts';
import { searchPathOf } from '../draft-query.ts';
import type { RuledColumn } from '../catalog/rules.ts';
import { locationOf } from '../text/syntax.ts';
import { refuseDdl } from './errors.ts';

export type DdlTable = {
  readonly schema: string;
  readonly name: string;
  /** By column name; of a partition or child also those of the tables above it. */
  readonly rules: ReadonlyMap<string, RuledColumn>;
  /** Its rules name other tables, above it: its own name is free. */
  readonly inherits?: boolean;
  /** As the catalog has it, which may not know what the open transaction has done. */
  readonly relation: Relation | undefined;
  /** Any of its columns may be sealed. */
  readonly opaque?: boolean;
};

const NO_RULES: ReadonlyMap<string, RuledColumn> = new Map();

/** Undefined: no rule and no relation of the catalog goes by that name in the schemas it may be looked for. */
export function existingTable(name: RangeVar, context: PlanningContext): DdlTable | undefined {
  const { catalog, settings, afterCatalogChange = false } = context;
  const { schemaname, relname = '' } = name;
  if (!isHotName(name, catalog)) return undefined;
  refuseDatabaseName(name);
  const path = userSchemas(context);
  const coming = comingTable(catalog, name, path);
  if (coming !== undefined) return coming;
  if (schemaname !== undefined) return tableIn(catalog, schemaname, relname);
  const uncertain = settings.uncommittedCatalog || afterCatalogChange;
  const ruled = path.filter((schema) => catalog.rules.has(relationKey(schema, relname)));
  if (uncertain && path.length > 1 && ruled.length > 0) {
    throw refuseDdl(
      `which table "${relname}" is depends on schema changes that have not been committed`,
      locationOf(name),
      'Write the schema in front of its name.',
    );
  }
  const relation = findRelation(catalog, searchPathOf(settings), undefined, relname);
  // One that another client has just made: its rules hold for it.
  const schema = relation?.schema ?? ruled[0];
  return schema === undefined ? undefined : tableIn(catalog, schema, relname);
}

function comingTable(
  { coming }: Catalog,
  { schemaname, relname = '' }: RangeVar,
  path: readonly string[],
): DdlTable | undefined {
  const found = coming.get(relname);
  if (found === undefined) return undefined;
  const { schema, name, rules } = found;
  const isMeant = schemaname === undefined ? schema === 'pg_temp' || path.includes(schema) : schemaname === schema;
  return isMeant
    ? { schema, name, rules: rules ?? NO_RULES, relation: undefined, opaque: rules === undefined }
    : undefined;
}

/** The table that CREATE makes under this name. Undefined: no rule is for it. */
export function newTable(name: RangeVar, context: PlanningContext): DdlTable | undefined {
  const { catalog } = context;
  const { schemaname, relname = '', relpersistence } = name;
  if (!isHotName(name, catalog)) return undefined;
  refuseDatabaseName(name);
  if (relpersistence === 't' || schemaname?.startsWith('pg_temp') === true) {
    throw refuseDdl(
      `a temporary table "${relname}" would stand in front of the table with sealed columns`,
      locationOf(name),
      'Give it another name.',
    );
  }
  const schema = schemaname ?? userSchemas(context)[0];
  return schema === undefined ? undefined : ownTable(catalog, schema, relname);
}

/** Where an unqualified name is looked for, without the server's own schemas; temporary tables of hot names are refused. */
export function userSchemas({ settings }: PlanningContext): readonly string[] {
  return settings.searchPath.filter((schema) => schema !== 'pg_catalog' && !schema.startsWith('pg_temp'));
}

export function tableIn(catalog: Catalog, schema: string, name: string): DdlTable {
  const own = ownTable(catalog, schema, name);
  return own.rules.size > 0 ? own : { ...own, rules: inheritedRules(catalog, own.relation), inherits: true };
}

function ownTable(catalog: Catalog, schema: string, name: string): DdlTable {
  const key = relationKey(schema, name);
  return { schema, name, rules: catalog.rules.get(key) ?? NO_RULES, relation: catalog.relations.get(key) };
}

function inheritedRules(catalog: Catalog, relation: Relation | undefined): ReadonlyMap<string, RuledColumn> {
  const rules = (relation?.columns ?? []).flatMap(({ name, sealed }) => {
    const of = sealed === undefined ? undefined : catalog.rules.get(relationKey(sealed.schema, sealed.table));
    const rule = of?.get(name);
    return rule === undefined ? [] : [[name, rule] as const];
  });
  return rules.length === 0 ? NO_RULES : new Map(rules);
}

function isHotName({ relname = '' }: RangeVar, catalog: Catalog): boolean {
  return catalog.hotRelationNames.has(relname);
}

function refuseDatabaseName(name: RangeVar): void {
  if (name.catalogname === undefined) return;
  throw refuseDdl('a database name in front of a table is not supported', locationOf(name), 'Leave it out.');
}

/** Whether a column of that name is sealed, or is to be: by its rule, or by its type where it has none. */
export function isSealedColumn(table: DdlTable | undefined, column: string): boolean {
  if (table === undefined) return false;
  return table.opaque === true || table.rules.has(column) || isGuarded(table.relation, column);
}

function isGuarded(relation: Relation | undefined, column: string): boolean {
  const found = relation?.columns.find(({ name }) => name === column);
  if (found === undefined) return false;
  return (
    found.sealed !== undefined || found.typeName === GUARD_DOMAIN_QUALIFIED || relation?.unguarded.has(column) === true
  );
}

/** How messages name a column. */
export function columnOf({ schema, name }: Pick<DdlTable, 'schema' | 'name'>, column: string): string {
  return `${schema}.${name}.${column}`;
}

export function ruledName({ schema, table, column }: RuledColumn): string {
  return `${schema}.${table}.${column}`;
}
