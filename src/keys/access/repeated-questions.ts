/**
 * Decisions on questions that are asked again and again as one and the same frozen object. What it says of caller, key and request cannot
 * change, so that a decision stands as long as the identities and the key's grants are those that it was made from.
 */
import type { AuthorizationDecision, AuthorizationQuestion } from '../options.ts';
import type { GrantSource } from './grants/grant.ts';
import type { Identities } from './identities.ts';

type Decided = {
  readonly identities: Identities;
  /** The version of the key's grants. */
  readonly grants: number;
  readonly decision: AuthorizationDecision;
};

export class RepeatedQuestions {
  readonly #decided = new WeakMap<AuthorizationQuestion, Decided>();

  /** Undefined: it is to be decided. */
  decision(
    question: AuthorizationQuestion,
    identities: Identities,
    grants: GrantSource,
  ): AuthorizationDecision | undefined {
    const decided = this.#decided.get(question);
    if (decided?.identities !== identities || question.key === undefined) return undefined;
    return decided.grants === grants.version(question.key.keyId) ? decided.decision : undefined;
  }

  /** Precondition: the decision hangs on no time. Kept of a frozen question about a frozen context alone. */
  keep(question: AuthorizationQuestion, decided: Decided): void {
    if (Object.isFrozen(question) && Object.isFrozen(question.context)) this.#decided.set(question, decided);
  }
}
