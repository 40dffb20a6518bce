/**
 * The analysis of SQL: text in, plans out. One analyzer serves all sessions on one upstream database.
 *
 * Invariants: a statement that could touch a sealed column and is not understood exactly is refused; a plan is used only under
 * the catalog and settings it was made under; no literal of a statement reaches a message, a log, or the service connection.
 */
import type { MessageStatement, RefusePlan, SealedColumn, SealedPlan, StatementPlan } from '../plan.ts';
import type { ServiceConnection } from '../service/connection.ts';
import type { CatalogTypes } from './facade/shown-types.ts';
import type { ComingRelation } from './catalog/catalog.ts';
import type { OwnCatalogsOptions, OwnTransaction } from './catalog/own-catalogs.ts';
import type { RuledColumn } from './catalog/rules.ts';
import type { SessionSettings } from '../session/settings.ts';

export interface StatementAnalyzer {
  /** Another number whenever `mayConcern` may say of a text what it did not say of it before. */
  readonly hotNames: number;
  /** Of the database; empty: not known yet. */
  readonly serverEncoding: string;
  /**
   * Before anything is told by names, where nobody has asked for a while and so nobody has looked: until somebody has, or has not in ten seconds.
   * Undefined: they are as new as ever.
   */
  catchUp(): Promise<void> | undefined;
  /** Cheap, allocation-light, sound over-approximation: false = names nothing hot and changes no state; forward untouched. */
  mayConcern(sql: string): boolean;
  /**
   * All statements of one Query or Parse text, in order (none for an empty text), or those up to the first that is refused. `declaredOids`: from Parse (0 = unspecified).
   * At once where they are cached. Throws nothing: trouble is a RefusePlan. `own`: the session's transaction, where it has changed the
   * catalog; statements that nobody else could know the meaning of are refused without it.
   */
  plan(
    sql: string,
    declaredOids: readonly number[],
    session: SessionSettings,
    own?: OwnTransaction,
  ): readonly StatementPlan[] | Promise<readonly StatementPlan[]>;
  /** Of a text that was planned, what can be told without a catalog; undefined where reading it again would take too long. */
  statementsOf(sql: string): readonly MessageStatement[] | undefined;
  /** EXECUTE of a statement with such parameters, its arguments sealed. Throws nothing, as `plan`. */
  executeText(
    sql: string,
    parameters: SealedPlan['parameters'],
    parameterCount?: number,
  ): Pick<SealedPlan, 'pieces' | 'piecePlaces'> | RefusePlan;
  /** True while the plan still means what it meant (catalog epoch, settings). Called at each Bind and EXECUTE. */
  isCurrent(plan: SealedPlan, session: SessionSettings, own?: OwnTransaction): boolean;
  /** Grows with every change of the catalog that was seen. */
  readonly catalogEpoch: number;
  /** A session committed DDL: the next plan looks at the catalog anew, and no plan made before is current. */
  catalogChanged(): void;
  /**
   * A session runs what makes these: from now on their names concern sealed columns. The release says that its transaction has ended,
   * and that the catalog knows.
   */
  expect(relations: readonly ComingRelation[]): () => void;
  /** Stops polling. Plans are refused afterwards. */
  close(): void;
}

export type AnalyzerOptions = {
  readonly database: string;
  readonly service: ServiceConnection;
  /** The rules of this database, as configured. */
  readonly rules: readonly RuledColumn[];
  /**
   * Those of them that hold against the live catalog (guarded, identity bound), asked again after each catalog change. A rule that is
   * missing here makes every statement on its table a refusal.
   */
  readonly resolveColumns: () => Promise<readonly SealedColumn[]>;
  /** As `resolveColumns`, by what an open transaction answers; without it, statements wait for the end of one that changed the catalog. */
  readonly resolveWithin?: OwnCatalogsOptions['resolveWithin'];
  /** `schema.name` of routines, and of trigger functions, that the operator vouches for although they look hot. */
  readonly allowRoutines?: readonly string[];
  /** Word in the names of the shadows' schemas, where rules other than the proxies' are looked at (`sealgate postgres explain`). */
  readonly shadowsApart?: string;
  /** The types that queries of the catalog are shown for sealed columns; logical unless told. */
  readonly catalogTypes?: CatalogTypes;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
  /** How old the last look at the catalog may be before a plan is not used without a new one. */
  readonly maxCatalogAgeMs?: number;
};
