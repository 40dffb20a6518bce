/** Message authentication codes by keys that never leave the key manager, as the KMS API has them. */
import type { KeyUse } from './data-keys.ts';
import type { MacAlgorithm } from '../key-kinds.ts';
import type { DryRun } from './key-operations.ts';

export type MacRequest = {
  readonly keyId: string;
  /** 1 to 4096 bytes. */
  readonly message: Uint8Array;
  readonly algorithm: MacAlgorithm;
} & DryRun;

/** Every method rejects with a KeysError, and is audited before it resolves. */
export interface KeyMacs {
  /** ERR_KEYS_KEY_USAGE where key and algorithm do not go together. */
  generate(request: MacRequest, use: KeyUse): Promise<{ readonly keyArn: string; readonly mac: Uint8Array }>;
  /** Resolves only where the MAC is right: ERR_KEYS_MAC_INVALID, ERR_KEYS_KEY_USAGE. */
  verify(request: MacRequest & { readonly mac: Uint8Array }, use: KeyUse): Promise<{ readonly keyArn: string }>;
}
