/**
 * FETCH and EXECUTE name nothing sealed by themselves, so the analysis of a message does not see that they depend on what is ahead of them in it: values are
 * sealed and printed under settings that a SET of the same message changes, or a COMMIT takes back.
 */
import { opensOnly } from '../analysis/one-by-one.ts';
import type { RefusePlan, StatementPlan } from '../plan.ts';
import type { Session } from './session.ts';
import type { SessionSettings } from './settings.ts';

export function changesMeaning(plan: StatementPlan): boolean {
  if (plan.type === 'track') return !opensOnly(plan.text);
  return plan.type === 'sealed' && plan.effect !== undefined;
}

/** Whether values that were sealed under the one settings are what they would be under the other. */
export function readsAlike(before: SessionSettings | undefined, now: SessionSettings): boolean {
  return before === undefined || READING_SETTINGS.every((name) => before[name] === now[name]);
}

const READING_SETTINGS = ['dateStyle', 'timeZone', 'intervalStyle'] as const;

/** Of the message as a whole, whose statements may be sent one after the other. */
export function afterThose({ analyzer }: Session, sql: string): RefusePlan {
  const oneByOne = analyzer.statementsOf(sql);
  return {
    type: 'refuse',
    refusal: {
      sqlstate: '0A000',
      code: 'ERR_POSTGRES_SEQUENCE',
      message:
        'a cursor or prepared statement on sealed columns is used behind a statement of the same message that may change what it means',
      hint: 'Send them one after the other.',
    },
    ...(oneByOne !== undefined && { oneByOne }),
  };
}
