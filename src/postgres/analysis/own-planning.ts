/** Plans of statements in a transaction that has changed the catalog, by the catalog as that transaction sees it. */
import { LARGE_STATEMENT_BYTES, MAX_OWN_STATEMENT_BYTES } from '../limits.ts';
import type { SealedPlan, StatementPlan } from '../plan.ts';
import type { ServiceConnection } from '../service/connection.ts';
import type { SessionSettings } from '../session/settings.ts';
import { OwnCatalogs, type OwnCatalogsOptions, type OwnTransaction } from './catalog/own-catalogs.ts';
import { OwnShadows } from './catalog/own-shadows.ts';
import { confirmDrafts } from './confirm.ts';
import { draftStatements, type Drafted } from './draft-statements.ts';
import { AnalysisError, refuseStatement, waitsForCommit } from './errors.ts';
import { keepPlans, knownPlans } from './kept-plans.ts';
import { settingsKey } from './settings-key.ts';
import type { SourceText } from './text/source-text.ts';
import { parseStatements } from './text/syntax.ts';

export type OwnStatement = {
  /** All but its text that its plans depend on. */
  readonly prefix: string;
  readonly source: SourceText;
  readonly declaredOids: readonly number[];
  readonly settings: SessionSettings;
  readonly seesPhysicalTypes: boolean;
};

/** Whether the refusal is for want of what only the open transaction knows. */
export function needsOwnCatalog(plan: StatementPlan): boolean {
  if (plan.type !== 'refuse') return false;
  const { code, sqlstate } = plan.refusal;
  const isNotFound = code === 'ERR_POSTGRES_DISAGREEMENT' && NOT_FOUND.has(sqlstate);
  return isNotFound || code === 'ERR_POSTGRES_NAME' || waitsForCommit(plan.refusal);
}

/** What the server says of relations (sequences), types, functions, operators and schemas that others cannot see. */
const NOT_FOUND: ReadonlySet<string> = new Set(['42P01', '42704', '42883', '3F000']);

export class OwnPlanning {
  readonly #source: OwnCatalogsOptions['source'];
  readonly #catalogs: OwnCatalogs;
  readonly #shadows: OwnShadows;

  constructor(service: Pick<ServiceConnection, 'dryRun'>, options: OwnCatalogsOptions) {
    this.#source = options.source;
    this.#catalogs = new OwnCatalogs(options);
    this.#shadows = new OwnShadows(service);
  }

  /** Precondition: the committed catalog has been looked at lately. */
  isCurrent(plan: SealedPlan, own: OwnTransaction): boolean {
    return this.#catalogs.isCurrent(plan, own);
  }

  /** Precondition: as `isCurrent`. */
  known(prefix: string, sql: string, own: OwnTransaction): readonly StatementPlan[] | undefined {
    const current = this.#catalogs.current(own);
    return current && knownPlans(current.plans, current.catalog.epoch, prefix, sql);
  }

  /** Errors: AnalysisError where it is refused. */
  async plan(statement: OwnStatement, own: OwnTransaction): Promise<readonly StatementPlan[]> {
    const { prefix, source, declaredOids, settings, seesPhysicalTypes } = statement;
    if (source.byteLength > MAX_OWN_STATEMENT_BYTES) throw tooLarge();
    await this.#source.refreshAnew();
    const { catalog, plans: cache } = await this.#catalogs.of(own);
    const statements = parseStatements(source.sql, source.byteLength);
    // To this catalog the transaction's changes are no secret.
    const known = { ...settings, uncommittedCatalog: false, uncommittedElsewhere: false };
    const drafted = draftStatements(statements, { catalog, source, declaredOids, settings: known, seesPhysicalTypes });
    if (catalog.makesCastsToText) refuseCasts(drafted);
    const confirmed = await confirmDrafts(this.#shadows, drafted, source);
    const state = { catalogEpoch: catalog.epoch, settings: settingsKey(settings) };
    const plans = confirmed.map((plan) => (plan.type === 'sealed' ? { ...plan, state } : plan));
    if (source.sql.length > LARGE_STATEMENT_BYTES) return plans;
    cache.enter(catalog.epoch);
    keepPlans(cache, prefix, source, drafted, plans);
    return plans;
  }
}

/** The service connection does not see the transaction's own, and gives the values as they print. */
function refuseCasts({ statements }: Drafted): void {
  if (!statements.some((one) => one.type === 'draft' && one.opinion.analysis.castsToText)) return;
  throw refuseStatement(
    'a sealed value is not cast to text in a transaction that has added a cast to text',
    -1,
    'Read the column itself, without the cast, or commit first.',
  );
}

function tooLarge(): AnalysisError {
  return new AnalysisError(
    'ERR_POSTGRES_SEALED_STATEMENT',
    '54000',
    `in a transaction that has changed the catalog a statement on sealed columns may have at most ${MAX_OWN_STATEMENT_BYTES} bytes`,
    -1,
    'Send it in several statements, with parameters for long values, use COPY, or commit first.',
  );
}
