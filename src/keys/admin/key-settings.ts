/** What is kept of a key beside its materials: description, tags, policy; and lists, page by page. For the KMS edge. */
import type { KeyUse } from '../uses/data-keys.ts';
import type { AliasDescription, KeyDescription } from './key-admin.ts';
import type { LastUse } from '../uses/last-uses.ts';
import type { Tag } from '../records.ts';

/** At most `limit` items, and whether there are more. */
export type Page<Item> = { readonly items: readonly Item[]; readonly more: boolean };
/** `after`: the last name of the page before (a key id, an alias name, a tag name). */
export type PageRequest = { readonly after: string | undefined; readonly limit: number };

export type KeyUsageDescription = {
  readonly keyId: string;
  readonly createdAt: string;
  /** From when on uses are known. */
  readonly trackedSince: string;
  readonly lastUse: LastUse | undefined;
};

/**
 * Every method rejects with a KeysError and resolves only after the change is durable and its audit record is written. `keyId` is
 * a key id or key ARN: here an alias names nothing (ERR_KEYS_INVALID_ID).
 */
export interface KeySettings {
  updateDescription(request: { keyId: string; description: string }, use: KeyUse): Promise<void>;
  /** A tag of the same name gets the new value. ERR_KEYS_TAG, ERR_KEYS_LIMIT. */
  tagKey(request: { keyId: string; tags: readonly Tag[] }, use: KeyUse): Promise<void>;
  /** Names that are not there are no error. */
  untagKey(request: { keyId: string; names: readonly string[] }, use: KeyUse): Promise<void>;
  listTags(request: { keyId: string } & PageRequest, use: KeyUse): Promise<Page<Tag>>;
  getPolicy(keyId: string, use: KeyUse): Promise<string>;
  /** In force before this resolves. ERR_KEYS_POLICY_MALFORMED, ERR_KEYS_POLICY_LOCKOUT, ERR_KEYS_LIMIT. */
  putPolicy(request: { keyId: string; policy: string; bypassLockoutCheck?: boolean }, use: KeyUse): Promise<void>;
  /** That the key has a policy, which is always so. */
  checkPolicies(keyId: string, use: KeyUse): Promise<void>;
  lastUsage(keyId: string, use: KeyUse): Promise<KeyUsageDescription>;
  keyPage(request: PageRequest, use: KeyUse): Promise<Page<Pick<KeyDescription, 'keyId' | 'arn'>>>;
  /** Of one key where `keyId` is given. */
  aliasPage(request: PageRequest & { keyId?: string | undefined }, use: KeyUse): Promise<Page<AliasDescription>>;
}
