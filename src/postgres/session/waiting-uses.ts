/**
 * FETCH and EXECUTE name nothing sealed by themselves, so the analysis of a message does not see that they depend on what is ahead of them in it: values are
 * sealed and printed under settings that a SET of the same message changes, or a COMMIT takes back. Nor does it see that they change themselves what the
 * statements behind them mean, where what they name sets something.
 */
import { opensOnly } from '../analysis/one-by-one.ts';
import type { NamedUse, RefusePlan, StatementPlan } from '../plan.ts';
import type { Session } from './session.ts';

/** What the statements of a message that come first do to those behind them. */
export class Ahead {
  #changes = false;
  /** What a name stands for did so, which the analysis has not seen: nothing sealed that comes behind it waits yet. */
  #changesUnseen = false;

  /** `plan` and `resolved`: as it was analysed, and with what its name stands for. */
  add(plan: StatementPlan, resolved: StatementPlan): void {
    if (!changesMeaning(resolved)) return;
    this.#changes = true;
    this.#changesUnseen ||= !changesMeaning(plan);
  }

  /** What is refused may be refused for what it means without those ahead of it. */
  hasToWait(named: NamedUse | undefined, plan: StatementPlan): boolean {
    const concerns = plan.type === 'refuse' || (plan.type === 'sealed' && plan.asksCatalog !== true);
    const isUse = named?.type === 'fetch' || named?.type === 'execute';
    return concerns && (isUse ? this.#changes : this.#changesUnseen);
  }
}

function changesMeaning(plan: StatementPlan): boolean {
  if (plan.type === 'track') return !opensOnly(plan.text);
  return plan.type === 'sealed' && plan.effect !== undefined;
}

/** Of the message as a whole, whose statements may be sent one after the other. */
export function afterThose({ analyzer }: Session, sql: string): RefusePlan {
  const oneByOne = analyzer.statementsOf(sql);
  return {
    type: 'refuse',
    refusal: {
      sqlstate: '0A000',
      code: 'ERR_POSTGRES_SEQUENCE',
      message:
        'a statement on sealed columns is behind one of the same message, or uses a cursor or prepared statement behind one, that may change what it means',
      hint: 'Send them one after the other.',
    },
    ...(oneByOne !== undefined && { oneByOne }),
  };
}
