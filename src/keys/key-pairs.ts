/** What keys that are pairs give besides signatures and ciphertexts. */
import type { KeyUse } from './data-keys.ts';
import type { KeySpec, KeyUsage } from './key-kinds.ts';

export type PublicKeyDescription = {
  readonly keyArn: string;
  readonly spec: KeySpec;
  readonly usage: KeyUsage;
  /** SubjectPublicKeyInfo in DER (RFC 5280). */
  readonly publicKey: Uint8Array;
};

/** Every method rejects with a KeysError, and is audited before it resolves. */
export interface KeyPairs {
  /** ERR_KEYS_UNSUPPORTED for keys that have no public half. */
  publicKey(keyId: string, use: KeyUse): Promise<PublicKeyDescription>;
}
