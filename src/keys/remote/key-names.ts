/**
 * Which key a rule's name stands for at the other end: an alias may be pointed at another key there, so what was learnt of it holds for
 * a minute. Only rules name keys here, so there are few.
 */
import { LRUCache } from 'lru-cache';
import type { RemoteKeyDescription, RemoteKms } from './remote-kms.ts';

const KNOWN_MS = 60_000;
const MAX_NAMES = 10_000;

export class RemoteKeyNames {
  readonly #kms: RemoteKms;
  readonly #known: LRUCache<string, string>;

  constructor(kms: RemoteKms, now: () => number) {
    this.#kms = kms;
    this.#known = new LRUCache({ max: MAX_NAMES, ttl: KNOWN_MS, ttlResolution: 0, perf: { now } });
  }

  async arnOf(keyId: string): Promise<string> {
    return this.known(keyId) ?? (await this.describe(keyId)).arn;
  }

  /** What needs no question. */
  known(keyId: string): string | undefined {
    return isKeyArn(keyId) ? keyId : this.#known.get(keyId);
  }

  /** Asks in any case. */
  async describe(keyId: string): Promise<RemoteKeyDescription> {
    const described = await this.#kms.describeKey(keyId);
    this.learn(keyId, described.arn);
    return described;
  }

  /** An answer has said so. */
  learn(keyId: string, arn: string): void {
    if (!isKeyArn(keyId)) this.#known.set(keyId, arn);
  }
}

const isKeyArn = (keyId: string): boolean => /^arn:[^:]+:kms:[^:]*:[^:]*:key\//u.test(keyId);
