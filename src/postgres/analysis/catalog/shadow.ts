/**
 * Shadows of hot relations: in a schema of ours, a table with the same columns in their logical types, or a view with the same text
 * over shadows. Structure only; nothing ever writes a row. Made when first needed, made anew when the original changed.
 */
import { createHash } from 'node:crypto';
import { originKey } from '../../plan.ts';
import type { ServiceConnection, ServiceSession } from '../../service/connection.ts';
import { quoteIdentifier, quoteQualified } from '../../service/names.ts';
import { formatLogicalType } from '../../types/type-text.ts';
import { Analysis } from '../query/analysis.ts';
import { analyzeExpression } from '../expressions/expressions.ts';
import { analyzeQuery } from '../query/queries.ts';
import type { Catalog, CatalogColumn, Relation } from './catalog.ts';
import { splice } from '../text/edits.ts';
import { refuseStatement } from '../errors.ts';
import { StandInNames } from './stand-in-names.ts';
import { relationColumns } from '../query/relations.ts';
import { SourceText } from '../text/source-text.ts';
import { parseStatements } from '../text/syntax.ts';

export type ShadowRelation = {
  readonly oid: number;
  readonly schema: string;
  /** Sealed columns: the shadow's place, and the original's, as originKey spells them. */
  readonly sealedPlaces: ReadonlyMap<string, string>;
};

export type StandIns = {
  /** By OID, what stands for a relation. */
  readonly relations: ReadonlyMap<number, ShadowRelation>;
  /** For what else only the client's transaction has. */
  readonly names: StandInNames;
};

/** Where the second analysis finds the relations that a statement names. */
export interface ShadowSource {
  /** Runs `work` in a transaction that is taken back. Rejects with the service's error. */
  within<Result>(
    analysis: Analysis,
    work: (session: ServiceSession, standIns: StandIns) => Promise<Result>,
  ): Promise<Result>;
}

type Service = Pick<ServiceConnection, 'transaction' | 'dryRun'>;

export class Shadows implements ShadowSource {
  readonly #service: Service;
  readonly #made = new Map<number, Promise<ShadowRelation>>();
  #epoch = -1;

  constructor(service: Service) {
    this.#service = service;
  }

  /** `before`: asked ahead of `work`, for the transaction. */
  async within<Result>(
    { relations, catalog }: Analysis,
    work: (session: ServiceSession, standIns: StandIns) => Promise<Result>,
    before?: string,
  ): Promise<Result> {
    const found = new Map<number, ShadowRelation>();
    for (const relation of relations.values())
      if (relation.hot) found.set(relation.oid, await this.ensure(relation, catalog));
    return this.#service.dryRun(async (session) => {
      if (before !== undefined) await session.query(before);
      return work(session, { relations: found, names: new StandInNames(session, catalog.made) });
    });
  }

  /** The shadow of a relation as the catalog has it. Rejects with the service connection's error. */
  async ensure(relation: Relation, catalog: Catalog): Promise<ShadowRelation> {
    if (this.#epoch !== catalog.epoch) this.#made.clear();
    this.#epoch = catalog.epoch;
    const known = this.#made.get(relation.oid);
    if (known !== undefined) return known;
    const made = this.#make(relation, catalog);
    this.#made.set(relation.oid, made);
    made.catch(() => {
      if (this.#made.get(relation.oid) === made) this.#made.delete(relation.oid);
    });
    return made;
  }

  async #make(relation: Relation, catalog: Catalog): Promise<ShadowRelation> {
    const view = relation.kind === 'v' ? viewDefinition(relation, catalog, shadowOfHot) : undefined;
    for (const source of view?.shadowed ?? []) await this.ensure(source, catalog);
    const { shadowSchema: schema } = relation;
    const ddl = view === undefined ? tableDdl(relation, schema) : viewDdl(relation, schema, view.sql);
    const oid = await this.#service.transaction((session) => install(session, relation, ddl));
    return { oid, schema, sealedPlaces: sealedPlaces(relation, catalog, oid) };
  }
}

const shadowOfHot = ({ hot, shadowSchema }: Relation): string | undefined => (hot ? shadowSchema : undefined);

export function viewDdl(relation: Relation, schema: string, sql: string): string {
  const columns = relation.columns.map((column) => quoteIdentifier(column.name)).join(', ');
  return `CREATE VIEW ${quoteQualified(schema, relation.name)} (${columns}) AS ${sql}`;
}

export function tableDdl(relation: Relation, schema: string): string {
  const columns = relation.columns.map((column) => `${quoteIdentifier(column.name)} ${shadowType(column)}`);
  const keys = relation.keys.map(({ name, definition }) => `CONSTRAINT ${quoteIdentifier(name)} ${definition}`);
  return `CREATE TABLE ${quoteQualified(schema, relation.name)} (${[...columns, ...keys].join(', ')})`;
}

/** As its shadow has it. */
function shadowType({ typeName, sealed }: CatalogColumn): string {
  return sealed === undefined ? typeName : formatLogicalType(sealed.type);
}

/** The view's text with relations replaced by their shadows. `schemaOf`: where a relation has one, if it has. */
export function viewDefinition(
  view: Relation,
  catalog: Catalog,
  schemaOf: (relation: Relation) => string | undefined,
): { readonly sql: string; readonly shadowed: readonly Relation[] } {
  const source = new SourceText(view.definition ?? '');
  const [statement] = parseStatements(source.sql, source.byteLength);
  if (statement === undefined) throw refuseStatement(`the definition of view ${view.name} is not known`, -1);
  const analysis = new Analysis({
    catalog,
    searchPath: catalog.viewSearchPath,
    source,
    declaredOids: [],
    analyzeQuery,
    analyzeExpression,
    within: 'view',
  });
  analysis.query(statement.node, undefined);
  const edits = analysis.relationNames.map(({ relation, start, end }) => ({
    start,
    end,
    replacement: quoteQualified(schemaOf(relation) ?? relation.schema, relation.name),
  }));
  const { pieces } = splice(source, statement.start, statement.end, [...edits, ...analysis.shadowEdits]);
  const sql = pieces.filter((piece): piece is string => typeof piece === 'string').join('');
  return { sql, shadowed: [...analysis.relations.values()].filter((relation) => schemaOf(relation) !== undefined) };
}

const FIND_SQL = `
SELECT c.oid::int8::float8 AS oid, obj_description(c.oid, 'pg_class') AS note
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`;
/** What goes by one of these names in the shadows' schema, an index as its table: names that have changed hands since. */
const IN_THE_WAY_SQL = `
SELECT DISTINCT coalesce(t.relname, c.relname) AS name, coalesce(t.relkind, c.relkind) AS kind
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_class t ON t.oid = i.indrelid
WHERE n.nspname = $1 AND c.relname = ANY ($2::text[])`;
/** Replicas make the same shadows: one at a time. An arbitrary constant of ours. */
const LOCK_SQL = 'SELECT pg_advisory_xact_lock(7308895158)';

async function install(session: ServiceSession, relation: Relation, ddl: string): Promise<number> {
  const schema = relation.shadowSchema;
  const note = `sealgate ${createHash('sha256').update(`${relation.oid} ${ddl}`).digest('hex')}`;
  await session.query(LOCK_SQL);
  const before = await findShadow(session, schema, relation.name);
  if (before.note === note) return before.oid;
  await session.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`);
  const names = [relation.name, ...relation.keys.map(({ name }) => name)];
  for (const { name, kind } of await session.query(IN_THE_WAY_SQL, [schema, names]))
    await session.query(
      `DROP ${kind === 'v' ? 'VIEW' : 'TABLE'} IF EXISTS ${quoteQualified(schema, String(name))} CASCADE`,
    );
  await session.query(ddl);
  await session.query(
    `COMMENT ON ${relation.kind === 'v' ? 'VIEW' : 'TABLE'} ${quoteQualified(schema, relation.name)} IS '${note}'`,
  );
  return (await findShadow(session, schema, relation.name)).oid;
}

/** `oid`: NaN where there is none. */
export async function findShadow(
  session: ServiceSession,
  schema: string,
  name: string,
): Promise<{ readonly oid: number; readonly note: unknown }> {
  const [row] = await session.query(FIND_SQL, [schema, name]);
  return { oid: Number(row?.['oid']), note: row?.['note'] };
}

/** Shadows number their columns from 1 without gaps. */
export function sealedPlaces(relation: Relation, catalog: Catalog, shadowOid: number): ReadonlyMap<string, string> {
  const source = new SourceText('');
  const analysis = new Analysis({
    catalog,
    searchPath: [],
    source,
    declaredOids: [],
    analyzeQuery,
    analyzeExpression,
    within: 'statement',
  });
  const places = new Map<string, string>();
  relationColumns(analysis, relation).forEach(({ value }, index) => {
    if (value.type !== 'sealed') return;
    places.set(originKey(shadowOid, index + 1), originKey(relation.oid, relation.columns[index]?.attnum ?? 0));
  });
  return places;
}
