/**
 * Keys that we own: for wrapping of our own that lasts, and which nobody asks for by name. They are made when they are first needed,
 * rotated every year, and seen by an operator alone (`sealgate keys report`).
 *
 * What is derived from the root lasts as long as the root, which never changes. Upload tokens are sealed by the thousands, lie in buckets
 * and with clients, and may be held for months: they get a key with a life. Why no other, docs/DECISIONS.md says.
 */
import type { KeyChanges } from '../admin/key-changes.ts';
import { DAY_MS, DEFAULT_ROTATION_DAYS } from '../limits.ts';
import { storeNewKey } from '../admin/new-key.ts';
import type { EpochKey, ServiceKeys } from '../service-keys.ts';
import { ITSELF } from '../start-record.ts';

const OWNED_PURPOSES: ReadonlySet<string> = new Set(['s3-upload-token']);

export class OwnedKeys {
  readonly #changes: KeyChanges;
  readonly #service: ServiceKeys;

  constructor(changes: KeyChanges, service: ServiceKeys) {
    this.#changes = changes;
    this.#service = service;
  }

  /** What to seal with now. Errors: ERR_KEYS_STORE_WRITE where the key has to be made first, and those of `ServiceKeys`. */
  async current(purpose: string): Promise<EpochKey> {
    if (OWNED_PURPOSES.has(purpose)) await this.#make(purpose);
    return this.#service.get(purpose);
  }

  /** What to open with; errors: those of `ServiceKeys`. */
  of(purpose: string, epoch: number): EpochKey {
    return this.#service.get(purpose, epoch);
  }

  async #make(purpose: string): Promise<void> {
    const { ring, recorder } = this.#changes.parts;
    if (ring.owned(purpose) !== undefined) return;
    await this.#changes.exclusively(async () => {
      // Somebody else may have needed it before.
      if (ring.owned(purpose) !== undefined) return;
      await recorder.record('CreateKey', ITSELF, null, async (trace) => {
        trace.decision = { allow: true, why: 'first use' };
        trace.detail = { purpose };
        await recorder.write('CreateKey', ITSELF, null, trace, 'started');
        const nextAt = new Date(this.#changes.nowMs() + DEFAULT_ROTATION_DAYS * DAY_MS).toISOString();
        const kind = { spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', origin: 'AWS_KMS' } as const;
        const rest = { description: '', policy: undefined, tags: [], alias: undefined, by: ITSELF.principal };
        const rotation = { periodDays: DEFAULT_ROTATION_DAYS, nextAt };
        await storeNewKey(this.#changes, { ...kind, ...rest, rotation, management: { type: 'owned', purpose } }, trace);
      });
    });
  }
}
