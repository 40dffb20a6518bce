/**
 * Keys for services of our own, by purpose and epoch. The first epoch of a purpose is derived from the root; where we have an owned key
 * for the purpose (`managed/owned-keys.ts`), each of its materials is one more epoch, in the order of its versions.
 */
import { hkdfSha256 } from '../crypto/hkdf.ts';
import { KEY_BYTES, takeKey, type ServiceKey } from '../crypto/key-types.ts';
import { KeysError } from './errors.ts';
import { encodeFields } from './fields.ts';
import { assertKeyUsable, assertMaterialAllows, kekOf, type HeldKey, type KeyRing } from './key-ring.ts';
import type { MaterialVault } from './material.ts';
import type { LoadedRows } from './stores/load-rows.ts';

/** A purpose the store says nothing of. */
const FIRST_EPOCH = 1;

export type EpochKey = {
  readonly epoch: number;
  readonly key: ServiceKey;
  /** Of the owned key whose material gave it; undefined: the root did. */
  readonly keyArn: string | undefined;
};

export class ServiceKeys {
  /** The last epoch that the root gives. */
  readonly #rootEpochs: ReadonlyMap<string, number>;
  readonly #vault: MaterialVault;
  readonly #ring: Pick<KeyRing, 'owned'>;
  /** Few: purposes are words of our own code. */
  readonly #derived = new Map<string, ServiceKey>();

  constructor(loaded: Pick<LoadedRows, 'serviceEpochs'>, vault: MaterialVault, ring: Pick<KeyRing, 'owned'>) {
    this.#rootEpochs = new Map(loaded.serviceEpochs.map(({ purpose, epoch }) => [purpose, epoch]));
    this.#vault = vault;
    this.#ring = ring;
  }

  /**
   * Without `epoch` the current one, to protect with; of an epoch to process with. Errors: ERR_KEYS_NOT_FOUND for an epoch that has not
   * begun; where the epoch's material does not allow it ERR_KEYS_DISABLED, ERR_KEYS_INVALID_STATE.
   */
  get(purpose: string, epoch?: number): EpochKey {
    const owned = this.#ring.owned(purpose);
    const fromRoot = this.#rootEpochs.get(purpose) ?? FIRST_EPOCH;
    const current = fromRoot + (owned?.current?.record.version ?? 0);
    const wanted = epoch ?? current;
    if (!Number.isInteger(wanted) || wanted < FIRST_EPOCH || wanted > current) {
      throw new KeysError('ERR_KEYS_NOT_FOUND', `there is no epoch ${wanted} of service key ${purpose}`);
    }
    const name = `${purpose}:${wanted}`;
    const isFromRoot = owned === undefined || wanted <= fromRoot;
    const key = isFromRoot
      ? (this.#derived.get(name) ?? this.#vault.keys.service(purpose, wanted))
      : this.#ofMaterial(owned, wanted - fromRoot, {
          purpose,
          name,
          use: epoch === undefined ? 'protect' : 'process',
        });
    this.#derived.set(name, key);
    return { epoch: wanted, key, keyArn: isFromRoot ? undefined : owned.arn };
  }

  #ofMaterial(
    owned: HeldKey,
    version: number,
    { purpose, name, use }: { readonly purpose: string; readonly name: string; readonly use: 'protect' | 'process' },
  ): ServiceKey {
    const material = [...owned.materials.values()].find(({ record }) => record.version === version);
    if (material === undefined) throw new KeysError('ERR_KEYS_NOT_FOUND', `${owned.arn} has no material ${version}`);
    assertKeyUsable(owned);
    assertMaterialAllows(material, use);
    const known = this.#derived.get(name);
    if (known !== undefined) return known;
    const info = encodeFields('sealgate owned service v1', [purpose, version]);
    return takeKey('ServiceKey', hkdfSha256(kekOf(material), this.#vault.storeId, info, KEY_BYTES));
  }
}
