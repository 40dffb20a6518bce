/**
 * What the names of cursors and prepared statements stand for in a session now: looked up, and held against what they stood for when a statement that
 * uses them was prepared. What changes them is `names.ts`.
 */
import type { NamedUse, SealedPlan, TrackPlan } from '../plan.ts';
import { keyOf } from './name-table.ts';
import type { Session, Statement } from './session.ts';
import { isCurrent, isQuietlyCurrent, planAgain } from './validity.ts';

/** A cursor over sealed columns. */
export type Cursor = {
  readonly plan: SealedPlan;
  /** It outlives its transaction. */
  readonly holds: boolean;
  /** Rows of it come in binary where the simple protocol has no other say. */
  readonly binary: boolean;
};

/** A cursor of SQL's, or a portal of the protocol, which FETCH reads alike. */
export function findCursor(session: Session, name: string): Cursor | undefined {
  const known = session.cursors.get(name);
  if (known !== undefined) return known;
  const portal = session.portals.get(nameOfSql(name));
  return portal?.type === 'sealed' ? { plan: portal.opening.plan, holds: false, binary: false } : undefined;
}

/** SQL's cursors are portals of the protocol, too. */
export function cursorOfPortal({ cursors }: Session, name: string): Cursor | undefined {
  return cursors.size === 0 ? undefined : cursors.get(Buffer.from(keyOf(name), 'latin1').toString());
}

/** What was prepared under the name may have been sent on unseen, and would not be by now. `statement`: what it is known to be. */
export function isStale({ cold }: Session, name: string, statement: Statement | undefined): boolean {
  return statement?.type === 'stale' || (statement === undefined && cold.isUnknown(name)) || cold.isOfOther(name);
}

/** FETCH and EXECUTE, when they were prepared themselves: whether the name still stands for the same. */
export async function isNamedCurrent(session: Session, plan: SealedPlan): Promise<boolean> {
  if (plan.named?.type === 'fetch') return findCursor(session, plan.named.name)?.plan.results === plan.results;
  if (plan.named?.type !== 'execute') return true;
  const statement = session.statements.get(nameOfSql(plan.named.name));
  if (statement?.type !== 'sealed' || statement.plan.columns !== plan.columns) return false;
  if (isCurrent(session, statement.plan)) return true;
  await planAgain(session, statement);
  return statement.plan.columns === plan.columns;
}

/** FETCH and EXECUTE that touched nothing sealed when they were prepared, and did `effect`: whether what they name touches nothing now, and does no other. */
export function staysPlain(session: Session, uses: NamedUse, effect: TrackPlan['effect'] | undefined): boolean {
  if (uses.type === 'fetch') return findCursor(session, uses.name) === undefined;
  if (uses.type !== 'execute') return true;
  const statement = session.statements.get(nameOfSql(uses.name));
  if (statement?.type === 'track') return statement.effect === effect;
  return statement === undefined || isQuietlyCurrent(session, statement);
}

/** The protocol's names are kept as their bytes. */
export function nameOfSql(name: string): string {
  return Buffer.from(name).toString('latin1');
}
