/** Keys, their states and their aliases. */
import { aliasArn, checkNewAlias, newKeyUuid, parseKeyReference } from './arn.ts';
import type { RequestFacts } from './access/request.ts';
import type { KeyUse } from './data-keys.ts';
import { describeAlias, describeKey } from './describe.ts';
import { KeysError } from './errors.ts';
import { checkTags, tagRecord } from './key-tags.ts';
import type { AliasDescription, CreateKeyRequest, KeyDescription } from './key-admin.ts';
import { kindOf } from './key-kinds.ts';
import { put, type KeyChanges } from './key-changes.ts';
import { assertKeyChangeable, type HeldKey, type KeyRing } from './key-ring.ts';
import type { KeyState } from './key-states.ts';
import { MAX_ALIASES_PER_KEY, MAX_DESCRIPTION_CHARS } from './limits.ts';
import { makeMaterial } from './material.ts';
import { checkKeyPolicy } from './key-policy.ts';
import { aliasRow, keyRow, materialRow, type AliasRecord, type KeyRecord } from './records.ts';
import type { RowChange } from './stores/key-database.ts';
import type { UseRecorder, UseTrace } from './use-recorder.ts';

export class KeyAdminService {
  readonly #changes: KeyChanges;
  readonly #ring: KeyRing;
  readonly #recorder: UseRecorder;

  constructor(changes: KeyChanges) {
    this.#changes = changes;
    this.#ring = changes.parts.ring;
    this.#recorder = changes.parts.recorder;
  }

  createKey(request: CreateKeyRequest, use: KeyUse): Promise<KeyDescription> {
    const { description = '', alias, tags = [], policy } = request;
    return this.#changes.make('CreateKey', use, (trace) => {
      checkDescription(description);
      checkTags(tags);
      if (alias !== undefined) {
        trace.detail = { alias };
        this.#assertFreeAlias(alias);
      }
      this.#recorder.authorize(trace, 'CreateKey', use, {}, createFacts(request));
      if (tags.length > 0) this.#recorder.authorize(trace, 'TagResource', use, {}, createFacts(request));
      if (policy !== undefined) checkKeyPolicy(policy, request, use, this.#changes.parts.ports.authorizer);
      return () => this.#create(request, trace);
    });
  }

  enableKey(keyId: string, use: KeyUse): Promise<KeyDescription> {
    return this.#setState(keyId, 'EnableKey', 'enabled', use);
  }

  disableKey(keyId: string, use: KeyUse): Promise<KeyDescription> {
    return this.#setState(keyId, 'DisableKey', 'disabled', use);
  }

  createAlias(request: { aliasName: string; keyId: string }, use: KeyUse): Promise<AliasDescription> {
    const { aliasName, keyId } = request;
    return this.#changes.make('CreateAlias', use, (trace) => {
      trace.detail = { alias: aliasName };
      this.#authorizeAlias('CreateAlias', aliasName, use, trace);
      const key = this.#changes.find(keyId, 'CreateAlias', use, trace);
      this.#assertFreeAlias(aliasName);
      assertKeyChangeable(key);
      if (this.#ring.aliasesOf(key.record.keyId).length >= MAX_ALIASES_PER_KEY)
        throw new KeysError('ERR_KEYS_LIMIT', `Aliases per key limit exceeded: ${MAX_ALIASES_PER_KEY}`);
      return () => this.#putAlias(aliasName, key);
    });
  }

  updateAlias(request: { aliasName: string; keyId: string }, use: KeyUse): Promise<AliasDescription> {
    const { aliasName, keyId } = request;
    return this.#changes.make('UpdateAlias', use, (trace) => {
      trace.detail = { alias: aliasName };
      const alias = this.#ring.alias(aliasName);
      this.#authorizeAlias('UpdateAlias', aliasName, use, trace);
      // Both keys, as AWS wants it: who may not touch the old one must not take its alias away.
      this.#changes.find(alias.keyId, 'UpdateAlias', use, trace);
      const key = this.#changes.find(keyId, 'UpdateAlias', use, trace);
      assertKeyChangeable(key);
      return () => this.#putAlias(aliasName, key, alias);
    });
  }

  deleteAlias(aliasName: string, use: KeyUse): Promise<void> {
    return this.#changes.make('DeleteAlias', use, (trace) => {
      trace.detail = { alias: aliasName };
      const alias = this.#ring.alias(aliasName);
      this.#authorizeAlias('DeleteAlias', aliasName, use, trace);
      this.#changes.find(alias.keyId, 'DeleteAlias', use, trace);
      return () => {
        this.#changes.commit([{ type: 'delete', table: 'aliases', id: aliasName }]);
        this.#ring.deleteAlias(aliasName);
      };
    });
  }

  /** An alias is a resource of its own: identity policies must allow the action on it, and on its keys besides. */
  #authorizeAlias(action: string, alias: string, use: KeyUse, trace: UseTrace): void {
    this.#recorder.authorizeAbout({ alias }, trace, action, use, {});
  }

  describeKey(keyId: string, use: KeyUse): Promise<KeyDescription> {
    return this.#recorder.record('DescribeKey', use, null, (trace) =>
      describeKey(this.#ring, this.#changes.find(keyId, 'DescribeKey', use, trace)),
    );
  }

  listKeys(use: KeyUse): Promise<readonly KeyDescription[]> {
    return this.#list('ListKeys', use, () => this.#ring.keys().map((key) => describeKey(this.#ring, key)));
  }

  listAliases(use: KeyUse): Promise<readonly AliasDescription[]> {
    return this.#list('ListAliases', use, () => this.#ring.aliases().map((alias) => describeAlias(this.#ring, alias)));
  }

  #list<Result>(action: string, use: KeyUse, list: () => Result): Promise<Result> {
    return this.#recorder.record(action, use, null, (trace) => {
      this.#recorder.authorize(trace, action, use, {});
      return list();
    });
  }

  #create(request: CreateKeyRequest, trace: UseTrace): KeyDescription {
    const { ports, vault } = this.#changes.parts;
    const createdAt = this.#changes.now();
    const keyId = newKeyUuid(ports.random);
    const { spec = 'SYMMETRIC_DEFAULT' } = request;
    const material = makeMaterial({ keyId, spec }, 1, { createdAt }, vault, ports.random);
    const record: KeyRecord = {
      keyId,
      spec,
      usage: kindOf(spec).usage,
      origin: 'AWS_KMS',
      description: request.description ?? '',
      state: 'enabled',
      stateSince: createdAt,
      currentMaterial: material.materialId,
      createdAt,
      policy: request.policy,
      tags: request.tags ?? [],
      deletionDate: undefined,
      rotation: undefined,
    };
    const { alias } = request;
    const aliases = alias === undefined ? [] : [{ aliasName: alias, keyId, createdAt, updatedAt: createdAt }];
    const changes: RowChange[] = [put('keys', keyRow(record)), put('materials', materialRow(material))];
    for (const each of aliases) changes.push(put('aliases', aliasRow(each)));
    this.#changes.commit(changes);
    const key = this.#changes.publish(record, [this.#changes.reread(material, spec)], trace);
    for (const each of aliases) this.#ring.putAlias(each);
    return describeKey(this.#ring, key);
  }

  #setState(keyId: string, action: string, state: KeyState, use: KeyUse): Promise<KeyDescription> {
    return this.#changes.make(action, use, (trace) => {
      const key = this.#changes.find(keyId, action, use, trace);
      assertKeyChangeable(key);
      return () => this.#applyState(key, state, trace);
    });
  }

  #applyState(key: HeldKey, state: KeyState, trace: UseTrace): KeyDescription {
    if (key.record.state === state) return describeKey(this.#ring, key);
    const changed = this.#changes.putRecord(key, { state, stateSince: this.#changes.now() }, trace);
    this.#changes.parts.cache.dropKey(changed.record.keyId);
    return describeKey(this.#ring, changed);
  }

  #putAlias(aliasName: string, key: HeldKey, old?: AliasRecord): AliasDescription {
    const now = this.#changes.now();
    const alias = { aliasName, keyId: key.record.keyId, createdAt: old?.createdAt ?? now, updatedAt: now };
    this.#changes.commit([put('aliases', aliasRow(alias))]);
    this.#ring.putAlias(alias);
    return describeAlias(this.#ring, alias);
  }

  #assertFreeAlias(aliasName: string): void {
    checkNewAlias(aliasName);
    parseKeyReference(aliasName, this.#ring.realm);
    if (this.#ring.hasAlias(aliasName)) {
      const arn = aliasArn(this.#ring.realm, aliasName);
      throw new KeysError('ERR_KEYS_ALIAS_EXISTS', `An alias with the name ${arn} already exists`);
    }
  }
}

/** Defaults count as given, as AWS has it. */
function createFacts({
  spec = 'SYMMETRIC_DEFAULT',
  tags = [],
  bypassLockoutCheck = false,
}: CreateKeyRequest): RequestFacts {
  return {
    parameters: {
      KeySpec: spec,
      KeyUsage: kindOf(spec).usage,
      KeyOrigin: 'AWS_KMS',
      MultiRegion: 'false',
      BypassPolicyLockoutSafetyCheck: String(bypassLockoutCheck),
    },
    ...(tags.length === 0 ? {} : { tags: tagRecord(tags) }),
  };
}

export function checkDescription(description: string): void {
  if (description.length > MAX_DESCRIPTION_CHARS || !description.isWellFormed()) {
    throw new KeysError(
      'ERR_KEYS_INVALID_REQUEST',
      `a description is well-formed text of at most ${MAX_DESCRIPTION_CHARS} characters`,
    );
  }
}
