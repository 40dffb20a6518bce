/** Descriptions, tags, policies and lists of keys. */
import type { RequestFacts } from '../access/request.ts';
import { assertNoAlias } from '../arn.ts';
import type { KeyUse } from '../uses/data-keys.ts';
import { describeAlias } from './describe.ts';
import { KeysError } from '../errors.ts';
import type { AliasDescription } from './key-admin.ts';
import { checkDescription } from './key-creation.ts';
import type { KeyChanges } from './key-changes.ts';
import { checkKeyPolicy } from './key-policy.ts';
import { assertKeyChangeable, type HeldKey, type KeyRing } from '../key-ring.ts';
import type { KeySettings, KeyUsageDescription, Page, PageRequest } from './key-settings.ts';
import { checkTagNames, checkTags, mergeTags, tagRecord } from './key-tags.ts';
import type { LastUses } from '../uses/last-uses.ts';
import { withUnmadeAliases } from '../managed/predefined-aliases.ts';
import { policyOf } from '../managed/managed-key-policy.ts';
import { MAX_TAGS_PER_KEY } from '../limits.ts';
import type { KeyRecord, Tag } from '../records.ts';
import type { UseRecorder, UseTrace } from '../uses/use-recorder.ts';

export class KeySettingsService implements KeySettings {
  readonly #changes: KeyChanges;
  readonly #ring: KeyRing;
  readonly #recorder: UseRecorder;
  readonly #lastUses: LastUses;

  constructor(changes: KeyChanges, lastUses: LastUses) {
    this.#changes = changes;
    this.#ring = changes.parts.ring;
    this.#recorder = changes.parts.recorder;
    this.#lastUses = lastUses;
  }

  updateDescription({ keyId, description }: { keyId: string; description: string }, use: KeyUse): Promise<void> {
    return this.#change('UpdateKeyDescription', keyId, use, {}, (key) => {
      checkDescription(description);
      assertKeyChangeable(key);
      return { description };
    });
  }

  tagKey({ keyId, tags }: { keyId: string; tags: readonly Tag[] }, use: KeyUse): Promise<void> {
    return this.#change('TagResource', keyId, use, { tags: tagRecord(tags) }, (key) => {
      checkTags(tags);
      assertKeyChangeable(key);
      const merged = mergeTags(key.record.tags, tags);
      if (merged.length > MAX_TAGS_PER_KEY) throw new KeysError('ERR_KEYS_TAG', 'Too many tags');
      return { tags: merged };
    });
  }

  untagKey({ keyId, names }: { keyId: string; names: readonly string[] }, use: KeyUse): Promise<void> {
    return this.#change('UntagResource', keyId, use, { tagKeys: names }, (key) => {
      checkTagNames(names);
      assertKeyChangeable(key);
      return { tags: key.record.tags.filter(({ key: name }) => !names.includes(name)) };
    });
  }

  putPolicy(request: { keyId: string; policy: string; bypassLockoutCheck?: boolean }, use: KeyUse): Promise<void> {
    const { keyId, policy, bypassLockoutCheck = false } = request;
    const facts = { parameters: { BypassPolicyLockoutSafetyCheck: String(bypassLockoutCheck) } };
    return this.#change('PutKeyPolicy', keyId, use, facts, (key) => {
      checkKeyPolicy(policy, request, use, this.#changes.parts.ports.authorizer, this.#recorder.facts(key));
      return { policy };
    });
  }

  getPolicy(keyId: string, use: KeyUse): Promise<string> {
    const { defaultKeyPolicy } = this.#changes.parts;
    return this.#look(
      'GetKeyPolicy',
      keyId,
      use,
      ({ record }) => policyOf(record, this.#ring.realm) ?? defaultKeyPolicy,
    );
  }

  checkPolicies(keyId: string, use: KeyUse): Promise<void> {
    return this.#look('ListKeyPolicies', keyId, use, () => undefined);
  }

  listTags(request: { keyId: string } & PageRequest, use: KeyUse): Promise<Page<Tag>> {
    return this.#look('ListResourceTags', request.keyId, use, ({ record }) => {
      const sorted = record.tags.toSorted((a, b) => (a.key < b.key ? -1 : 1));
      return pageOf(sorted, ({ key }) => key, request);
    });
  }

  lastUsage(keyId: string, use: KeyUse): Promise<KeyUsageDescription> {
    return this.#look('GetKeyLastUsage', keyId, use, ({ record }) => {
      const { createdAt } = record;
      const { since } = this.#lastUses;
      const trackedSince = createdAt > since ? createdAt : since;
      return { keyId: record.keyId, createdAt, trackedSince, lastUse: this.#lastUses.of(record.keyId) };
    });
  }

  keyPage({ after, limit }: PageRequest, use: KeyUse): Promise<Page<{ keyId: string; arn: string }>> {
    return this.#list('ListKeys', use, () => {
      const found = this.#ring.keyPage(after, limit + 1).map(({ record, arn }) => ({ keyId: record.keyId, arn }));
      return { items: found.slice(0, limit), more: found.length > limit };
    });
  }

  aliasPage(request: PageRequest & { keyId?: string | undefined }, use: KeyUse): Promise<Page<AliasDescription>> {
    const { keyId, after, limit } = request;
    return this.#list('ListAliases', use, () => {
      if (keyId !== undefined) return this.#aliasesOf(keyId, request);
      const made = this.#ring.aliasPage(after, limit + 1).map((alias) => describeAlias(this.#ring, alias));
      return pageOf(withUnmadeAliases(this.#ring, made), ({ aliasName }) => aliasName, request);
    });
  }

  #aliasesOf(keyId: string, request: PageRequest): Page<AliasDescription> {
    assertNoAlias(keyId, this.#ring.realm);
    const names = this.#ring.aliasesOf(this.#ring.find(keyId).record.keyId);
    const { items, more } = pageOf(names, (name) => name, request);
    return { items: items.map((name) => describeAlias(this.#ring, this.#ring.alias(name))), more };
  }

  #change(
    action: string,
    keyId: string,
    use: KeyUse,
    facts: RequestFacts,
    plan: (key: HeldKey) => Partial<KeyRecord>,
  ): Promise<void> {
    return this.#changes.make(action, use, (trace) => {
      assertNoAlias(keyId, this.#ring.realm);
      const key = this.#changes.find(keyId, action, use, trace, facts);
      const changed = plan(key);
      return () => void this.#changes.putRecord(key, changed, trace);
    });
  }

  #look<Result>(action: string, keyId: string, use: KeyUse, look: (key: HeldKey) => Result): Promise<Result> {
    return this.#recorder.record(action, use, null, (trace: UseTrace) => {
      assertNoAlias(keyId, this.#ring.realm);
      return look(this.#changes.find(keyId, action, use, trace));
    });
  }

  #list<Result>(action: string, use: KeyUse, list: () => Result): Promise<Result> {
    return this.#recorder.record(action, use, null, (trace) => {
      this.#recorder.authorize(trace, action, use, {});
      return list();
    });
  }
}

/** The items whose names come after `after`; they are sorted by name. */
function pageOf<Item>(
  items: readonly Item[],
  nameOf: (item: Item) => string,
  { after, limit }: PageRequest,
): Page<Item> {
  const rest = after === undefined ? items : items.filter((item) => nameOf(item) > after);
  return { items: rest.slice(0, limit), more: rest.length > limit };
}
