/**
 * The statements of a Query with what is to be sealed in them: up to the first that cannot be, since its key is not to be had or a constant is none
 * of its column's. That one fails in its place, as it would on the server.
 */
import type { ColumnSession } from '../../columns/column-service.ts';
import type { Refusal, SealedColumn, SealedPlan } from '../../plan.ts';
import type { Planned } from '../planning.ts';
import { refusalOf } from '../refusals.ts';
import type { ResultOpening } from '../reply.ts';
import { sealText } from '../sealing.ts';
import type { Session } from '../session.ts';
import type { SessionSettings } from '../settings.ts';
import { inTurns, type Steps } from '../../turns.ts';
import { columnUse } from './handler.ts';

type Plan = (Planned & { type: 'sealed' })['plans'][number];
type Plans = readonly Plan[];

export type OpenedPlans = {
  /** By statement; none behind the one that is refused. */
  readonly columns: readonly ColumnSession[];
  readonly refusal?: Refusal;
};

export const isSealed = (plan: Plan): plan is SealedPlan => plan.type === 'sealed';

/** One use of each column's key for all of them. Where that cannot be had, one after the other. */
export function openPlans(session: Session, plans: Plans): OpenedPlans | Promise<OpenedPlans> {
  const [plan, ...more] = plans;
  const instead = (error: unknown): OpenedPlans | Promise<OpenedPlans> =>
    more.length === 0 ? { columns: [], refusal: refusalOf(error) } : openEach(session, plans);
  const forAll = (columns: ColumnSession): OpenedPlans => ({ columns: plans.map(() => columns) });
  try {
    const wanted = plan !== undefined && isSealed(plan) && more.length === 0 ? plan.columns : wantedBy(plans);
    const columns = session.columns.open(wanted, columnUse(session));
    if (columns instanceof Promise) return columns.then(forAll, instead);
    return forAll(columns);
  } catch (error) {
    return instead(error);
  }
}

/** Each column once: a use of its key is recorded for it. */
function wantedBy(plans: Plans): readonly SealedColumn[] {
  const wanted = new Map<string, SealedColumn>();
  for (const { columns } of plans.filter(isSealed)) for (const column of columns) wanted.set(column.id, column);
  return [...wanted.values()];
}

async function openEach(session: Session, plans: Plans): Promise<OpenedPlans> {
  const columns: ColumnSession[] = [];
  for (const plan of plans) {
    try {
      columns.push(await session.columns.open(isSealed(plan) ? plan.columns : [], columnUse(session)));
    } catch (error) {
      return { columns, refusal: refusalOf(error) };
    }
  }
  return { columns };
}

export type SealedTexts = {
  readonly plans: Plans;
  readonly text: string;
  readonly openings: readonly (ResultOpening | undefined)[];
  /** Of the statement behind them. */
  readonly refusal?: Refusal;
};

/** At once where there are not many. Throws, or rejects with, what is none of a statement's own. */
export function sealTexts(session: Session, all: Plans, opened: OpenedPlans): SealedTexts | Promise<SealedTexts> {
  return inTurns(sealEach(session.settings, all, opened));
}

function* sealEach(settings: SessionSettings, all: Plans, opened: OpenedPlans): Steps<SealedTexts> {
  const texts: string[] = [];
  const openings: (ResultOpening | undefined)[] = [];
  let { refusal } = opened;
  for (const [index, columns] of opened.columns.entries()) {
    const plan = all[index];
    if (plan === undefined) break;
    try {
      texts.push(yield* sealText(plan, columns, settings));
    } catch (error) {
      refusal = refusalOf(error);
      break;
    }
    openings.push(isSealed(plan) ? openingOf(plan, columns) : undefined);
  }
  return { plans: all.slice(0, texts.length), text: texts.join(';\n'), openings, ...(refusal && { refusal }) };
}

/** The rows of a BINARY cursor come in binary. */
function openingOf(plan: SealedPlan, columns: ColumnSession): ResultOpening {
  const binary = plan.binaryRows === true;
  return { plan, columns, formats: binary ? [1] : [], textual: !binary };
}
