/**
 * The key manager: KMS keys over one embedded store. Owns store, root and audit; the rooms above see `DataKeys` and `KeyAdmin`.
 */
import type { DataKeys } from './data-keys.ts';
import type { KeyAdmin } from './key-admin.ts';
import type { KeyManagerOptions, KeyPorts, KeyStoreOptions } from './options.ts';

export interface KeyManager extends DataKeys, KeyAdmin {
  readonly storeId: string;
  /** Rejects (ERR_KEYS_AUDIT_UNAVAILABLE, ERR_KEYS_CLOSED) while no key can be used; for /readyz. */
  ready(): Promise<void>;
  /** Waits for audit records under way, then releases store and lock. */
  close(): Promise<void>;
}

/** Unseals an existing store and becomes its owner; rejects with the KeysError that says why it cannot. */
export declare function openKeyManager(options: KeyManagerOptions, ports: KeyPorts): Promise<KeyManager>;
/** Makes an empty store with one unseal slot per secret; refuses where a store or epoch file exists. */
export declare function createKeyStore(options: KeyStoreOptions, ports: KeyPorts): Promise<{ storeId: string }>;
/** Writes a new root key file (mode 0600); refuses to overwrite. For `sealgate init`. */
export declare function createKeyFile(path: string, random: KeyPorts['random']): void;
