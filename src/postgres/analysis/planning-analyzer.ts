/** The analyzer of one database: caches in front, the catalog behind, the server's opinion last. */
import { SealgateError } from '../../errors.ts';
import type { Refusal, RefusePlan, SealedPlan, StatementPlan, TrackPlan } from '../plan.ts';
import type { SessionSettings } from '../session/settings.ts';
import type { AnalyzerOptions, StatementAnalyzer } from './statement-analyzer.ts';
import { shownTypes } from './facade/shown-types.ts';
import { CatalogSource } from './catalog/source.ts';
import { withComing, type Catalog, type ComingRelation } from './catalog/catalog.ts';
import { acceptsType } from './expressions/constants.ts';
import { AnalysisError } from './errors.ts';
import { executeText } from './execute.ts';
import { normalizeText, type NormalizedText } from './text/normalize.ts';
import { trimmed } from './text/inner-query.ts';
import { placed } from './placed.ts';
import { PlanCache } from './plan-cache.ts';
import { draftStatement, type DraftPlan, type PlanningContext } from './plan-statement.ts';
import { isClientLiteral, requireAgreement, type Agreement } from './second-analysis.ts';
import { settingsKey } from './settings-key.ts';
import { Shadows } from './catalog/shadow.ts';
import { SourceText } from './text/source-text.ts';
import { instantiate, makeTemplate } from './text/template.ts';
import { elementType, loadGrammar, parseStatements, type RawStatement } from './text/syntax.ts';

/** While statements come, the catalog is looked at this often; a plan is not used on a look older than the age. */
const POLL_INTERVAL_MS = 1_000;
const MAX_CATALOG_AGE_MS = 2_500;
/** Longer texts are not worth a place in the cache. */
const MAX_CACHED_TEXT = 64 * 1024;

export class PlanningAnalyzer implements StatementAnalyzer {
  readonly #source: CatalogSource;
  readonly #shadows: Shadows;
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
    const drafted = await this.#draft(source, declaredOids, session);
    const plans = await this.#confirm(drafted.statements);
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
      const catalog = this.#catalog();
      const seesPhysicalTypes = shownTypes(settings, this.#options.catalogTypes ?? 'logical') === 'physical';
      const context: PlanningContext = { catalog, source, declaredOids, settings, seesPhysicalTypes };
      const drafts: (DraftPlan | StatementPlan)[] = [];
      for (const statement of statements) {
        const draft = draftInPlace(statement, {
          ...context,
          catalog: withComing(catalog, drafts.flatMap(madeBy)),
          afterCatalogChange: drafts.some(changesCatalog),
          afterSettingsChange: drafts.some(changesSettings),
        });
        requireSequence(drafts, draft);
        drafts.push(draft);
      }
      return { epoch: catalog.epoch, statements: drafts };
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

  #catalog(): Catalog {
    const { catalog } = this.#source;
    if (catalog === undefined)
      throw new AnalysisError('ERR_POSTGRES_CATALOG', '57P03', 'the catalog of the database has not been read');
    return catalog;
  }

  async #confirm(drafts: Drafted['statements']): Promise<readonly StatementPlan[]> {
    const plans: StatementPlan[] = [];
    for (const draft of drafts) {
      plans.push(draft.type === 'draft' ? await this.#agreed(draft) : draft);
    }
    return plans;
  }

  async #agreed({ plan, opinion }: DraftPlan): Promise<SealedPlan> {
    const { service } = this.#options;
    const agreement = await requireAgreement(service, this.#shadows, opinion).catch((error: unknown) => {
      throw placed(error, opinion.start);
    });
    return withTypes(plan, agreement);
  }

  #keep(prefix: string, source: SourceText, { epoch, statements }: Drafted, plans: readonly StatementPlan[]): void {
    const { sql } = source;
    if (sql.length > MAX_CACHED_TEXT) return;
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

/** The plan with types as the server gives them: an expression over a column may have another, and so may what a column is compared with. */
function withTypes(plan: SealedPlan, { results: types, parameterOids: oids }: Agreement): SealedPlan {
  const results = plan.results?.map((column, index) => {
    const type = types[index];
    return column && type && { ...column, storedType: column.storedType ?? column.type, type };
  });
  const parameters = new Map(plan.parameters);
  const parameterOids = new Map(plan.parameterOids);
  for (const [number, oid] of oids) {
    const parameter = parameters.get(number);
    if (parameter === undefined || oid === parameterOids.get(number)) continue;
    // Text that a cast reads stays what the column takes.
    const element = parameter.shape === 'array' ? elementType(oid, 'array')?.oid : oid;
    if (element === undefined || !acceptsType(parameter.column.type, element, parameter.purpose ?? 'store')) continue;
    parameterOids.set(number, oid);
    parameters.set(number, { ...parameter, declaredOid: oid });
  }
  return { ...plan, results, parameters, parameterOids };
}

function draftInPlace(statement: RawStatement, context: PlanningContext): DraftPlan | StatementPlan {
  try {
    return draftStatement(statement, context);
  } catch (error) {
    throw placed(error, trimmed(context.source, statement).start);
  }
}

type Drafted = { readonly epoch: number; readonly statements: readonly (DraftPlan | StatementPlan)[] };

function attemptOrError(attempt: () => Drafted): Drafted | AnalysisError {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof AnalysisError) return error;
    throw error;
  }
}

/** Needs nothing of the catalog but that it names nothing hot. */
function isPlain(draft: DraftPlan | StatementPlan): boolean {
  return draft.type !== 'draft' && (draft.type !== 'sealed' || draft.asksCatalog === true);
}

/**
 * A hot statement is analysed before those ahead of it have run: none of them may change what it means. Schema changes mean what the
 * rules say, whatever others did before them.
 */
function requireSequence(before: Drafted['statements'], next: DraftPlan | StatementPlan): void {
  if (isPlain(next)) return;
  const changes = next.type === 'draft' ? changesMeaning : changesSettings;
  if (!before.some(changes)) return;
  throw new AnalysisError(
    'ERR_POSTGRES_SEQUENCE',
    '0A000',
    'a statement on sealed columns follows one in the same message that may change what it means',
    next.type === 'draft' ? next.start : -1,
    'Send them one after the other.',
  );
}

function changesMeaning(before: DraftPlan | StatementPlan): boolean {
  return effectOf(before) !== undefined && !(before.type === 'track' && opensOnly(before.text));
}

function changesSettings(before: DraftPlan | StatementPlan): boolean {
  return effectOf(before) === 'settings';
}

function changesCatalog(before: DraftPlan | StatementPlan): boolean {
  return effectOf(before) === 'catalog';
}

function effectOf(statement: DraftPlan | StatementPlan): TrackPlan['effect'] | undefined {
  if (statement.type === 'draft') return statement.plan.effect;
  return 'effect' in statement ? statement.effect : undefined;
}

const madeBy = (before: DraftPlan | StatementPlan) => (before.type === 'sealed' ? (before.makes ?? []) : []);

/** Beginning a transaction or a savepoint changes neither settings nor names. */
function opensOnly(text: string): boolean {
  return /^\s*(?:begin|start\s+transaction|savepoint|release)\b/i.test(text);
}

/** The one place where trouble becomes a plan. */
function refusePlan(error: unknown, source: SourceText): RefusePlan {
  if (!(error instanceof AnalysisError)) {
    const code: string = error instanceof SealgateError ? String(error.code) : 'ERR_POSTGRES_ANALYSIS';
    const message = `the statement could not be analysed (${code})`;
    return { type: 'refuse', refusal: { code: 'ERR_POSTGRES_ANALYSIS', sqlstate: 'XX000', message } };
  }
  const place = error.location >= 0 ? { place: { position: source.position(error.location) } } : {};
  const refusal: Refusal = { ...error.refusal, ...place };
  return { type: 'refuse', refusal };
}
