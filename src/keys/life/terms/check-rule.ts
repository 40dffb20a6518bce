/** What is wrong with a rule on the life of keys, by itself and beside the standard. For who reads the config. */
import { isInOrder, KEY_TYPES, standardPeriods, type Periods } from '../periods/cryptoperiods.ts';
import type { LifeRule } from './options.ts';

export type RuleProblem = { readonly member: keyof LifeRule; readonly message: string };

/** Of a symmetric key under `nist` each limit reached makes a material, which is kept for ever. */
const MIN_ROTATING_OPERATIONS = 10_000;
const MIN_ROTATING_BYTES = 1024 * 1024;

/** Undefined: nothing. */
export function checkLifeRule(rule: LifeRule): RuleProblem | undefined {
  return orderProblem(rule) ?? tooSmall(rule);
}

/** The periods of a rule for one type of key: its own, else those of the standard. */
export function periodsOf(rule: LifeRule | undefined, standard: Periods): Periods {
  const days = (own: LifeRule['originatorDays'], other: number | null): number | null =>
    own === 'unlimited' ? null : (own ?? other);
  return {
    originatorDays: days(rule?.originatorDays, standard.originatorDays),
    recipientDays: days(rule?.recipientDays, standard.recipientDays),
  };
}

/** The recipient period may outlast the originator's, never the reverse. */
function orderProblem(rule: LifeRule): RuleProblem | undefined {
  for (const type of rule.types ?? KEY_TYPES) {
    const periods = periodsOf(rule, standardPeriods(type));
    if (isInOrder(periods)) continue;
    const [originator, recipient] = [daysText(periods.originatorDays), daysText(periods.recipientDays)];
    const member = rule.recipientDays === undefined ? 'originatorDays' : 'recipientDays';
    const other =
      rule.recipientDays === undefined
        ? ' by the standard: say `recipientDays` too'
        : rule.originatorDays === undefined
          ? '; the first by the standard: say `originatorDays` too'
          : '';
    const message = `keys for ${type} would protect for ${originator}, and process for ${recipient} only${other}`;
    return { member, message };
  }
  return undefined;
}

const daysText = (days: number | null): string => (days === null ? 'ever' : `${days} days`);

function tooSmall({ types, maxOperations, maxBytes }: LifeRule): RuleProblem | undefined {
  if (types !== undefined && !types.includes('wrapping')) return undefined;
  const least = (member: 'maxOperations' | 'maxBytes', min: number): RuleProblem => ({
    member,
    message: `expected at least ${min} for wrapping keys: each time it is reached a new material may be made; name other \`types\``,
  });
  if (maxOperations !== undefined && maxOperations < MIN_ROTATING_OPERATIONS)
    return least('maxOperations', MIN_ROTATING_OPERATIONS);
  if (maxBytes !== undefined && maxBytes < MIN_ROTATING_BYTES) return least('maxBytes', MIN_ROTATING_BYTES);
  return undefined;
}
