/** Whose log it is: the store's, by its id and the keys derived from its root. */
import type { KeyObject } from 'node:crypto';

export type AuditIdentity = {
  readonly storeId: Uint8Array;
  /** Authenticates records and heads. */
  readonly key: KeyObject;
  /** Ed25519: signs checkpoints. */
  readonly signer: KeyObject;
};

type Owner = {
  readonly storeId: Uint8Array;
  readonly keys: { readonly audit: KeyObject; readonly checkpoint: KeyObject };
};

export function auditIdentity({ storeId, keys }: Owner): AuditIdentity {
  return { storeId, key: keys.audit, signer: keys.checkpoint };
}
