/** Signatures by keys that never leave the key manager, as the KMS API has them. */
import type { KeyUse } from '../uses/data-keys.ts';
import type { DryRun } from '../uses/key-operations.ts';
import type { MessageType, SigningAlgorithm } from './signing-algorithms.ts';

export type SignatureRequest = {
  readonly keyId: string;
  /** 1 to 4096 bytes; of a digest as many as the algorithm's hash gives. */
  readonly message: Uint8Array;
  readonly messageType: MessageType;
  readonly algorithm: SigningAlgorithm;
} & DryRun;

/** Every method rejects with a KeysError, and is audited before it resolves. */
export interface KeySignatures {
  /** ERR_KEYS_KEY_USAGE where key and algorithm do not go together, ERR_KEYS_INVALID_REQUEST where algorithm and message do not. */
  sign(request: SignatureRequest, use: KeyUse): Promise<{ readonly keyArn: string; readonly signature: Uint8Array }>;
  /** Resolves only where the signature is right: ERR_KEYS_SIGNATURE_INVALID, and as `sign`. */
  verify(
    request: SignatureRequest & { readonly signature: Uint8Array },
    use: KeyUse,
  ): Promise<{ readonly keyArn: string }>;
}
