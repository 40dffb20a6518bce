/**
 * Uses that come again and again as one and the same frozen object, as those of a column come with every statement: the question
 * about them, and what their records say, are put together once. Nothing here is about whether they may: the question is asked each
 * time, and what was said is said again only where key, material, decision and context are the very ones it was said of.
 *
 * Invariant: of a key its name is kept, and nothing that holds its material: callers keep their objects far longer than keys last.
 */
import type { EncryptionContext } from '../../envelope/encryption-context.ts';
import type { RequestFacts } from '../access/request.ts';
import { sayingOf, type AuditEntry, type RepeatedEntry } from '../audit/record.ts';
import type { AuthorizationDecision, AuthorizationQuestion, QuestionedKey } from '../options.ts';
import type { KeyUse } from './data-keys.ts';

/** What a question is made of. */
export type Asked = {
  readonly action: string;
  readonly use: KeyUse;
  readonly context: EncryptionContext | null;
  readonly key: QuestionedKey | undefined;
  readonly own: RequestFacts;
};

/** What a record of success is made of. */
export type Said = {
  readonly action: string;
  readonly context: EncryptionContext | null;
  /** Its ARN. */
  readonly key: string | undefined;
  /** Its id in hex. */
  readonly material: string | undefined;
  readonly decision: AuthorizationDecision | undefined;
};

type Repeated = {
  readonly asked: { readonly of: Asked; readonly question: AuthorizationQuestion };
  said?: { readonly of: Said; readonly saying: Uint8Array };
};

export class RepeatedUses {
  /** By the use: an entry lives as long as whoever asks keeps it. */
  readonly #repeated = new WeakMap<KeyUse, Repeated>();

  /** The question that `make` gives; frozen, and the same object each time, where what it is made of is. */
  question(asked: Asked, make: () => AuthorizationQuestion): AuthorizationQuestion {
    const { use } = asked;
    const known = this.#repeated.get(use);
    if (known !== undefined && isSameQuestion(known.asked.of, asked)) return known.asked.question;
    const repeats = known !== undefined || isRepeatable(use);
    if (!repeats || !Object.isFrozen(asked.context)) return make();
    const question = Object.freeze(make());
    this.#repeated.set(use, { ...known, asked: { of: asked, question } });
    return question;
  }

  /** The record that `make` gives. */
  entry(use: KeyUse, said: Said, time: string, make: () => AuditEntry): AuditEntry | RepeatedEntry {
    const known = this.#repeated.get(use);
    // Another context than the frozen one of the question may say something else the next time.
    if (known?.asked.of.context !== said.context) return make();
    if (known.said === undefined || !isSameSaying(known.said.of, said))
      known.said = { of: said, saying: sayingOf(make()) };
    return { time, saying: known.said.saying };
  }
}

/** Of one request alone where it says something of it. */
export function isRepeatable(use: KeyUse): boolean {
  const { request, requestId, recorded } = use;
  return request === undefined && requestId === undefined && recorded === undefined && Object.isFrozen(use);
}

function isSameQuestion(a: Asked, b: Asked): boolean {
  return a.action === b.action && a.context === b.context && a.key === b.key && a.own === b.own;
}

function isSameSaying(a: Said, b: Said): boolean {
  return (
    a.action === b.action &&
    a.context === b.context &&
    a.key === b.key &&
    a.material === b.material &&
    a.decision === b.decision
  );
}
