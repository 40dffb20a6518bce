/** Import of key material: for the KMS edge. */
import type { KeyUse } from '../uses/data-keys.ts';
import type { WrappingAlgorithm, WrappingKeySpec } from './wrapping.ts';

export type ParametersRequest = {
  readonly keyId: string;
  readonly algorithm: WrappingAlgorithm;
  readonly wrappingSpec: WrappingKeySpec;
};

export type ImportParameters = {
  readonly keyArn: string;
  readonly token: Uint8Array;
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array;
  /** ISO 8601. */
  readonly validTo: string;
};

/** `new`: the key has it not yet; `existing`: it had it before. */
export type ImportType = 'new' | 'existing';

export type ImportRequest = {
  readonly keyId: string;
  readonly token: Uint8Array;
  readonly wrapped: Uint8Array;
  /** When the material ends, in milliseconds since 1970; undefined: never. */
  readonly validTo: number | undefined;
  /** `new` unless told for a key's first material, `existing` for all others. */
  readonly type?: ImportType | undefined;
  readonly description?: string | undefined;
  /** Of the material, 64 hex digits: what it has to be. */
  readonly materialId?: string | undefined;
};

/**
 * Every method rejects with a KeysError. `keyId` is a key id or key ARN: here an alias names nothing (ERR_KEYS_INVALID_ID). The key's origin
 * must be EXTERNAL (ERR_KEYS_UNSUPPORTED).
 */
export interface KeyImport {
  /** A wrapping key for 24 hours, and the token that goes with it. Nothing is stored. */
  parameters(request: ParametersRequest, use: KeyUse): Promise<ImportParameters>;
  /**
   * Resolves once the material is durable, read back and tried. Errors besides: ERR_KEYS_IMPORT_TOKEN, ERR_KEYS_IMPORT_TOKEN_EXPIRED,
   * ERR_KEYS_CIPHERTEXT_INVALID (it does not unwrap), ERR_KEYS_INCORRECT_MATERIAL.
   */
  importMaterial(request: ImportRequest, use: KeyUse): Promise<{ keyArn: string; materialId: string }>;
  /** The current material unless told; cached DEKs are dropped and its bytes overwritten before this resolves. ERR_KEYS_NOT_FOUND. */
  deleteMaterial(
    request: { keyId: string; materialId?: string | undefined },
    use: KeyUse,
  ): Promise<{ keyArn: string; materialId: string | undefined }>;
}
