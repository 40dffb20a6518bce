/** The analyzer of one database: caches in front, the catalog behind, the server's opinion last. */
import { LARGE_STATEMENT_BYTES, MAX_EXECUTE_BYTES } from '../limits.ts';
import type { RefusePlan, SealedPlan, StatementPlan } from '../plan.ts';
import type { SessionSettings } from '../session/settings.ts';
import type { AnalyzerOptions, StatementAnalyzer } from './statement-analyzer.ts';
import { shownTypes } from './facade/shown-types.ts';
import { CatalogSource } from './catalog/source.ts';
import type { Catalog, ComingRelation } from './catalog/catalog.ts';
import { confirmDrafts } from './confirm.ts';
import { draftStatements, isPlain, type Drafted } from './draft-statements.ts';
import { AnalysisError } from './errors.ts';
import { executeText } from './execute.ts';
import { planLarge, tooLarge } from './large/plan-large.ts';
import { LargeThread } from './large/large-thread.ts';
import { normalizeText, type NormalizedText } from './text/normalize.ts';
import { PlanCache } from './plan-cache.ts';
import { refusePlan } from './refuse-plan.ts';
import { isClientLiteral } from './second-analysis.ts';
import { settingsKey } from './settings-key.ts';
import { Shadows } from './catalog/shadow.ts';
import { SourceText } from './text/source-text.ts';
import { instantiate, makeTemplate } from './text/template.ts';
import { loadGrammar, parseStatements } from './text/syntax.ts';

/** While statements come, the catalog is looked at this often; a plan is not used on a look older than the age. */
const POLL_INTERVAL_MS = 1_000;
const MAX_CATALOG_AGE_MS = 2_500;
/** Longer texts are not worth a place in the cache. */
const MAX_CACHED_TEXT = LARGE_STATEMENT_BYTES;

export class PlanningAnalyzer implements StatementAnalyzer {
  readonly #source: CatalogSource;
  readonly #shadows: Shadows;
  readonly #large: LargeThread;
  readonly #options: AnalyzerOptions;
  readonly #now: () => number;
  readonly #maxAgeMs: number;
  readonly #cache = new PlanCache();
  #timer: NodeJS.Timeout | undefined;
  #usedSincePoll = false;
  #closed = false;

  constructor(options: AnalyzerOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#maxAgeMs = options.maxCatalogAgeMs ?? MAX_CATALOG_AGE_MS;
    const { service, rules, resolveColumns, allowRoutines = [], shadowsApart } = options;
    this.#source = new CatalogSource({
      service,
      rules,
      resolveColumns,
      allowRoutines: new Set(allowRoutines),
      shadowsApart,
      now: this.#now,
    });
    this.#shadows = new Shadows(service);
    this.#large = new LargeThread(service);
  }

  async start(): Promise<void> {
    await loadGrammar();
    await this.#source.refresh();
    this.#timer = setInterval(() => this.#poll(), Math.min(POLL_INTERVAL_MS, this.#maxAgeMs));
    this.#timer.unref();
  }

  get catalogEpoch(): number {
    return this.#source.epoch;
  }

  mayConcern(sql: string): boolean {
    this.#usedSincePoll = true;
    return this.#source.mayConcern(sql);
  }

  isCurrent(plan: SealedPlan, session: SessionSettings): boolean {
    this.#usedSincePoll = true;
    const { catalogEpoch, settings } = plan.state;
    return (
      catalogEpoch === this.#source.epoch &&
      settings === settingsKey(session) &&
      !session.uncommittedCatalog &&
      this.#isFresh()
    );
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
  ): readonly StatementPlan[] | Promise<readonly StatementPlan[]> {
    this.#usedSincePoll = true;
    const shown = shownTypes(session, this.#options.catalogTypes ?? 'logical');
    const prefix = `${settingsKey(session)}\u0000${shown}\u0000${declaredOids.join()}\u0000`;
    try {
      const known = this.#known(prefix, sql);
      if (known !== undefined) return known;
    } catch (error) {
      return [refusePlan(error, new SourceText(sql))];
    }
    return this.#planOrRefuse(prefix, new SourceText(sql), declaredOids, session);
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

  executeText(
    sql: string,
    parameters: SealedPlan['parameters'],
  ): Pick<SealedPlan, 'pieces' | 'piecePlaces'> | RefusePlan {
    try {
      if (sql.length > MAX_EXECUTE_BYTES) throw tooLarge('an EXECUTE on sealed columns');
      return executeText(sql, parameters, this.#catalog());
    } catch (error) {
      return refusePlan(error, new SourceText(sql));
    }
  }

  #poll(): void {
    if (!this.#usedSincePoll || this.#closed) return;
    this.#usedSincePoll = false;
    // A failed look leaves the catalog to age: plans are refused once it is too old.
    this.#source.refresh().catch(() => undefined);
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
    if (source.sql.length > MAX_CACHED_TEXT) {
      const seesPhysicalTypes = this.#seesPhysicalTypes(session);
      const statement = { sql: source.sql, declaredOids, settings: session, seesPhysicalTypes };
      return planLarge(this.#large, this.#source, statement);
    }
    const drafted = await this.#draft(source, declaredOids, session);
    const plans = await confirmDrafts(this.#options.service, this.#shadows, drafted.statements);
    this.#keep(prefix, source, drafted, plans);
    return plans;
  }

  /** From the cache, where the catalog it was made with has been looked at lately. */
  #known(prefix: string, sql: string): readonly StatementPlan[] | undefined {
    if (!this.#isFresh()) return undefined;
    this.#cache.enter(this.#source.epoch);
    const plans = this.#cache.plans(prefix + sql);
    if (plans !== undefined) return plans;
    const normalized = sql.length > MAX_CACHED_TEXT ? undefined : normalizeText(sql);
    const template = normalized === undefined ? undefined : this.#cache.template(prefix + normalized.key);
    if (normalized === undefined || template === undefined) return undefined;
    return [instantiate(template, sql, normalized)];
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
    if (!(first instanceof AnalysisError) && first.statements.every(isPlain)) return first;
    const before = this.#source.epoch;
    if (first instanceof AnalysisError && first.code === 'ERR_POSTGRES_NAME') await this.#source.reload();
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

  #keep(prefix: string, source: SourceText, { epoch, statements }: Drafted, plans: readonly StatementPlan[]): void {
    const { sql } = source;
    if (plans.every((plan) => plan.type !== 'sealed' || !plan.pieces.some(isClientLiteral))) {
      this.#cache.keepPlans(epoch, prefix + sql, plans);
    }
    const [draft] = statements;
    const [plan] = plans;
    if (
      plans.length !== 1 ||
      plan?.type !== 'sealed' ||
      draft?.type !== 'draft' ||
      draft.opinion.analysis.literalsMatter
    )
      return;
    const normalized: NormalizedText | undefined = normalizeText(sql);
    if (normalized === undefined || normalized.literals.length === 0) return;
    const template = makeTemplate(plan, source, normalized, draft.edits, draft.start, draft.end);
    if (template !== undefined) this.#cache.keepTemplate(epoch, prefix + normalized.key, template);
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
