/**
 * Shadows for a statement that names other relations, too: where a client has one of these locked, all that it names gets a stand-in, so that its
 * analysis waits for nobody, and nobody for it. The statement itself then waits at the server, in the client's own session and under its timeouts.
 *
 * What no stand-in can be made for waits after all; a few such statements at a time, so that others find a connection.
 */
import { BRIEF_LOCKS_SQL, type ServiceConnection, type ServiceSession } from '../../service/connection.ts';
import { ServiceError } from '../../service/errors.ts';
import type { Analysis } from '../query/analysis.ts';
import type { Relation } from './catalog.ts';
import { SHADOW_PREFIX } from './shadow-names.ts';
import { Shadows, type ShadowSource, type StandIns } from './shadow.ts';
import { StandInMaking } from './stand-ins.ts';

/** Waits no longer than it takes to see that there is something to wait for. */
const HARDLY_WAIT_SQL = "SELECT set_config('lock_timeout', '25ms', true)";
/** Of the four connections of `dryRun`. */
const MAX_WAITING = 2;
const LOCK_NOT_AVAILABLE = '55P03';

type Work<Result> = (session: ServiceSession, standIns: StandIns) => Promise<Result>;

export class UnlockedShadows implements ShadowSource {
  readonly #service: Pick<ServiceConnection, 'dryRun'>;
  readonly #shadows: Shadows;
  #waiting = 0;
  readonly #queue: (() => void)[] = [];

  constructor(service: Pick<ServiceConnection, 'transaction' | 'dryRun'>) {
    this.#service = service;
    this.#shadows = new Shadows(service);
  }

  async within<Result>(analysis: Analysis, work: Work<Result>): Promise<Result> {
    const relations = [...analysis.relations.values()];
    // Shadows alone are never locked by clients, but those of views, which may name others.
    if (relations.every(({ hot, kind }) => hot && kind !== 'v')) return this.#shadows.within(analysis, work);
    try {
      return await this.#shadows.within(analysis, work, HARDLY_WAIT_SQL);
    } catch (error) {
      if (!(error instanceof ServiceError) || error.sqlstate !== LOCK_NOT_AVAILABLE) throw error;
    }
    try {
      return await this.#besideLocks(analysis, work);
    } catch {
      return this.#wait(() => this.#shadows.within(analysis, work));
    }
  }

  /** In schemas of its own: transactions that make the same at once wait for each other. */
  #besideLocks<Result>({ relations, catalog }: Analysis, work: Work<Result>): Promise<Result> {
    return this.#service.dryRun(async (session) => {
      await session.query(BRIEF_LOCKS_SQL);
      const [row] = await session.query('SELECT pg_backend_pid() AS pid');
      const prefix = `${SHADOW_PREFIX}beside_${String(row?.['pid'])}_`;
      const schemaOf = (relation: Relation): string => prefix + relation.shadowSchema.slice(SHADOW_PREFIX.length);
      const making = new StandInMaking(session, catalog, schemaOf);
      for (const relation of relations.values()) await making.relation(relation);
      return work(session, { relations: making.made, names: making.names });
    });
  }

  async #wait<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#waiting >= MAX_WAITING) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#waiting += 1;
    try {
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#waiting -= 1;
      else next();
    }
  }
}
