/**
 * The seam between the session (which moves bytes) and the analysis (which understands SQL).
 */
import type { SealedPlan, StatementPlan } from '../plan.ts';
import type { SessionSettings } from '../session/settings.ts';

export interface StatementAnalyzer {
  /** Cheap, allocation-light, sound over-approximation: false = names nothing hot and changes no state; forward untouched. */
  mayConcern(sql: string): boolean;
  /**
   * All statements of one Query or Parse text, in order; an empty text has none. `declaredOids`: from Parse (0 = unspecified).
   * Throws nothing: trouble is a RefusePlan. Where one statement of several is sealed, every other one that is forwarded comes
   * as a sealed plan too, whose pieces are its own text: the session joins the pieces with `;`.
   */
  plan(sql: string, declaredOids: readonly number[], session: SessionSettings): Promise<readonly StatementPlan[]>;
  /** True while the plan still means what it meant (catalog epoch, settings). Called at each Bind/EXECUTE. */
  isCurrent(plan: SealedPlan, session: SessionSettings): boolean;
  /** A session committed DDL (a `track` plan with effect `catalog`): plans made before must not be current any more. */
  catalogChanged(): void;
  readonly catalogEpoch: number;
}
