/**
 * Administration of KMS keys: what commands (and later the KMS edge and the console) ask of the key manager.
 *
 * Every method rejects with a KeysError and resolves only after the change is durable and its audit record is written.
 * `keyId` is a key id, key ARN, alias name (`alias/x`) or alias ARN.
 */
import type { KeyUse } from '../uses/data-keys.ts';
import type { KeySpec, KeyUsage } from '../key-kinds.ts';
import type { KeyState, MaterialState } from '../life/key-states.ts';
import type { MaterialTransition } from '../life/material-history.ts';
import type { KeyManagement } from '../managed/management.ts';
import type { KeyOrigin, MultiRegionType, Tag } from '../records.ts';

export type MaterialDescription = {
  /** 64 hex digits. */
  readonly materialId: string;
  readonly version: number;
  readonly state: MaterialState;
  /** ISO 8601, as all times here. */
  readonly createdAt: string;
  /** Compromised, and opens what it protected all the same. */
  readonly stillOpens: boolean;
  /** Every state it had, oldest first. */
  readonly history: readonly MaterialTransition[];
};

export type KeyDescription = {
  readonly keyId: string;
  readonly arn: string;
  /** Disabled also where the current material is suspended or compromised. */
  readonly state: KeyState;
  readonly enabled: boolean;
  readonly description: string;
  readonly spec: KeySpec;
  readonly usage: KeyUsage;
  readonly origin: KeyOrigin;
  readonly createdAt: string;
  readonly aliases: readonly string[];
  readonly management: KeyManagement;
  /** Undefined: its first material is to be imported. */
  readonly currentMaterialId: string | undefined;
  /** Oldest first. */
  readonly materials: readonly MaterialDescription[];
  /** Only while pending deletion: when it is destroyed. */
  readonly deletionDate: string | undefined;
  /** Only while pending the deletion of its replicas: how many days after that. */
  readonly deletionDays: number | undefined;
  /** Undefined: of its region alone. */
  readonly multiRegion: MultiRegionDescription | undefined;
  /** Of imported material; undefined: there is none. */
  readonly expiration: KeyExpiration | undefined;
};

/** The keys of one id, in several regions. */
export type MultiRegionDescription = {
  readonly type: MultiRegionType;
  readonly primary: RegionalKeyName;
  readonly replicas: readonly RegionalKeyName[];
};
export type RegionalKeyName = { readonly arn: string; readonly region: string };

/** When imported material ends, the earliest first. */
export type KeyExpiration = { readonly type: 'never' } | { readonly type: 'at'; readonly validTo: string };

export type CreateKeyRequest = {
  /** SYMMETRIC_DEFAULT unless told. */
  readonly spec?: KeySpec;
  /** Has to be said where the spec has more than one. */
  readonly usage?: KeyUsage;
  /** AWS_KMS unless told; EXTERNAL: without material, which is to be imported. */
  readonly origin?: KeyOrigin;
  /** It can be replicated into other regions, and cannot be made so later. */
  readonly multiRegion?: boolean;
  readonly description?: string;
  readonly alias?: string;
  readonly tags?: readonly Tag[];
  /** A key policy document; without it the default one. */
  readonly policy?: string;
  /** Take a policy under which its caller could never put another. */
  readonly bypassLockoutCheck?: boolean;
};

export type AliasDescription = {
  readonly aliasName: string;
  readonly aliasArn: string;
  /** These three are undefined where it is one of ours, whose key is made on first use. */
  readonly targetKeyId: string | undefined;
  readonly createdAt: string | undefined;
  readonly updatedAt: string | undefined;
};

export type BackupRequest = {
  /** Where the backup is written; must not exist. */
  readonly path: string;
  /** Further ways to open the backup, besides the store's own unseal slots. */
  readonly passphraseFile?: string;
  readonly keyFile?: string;
};
export type BackupSummary = {
  readonly path: string;
  readonly bytes: number;
  readonly epoch: number;
  readonly keys: number;
  readonly materials: number;
};

export interface KeyAdmin {
  createKey(request: CreateKeyRequest, use: KeyUse): Promise<KeyDescription>;
  describeKey(keyId: string, use: KeyUse): Promise<KeyDescription>;
  listKeys(use: KeyUse): Promise<readonly KeyDescription[]>;
  /** New material becomes current; the old ones still open what they wrapped. At most 25 times a key: ERR_KEYS_LIMIT. */
  rotateKey(keyId: string, use: KeyUse): Promise<KeyDescription>;
  enableKey(keyId: string, use: KeyUse): Promise<KeyDescription>;
  /** In effect, cached DEKs included, before this resolves. */
  disableKey(keyId: string, use: KeyUse): Promise<KeyDescription>;
  createAlias(request: { aliasName: string; keyId: string }, use: KeyUse): Promise<AliasDescription>;
  updateAlias(request: { aliasName: string; keyId: string }, use: KeyUse): Promise<AliasDescription>;
  deleteAlias(aliasName: string, use: KeyUse): Promise<void>;
  listAliases(use: KeyUse): Promise<readonly AliasDescription[]>;
  backup(request: BackupRequest, use: KeyUse): Promise<BackupSummary>;
}
