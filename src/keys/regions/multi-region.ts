/** Keys in several regions: for the KMS edge. */
import type { KeyUse } from '../uses/data-keys.ts';
import type { KeyDescription } from '../admin/key-admin.ts';
import type { Tag } from '../records.ts';

export type ReplicateRequest = {
  readonly keyId: string;
  readonly replicaRegion: string;
  readonly description?: string;
  readonly tags?: readonly Tag[];
  /** Of the replica; without it the default one, whatever the primary key's is. */
  readonly policy?: string;
  readonly bypassLockoutCheck?: boolean;
};

/** `policy`: the document that is in force. */
export type Replicated = { readonly key: KeyDescription; readonly policy: string; readonly tags: readonly Tag[] };

/** Every method rejects with a KeysError. `keyId` is a key id or key ARN: here an alias names nothing (ERR_KEYS_INVALID_ID). */
export interface MultiRegionKeys {
  /**
   * The key in another region that this process serves, enabled (or pending import, where the material is imported) when this resolves.
   * Errors besides: ERR_KEYS_UNSUPPORTED (no primary key; a region that is not served), ERR_KEYS_REPLICA_EXISTS.
   */
  replicate(request: ReplicateRequest, use: KeyUse): Promise<Replicated>;
  /** The replica of that region is the primary key from now on, and this one a replica. */
  updatePrimaryRegion(request: { keyId: string; primaryRegion: string }, use: KeyUse): Promise<void>;
}
