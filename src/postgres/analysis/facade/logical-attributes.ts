/**
 * pg_attribute as clients are shown it: sealed columns with their logical types. A subquery with the same columns in the same order, which the
 * planner pulls up, so that looking up by relation, number or name costs what it did.
 *
 * Rules are found by names and inheritance on the server, at the time of the query: columns made in the client's own transaction are
 * shown right, and a prepared query means the same whatever changes. Only columns of views are told by their OIDs.
 */
import { quoteLiteral } from '../../service/names.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { parseLogicalType } from '../../types/type-text.ts';
import { ValueError } from '../../types/errors.ts';
import type { LogicalType } from '../../plan.ts';
import type { RuledColumn } from '../catalog/rules.ts';
import { ancestorsOf, DeclaredDefaults } from './declared-defaults.ts';

/** pg_type.oid of bytea, which a column has whose rule says `guard: off`. */
const BYTEA_OID = 17;

/** Columns that follow from the type, and how they do from `t`, its row of pg_type. */
const FROM_TYPE: Readonly<Record<string, string>> = {
  attlen: 't.typlen',
  attbyval: 't.typbyval',
  attalign: 't.typalign',
  attstorage: 't.typstorage',
  attcollation: 't.typcollation',
  // As of a column that was declared with one pair of brackets. int4 before PostgreSQL 16.
  attndims: "CASE WHEN t.typtype = 'b' AND t.typcategory = 'A' THEN 1::int2 ELSE 0::int2 END",
};
/** That of the table, where it is an index: its columns are called as the table's. */
const TABLE = 'coalesce((SELECT i.indrelid FROM pg_catalog.pg_index i WHERE i.indexrelid = s.attrelid), s.attrelid)';

/** Columns of a view that come from sealed ones. */
export type ViewColumn = { readonly relation: number; readonly attnum: number; readonly type: LogicalType };

/**
 * The subquery, in parentheses. `needs`: whether a column of it is wanted in its logical form; others stay as they are. Undefined: nothing
 * is sealed here.
 */
export function logicalAttributes(
  catalog: Catalog,
  views: readonly ViewColumn[],
  needs: (column: string) => boolean,
): string | undefined {
  const { guardOid, attributeColumns } = catalog.facts;
  if (guardOid === null || attributeColumns.length === 0) return undefined;
  const source = logicalSource(catalog, views, guardOid);
  const defaults = declaredDefaults(catalog);
  if (source === undefined && defaults.isEmpty) return undefined;
  const columns = attributeColumns.map((column) => {
    if (column === 'atthasdef' && needs(column) && !defaults.isEmpty)
      return `(s.${column} OR ${defaults.ofAttribute}) AS ${column}`;
    if (source === undefined) return `s.${column}`;
    const logical = needs(column) ? logicalColumn(column, source) : undefined;
    if (logical === undefined) return `s.${column}`;
    return `CASE WHEN s.atttypid IN (${source.stored.join(', ')}) THEN coalesce(${logical}, s.${column}) ELSE s.${column} END AS ${column}`;
  });
  return `(SELECT ${columns.join(', ')} FROM pg_catalog.pg_attribute s)`;
}

type Source = {
  /** OIDs of the types that sealed columns are stored as. */
  readonly stored: readonly number[];
  /** What gives one column of the mapping for the row at hand. */
  readonly of: (column: 'typid' | 'typmod') => string;
};

function logicalColumn(column: string, source: Source): string | undefined {
  if (column === 'atttypid') return source.of('typid');
  if (column === 'atttypmod') return source.of('typmod');
  const taken = FROM_TYPE[column];
  return taken === undefined
    ? undefined
    : `(SELECT ${taken} FROM pg_catalog.pg_type t WHERE t.oid = ${source.of('typid')})`;
}

function logicalSource(catalog: Catalog, views: readonly ViewColumn[], guardOid: number): Source | undefined {
  // Those that keep their form have their logical type in the server too.
  const rules = [...catalog.rules.values()]
    .flatMap((columns) => [...columns.values()])
    .filter(({ format }) => format === undefined);
  const named = rules.flatMap((rule) => {
    const type = logicalTypeOf(rule, catalog);
    return type === undefined ? [] : [row(rule, type, rule.guard ? guardOid : BYTEA_OID)];
  });
  if (named.length === 0) return undefined;
  const stored = rules.some(({ guard }) => !guard) ? [guardOid, BYTEA_OID] : [guardOid];
  const numbered = views.map(({ relation, attnum, type }) => `(${relation}::oid, ${attnum}, ${shown(type)})`);
  return { stored, of: (column) => lookup(column, named, numbered) };
}

/** As the catalog resolved it, which knows types that only the database does; else as the rule spells it. */
export function logicalTypeOf(rule: RuledColumn, catalog: Catalog): LogicalType | undefined {
  const relation = catalog.relations.get(`${rule.schema}\u0000${rule.table}`);
  const resolved = relation?.columns.find(({ name }) => name === rule.column)?.sealed?.type;
  if (resolved !== undefined) return resolved;
  try {
    return parseLogicalType(rule.type);
  } catch (error) {
    if (error instanceof ValueError) return undefined;
    throw error;
  }
}

const DEFAULTS = new WeakMap<Catalog, DeclaredDefaults>();

/** Of columns that are sealed, in whatever form. */
export function declaredDefaults(catalog: Catalog): DeclaredDefaults {
  const known = DEFAULTS.get(catalog);
  if (known !== undefined) return known;
  const rules = [...catalog.rules.values()].flatMap((columns) => [...columns.values()]);
  const made = new DeclaredDefaults(
    rules.flatMap((rule) => {
      const type = rule.default === undefined ? undefined : logicalTypeOf(rule, catalog);
      if (type === undefined) return [];
      const guard = rule.guard ? catalog.facts.guardOid : BYTEA_OID;
      const stored = rule.format === undefined ? guard : (type.domain?.oid ?? type.oid);
      return stored === null ? [] : [{ rule, type, stored }];
    }),
  );
  DEFAULTS.set(catalog, made);
  return made;
}

function row({ schema, table, column }: RuledColumn, type: LogicalType, stored: number): string {
  const names = [schema, table, column].map((name) => `${quoteLiteral(name)}::name`);
  return `(${names.join(', ')}, ${stored}::oid, ${shown(type)})`;
}

/** atttypid and atttypmod: a domain's modifier is its own affair. */
function shown({ oid, typmod, domain }: LogicalType): string {
  return domain === undefined ? `${oid}::oid, ${typmod}` : `${domain.oid}::oid, -1`;
}

function lookup(column: string, named: readonly string[], numbered: readonly string[]): string {
  const byName = `(SELECT m.${column} FROM (VALUES ${named.join(', ')}) m(nsp, rel, att, stored, typid, typmod) JOIN pg_catalog.pg_namespace n ON n.nspname = m.nsp JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = m.rel WHERE m.att = s.attname AND m.stored = s.atttypid AND c.oid IN ${ancestorsOf(TABLE)} LIMIT 1)`;
  if (numbered.length === 0) return byName;
  return `coalesce(${byName}, (SELECT v.${column} FROM (VALUES ${numbered.join(', ')}) v(rel, num, typid, typmod) WHERE v.rel = s.attrelid AND v.num = s.attnum LIMIT 1))`;
}
