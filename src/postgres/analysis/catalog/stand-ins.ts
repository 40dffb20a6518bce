/**
 * What stands for relations in one transaction of the service connection that is taken back: tables of the same columns, without rows, whether a
 * rule is about them or not. Nothing of the client's is locked for it, or waited for.
 */
import type { ServiceSession } from '../../service/connection.ts';
import { quoteIdentifier, quoteLiteral, quoteQualified } from '../../service/names.ts';
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
} from './shadow.ts';

type SchemaOf = (relation: Relation) => string;

export class StandInMaking {
  readonly made = new Map<number, ShadowRelation>();
  readonly typeSchemas = new Set<string>();
  readonly #session: ServiceSession;
  readonly #catalog: Catalog;
  /** What stands for a type that the transaction has made, by the name of it. */
  readonly #typeNames = new Map<string, string>();

  readonly #schemaOf: SchemaOf;

  /** `schemaOf`: where what stands for a relation is made. */
  constructor(session: ServiceSession, catalog: Catalog, schemaOf: SchemaOf) {
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
    if (view === undefined) {
      for (const column of relation.columns) await this.#type(elementOf(shadowType(column)).element, schema);
      await session.query(tableDdl(relation, schema, this.#typeNames));
    } else {
      await session.query(viewDdl(relation, schema, view.sql));
    }
    const { oid } = await findShadow(session, schema, relation.name);
    this.made.set(relation.oid, { oid, schema, sealedPlaces: sealedPlaces(relation, catalog, oid) });
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
