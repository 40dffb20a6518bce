/**
 * Multi-Region keys: a key made anew in another region, with the same id and the same material, and which of them decides what they
 * share. Both are one change of the store: a crash leaves all of it or nothing.
 */
import { assertNoAlias, keyArn } from '../arn.ts';
import type { KeyUse } from '../uses/data-keys.ts';
import { deleteGrant } from '../access/grants/grant-rows.ts';
import { describeKey } from '../admin/describe.ts';
import { KeysError } from '../errors.ts';
import { awaitedMaterial } from '../import/import-plan.ts';
import { put, type KeyChanges } from '../admin/key-changes.ts';
import { checkDescription } from '../admin/key-creation.ts';
import { checkKeyPolicy } from '../admin/key-policy.ts';
import { assertKeyUsable, type HeldKey, type KeyRing } from '../key-ring.ts';
import { checkTags, tagRecord } from '../admin/key-tags.ts';
import { keyRow, materialRow, type KeyRecord, type MaterialRecord } from '../records.ts';
import type { UseTrace } from '../uses/use-recorder.ts';
import type { MultiRegionKeys, Replicated, ReplicateRequest } from './multi-region.ts';
import { notPrimary } from './primary.ts';
import type { RowRegion } from './row-names.ts';

export class MultiRegionService implements MultiRegionKeys {
  readonly #changes: KeyChanges;
  /** Of the other regions, by name; undefined: not served here. */
  readonly #changesIn: (region: string) => KeyChanges | undefined;

  constructor(changes: KeyChanges, changesIn: (region: string) => KeyChanges | undefined) {
    this.#changes = changes;
    this.#changesIn = changesIn;
  }

  replicate(request: ReplicateRequest, use: KeyUse): Promise<Replicated> {
    const { keyId, replicaRegion } = request;
    return this.#changes.make('ReplicateKey', use, (trace) => {
      const facts = { parameters: { ReplicaRegion: replicaRegion } };
      const key = this.#primary('ReplicateKey', keyId, use, trace, facts);
      trace.detail = { replicaRegion };
      assertKeyUsable(key);
      const there = this.#served(key, replicaRegion);
      asking(trace, (asked) => this.#checkReplica(key, request, use, there, asked));
      return async () => {
        const replica = this.#replicate(key, request, there);
        // As AWS's trail has it: one record in each region.
        const made = {
          key: replica,
          material: replica.current,
          decision: trace.decision,
          detail: { primary: key.arn },
        };
        await there.parts.recorder.write('CreateKey', use, null, made, 'success');
        const { defaultKeyPolicy, ring } = there.parts;
        const { policy = defaultKeyPolicy, tags } = replica.record;
        return { key: describeKey(ring, replica), policy, tags };
      };
    });
  }

  updatePrimaryRegion({ keyId, primaryRegion }: { keyId: string; primaryRegion: string }, use: KeyUse): Promise<void> {
    return this.#changes.make('UpdatePrimaryRegion', use, (trace) => {
      const facts = { parameters: { PrimaryRegion: primaryRegion } };
      const key = this.#primary('UpdatePrimaryRegion', keyId, use, trace, facts);
      trace.detail = { primaryRegion };
      const there = this.#served(key, primaryRegion);
      const replica = asking(trace, (asked) => there.find(key.record.keyId, 'UpdatePrimaryRegion', use, asked, facts));
      if (replica === key) throw unsupported(`${key.arn} is in the Region ${primaryRegion} already.`);
      assertKeyUsable(key);
      assertKeyUsable(replica);
      return () => this.#exchange(key, replica, there.parts.ring, trace);
    });
  }

  #primary(
    action: string,
    keyId: string,
    use: KeyUse,
    trace: UseTrace,
    facts: Parameters<KeyChanges['find']>[4],
  ): HeldKey {
    assertNoAlias(keyId, this.#changes.parts.ring.realm);
    const key = this.#changes.find(keyId, action, use, trace, facts);
    if (key.record.multiRegion === 'primary') return key;
    throw notPrimary(key);
  }

  /** ERR_KEYS_UNSUPPORTED. */
  #served({ arn }: HeldKey, region: string): KeyChanges {
    const there = this.#changesIn(region);
    if (there !== undefined) return there;
    throw unsupported(`The Region ${region} is not served here (keys.otherRegions), which ${arn} was to be in.`);
  }

  /** What making a key there would be checked for: the same permissions, and the same limits. */
  #checkReplica(
    { record }: HeldKey,
    request: ReplicateRequest,
    use: KeyUse,
    { parts }: KeyChanges,
    asked: UseTrace,
  ): void {
    const { description = '', tags = [], policy, bypassLockoutCheck = false } = request;
    checkDescription(description);
    checkTags(tags);
    const facts = {
      parameters: {
        ...{ KeySpec: record.spec, KeyUsage: record.usage, KeyOrigin: record.origin },
        ...{ MultiRegion: 'true', MultiRegionKeyType: 'REPLICA' },
        BypassPolicyLockoutSafetyCheck: String(bypassLockoutCheck),
      },
      ...(tags.length === 0 ? {} : { tags: tagRecord(tags) }),
    };
    parts.recorder.authorize(asked, 'CreateKey', use, {}, facts);
    if (tags.length > 0) parts.recorder.authorize(asked, 'TagResource', use, {}, facts);
    if (policy !== undefined) checkKeyPolicy(policy, request, use, parts.ports.authorizer);
    assertNoneThere(record, parts.ring);
  }

  #replicate(key: HeldKey, request: ReplicateRequest, { parts: { ring, grants } }: KeyChanges): HeldKey {
    const { region } = ring;
    const { tags = [], policy } = request;
    const now = this.#changes.now();
    const record: KeyRecord = {
      ...key.record,
      region,
      multiRegion: 'replica',
      description: request.description ?? '',
      state: 'enabled',
      stateSince: now,
      createdAt: now,
      policy,
      tags,
    };
    const materials = [...key.materials.values()].map((each) => replicaMaterial(each.record, record, region));
    // Deleting a key deletes its grants: were one still here, it would be of nobody's making.
    const left = grants.list({ by: 'key', keyId: record.keyId, after: undefined, limit: -1 });
    // What a key of this id and region, which was deleted, has left is written over: the audit log has it still.
    this.#changes.commit([
      ...left.map(deleteGrant),
      put('keys', keyRow(record)),
      ...materials.map((each) => put('materials', materialRow(each))),
    ]);
    const held = materials.map((each) => this.#changes.reread(each, record));
    for (const grant of left) grants.changed(grant);
    ring.putKey(record, held);
    return ring.byId(record.keyId);
  }

  #exchange(key: HeldKey, replica: HeldKey, there: KeyRing, trace: UseTrace): void {
    const old = { ...key.record, multiRegion: 'replica' } as const;
    const next = { ...replica.record, multiRegion: 'primary' } as const;
    this.#changes.commit([put('keys', keyRow(old)), put('keys', keyRow(next))]);
    there.putKey(next, [...replica.materials.values()]);
    this.#changes.publish(old, [...key.materials.values()], trace);
  }
}

/** Of another key, or in another region: where that is what refuses, the record of the change says so. */
function asking<Result>(trace: UseTrace, ask: (asked: UseTrace) => Result): Result {
  const asked: UseTrace = {};
  try {
    return ask(asked);
  } catch (error) {
    trace.decision = asked.decision ?? trace.decision;
    trace.key = asked.key ?? trace.key;
    throw error;
  }
}

/** Imported bytes are never copied: their importer brings them to each region. */
function replicaMaterial(material: MaterialRecord, { origin }: KeyRecord, region: RowRegion): MaterialRecord {
  return origin === 'EXTERNAL' ? awaitedMaterial(material, region) : { ...material, region };
}

function assertNoneThere({ keyId }: KeyRecord, ring: KeyRing): void {
  if (ring.held(keyId) === undefined) return;
  throw new KeysError('ERR_KEYS_REPLICA_EXISTS', `${keyArn(ring.realm, keyId)} already exists.`);
}

function unsupported(message: string): KeysError {
  return new KeysError('ERR_KEYS_UNSUPPORTED', message);
}
