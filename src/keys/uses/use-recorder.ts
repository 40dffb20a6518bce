/** Around every use of a key: who may, and the audit record without which no answer leaves. */
import type { EncryptionContext } from '../../envelope/encryption-context.ts';
import type { AuditLog } from '../audit/log.ts';
import type { AuditEntry, RepeatedEntry } from '../audit/record.ts';
import type { GrantStore } from '../access/grants/grant-store.ts';
import type { RequestFacts, RequestParameters } from '../access/request.ts';
import type { KeyUse } from './data-keys.ts';
import { entryOf, IsoTimes } from './use-entry.ts';
import { KeysError } from '../errors.ts';
import type { HeldKey, HeldMaterial, KeyRing } from '../key-ring.ts';
import type { LastUses } from './last-uses.ts';
import { RepeatedUses } from './repeated-uses.ts';
import type { LifeGuard, LifeTrace } from '../life/guard/life-guard.ts';
import { RotationDue } from '../life/guard/rotation-due.ts';
import type { LifeWarning } from '../life/guard/warnings.ts';
import { questionedKey } from '../questioned-key.ts';
import type {
  AuthorizationDecision,
  AuthorizationQuestion,
  KeyPorts,
  QuestionedKey,
  QuestionSubject,
} from '../options.ts';

/** A key of the ring, or one that another key manager holds. */
export type UsedKey = HeldKey | KeyElsewhere;
export type KeyElsewhere = { readonly arn: string; readonly facts: QuestionedKey };

/** What the record says of the key; filled in as far as the use comes. */
export type UseTrace = LifeTrace & {
  key?: UsedKey | undefined;
  material?: Pick<HeldMaterial, 'name'> | undefined;
  decision?: AuthorizationDecision | undefined;
  detail?: Readonly<Record<string, string | number>> | undefined;
};

/** What a record is about. */
type Asked = {
  readonly action: string;
  readonly use: KeyUse;
  readonly context: EncryptionContext | null;
  readonly trace: UseTrace;
  /** Its key has been rotated for it already. */
  readonly isAgain: boolean;
};
type Work<Result> = (trace: UseTrace) => Result | Promise<Result>;
/** Undefined: not without waiting. */
type WorkNow<Result> = (trace: UseTrace) => Result | undefined;
/** One of several uses that are made at once. */
export type UseNow<Result> = {
  readonly use: KeyUse;
  readonly context: EncryptionContext;
  readonly work: WorkNow<Result>;
};

/** While there are no key policies, who reached the key manager (and was authenticated at its edge) may use every key. */
const NO_POLICY: AuthorizationDecision = { allow: true, why: 'no key policy' };
const NO_FACTS: RequestFacts = Object.freeze({});
/** What gives plaintext of something stored. */
const OPENING: ReadonlySet<string> = new Set(['Decrypt', 'ReEncryptFrom', 'Decapsulate']);
export type RecorderParts = {
  readonly log: AuditLog;
  readonly ring: KeyRing;
  readonly lastUses: LastUses;
  readonly grants: GrantStore;
  readonly life: LifeGuard;
  readonly ports: KeyPorts;
};

export class UseRecorder {
  readonly #log: AuditLog;
  readonly #ring: KeyRing;
  readonly #lastUses: LastUses;
  /** Asked by every use, once its caller is known to be allowed it. */
  readonly life: LifeGuard;
  readonly #keyFacts = new WeakMap<HeldKey, QuestionedKey>();
  readonly #grants: GrantStore;
  readonly #ports: KeyPorts;
  readonly #times = new IsoTimes();
  readonly #repeated = new RepeatedUses();

  constructor(parts: RecorderParts) {
    this.#log = parts.log;
    this.#ring = parts.ring;
    this.#lastUses = parts.lastUses;
    this.#grants = parts.grants;
    this.life = parts.life;
    this.#ports = parts.ports;
  }

  /** Runs `work` and resolves with its result once the record is written; rejects with its error likewise. */
  record<Result>(action: string, use: KeyUse, context: EncryptionContext | null, work: Work<Result>): Promise<Result> {
    return this.#try({ action, use, context, trace: {}, isAgain: false }, work);
  }

  #try<Result>(asked: Asked, work: Work<Result>): Promise<Result> {
    let result: Result | Promise<Result>;
    try {
      result = work(asked.trace);
    } catch (error) {
      return this.#refused(asked, error, work);
    }
    // Most uses are done at once, and have one thing to wait for.
    return result instanceof Promise ? this.#recordLater(asked, result, work) : this.#recorded(asked, result);
  }

  async #recordLater<Result>(asked: Asked, pending: Promise<Result>, work: Work<Result>): Promise<Result> {
    let result: Result;
    try {
      result = await pending;
    } catch (error) {
      return this.#refused(asked, error, work);
    }
    return this.#recorded(asked, result);
  }

  async #recorded<Result>({ action, use, context, trace }: Asked, result: Result): Promise<Result> {
    await this.write(action, use, context, trace, 'success');
    this.#noteUse(action, use, trace);
    return result;
  }

  /** Where its key is only to be rotated first, that is no refusal to be recorded: it is, and then asked again, once. */
  async #refused<Result>(asked: Asked, error: unknown, work: Work<Result>): Promise<Result> {
    if (!(error instanceof RotationDue) || asked.isAgain) return this.#failed(asked, error);
    try {
      await this.life.rotate(error);
    } catch (failure) {
      return this.#failed(asked, failure);
    }
    return this.#try({ ...asked, trace: {}, isAgain: true }, work);
  }

  async #failed({ action, use, context, trace }: Asked, error: unknown): Promise<never> {
    await this.write(action, use, context, trace, error instanceof KeysError ? error.code : 'failure');
    throw error;
  }

  /**
   * The same without waiting. Undefined, and nothing recorded: where the log makes records wait, or `work` gives nothing or fails (the
   * caller asks again by `record`, which records why). Throws ERR_KEYS_AUDIT_UNAVAILABLE.
   */
  recordNow<Result>(
    action: string,
    use: KeyUse,
    context: EncryptionContext | null,
    work: WorkNow<Result>,
  ): Result | undefined {
    if (!this.#log.writesAtOnce) return undefined;
    const trace: UseTrace = {};
    const result = this.#workNow(use, trace, work);
    if (result === undefined) return undefined;
    this.#log.appendNow([this.#successEntry(action, use, context, trace)]);
    this.#noteUse(action, use, trace);
    return result;
  }

  /**
   * Several uses at once, each decided and recorded as `recordNow` does, in order; their records go out in one write. Undefined for each that
   * is undefined or that `recordNow` would give nothing for. Throws ERR_KEYS_AUDIT_UNAVAILABLE: no use was made.
   */
  recordEachNow<Result>(
    action: string,
    uses: readonly (UseNow<Result> | undefined)[],
  ): readonly (Result | undefined)[] {
    if (!this.#log.writesAtOnce) return uses.map(() => undefined);
    const done: { readonly use: KeyUse; readonly trace: UseTrace }[] = [];
    const entries: (AuditEntry | RepeatedEntry)[] = [];
    const results = uses.map((asked) => {
      if (asked === undefined) return undefined;
      const { use, context, work } = asked;
      const trace: UseTrace = {};
      const result = this.#workNow(use, trace, work);
      if (result === undefined) return undefined;
      entries.push(this.#successEntry(action, use, context, trace));
      done.push({ use, trace });
      return result;
    });
    if (entries.length > 0) this.#log.appendNow(entries);
    for (const { use, trace } of done) this.#noteUse(action, use, trace);
    return results;
  }

  /** Undefined, and nothing recorded: `work` gives nothing or is refused. Otherwise its warnings are written, and its use is still to be. */
  #workNow<Result>(use: KeyUse, trace: UseTrace, work: WorkNow<Result>): Result | undefined {
    const result = unlessRefused(() => work(trace));
    const { warnings } = trace;
    if (warnings === undefined) return result;
    if (result === undefined) {
      // They are given again, and written, when the caller asks by `record`.
      for (const warning of warnings) this.life.forget(warning);
      return undefined;
    }
    for (const warning of warnings) this.#writeWarningNow(warning, use);
    return result;
  }

  #noteUse(action: string, use: KeyUse, { key, isDryRun }: UseTrace): void {
    if (key === undefined || isDryRun === true) return;
    this.#lastUses.note(keyIdOf(key), action, this.#ports.now(), use.requestId);
    if (OPENING.has(action)) this.#ports.metrics?.decrypted?.(use.principal, key.arn);
  }

  /** Asks whether the caller may; `own`: what we know of the request ourselves. ERR_KEYS_ACCESS_DENIED, ERR_KEYS_GRANT_TOKEN. */
  authorize(
    trace: UseTrace,
    action: string,
    use: KeyUse,
    context: EncryptionContext,
    own: RequestFacts = NO_FACTS,
  ): void {
    const key = trace.key === undefined ? undefined : this.facts(trace.key);
    const question = this.#repeated.question({ action, use, context, key, own }, () =>
      questionOf(action, use, context, key, own),
    );
    this.#decide(question, trace);
  }

  /** Where the action is about more than its key. */
  authorizeAbout(
    subject: QuestionSubject,
    trace: UseTrace,
    action: string,
    use: KeyUse,
    context: EncryptionContext,
    own: RequestFacts = NO_FACTS,
  ): void {
    const key = subject.alias === undefined && trace.key !== undefined ? this.facts(trace.key) : undefined;
    this.#decide({ ...questionOf(action, use, context, key, own), ...subject }, trace);
  }

  #decide(question: AuthorizationQuestion, trace: UseTrace): void {
    trace.decision = this.#ports.authorizer?.decide(question) ?? NO_POLICY;
    if (!trace.decision.allow) throw denied(question, trace.decision);
    for (const token of question.request.grantTokens ?? []) {
      if (this.#grants.byToken(token) === undefined)
        throw new KeysError('ERR_KEYS_GRANT_TOKEN', 'a grant token is not valid');
    }
  }

  /** Made once for each state of a key: asking on every use must cost little. */
  facts(key: UsedKey): QuestionedKey {
    if ('facts' in key) return key.facts;
    const known = this.#keyFacts.get(key);
    if (known !== undefined) return known;
    const facts = questionedKey(this.#ring, key);
    this.#keyFacts.set(key, facts);
    return facts;
  }

  /** What conditions see of it where it is to be cut off. */
  unusedFacts({ record: { keyId, createdAt } }: HeldKey): RequestParameters {
    return { TrailingDaysWithoutKeyUsage: String(this.#lastUses.daysWithoutUse(keyId, createdAt, this.#ports.now())) };
  }

  write(
    action: string,
    use: KeyUse,
    context: EncryptionContext | null,
    trace: UseTrace,
    result: string,
  ): Promise<void> {
    const written = this.#writeWarnings(trace, use);
    const recorded = this.#log.append(this.#entry(action, use, context, trace, result));
    return written === undefined ? recorded : Promise.all([written, recorded]).then(() => undefined);
  }

  /** Undefined: there are none. */
  #writeWarnings(trace: UseTrace, use: KeyUse): Promise<unknown> | undefined {
    const { warnings } = trace;
    if (warnings === undefined) return undefined;
    trace.warnings = undefined;
    return Promise.all(warnings.map((warning) => this.#writeWarning(warning, use)));
  }

  async #writeWarning(warning: LifeWarning, use: KeyUse): Promise<void> {
    try {
      await this.#log.append(this.#warningEntry(warning, use));
    } catch (error) {
      this.life.forget(warning);
      throw error;
    }
  }

  #writeWarningNow(warning: LifeWarning, use: KeyUse): void {
    try {
      this.#log.appendNow([this.#warningEntry(warning, use)]);
    } catch (error) {
      this.life.forget(warning);
      throw error;
    }
  }

  #warningEntry(warning: LifeWarning, use: KeyUse): AuditEntry {
    const { keyArn, material, reason, facts, outcome } = warning;
    this.#ports.metrics?.keyLife?.(warning);
    const trace: UseTrace = {
      material: { name: material },
      decision: { allow: outcome === 'used', why: reason },
      detail: { reason, outcome, ...facts },
    };
    return { ...this.#entry('KeyLifeWarning', use, null, trace, 'success'), key: keyArn };
  }

  /** What most uses are recorded as. */
  #successEntry(
    action: string,
    use: KeyUse,
    context: EncryptionContext | null,
    trace: UseTrace,
  ): AuditEntry | RepeatedEntry {
    const { key, material, decision, detail, bytes } = trace;
    if (detail !== undefined || bytes !== undefined) return this.#entry(action, use, context, trace, 'success');
    this.#ports.metrics?.keyUse(action, 'success');
    if (use.recorded !== undefined) use.recorded.isSo = true;
    const time = this.#times.at(this.#ports.now());
    const said = { action, context, key: key?.arn, material: material?.name, decision };
    return this.#repeated.entry(use, said, time, () => entryOf(time, action, use, context, trace, 'success'));
  }

  #entry(action: string, use: KeyUse, context: EncryptionContext | null, trace: UseTrace, result: string): AuditEntry {
    this.#ports.metrics?.keyUse(action, result);
    if (use.recorded !== undefined) use.recorded.isSo = true;
    return entryOf(this.#times.at(this.#ports.now()), action, use, context, trace, result);
  }
}

const keyIdOf = (key: UsedKey): string => ('facts' in key ? key.facts.keyId : key.record.keyId);

/** Undefined where it is refused. */
export function unlessRefused<Result>(work: () => Result | undefined): Result | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof KeysError) return undefined;
    throw error;
  }
}

function denied({ principal, action, key }: AuthorizationQuestion, { message }: AuthorizationDecision): KeysError {
  const on = key === undefined ? '' : ` on resource: ${key.arn}`;
  return new KeysError(
    'ERR_KEYS_ACCESS_DENIED',
    message ?? `User: ${principal} is not authorized to perform: kms:${action}${on}`,
  );
}

function questionOf(
  action: string,
  { principal, via, request = NO_FACTS }: KeyUse,
  context: EncryptionContext,
  key: QuestionedKey | undefined,
  own: RequestFacts,
): AuthorizationQuestion {
  return { principal, via, action, keyId: key?.keyId, key, context, request: mergeFacts(request, own) };
}

/** What the edge saw, and what we know better. */
function mergeFacts(seen: RequestFacts, own: RequestFacts): RequestFacts {
  if (seen === NO_FACTS) return own;
  return { ...seen, ...own, parameters: { ...seen.parameters, ...own.parameters } };
}
