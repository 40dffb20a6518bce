/**
 * The catalog as one open transaction sees it, with what it has changed and not committed: asked for in that transaction itself, over the
 * client's own connection, since nobody else can tell.
 *
 * Invariants: it is used for that session alone, and only until the transaction may have changed it again, or the committed catalog has been
 * seen to change; rules hold in it by the same proofs as in the committed one.
 */
import { originKey, type SealedColumn, type SealedPlan } from '../../plan.ts';
import { ServiceError } from '../../service/errors.ts';
import type { Questions } from '../../service/connection.ts';
import { AnalysisError } from '../errors.ts';
import { PlanCache } from '../plan-cache.ts';
import { withComing, type Catalog } from './catalog.ts';
import { inTurns } from '../../turns.ts';
import { readRoutines } from './routine-texts.ts';
import type { RuledColumn } from './rules.ts';
import { buildCatalog } from './snapshot.ts';
import { parseSnapshot } from './snapshot-shape.ts';
import type { CatalogSource } from './source.ts';
import { OWN_SNAPSHOT_SQL } from './sql.ts';

export type OwnCatalog = {
  readonly catalog: Catalog;
  /** Epoch of the committed catalog that it was read beside. */
  readonly basis: number;
  /** Of statements under it. */
  readonly plans: PlanCache;
};

/** A session's open transaction that has changed the catalog. */
export interface OwnTransaction {
  /** The process id of the server's backend: no two sessions have the same. */
  readonly backend: string;
  /** Kept here by the analysis; the session forgets it as soon as the transaction may have changed the catalog again. */
  catalog: OwnCatalog | undefined;
  /** Places (originKey) of sealed columns that the transaction has had so far. The analysis adds them. */
  readonly places: Set<string>;
  /** What is gone now may come back when a savepoint is rolled back. */
  readonly hasSavepoints: boolean;
  /**
   * Asks in the transaction, at the client's place in it, and takes back whatever the questions did.
   *
   * Errors: AnalysisError where nothing can be asked now, ServiceError where a question fails; the transaction is as before in either case.
   */
  ask<Result>(work: (questions: Questions) => Promise<Result>): Promise<Result>;
}

/** Whether a place that is gone was one of the transaction's own, with values perhaps, which a rollback to a savepoint would bring back. */
export type MayComeBack = (relation: number, attnum: number) => boolean;

export type OwnCatalogsOptions = {
  readonly source: CatalogSource;
  readonly rules: readonly RuledColumn[];
  readonly allowRoutines: ReadonlySet<string>;
  /** As `resolveColumns` of the committed catalog, by what the transaction answers. */
  readonly resolveWithin: (questions: Questions, mayComeBack: MayComeBack) => Promise<readonly SealedColumn[]>;
};

export class OwnCatalogs {
  readonly #options: OwnCatalogsOptions;
  /** Below those of committed catalogs, so that no plan is taken for one under the other. */
  #epoch = -1;

  constructor(options: OwnCatalogsOptions) {
    this.#options = options;
  }

  /** The one that is kept, while it can be used. */
  current({ catalog }: OwnTransaction): OwnCatalog | undefined {
    return catalog?.basis === this.#options.source.epoch ? catalog : undefined;
  }

  isCurrent(plan: SealedPlan, own: OwnTransaction): boolean {
    return this.current(own)?.catalog.epoch === plan.state.catalogEpoch;
  }

  /** Asked for where none can be used. Errors: ERR_POSTGRES_CATALOG. */
  async of(own: OwnTransaction): Promise<OwnCatalog> {
    const known = this.current(own);
    if (known !== undefined) return known;
    try {
      own.catalog = await this.#ask(own);
      return own.catalog;
    } catch (error) {
      throw asRefusal(error);
    }
  }

  async #ask(own: OwnTransaction): Promise<OwnCatalog> {
    const { source, rules, allowRoutines, resolveWithin } = this.#options;
    const committed = source.requireCatalog();
    const { snapshot, sealed } = await own.ask(async (questions) => {
      const [row] = await questions.query(OWN_SNAPSHOT_SQL);
      const mayComeBack: MayComeBack = (...place) => own.hasSavepoints && own.places.has(originKey(...place));
      return { snapshot: row?.['snapshot'], sealed: await resolveWithin(questions, mayComeBack) };
    });
    for (const { relationOid, attnum } of sealed) own.places.add(originKey(relationOid, attnum));
    const parsed = parseSnapshot({ ...(snapshot as object), facts: committed.facts }); // parsed as it says
    const routines = await inTurns(readRoutines(parsed.routines));
    this.#epoch -= 1;
    const catalog = buildCatalog({
      epoch: this.#epoch,
      snapshot: parsed,
      routines,
      rules,
      sealed,
      allowRoutines,
      shadowsApart: `own_${own.backend}_`,
    });
    return { catalog: withNamesOf(catalog, committed), basis: committed.epoch, plans: new PlanCache() };
  }
}

/** What is hot to others, or about to be, may come to be seen here at any time. */
function withNamesOf(catalog: Catalog, committed: Catalog): Catalog {
  const hotRelationNames = new Set([...catalog.hotRelationNames, ...committed.hotRelationNames]);
  return withComing({ ...catalog, hotRelationNames }, [...committed.coming.values()]);
}

function asRefusal(error: unknown): unknown {
  if (!(error instanceof ServiceError)) return error;
  const sqlstate = error.code === 'ERR_POSTGRES_SERVICE_QUERY' ? error.sqlstate : '57P03';
  const message = `the catalog cannot be read as the transaction sees it (SQLSTATE ${error.sqlstate})`;
  return new AnalysisError('ERR_POSTGRES_CATALOG', sqlstate, message, -1, 'Send it again, or commit first.', {
    cause: error,
  });
}
