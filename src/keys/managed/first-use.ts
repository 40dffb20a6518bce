/**
 * Keys of our services are made when they are first used: when the gateway or the proxy asks for a data key under `alias/aws/…`, or
 * somebody has the alias described, as on AWS. One at a time with every other change, so that two first uses make one key.
 */
import { aliasArn } from '../arn.ts';
import type { EncryptionContext } from '../../envelope/encryption-context.ts';
import type { KeyUse } from '../uses/data-keys.ts';
import type { KeyChanges } from '../admin/key-changes.ts';
import { DAY_MS, DEFAULT_ROTATION_DAYS } from '../limits.ts';
import { storeNewKey } from '../admin/new-key.ts';
import { keyToBe, MANAGED_KEY_KIND } from './key-to-be.ts';
import { MANAGING_SERVICES, serviceOfAlias, type ManagingService } from './management.ts';

/** What a caller asks for that a key may be made for. */
export type FirstUse = {
  readonly action: 'GenerateDataKey' | 'ReEncryptTo' | 'DescribeKey' | 'Decrypt';
  readonly keyId: string;
  readonly context: EncryptionContext | null;
};

export class FirstUses {
  readonly #changes: KeyChanges;

  constructor(changes: KeyChanges) {
    this.#changes = changes;
  }

  /** The alias ARN, where `keyId` is the alias of a service whose key is still to be made. */
  unmade(keyId: string): string | undefined {
    const service = this.#unmadeService(keyId);
    return service === undefined ? undefined : this.#aliasArn(service);
  }

  /**
   * Makes the key that is still to be made, for a caller who may do this with it; undefined: there is none to be made.
   * Errors: ERR_KEYS_ACCESS_DENIED, ERR_KEYS_STORE_WRITE.
   */
  make(first: FirstUse, use: KeyUse): Promise<void> | undefined {
    const service = this.#unmadeService(first.keyId);
    if (service === undefined || !isFirstUse(first, service, use)) return undefined;
    return this.#changes.exclusively(async () => {
      // Somebody else's first use may have come before.
      if (this.#unmadeService(first.keyId) === undefined) return;
      if (!this.#allows(first, service, use)) return this.#refuse(first, service, use);
      await this.#make(service, use);
    });
  }

  #unmadeService(keyId: string): ManagingService | undefined {
    const { ring } = this.#changes.parts;
    const service = serviceOfAlias(keyId, ring.realm);
    return service === undefined || ring.hasAlias(MANAGING_SERVICES[service].alias) ? undefined : service;
  }

  #make(service: ManagingService, use: KeyUse): Promise<void> {
    const { recorder } = this.#changes.parts;
    const { alias, description } = MANAGING_SERVICES[service];
    const itself: KeyUse = { ...use, principal: 'sealgate' };
    return recorder.record('CreateKey', itself, null, async (trace) => {
      trace.decision = { allow: true, why: 'first use' };
      trace.detail = { alias, for: use.principal };
      await recorder.write('CreateKey', itself, null, trace, 'started');
      const nextAt = new Date(this.#changes.nowMs() + DEFAULT_ROTATION_DAYS * DAY_MS).toISOString();
      const key = { ...MANAGED_KEY_KIND, policy: undefined, tags: [], description, alias, by: itself.principal };
      const rotation = { periodDays: DEFAULT_ROTATION_DAYS, nextAt };
      await storeNewKey(this.#changes, { ...key, rotation, management: { type: 'service', service } }, trace);
    });
  }

  #allows({ action, context }: FirstUse, service: ManagingService, { principal, via, request }: KeyUse): boolean {
    const { ring, ports } = this.#changes.parts;
    const { facts: key } = keyToBe(service, ring.realm);
    const parameters = { RequestAlias: MANAGING_SERVICES[service].alias, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
    const facts = { ...request, parameters: { ...request?.parameters, ...parameters } };
    const question = { principal, via, action, keyId: key.keyId, key, context: context ?? {}, request: facts };
    return ports.authorizer?.decide(question).allow !== false;
  }

  /** On record as what was asked for, and denied. */
  async #refuse({ action, context }: FirstUse, service: ManagingService, use: KeyUse): Promise<void> {
    const { recorder, ring } = this.#changes.parts;
    await recorder.record(action, use, context, (trace) => {
      trace.key = keyToBe(service, ring.realm);
      recorder.authorize(trace, action, use, context ?? {});
    });
  }

  #aliasArn(service: ManagingService): string {
    return aliasArn(this.#changes.parts.ring.realm, MANAGING_SERVICES[service].alias);
  }
}

/** A service's key is of use to callers that come through the service; who has it described makes it too, but for an operator, who only looks. */
function isFirstUse({ action }: FirstUse, service: ManagingService, { via }: KeyUse): boolean {
  return via === MANAGING_SERVICES[service].via || (action === 'DescribeKey' && via !== 'cli');
}
