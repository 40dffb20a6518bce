/** States of materials, changed by an operator: held back, taken back into use, ended, or known to be compromised. */
import type { KeyUse } from '../uses/data-keys.ts';
import type { KeyDescription } from '../admin/key-admin.ts';

export type MaterialChange = {
  readonly keyId: string;
  /** Its id, or its version in digits; the current one unless told. */
  readonly material?: string | undefined;
  /** Goes into the material's history and the audit log. */
  readonly reason: string;
};

/**
 * Every method rejects with a KeysError and resolves only after the change is durable, its audit record is written, and what it forbids
 * does not happen any more, cached DEKs included. A transition that SP 800-57 does not know is ERR_KEYS_INVALID_STATE.
 */
export interface KeyMaterials {
  /** Neither protects nor processes until it is reactivated. */
  suspend(change: MaterialChange, use: KeyUse): Promise<KeyDescription>;
  /** At most 100 times a material: ERR_KEYS_LIMIT. */
  reactivate(change: MaterialChange, use: KeyUse): Promise<KeyDescription>;
  /** Protects nothing any more, and goes on opening. For ever. */
  deactivate(change: MaterialChange, use: KeyUse): Promise<KeyDescription>;
  /** For ever. What it protected opens no more, unless `stillOpens`: that may be said, and taken back, at any time. */
  markCompromised(change: MaterialChange & { readonly stillOpens: boolean }, use: KeyUse): Promise<KeyDescription>;
}
