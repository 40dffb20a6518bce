/**
 * Uses of keys on bytes, as the KMS API has them: up to 4096 bytes, plaintexts of any length. Rooms of ours use `DataKeys`, whose
 * DEKs never leave a KeyObject.
 */
import type { EncryptionContext } from '../../envelope/encryption-context.ts';
import type { KeyUse } from './data-keys.ts';
import type { DataKeyPairSpec, EncryptionAlgorithm } from '../key-kinds.ts';

/** Which key did it, and of a symmetric one which material. */
export type KeyUsed = { readonly keyArn: string; /** 64 hex digits. */ readonly materialId: string | undefined };

/** Asks whether the request would succeed, and ends with ERR_KEYS_DRY_RUN if so. */
export type DryRun = { readonly dryRun?: boolean | undefined };

/** SYMMETRIC_DEFAULT unless told. Under RSA there is no context, a plaintext has few hundred bytes, and a ciphertext names no key. */
type Algorithm = { readonly algorithm?: EncryptionAlgorithm | undefined };

/** What is opened: a ciphertext, by the key it names or by the one that is given. Undefined: only permission is asked (dry run). */
export type CiphertextSource = {
  readonly ciphertext: Uint8Array | undefined;
  readonly keyId: string | undefined;
  readonly context: EncryptionContext;
} & Algorithm;

/** What something is encrypted under. */
export type EncryptionDestination = { readonly keyId: string; readonly context: EncryptionContext } & Algorithm;

/** A pair for use outside. */
export type DataKeyPairRequest = {
  readonly keyId: string;
  readonly spec: DataKeyPairSpec;
  readonly context: EncryptionContext;
} & DryRun;
/** SubjectPublicKeyInfo, and the private key (PKCS #8), wrapped: both in DER. */
export type DataKeyPair = KeyUsed & { readonly publicKey: Uint8Array; readonly ciphertext: Uint8Array };

/** The caller owns and zeroes what it gives and gets. Every method rejects with a KeysError, and is audited before it resolves. */
export interface KeyOperations {
  encrypt(
    request: EncryptionDestination & { readonly plaintext: Uint8Array } & DryRun,
    use: KeyUse,
  ): Promise<KeyUsed & { readonly ciphertext: Uint8Array }>;
  decrypt(request: CiphertextSource & DryRun, use: KeyUse): Promise<KeyUsed & { readonly plaintext: Uint8Array }>;
  reEncrypt(
    request: { readonly source: CiphertextSource; readonly destination: EncryptionDestination } & DryRun,
    use: KeyUse,
  ): Promise<{ readonly source: KeyUsed; readonly destination: KeyUsed; readonly ciphertext: Uint8Array }>;
  generateDataKey(
    request: { keyId: string; bytes: number; context: EncryptionContext } & DryRun,
    use: KeyUse,
  ): Promise<KeyUsed & { readonly plaintext: Uint8Array; readonly ciphertext: Uint8Array }>;
  generateDataKeyWithoutPlaintext(
    request: { keyId: string; bytes: number; context: EncryptionContext } & DryRun,
    use: KeyUse,
  ): Promise<KeyUsed & { readonly ciphertext: Uint8Array }>;
  generateDataKeyPair(
    request: DataKeyPairRequest,
    use: KeyUse,
  ): Promise<DataKeyPair & { readonly privateKey: Uint8Array }>;
  generateDataKeyPairWithoutPlaintext(request: DataKeyPairRequest, use: KeyUse): Promise<DataKeyPair>;
  generateRandom(bytes: number, use: KeyUse): Promise<Uint8Array>;
}
