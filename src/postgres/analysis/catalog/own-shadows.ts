/**
 * Shadows of what one open transaction has made of the catalog: nobody else sees it, so they are made for one look alone, in the transaction
 * that is taken back. Relations without rules get one too: the server's own may be locked by the client, which waits for us.
 */
import { BRIEF_LOCKS_SQL, type ServiceConnection, type ServiceSession } from '../../service/connection.ts';
import { quoteIdentifier, quoteLiteral, quoteQualified } from '../../service/names.ts';
import type { Analysis } from '../query/analysis.ts';
import type { Catalog, Relation } from './catalog.ts';
import {
  elementOf,
  findShadow,
  sealedPlaces,
  shadowType,
  tableDdl,
  viewDdl,
  viewDefinition,
  type ShadowRelation,
  type ShadowSource,
  type StandIns,
} from './shadow.ts';

export class OwnShadows implements ShadowSource {
  readonly #service: Pick<ServiceConnection, 'dryRun'>;

  constructor(service: Pick<ServiceConnection, 'dryRun'>) {
    this.#service = service;
  }

  within<Result>(
    { relations, catalog }: Analysis,
    work: (session: ServiceSession, standIns: StandIns) => Promise<Result>,
  ): Promise<Result> {
    return this.#service.dryRun(async (session) => {
      await session.query(BRIEF_LOCKS_SQL);
      const making = new Making(session, catalog);
      for (const relation of relations.values()) await making.relation(relation);
      return work(session, { relations: making.made, typeSchemas: making.typeSchemas });
    });
  }
}

class Making {
  readonly made = new Map<number, ShadowRelation>();
  readonly typeSchemas = new Set<string>();
  readonly #session: ServiceSession;
  readonly #catalog: Catalog;
  /** What stands for a type that the transaction has made, by the name of it. */
  readonly #typeNames = new Map<string, string>();

  constructor(session: ServiceSession, catalog: Catalog) {
    this.#session = session;
    this.#catalog = catalog;
  }

  async relation(relation: Relation): Promise<void> {
    if (this.made.has(relation.oid)) return;
    const { shadowSchema, name } = relation;
    const [session, catalog] = [this.#session, this.#catalog];
    // A view without rules is asked for its columns alone.
    const view = relation.kind === 'v' && relation.hot ? viewDefinition(relation, catalog, () => true) : undefined;
    for (const source of view?.shadowed ?? []) await this.relation(source);
    await session.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(shadowSchema)}`);
    if (view === undefined) {
      for (const column of relation.columns) await this.#type(elementOf(shadowType(column)).element, shadowSchema);
      await session.query(tableDdl(relation, this.#typeNames));
    } else {
      await session.query(viewDdl(relation, view.sql));
    }
    const { oid } = await findShadow(session, shadowSchema, name);
    this.made.set(relation.oid, { oid, sealedPlaces: sealedPlaces(relation, catalog, oid) });
  }

  /** An enum that nobody else sees yet gets one of the same labels; its own name is taken by the transaction, and is not to be waited for. */
  async #type(typeName: string, schema: string): Promise<void> {
    const type = this.#catalog.enums.get(typeName);
    if (type === undefined || this.#typeNames.has(typeName)) return;
    const [row] = await this.#session.query('SELECT to_regtype($1) IS NULL AS missing', [typeName]);
    if (row?.['missing'] !== true) return;
    const name = quoteQualified(schema, type.name);
    await this.#session.query(`CREATE TYPE ${name} AS ENUM (${type.labels.map(quoteLiteral).join(', ')})`);
    this.#typeNames.set(typeName, name);
    this.typeSchemas.add(schema);
  }
}
