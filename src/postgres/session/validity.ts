/** Whether a prepared statement still means what it meant, and what is done where it may not. */
import { isDeepStrictEqual } from 'node:util';
import { withoutFunctions } from '../deep-copy.ts';
import { PostgresError } from '../errors.ts';
import type { Refusal, SealedPlan } from '../plan.ts';
import { isIndifferent } from './indifferent.ts';
import { ownTransaction } from './own-transaction.ts';
import { presentPlans } from './present-plans.ts';
import { readsAlike } from './reading-settings.ts';
import type { Session, Statement } from './session.ts';

export function isQuietlyCurrent(session: Session, statement: Statement): boolean {
  if (statement.type !== 'watched') return false;
  if (session.settingsOutdated || session.tracksPending > 0) return isIndifferent(statement.sql);
  return statement.settings === session.settings && statement.catalogEpoch === session.analyzer.catalogEpoch;
}

/** A statement that touched nothing sealed when it was prepared: does it still touch nothing? */
export async function watchAgain(session: Session, statement: Statement & { type: 'watched' }): Promise<void> {
  const plans = await plansOf(session, statement);
  if (plans.some(({ type }) => type !== 'pass')) throw staleStatement();
  statement.settings = session.settings;
  statement.catalogEpoch = session.analyzer.catalogEpoch;
}

/** The plan is of an older state; where the same text comes out of the present one, the prepared statement still means the same. */
export async function planAgain(session: Session, statement: Statement & { type: 'sealed' }): Promise<void> {
  const [plan, ...more] = await plansOf(session, statement);
  if (plan?.type !== 'sealed' || more.length > 0 || !isSame(plan, statement.plan)) throw staleStatement();
  if (isReadAgain(plan, statement.plan) && !readsAlike(statement.sealedUnder, session.settings)) throw staleStatement();
  statement.plan = plan;
}

/** Whether the server may have read the statement's constants anew: it does so where names are searched elsewhere, or their tables have changed. */
function isReadAgain({ state: now }: SealedPlan, { state: before }: SealedPlan): boolean {
  return now.catalogEpoch !== before.catalogEpoch || now.settings !== before.settings;
}

/** Why a PREPARE TRANSACTION that was prepared before the transaction did what it did may not be run. */
export async function refusalOfPreparing(session: Session, sql: string): Promise<Refusal | undefined> {
  const plans = await plansOf(session, { sql, declaredOids: [] });
  return plans.flatMap((plan) => (plan.type === 'refuse' ? [plan.refusal] : []))[0];
}

/** Whether the plan means what it meant. */
export function isCurrent(session: Session, plan: SealedPlan): boolean {
  return session.analyzer.isCurrent(plan, session.settings, ownTransaction(session));
}

function plansOf(
  session: Session,
  { sql, declaredOids }: Pick<Statement & { type: 'sealed' }, 'sql' | 'declaredOids'>,
) {
  return presentPlans(session, sql, declaredOids, ownTransaction(session));
}

/**
 * In all but the state they were made under, and the CHECKs of columns, which values meet as they are now. Not by their JSON: plans that come
 * from a template have the same members in another order.
 */
function isSame(a: SealedPlan, b: SealedPlan): boolean {
  return isDeepStrictEqual(meaningOf(a), meaningOf(b));
}

function meaningOf({ pieces, parameters, parameterOids, results, origins, copy }: SealedPlan): unknown {
  return withoutFunctions([pieces, parameters, parameterOids, results, origins, copy]);
}

/** A statement whose meaning changed since it was prepared: drivers prepare again on this SQLSTATE. */
export function staleStatement(): PostgresError {
  return new PostgresError(
    'ERR_POSTGRES_STALE_PLAN',
    'cached plan must not change: the catalog or a setting changed since this statement was prepared',
    {
      sqlstate: '0A000',
      hint: 'Prepare the statement again.',
    },
  );
}
