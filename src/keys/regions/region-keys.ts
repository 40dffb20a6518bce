/** The keys of one region, as the rooms above see them; closed with the key manager. */
import type { KeyAdmin } from '../admin/key-admin.ts';
import type { KeyGrants } from '../admin/key-grants.ts';
import type { KeyImport } from '../import/key-import.ts';
import type { KeyLifecycle } from '../life/key-lifecycle.ts';
import type { KeyMacs } from '../uses/key-macs.ts';
import type { KeyMaterials } from '../life/key-materials.ts';
import type { KeyOperations } from '../uses/key-operations.ts';
import type { KeyUse } from '../uses/data-keys.ts';
import type { KeyPairs } from '../pairs/key-pairs.ts';
import type { KeySettings } from '../admin/key-settings.ts';
import type { KeySignatures } from '../pairs/key-signatures.ts';
import type { MultiRegionKeys } from './multi-region.ts';
import type { RegionServices } from './region-services.ts';

/** Reading what is not a method throws ERR_KEYS_CLOSED once the key manager is closed. */
export interface RegionKeys extends Omit<KeyAdmin, 'backup'> {
  readonly operations: KeyOperations;
  readonly settings: KeySettings;
  readonly lifecycle: KeyLifecycle;
  readonly materials: KeyMaterials;
  readonly grants: KeyGrants;
  readonly macs: KeyMacs;
  readonly imports: KeyImport;
  readonly signatures: KeySignatures;
  readonly pairs: KeyPairs;
  readonly multiRegion: MultiRegionKeys;
  /** On record, as every request is: what a known caller asked for and got no further with than its form. ERR_KEYS_AUDIT_UNAVAILABLE. */
  recordRefusal(action: string, use: KeyUse, code: string): Promise<void>;
}

export class OpenRegionKeys implements RegionKeys {
  /** Throws ERR_KEYS_CLOSED. */
  readonly #open: () => RegionServices;

  constructor(open: () => RegionServices) {
    this.#open = open;
  }

  readonly createKey: KeyAdmin['createKey'] = async (...args) => this.#open().admin.createKey(...args);
  readonly describeKey: KeyAdmin['describeKey'] = async (...args) => this.#open().admin.describeKey(...args);
  readonly listKeys: KeyAdmin['listKeys'] = async (...args) => this.#open().admin.listKeys(...args);
  readonly rotateKey: KeyAdmin['rotateKey'] = async (...args) => this.#open().lifecycle.rotateKey(...args);
  readonly enableKey: KeyAdmin['enableKey'] = async (...args) => this.#open().admin.enableKey(...args);
  readonly disableKey: KeyAdmin['disableKey'] = async (...args) => this.#open().admin.disableKey(...args);
  readonly createAlias: KeyAdmin['createAlias'] = async (...args) => this.#open().admin.createAlias(...args);
  readonly updateAlias: KeyAdmin['updateAlias'] = async (...args) => this.#open().admin.updateAlias(...args);
  readonly deleteAlias: KeyAdmin['deleteAlias'] = async (...args) => this.#open().admin.deleteAlias(...args);
  readonly listAliases: KeyAdmin['listAliases'] = async (...args) => this.#open().admin.listAliases(...args);

  async recordRefusal(action: string, use: KeyUse, code: string): Promise<void> {
    await this.#open().recorder.write(action, use, null, {}, code);
  }

  get operations(): KeyOperations {
    return this.#open().operations;
  }

  get settings(): KeySettings {
    return this.#open().settings;
  }

  get lifecycle(): KeyLifecycle {
    return this.#open().lifecycle;
  }

  get materials(): KeyMaterials {
    return this.#open().materials;
  }

  get grants(): KeyGrants {
    return this.#open().grants;
  }

  get macs(): KeyMacs {
    return this.#open().macs;
  }

  get imports(): KeyImport {
    return this.#open().imports;
  }

  get signatures(): KeySignatures {
    return this.#open().signatures;
  }

  get pairs(): KeyPairs {
    return this.#open().pairs;
  }

  get multiRegion(): MultiRegionKeys {
    return this.#open().multiRegion;
  }
}
