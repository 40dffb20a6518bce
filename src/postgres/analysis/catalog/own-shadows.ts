/**
 * Shadows of what one open transaction has made of the catalog: nobody else sees it, so they are made for one look alone, in the transaction
 * that is taken back. Relations without rules get one too: the server's own may be locked by the client, which waits for us.
 */
import { BRIEF_LOCKS_SQL, type ServiceConnection, type ServiceSession } from '../../service/connection.ts';
import type { Analysis } from '../query/analysis.ts';
import type { ShadowSource, StandIns } from './shadow.ts';
import { StandInMaking } from './stand-ins.ts';

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
      const making = new StandInMaking(session, catalog, ({ shadowSchema }) => shadowSchema);
      for (const relation of relations.values()) await making.relation(relation);
      return work(session, { relations: making.made, names: making.names });
    });
  }
}
