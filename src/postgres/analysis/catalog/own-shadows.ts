/**
 * Shadows of what one open transaction has made of the catalog: nobody else sees it, so they are made for one look alone, in the transaction
 * that is taken back. Relations without rules get one too: the server's own may be locked by the client, which waits for us.
 */
import { BRIEF_LOCKS_SQL, type ServiceConnection, type ServiceSession } from '../../service/connection.ts';
import { quoteIdentifier } from '../../service/names.ts';
import type { Analysis } from '../query/analysis.ts';
import type { Catalog, Relation } from './catalog.ts';
import {
  findShadow,
  sealedPlaces,
  tableDdl,
  viewDdl,
  viewDefinition,
  type ShadowRelation,
  type ShadowSource,
} from './shadow.ts';

export class OwnShadows implements ShadowSource {
  readonly #service: Pick<ServiceConnection, 'dryRun'>;

  constructor(service: Pick<ServiceConnection, 'dryRun'>) {
    this.#service = service;
  }

  within<Result>(
    { relations, catalog }: Analysis,
    work: (session: ServiceSession, shadowed: ReadonlyMap<number, ShadowRelation>) => Promise<Result>,
  ): Promise<Result> {
    return this.#service.dryRun(async (session) => {
      await session.query(BRIEF_LOCKS_SQL);
      const shadowed = new Map<number, ShadowRelation>();
      for (const relation of relations.values()) await make(session, relation, catalog, shadowed);
      return work(session, shadowed);
    });
  }
}

async function make(
  session: ServiceSession,
  relation: Relation,
  catalog: Catalog,
  made: Map<number, ShadowRelation>,
): Promise<void> {
  if (made.has(relation.oid)) return;
  const { shadowSchema, name } = relation;
  // A view without rules is asked for its columns alone.
  const view = relation.kind === 'v' && relation.hot ? viewDefinition(relation, catalog, () => true) : undefined;
  for (const source of view?.shadowed ?? []) await make(session, source, catalog, made);
  await session.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(shadowSchema)}`);
  await session.query(view === undefined ? tableDdl(relation) : viewDdl(relation, view.sql));
  const { oid } = await findShadow(session, shadowSchema, name);
  made.set(relation.oid, { oid, sealedPlaces: sealedPlaces(relation, catalog, oid) });
}
