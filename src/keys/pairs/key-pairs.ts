/** What keys that are pairs give besides signatures and ciphertexts. */
import type { KeyUse } from '../uses/data-keys.ts';
import type { KeyOrigin } from '../records.ts';
import type { KeySpec, KeyUsage } from '../key-kinds.ts';
import type { DryRun } from '../uses/key-operations.ts';

export type PublicKeyDescription = {
  readonly keyArn: string;
  readonly spec: KeySpec;
  readonly usage: KeyUsage;
  /** SubjectPublicKeyInfo in DER (RFC 5280). */
  readonly publicKey: Uint8Array;
};

export type AgreementRequest = {
  readonly keyId: string;
  /** The other side's, SubjectPublicKeyInfo in DER, of the same curve. */
  readonly publicKey: Uint8Array;
} & DryRun;

/** What makes a secret by ML-KEM, or gives it back. */
export type EncapsulationRequest = { readonly keyId: string } & DryRun;

/** Every method rejects with a KeysError, and is audited before it resolves. */
export interface KeyPairs {
  /** ERR_KEYS_UNSUPPORTED for keys that have no public half. */
  publicKey(keyId: string, use: KeyUse): Promise<PublicKeyDescription>;
  /** ECDH: the x coordinate of the shared point, which the caller zeroes. ERR_KEYS_INVALID_REQUEST where there is no such public key. */
  deriveSharedSecret(
    request: AgreementRequest,
    use: KeyUse,
  ): Promise<{ readonly keyArn: string; readonly origin: KeyOrigin; readonly secret: Uint8Array }>;
  /** ML-KEM: a new secret, which the caller zeroes, and what opens to it. */
  encapsulate(
    request: EncapsulationRequest,
    use: KeyUse,
  ): Promise<{ readonly keyArn: string; readonly secret: Uint8Array; readonly ciphertext: Uint8Array }>;
  /**
   * The secret of a ciphertext, which the caller zeroes. ERR_KEYS_CIPHERTEXT_INVALID for one of another length; any other gives a secret,
   * nobody's where the ciphertext was changed or is of another key (FIPS 203, implicit rejection).
   */
  decapsulate(
    request: EncapsulationRequest & { readonly ciphertext: Uint8Array },
    use: KeyUse,
  ): Promise<{ readonly keyArn: string; readonly secret: Uint8Array }>;
}
