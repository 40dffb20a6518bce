/** Around every use of a key: who may, and the audit record without which no answer leaves. */
import type { EncryptionContext } from '../envelope/encryption-context.ts';
import type { AuditLog } from './audit/log.ts';
import type { AuditEntry } from './audit/record.ts';
import type { KeyUse } from './data-keys.ts';
import { KeysError } from './errors.ts';
import type { HeldKey, HeldMaterial } from './key-ring.ts';
import type { AuthorizationDecision, KeyPorts } from './options.ts';

/** What the record says of the key; filled in as far as the use comes. */
export type UseTrace = {
  key?: HeldKey | undefined;
  material?: HeldMaterial | undefined;
  decision?: AuthorizationDecision | undefined;
  detail?: Readonly<Record<string, string | number>> | undefined;
};

/** While there are no key policies, who reached the key manager (and was authenticated at its edge) may use every key. */
const NO_POLICY: AuthorizationDecision = { allow: true, why: 'no key policy' };
/** The use failed before anybody was asked. */
const UNDECIDED: AuthorizationDecision = { allow: false, why: 'not reached' };

export class UseRecorder {
  readonly #log: AuditLog;
  readonly #ports: KeyPorts;

  constructor(log: AuditLog, ports: KeyPorts) {
    this.#log = log;
    this.#ports = ports;
  }

  /** Runs `work` and resolves with its result once the record is written; rejects with its error likewise. */
  async record<Result>(
    action: string,
    use: KeyUse,
    context: EncryptionContext | null,
    work: (trace: UseTrace) => Result | Promise<Result>,
  ): Promise<Result> {
    const trace: UseTrace = {};
    let result: Result;
    try {
      result = await work(trace);
    } catch (error) {
      const code = error instanceof KeysError ? error.code : 'failure';
      await this.write(action, use, context, trace, code);
      throw error;
    }
    await this.write(action, use, context, trace, 'success');
    return result;
  }

  /** Asks whether the caller may; ERR_KEYS_ACCESS_DENIED. */
  authorize(trace: UseTrace, action: string, use: KeyUse, context: EncryptionContext): void {
    const { principal, via, request = {} } = use;
    const question = { principal, via, action, keyId: trace.key?.record.keyId, context, request };
    trace.decision = this.#ports.authorizer?.decide(question) ?? NO_POLICY;
    if (!trace.decision.allow) {
      const on = trace.key === undefined ? '' : ` on ${trace.key.arn}`;
      throw new KeysError('ERR_KEYS_ACCESS_DENIED', `${principal} is not authorized to perform ${action}${on}`);
    }
  }

  async write(
    action: string,
    use: KeyUse,
    context: EncryptionContext | null,
    trace: UseTrace,
    result: string,
  ): Promise<void> {
    const decision = trace.decision ?? UNDECIDED;
    const entry: AuditEntry = {
      time: new Date(this.#ports.now()).toISOString(),
      principal: use.principal,
      action,
      key: trace.key?.arn ?? null,
      material: trace.material?.name ?? null,
      via: use.via,
      resource: use.resource,
      context,
      decision: decision.allow ? 'allow' : 'deny',
      why: decision.why,
      result,
      ...(trace.detail === undefined ? {} : { detail: trace.detail }),
    };
    this.#ports.metrics?.keyUse(action, result);
    await this.#log.append(entry);
  }
}
