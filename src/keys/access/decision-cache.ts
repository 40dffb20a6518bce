/**
 * Decisions kept for what is asked again and again. Each belongs to the very objects it was made from: the key's state, the
 * caller's identity, the version of the key's grants. A change makes another object or version, so an old decision is not
 * found any more from the moment the change is visible: there is nothing to remember to drop.
 *
 * Within them a decision hangs on the values of the condition keys that the policies ask about for this action, and on no others.
 */
import { LRUCache } from 'lru-cache';
import type { AuthorizationDecision } from '../options.ts';
import type { Identity } from './identity.ts';
import { AMBIGUOUS, type ConditionKey } from './policy/condition-key.ts';
import type { Policy } from './policy/policy.ts';
import { coversAction } from './policy/statement.ts';
import type { AccessRequest } from './request.ts';

/** What a decision was made from. Compared by identity. */
export type Basis = { readonly key: object; readonly identity: Identity; readonly grants: number };

export type CachedDecisions = {
  readonly basis: Basis;
  /** undefined: the decision hangs on the time, and is not kept. */
  readonly keys: readonly ConditionKey[] | undefined;
  /** Whether a grant with a constraint was consulted: then it hangs on the whole encryption context and the source too. */
  wholeContext: boolean;
  readonly byValues: Map<string, AuthorizationDecision>;
};

const MAX_ENTRIES = 20_000;
/** Per entry; a policy that asks about what differs in every request would fill memory with decisions never asked again. */
const MAX_VALUES = 64;

export class DecisionCache {
  readonly #entries = new LRUCache<string, CachedDecisions>({ max: MAX_ENTRIES });

  /** `question` names caller, action and key. */
  entry(question: string, basis: Basis, policies: () => readonly Policy[], action: string): CachedDecisions {
    const found = this.#entries.get(question);
    if (found !== undefined && isSame(found.basis, basis)) return found;
    const made: CachedDecisions = {
      basis,
      keys: decidingKeys(policies(), action),
      wholeContext: false,
      byValues: new Map(),
    };
    this.#entries.set(question, made);
    return made;
  }
}

function isSame(a: Basis, b: Basis): boolean {
  return a.key === b.key && a.identity === b.identity && a.grants === b.grants;
}

/**
 * The condition keys that statements about this action ask about and that the basis does not settle; undefined where one
 * changes by itself.
 */
function decidingKeys(policies: readonly Policy[], action: string): readonly ConditionKey[] | undefined {
  const keys = new Map<string, ConditionKey>();
  for (const { statements } of policies) {
    for (const { actions, resources, conditions } of statements) {
      if (actions === undefined || !coversAction(actions, action)) continue;
      const asked = [
        ...conditions.flatMap((one) => one.keys),
        ...(resources?.templates.flatMap((one) => one.variables) ?? []),
      ];
      for (const key of asked) keys.set(key.canonical, key);
    }
  }
  const all = [...keys.values()];
  return all.some(({ varies }) => varies === 'time') ? undefined : all.filter(({ varies }) => varies === 'request');
}

export function keep(entry: CachedDecisions, values: string, decision: AuthorizationDecision): void {
  if (entry.byValues.size >= MAX_VALUES) entry.byValues.clear();
  entry.byValues.set(values, decision);
}

/** The values the decision hangs on, as one text: the same text just for the same values. */
export function decidingValues(request: AccessRequest, keys: readonly ConditionKey[], wholeContext: boolean): string {
  if (keys.length === 0 && !wholeContext) return '';
  if (keys.length === 1 && !wholeContext) {
    const value = keys[0]?.read(request);
    // Most policies ask about one text at most. What JSON writes below begins with a bracket.
    if (typeof value === 'string') return `=${value}`;
  }
  const values: unknown[] = keys.map((key) => {
    const value = key.read(request);
    return value === undefined ? 0 : value === AMBIGUOUS ? 1 : value;
  });
  if (wholeContext) values.push(request.facts.sourceArn ?? 0);
  if (wholeContext) values.push(Object.entries(request.encryptionContext).sort(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify(values);
}
