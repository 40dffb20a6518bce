/** What is asked of a key manager elsewhere: the four actions that data keys need, whoever speaks them over the wire. */
import type { EncryptionContext } from '../../envelope/encryption-context.ts';

/** A key as its key manager describes it. */
export type RemoteKeyDescription = {
  readonly arn: string;
  /** In the words of AWS KMS: `Enabled`, `SYMMETRIC_DEFAULT`. */
  readonly state: string;
  readonly spec: string;
};

/** `plaintext` is the caller's to zero. */
export type RemotePlaintext = { readonly plaintext: Uint8Array; readonly keyArn: string };

/**
 * Each rejects with a KeysError: what the other end says of key, ciphertext or caller under the code it has here,
 * ERR_KEYS_REMOTE_UNAVAILABLE where there is no answer, ERR_KEYS_REMOTE_REFUSED where it does not know us, ERR_KEYS_REMOTE_PROTOCOL for
 * an answer that is none.
 */
export interface RemoteKms {
  /** A fresh key of 32 bytes, and the same wrapped: at most 6144 bytes that only the other end can read. */
  generateDataKey(request: {
    readonly keyId: string;
    readonly context: EncryptionContext;
  }): Promise<RemotePlaintext & { readonly wrapped: Uint8Array }>;
  decrypt(request: {
    readonly wrapped: Uint8Array;
    readonly context: EncryptionContext;
    readonly keyId?: string;
  }): Promise<RemotePlaintext>;
  reEncrypt(request: {
    readonly wrapped: Uint8Array;
    readonly sourceContext: EncryptionContext;
    readonly destinationKeyId: string;
    readonly destinationContext: EncryptionContext;
  }): Promise<{ readonly wrapped: Uint8Array; readonly keyArn: string; readonly sourceKeyArn: string }>;
  describeKey(keyId: string): Promise<RemoteKeyDescription>;
  close(): Promise<void>;
}
