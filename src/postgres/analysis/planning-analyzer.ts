/** The analyzer of one database: caches in front, the catalog behind, the server's opinion last. */
import { LARGE_STATEMENT_BYTES, MAX_EXECUTE_BYTES } from '../limits.ts';
import type { MessageStatement, RefusePlan, SealedPlan, StatementPlan } from '../plan.ts';
import type { SessionSettings } from '../session/settings.ts';
import type { AnalyzerOptions, StatementAnalyzer } from './statement-analyzer.ts';
import type { OwnTransaction } from './catalog/own-catalogs.ts';
import { shownTypes } from './facade/shown-types.ts';
import { CatalogSource } from './catalog/source.ts';
import type { Catalog, ComingRelation } from './catalog/catalog.ts';
import { confirmDrafts } from './confirm.ts';
import { draftStatements, isPlain, type Drafted } from './draft-statements.ts';
import { AnalysisError, waitsForCommit } from './errors.ts';
import { executeText } from './execute.ts';
import { planLarge, tooLarge } from './large/plan-large.ts';
import { LargeThread } from './large/large-thread.ts';
import { keepPlans, knownPlans } from './kept-plans.ts';
import { messageStatements } from './one-by-one.ts';
import { needsOwnCatalog, OwnPlanning, type OwnStatement } from './own-planning.ts';
import { PlanCache } from './plan-cache.ts';
import { refusePlan } from './refuse-plan.ts';
import { settingsKey } from './settings-key.ts';
import { UnlockedShadows } from './catalog/unlocked-shadows.ts';
import { SourceText } from './text/source-text.ts';
import { loadGrammar, parseStatements } from './text/syntax.ts';

/** While statements come, the catalog is looked at this often; a plan is not used on a look older than the age. */
const POLL_INTERVAL_MS = 1_000;
const MAX_CATALOG_AGE_MS = 2_500;
/** Where the server does not say what it has, what names nothing hot that is known goes on all the same. */
const MAX_CATCHING_UP_MS = 10_000;

export class PlanningAnalyzer implements StatementAnalyzer {
  readonly #source: CatalogSource;
  readonly #shadows: UnlockedShadows;
  readonly #large: LargeThread;
  readonly #options: AnalyzerOptions;
  readonly #now: () => number;
  readonly #maxAgeMs: number;
  readonly #cache = new PlanCache();
  readonly #own: OwnPlanning | undefined;
  #timer: NodeJS.Timeout | undefined;
  #usedSincePoll = false;
  /** A poll was left out, since nobody had asked: names may be old. */
  #rested = false;
  #catchingUp: Promise<void> | undefined;
  #closed = false;

  constructor(options: AnalyzerOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#maxAgeMs = options.maxCatalogAgeMs ?? MAX_CATALOG_AGE_MS;
    const { service, rules, resolveColumns, allowRoutines = [], shadowsApart } = options;
    const allowed = new Set(allowRoutines);
    this.#source = new CatalogSource({
      service,
      rules,
      resolveColumns,
      allowRoutines: allowed,
      shadowsApart,
      now: this.#now,
    });
    this.#shadows = new UnlockedShadows(service);
    const { resolveWithin } = options;
    if (resolveWithin !== undefined)
      this.#own = new OwnPlanning(service, { source: this.#source, rules, allowRoutines: allowed, resolveWithin });
    this.#large = new LargeThread(service);
  }

  async start(): Promise<void> {
    await loadGrammar();
    await this.#source.refresh();
    this.#timer = setInterval(() => this.#poll(), Math.min(POLL_INTERVAL_MS, this.#maxAgeMs));
    this.#timer.unref();
  }

  get hotNames(): number {
    this.#usedSincePoll = true;
    return this.#source.hotNames;
  }

  get serverEncoding(): string {
    return this.#source.catalog?.facts.serverEncoding ?? '';
  }

  get catalogEpoch(): number {
    this.#usedSincePoll = true;
    return this.#source.epoch;
  }

  catchUp(): Promise<void> | undefined {
    this.#usedSincePoll = true;
    if (!this.#rested || this.#isFresh() || this.#closed) return undefined;
    this.#catchingUp ??= this.#catchUp();
    return this.#catchingUp;
  }

  mayConcern(sql: string): boolean {
    this.#usedSincePoll = true;
    return this.#source.mayConcern(sql);
  }

  isCurrent(plan: SealedPlan, session: SessionSettings, own?: OwnTransaction): boolean {
    this.#usedSincePoll = true;
    const { catalogEpoch, settings } = plan.state;
    if (settings !== settingsKey(session) || !this.#isFresh()) return false;
    if (catalogEpoch === this.#source.epoch) return !session.uncommittedCatalog;
    return own !== undefined && this.#own?.isCurrent(plan, own) === true;
  }

  catalogChanged(): void {
    this.#source.outdate();
  }

  expect(relations: readonly ComingRelation[]): () => void {
    return this.#source.expect(relations);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#large.close();
    this.#source.distrust();
  }

  plan(
    sql: string,
    declaredOids: readonly number[],
    session: SessionSettings,
    own?: OwnTransaction,
  ): readonly StatementPlan[] | Promise<readonly StatementPlan[]> {
    this.#usedSincePoll = true;
    const shown = shownTypes(session, this.#options.catalogTypes ?? 'logical');
    const prefix = `${settingsKey(session)}\u0000${shown}\u0000${declaredOids.join()}\u0000`;
    try {
      const ofOwn = own && this.#isFresh() ? this.#own?.known(prefix, sql, own) : undefined;
      const known = ofOwn ?? this.#known(prefix, sql);
      if (known !== undefined) return known;
    } catch (error) {
      return [refusePlan(error, new SourceText(sql))];
    }
    const source = new SourceText(sql);
    const plans = this.#planOrRefuse(prefix, source, declaredOids, session);
    if (own === undefined || this.#own === undefined) return plans;
    const statement = { prefix, source, declaredOids, settings: session, seesPhysicalTypes: shown === 'physical' };
    return this.#orWithin(plans, this.#own, statement, own);
  }

  /** What has to be known of the open transaction is asked for only where something in it needs that. */
  async #orWithin(
    planning: Promise<readonly StatementPlan[]>,
    planner: OwnPlanning,
    statement: OwnStatement,
    own: OwnTransaction,
  ): Promise<readonly StatementPlan[]> {
    const plans = await planning;
    if (!plans.some(needsOwnCatalog) || this.#closed) return plans;
    try {
      return await planner.plan(statement, own);
    } catch (error) {
      return [refusePlan(error, statement.source)];
    }
  }

  async #planOrRefuse(
    prefix: string,
    source: SourceText,
    declaredOids: readonly number[],
    session: SessionSettings,
  ): Promise<readonly StatementPlan[]> {
    try {
      return await this.#plan(prefix, source, declaredOids, session);
    } catch (error) {
      return [refusePlan(error, source)];
    }
  }

  statementsOf(sql: string): readonly MessageStatement[] | undefined {
    if (sql.length > LARGE_STATEMENT_BYTES) return undefined;
    const source = new SourceText(sql);
    return messageStatements(parseStatements(sql, source.byteLength), source);
  }

  executeText(
    sql: string,
    parameters: SealedPlan['parameters'],
    parameterCount?: number,
  ): Pick<SealedPlan, 'pieces' | 'piecePlaces'> | RefusePlan {
    try {
      if (sql.length > MAX_EXECUTE_BYTES) throw tooLarge('an EXECUTE on sealed columns');
      return executeText(sql, parameters, this.#catalog(), parameterCount);
    } catch (error) {
      return refusePlan(error, new SourceText(sql));
    }
  }

  #poll(): void {
    this.#rested = !this.#usedSincePoll;
    if (this.#rested || this.#closed) return;
    this.#usedSincePoll = false;
    // A failed look leaves the catalog to age: plans are refused once it is too old.
    this.#source.refresh().catch(() => undefined);
  }

  async #catchUp(): Promise<void> {
    const patience = AbortSignal.timeout(MAX_CATCHING_UP_MS);
    const tooLong = new Promise<void>((resolve) => patience.addEventListener('abort', () => resolve(), { once: true }));
    await Promise.race([this.#source.refresh().catch(() => undefined), tooLong]);
    this.#rested = false;
    this.#catchingUp = undefined;
  }

  #isFresh(): boolean {
    return !this.#closed && this.#now() - this.#source.checkedAt <= this.#maxAgeMs;
  }

  async #plan(
    prefix: string,
    source: SourceText,
    declaredOids: readonly number[],
    session: SessionSettings,
  ): Promise<readonly StatementPlan[]> {
    if (this.#closed) throw new AnalysisError('ERR_POSTGRES_CATALOG', '57P03', 'the analysis has been closed');
    // Without the server only what names nothing hot is planned: a hot statement looks once more, and is refused there.
    if (!this.#isFresh()) {
      await this.#source.refresh().catch(() => undefined);
      const known = this.#known(prefix, source.sql);
      if (known !== undefined) return known;
    }
    if (source.sql.length > LARGE_STATEMENT_BYTES) {
      const seesPhysicalTypes = this.#seesPhysicalTypes(session);
      const statement = { sql: source.sql, declaredOids, settings: session, seesPhysicalTypes };
      return planLarge(this.#large, this.#source, statement);
    }
    const drafted = await this.#draft(source, declaredOids, session);
    const plans = await confirmDrafts(this.#shadows, drafted, source);
    keepPlans(this.#cache, prefix, source, drafted, plans);
    return plans;
  }

  /** From the cache, where the catalog it was made with has been looked at lately. */
  #known(prefix: string, sql: string): readonly StatementPlan[] | undefined {
    if (!this.#isFresh()) return undefined;
    return knownPlans(this.#cache, this.#source.epoch, prefix, sql);
  }

  /** Parsed and analysed with the latest catalog: a hot statement looks at the server first, and once more where a name is missing. */
  async #draft(source: SourceText, declaredOids: readonly number[], settings: SessionSettings): Promise<Drafted> {
    const statements = parseStatements(source.sql, source.byteLength);
    const attempt = (): Drafted => {
      const seesPhysicalTypes = this.#seesPhysicalTypes(settings);
      return draftStatements(statements, {
        catalog: this.#catalog(),
        source,
        declaredOids,
        settings,
        seesPhysicalTypes,
      });
    };
    const first = attemptOrError(attempt);
    const error = first instanceof AnalysisError ? first : first.refused;
    if (error === undefined && !(first instanceof AnalysisError) && first.statements.every(isPlain)) return first;
    // Nothing that the server could say of what is committed would help.
    if (first instanceof AnalysisError && waitsForCommit(first.refusal)) throw first;
    const before = this.#source.epoch;
    if (error?.code === 'ERR_POSTGRES_NAME') await this.#source.reload();
    else await this.#source.refresh();
    if (this.#source.epoch !== before) return attempt();
    if (first instanceof AnalysisError) throw first;
    return first;
  }

  #seesPhysicalTypes(settings: SessionSettings): boolean {
    return shownTypes(settings, this.#options.catalogTypes ?? 'logical') === 'physical';
  }

  #catalog(): Catalog {
    return this.#source.requireCatalog();
  }
}

function attemptOrError(attempt: () => Drafted): Drafted | AnalysisError {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof AnalysisError) return error;
    throw error;
  }
}
