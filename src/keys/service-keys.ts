/** Keys for services of our own (upload tokens): derived from the root, by purpose and epoch. */
import type { ServiceKey } from '../crypto/key-types.ts';
import { KeysError } from './errors.ts';
import type { RootKeys } from './root/root-keys.ts';
import { integer, text } from './stores/columns.ts';
import type { LoadedRows } from './stores/load-rows.ts';

/** A purpose the store says nothing of is in its first epoch. */
const FIRST_EPOCH = 1;

export class ServiceKeys {
  readonly #epochs: ReadonlyMap<string, number>;
  readonly #keys: RootKeys;
  /** Few: purposes are words of our own code. */
  readonly #derived = new Map<string, ServiceKey>();

  constructor(loaded: LoadedRows, keys: RootKeys) {
    this.#epochs = new Map(loaded.service_epochs.map((row) => [text(row, 'purpose'), integer(row, 'epoch')]));
    this.#keys = keys;
  }

  /** ERR_KEYS_NOT_FOUND for an epoch that has not begun. */
  get(purpose: string, epoch?: number): { epoch: number; key: ServiceKey } {
    const current = this.#epochs.get(purpose) ?? FIRST_EPOCH;
    const wanted = epoch ?? current;
    if (!Number.isInteger(wanted) || wanted < FIRST_EPOCH || wanted > current) {
      throw new KeysError('ERR_KEYS_NOT_FOUND', `there is no epoch ${wanted} of service key ${purpose}`);
    }
    const name = `${purpose}:${wanted}`;
    const key = this.#derived.get(name) ?? this.#keys.service(purpose, wanted);
    this.#derived.set(name, key);
    return { epoch: wanted, key };
  }
}
