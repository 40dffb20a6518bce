/**
 * Plans under settings that are as old as the catalog they were made with, at least: where schemas, rights in them or roles have changed, names
 * may be looked up elsewhere than before in every session (`current_schemas` leaves out what is not there or may not be used), and no server
 * reports that.
 */
import type { OwnTransaction } from '../analysis/catalog/own-catalogs.ts';
import type { StatementPlan } from '../plan.ts';
import { ownTransaction } from './own-transaction.ts';
import { settle } from './probe.ts';
import type { Session } from './session.ts';

/** A catalog that changes while each plan is made is followed no further: plans are of the last state that was seen. */
const MAX_ATTEMPTS = 3;

type Planned = readonly StatementPlan[];

/** As StatementAnalyzer.plan, which may see that the catalog has changed: then the settings are asked for again, and plans made again. */
export function presentPlans(
  session: Session,
  sql: string,
  declaredOids: readonly number[],
  own: OwnTransaction | undefined,
): Planned | Promise<Planned> {
  const plans = session.analyzer.plan(sql, declaredOids, session.settings, own);
  if (!(plans instanceof Promise)) return plans;
  return plans.then((made) => underPresentSettings(session, sql, declaredOids, { own, made }));
}

async function underPresentSettings(
  session: Session,
  sql: string,
  declaredOids: readonly number[],
  { own, made }: { readonly own: OwnTransaction | undefined; readonly made: Planned },
): Promise<Planned> {
  let plans = made;
  for (let attempt = 1; attempt < MAX_ATTEMPTS && session.settingsOutdated && concernsSealed(plans); attempt += 1) {
    const before = session.settings;
    // A transaction that has failed runs nothing of it, and is asked nothing.
    if ((await settle(session)) !== 'ready') return plans;
    if (session.settings === before) return plans;
    plans = await session.analyzer.plan(sql, declaredOids, session.settings, own && ownTransaction(session));
  }
  return plans;
}

function concernsSealed(plans: Planned): boolean {
  return plans.some(({ type }) => type !== 'pass');
}
