/**
 * What the S3 gateway and the Postgres proxy ask of the key manager: the contract between rooms, implemented in process by
 * `KeyManager` and later from afar over the KMS API.
 */
import type { Dek, ServiceKey } from '../../crypto/key-types.ts';
import type { EncryptionContext } from '../../envelope/encryption-context.ts';
import type { RequestFacts } from '../access/request.ts';

/** On whose behalf a key is used; authorisation and audit look at it on every use, cached DEK or not. */
export type KeyUse = {
  /** The caller evaluated: an S3 access key's or Postgres role's principal, as an ARN. */
  readonly principal: string;
  readonly via: 'cli' | 'kms' | 's3' | 'postgres';
  /** What the key is used for, e.g. `s3://bucket/key` or `database.schema.table.column`. Never a value. */
  readonly resource: string;
  /** What the request says that key policies may look at; an edge that knows nothing more leaves it out. */
  readonly request?: RequestFacts;
  /** Of the request, as its answer names it; goes into the audit record. */
  readonly requestId?: string;
  /** Of an edge that sees to it that each request is on record: set by the first record of it. */
  readonly recorded?: { isSo: boolean };
};

export type DataKey = { readonly dek: Dek; readonly keyArn: string };
export type WrappedDataKey = DataKey & { readonly wrapped: Uint8Array };

export type DecryptRequest = {
  readonly wrapped: Uint8Array;
  readonly context: EncryptionContext;
  readonly keyId?: string;
};

/** What `decryptNow` takes. */
export type DecryptUse = { readonly request: DecryptRequest; readonly use: KeyUse };

/** A wrapped DEK that a database holds, kept a second time in the key store so that a dropped schema strands no data. */
export type EscrowRecord = {
  /** 16 random bytes, never reused. */
  readonly dekId: Uint8Array;
  /** Which database owns it: its stable id. */
  readonly owner: string;
  readonly wrapped: Uint8Array;
  readonly context: EncryptionContext;
};

/**
 * Every method rejects with a KeysError (`src/keys/errors.ts`) and resolves only after the audit record of the use is
 * written. `keyId` is a key id, key ARN, alias name (`alias/x`) or alias ARN.
 */
export interface DataKeys {
  /** A fresh 32-byte DEK, and the same wrapped under the key's current material. */
  generateDataKey(request: { keyId: string; context: EncryptionContext }, use: KeyUse): Promise<WrappedDataKey>;
  /** Opens a wrapped DEK; `keyId`, where given, must be the key that wrapped it. Served from the DEK cache where possible. */
  decrypt(request: DecryptRequest, use: KeyUse): Promise<DataKey>;
  /**
   * `decrypt` without waiting: for a DEK that was opened before with a (frozen) `context` and is still cached, where
   * the caller may and the record of the use can be written at once. Undefined: nothing was used or recorded, and `decrypt` says more.
   * Throws ERR_KEYS_AUDIT_UNAVAILABLE, ERR_KEYS_CLOSED.
   */
  decryptNow(request: DecryptRequest, use: KeyUse): DataKey | undefined;
  /**
   * The uses of one statement: each decided and recorded as `decryptNow` would, in order, their records in one write. Undefined for each that
   * `decryptNow` would give nothing for. Throws as it does, where no record was written and no key was used.
   */
  decryptEachNow(asked: readonly DecryptUse[]): readonly (DataKey | undefined)[];
  /**
   * For what lies unsealed where this key would have sealed it: who might open it may read it. Decided as a `decrypt` of the key, and
   * recorded as ReadUnsealed; no key is used. Resolves with the key's ARN.
   */
  readUnsealed(request: { keyId: string; context: EncryptionContext }, use: KeyUse): Promise<string>;
  /** Unwraps and wraps again under another key or context; the DEK does not leave the key manager. */
  reEncrypt(
    request: {
      wrapped: Uint8Array;
      sourceContext: EncryptionContext;
      destinationKeyId: string;
      destinationContext: EncryptionContext;
    },
    use: KeyUse,
  ): Promise<{ wrapped: Uint8Array; keyArn: string }>;
  /** The ARN of an enabled symmetric key, for checks at start; rejects as `generateDataKey` would. */
  resolveKey(keyId: string): Promise<string>;
  /**
   * A key for one purpose of ours (`s3-upload-token`), the same on every replica over this store; `keyArn`: the owned key that gave it.
   * Without `epoch` the current one, to seal with; an epoch that is not known rejects.
   */
  serviceKey(
    purpose: string,
    epoch?: number,
  ): Promise<{ readonly epoch: number; readonly key: ServiceKey; readonly keyArn?: string | undefined }>;
  /** Durable before it resolves; the same record twice is no error, another record under the same id is. */
  escrow(record: EscrowRecord, use: KeyUse): Promise<void>;
  escrowed(owner: string): Promise<readonly EscrowRecord[]>;
}
