/** Key policies, parsed: once for each state of a key, and keys of the same text share one. */
import { LRUCache } from 'lru-cache';
import { KeysError } from '../errors.ts';
import type { QuestionedKey } from '../options.ts';
import { parsePolicy, type Policy } from './policy/policy.ts';

/** A parsed policy is a few times its text: at most some tens of megabytes where every text is another. */
const MAX_PARSED = 2000;

export class KeyPolicies {
  readonly #byKey = new WeakMap<QuestionedKey, Policy | 'unreadable'>();
  readonly #byText = new LRUCache<string, Policy>({ max: MAX_PARSED });
  readonly #default: Policy;

  /** ERR_KEYS_POLICY_MALFORMED. */
  constructor(defaultPolicy: string) {
    this.#default = parsePolicy(defaultPolicy, 'key');
  }

  /** undefined: stored by a release that knew more of the language. Nothing is allowed by what cannot be read. */
  of(key: QuestionedKey): Policy | undefined {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known === 'unreadable' ? undefined : known;
    const policy = key.policy === undefined ? this.#default : this.#parse(key.policy);
    this.#byKey.set(key, policy ?? 'unreadable');
    return policy;
  }

  #parse(text: string): Policy | undefined {
    const parsed = this.#byText.get(text) ?? tryParse(text);
    if (parsed !== undefined) this.#byText.set(text, parsed);
    return parsed;
  }
}

function tryParse(text: string): Policy | undefined {
  try {
    return parsePolicy(text, 'key');
  } catch (error) {
    if (error instanceof KeysError) return undefined;
    throw error;
  }
}
