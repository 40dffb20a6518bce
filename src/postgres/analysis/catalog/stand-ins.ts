/**
 * What stands for relations in one transaction of the service connection that is taken back: tables of the same columns, without rows, whether a
 * rule is about them or not. Nothing of the client's is locked for it, or waited for.
 */
import type { ServiceSession } from '../../service/connection.ts';
import { quoteIdentifier } from '../../service/names.ts';
import type { Catalog, Relation } from './catalog.ts';
import { findShadow, sealedPlaces, tableDdl, viewDdl, viewDefinition, type ShadowRelation } from './shadow.ts';
import { StandInNames } from './stand-in-names.ts';

type SchemaOf = (relation: Relation) => string;

export class StandInMaking {
  readonly made = new Map<number, ShadowRelation>();
  readonly names: StandInNames;
  readonly #session: ServiceSession;
  readonly #catalog: Catalog;
  readonly #schemaOf: SchemaOf;

  /** `schemaOf`: where what stands for a relation is made. */
  constructor(session: ServiceSession, catalog: Catalog, schemaOf: SchemaOf) {
    this.names = new StandInNames(session, catalog.made);
    this.#session = session;
    this.#catalog = catalog;
    this.#schemaOf = schemaOf;
  }

  async relation(relation: Relation): Promise<void> {
    if (this.made.has(relation.oid)) return;
    const [session, catalog, schema] = [this.#session, this.#catalog, this.#schemaOf(relation)];
    // A view without rules is asked for its columns alone.
    const view = relation.kind === 'v' && relation.hot ? viewDefinition(relation, catalog, this.#schemaOf) : undefined;
    for (const source of view?.shadowed ?? []) await this.relation(source);
    await session.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`);
    const ddl = view === undefined ? tableDdl(relation, schema) : viewDdl(relation, schema, view.sql);
    await session.query(await this.names.fitPrinted(ddl));
    const { oid } = await findShadow(session, schema, relation.name);
    this.made.set(relation.oid, { oid, schema, sealedPlaces: sealedPlaces(relation, catalog, oid) });
  }
}
