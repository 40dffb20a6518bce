/**
 * Rotation and deletion. Nothing is destroyed by time but what a caller has scheduled, and a rotation destroys nothing: old
 * materials keep opening what they wrapped.
 */
import { deleteGrant } from '../access/grants/grant-rows.ts';
import type { RequestFacts } from '../access/request.ts';
import { assertNoAlias } from '../arn.ts';
import type { KeyUse } from '../data-keys.ts';
import { KeysError } from '../errors.ts';
import { describeKey } from '../describe.ts';
import { belongs } from '../import/availability.ts';
import { removeExpired } from '../import/expired-materials.ts';
import { describeImport, pendingRotation, rotatedTo } from '../import/imported-rotation.ts';
import type { KeyDescription } from '../key-admin.ts';
import { put, type KeyChanges } from '../key-changes.ts';
import type { DueWork, KeyLifecycle, RotationDescription, RotationStatus } from './key-lifecycle.ts';
import {
  assertKeyChangeable,
  assertKeySwitchable,
  assertKeyUsable,
  currentOf,
  type HeldKey,
  type HeldMaterial,
  type KeyRing,
} from '../key-ring.ts';
import type { Page, PageRequest } from '../key-settings.ts';
import type { LastUses } from '../last-uses.ts';
import {
  DAY_MS,
  MAX_DELETION_WINDOW_DAYS,
  MAX_ON_DEMAND_ROTATIONS,
  MAX_ROTATION_DAYS,
  MIN_DELETION_WINDOW_DAYS,
  MIN_ROTATION_DAYS,
  ROTATION_CONFLICT_MS,
} from '../limits.ts';
import { makeMaterial } from '../material.ts';
import { destroyedMaterial, retiredMaterial } from './material-ends.ts';
import { keyRow, materialRow, type KeyRecord, type RotationType } from '../records.ts';
import type { RowChange } from '../stores/key-database.ts';
import { SCHEDULE, scheduledChange } from './scheduled-change.ts';
import type { UseTrace } from '../use-recorder.ts';

export class KeyLifecycleService implements KeyLifecycle {
  readonly #changes: KeyChanges;
  readonly #ring: KeyRing;
  readonly #lastUses: LastUses;

  constructor(changes: KeyChanges, lastUses: LastUses) {
    this.#changes = changes;
    this.#ring = changes.parts.ring;
    this.#lastUses = lastUses;
  }

  scheduleDeletion(
    { keyId, days }: { keyId: string; days: number },
    use: KeyUse,
  ): Promise<{ arn: string; deletionDate: string }> {
    const facts = { parameters: { ScheduleKeyDeletionPendingWindowInDays: String(days) } };
    return this.#change('ScheduleKeyDeletion', keyId, use, facts, (key, trace) => {
      assertWithin(days, MIN_DELETION_WINDOW_DAYS, MAX_DELETION_WINDOW_DAYS, 'waiting period');
      assertKeyChangeable(key);
      const deletionDate = this.#inDays(days);
      trace.detail = { deletionDate };
      return () => {
        const stateSince = this.#changes.now();
        this.#changes.putRecord(key, { state: 'pending-deletion', stateSince, deletionDate }, trace);
        this.#changes.parts.cache.dropKey(key.record.keyId);
        return { arn: key.arn, deletionDate };
      };
    });
  }

  cancelDeletion(keyId: string, use: KeyUse): Promise<{ arn: string }> {
    return this.#change('CancelKeyDeletion', keyId, use, {}, (key, trace) => {
      if (key.record.state !== 'pending-deletion')
        throw new KeysError('ERR_KEYS_INVALID_STATE', `${key.arn} is not pending deletion.`);
      return () => {
        const stateSince = this.#changes.now();
        this.#changes.putRecord(key, { state: 'disabled', stateSince, deletionDate: undefined }, trace);
        return { arn: key.arn };
      };
    });
  }

  enableRotation({ keyId, periodDays }: { keyId: string; periodDays: number }, use: KeyUse): Promise<void> {
    const facts = { parameters: { RotationPeriodInDays: String(periodDays) } };
    return this.#change('EnableKeyRotation', keyId, use, facts, (key, trace) => {
      assertWithin(periodDays, MIN_ROTATION_DAYS, MAX_ROTATION_DAYS, 'rotation period');
      assertRotates(key);
      assertOurs(key);
      assertKeyUsable(key);
      const rotation = { periodDays, nextAt: this.#inDays(periodDays) };
      return () => void this.#changes.putRecord(key, { rotation }, trace);
    });
  }

  disableRotation(keyId: string, use: KeyUse): Promise<void> {
    return this.#change('DisableKeyRotation', keyId, use, {}, (key, trace) => {
      assertRotates(key);
      assertOurs(key);
      assertKeyUsable(key);
      return () => void this.#changes.putRecord(key, { rotation: undefined }, trace);
    });
  }

  rotationStatus(keyId: string, use: KeyUse): Promise<RotationStatus> {
    return this.#look('GetKeyRotationStatus', keyId, use, ({ record }) => {
      // While it is pending deletion nothing is rotated; should that be cancelled, the schedule is as it was.
      const rotation = record.state === 'pending-deletion' ? undefined : record.rotation;
      const { periodDays, nextAt } = rotation ?? { periodDays: undefined, nextAt: undefined };
      return { keyId: record.keyId, enabled: rotation !== undefined, periodDays, nextAt };
    });
  }

  rotateOnDemand(keyId: string, use: KeyUse): Promise<{ keyId: string }> {
    return this.#change('RotateKeyOnDemand', keyId, use, {}, (key, trace) => this.#planRotation(key, use, trace));
  }

  /** For people, who name keys by their aliases. */
  rotateKey(keyId: string, use: KeyUse): Promise<KeyDescription> {
    return this.#changes.make('RotateKeyOnDemand', use, (trace) =>
      this.#planRotation(this.#changes.find(keyId, 'RotateKeyOnDemand', use, trace), use, trace),
    );
  }

  #planRotation(key: HeldKey, use: KeyUse, trace: UseTrace): () => KeyDescription {
    assertRotates(key);
    // A compromised material is what a new one is for, and until there is one the key counts as disabled.
    if (key.current?.record.state === 'compromised') assertKeySwitchable(key);
    else assertKeyUsable(key);
    this.#assertMayRotate(key);
    const { origin } = key.record;
    const pending = origin === 'EXTERNAL' ? pendingRotation(key, this.#changes.nowMs()) : undefined;
    const made = { rotation: 'on-demand', by: use.principal } as const;
    return () => describeKey(this.#ring, this.#rotate(key, made, {}, trace, pending));
  }

  rotations(
    request: { keyId: string; all: boolean } & PageRequest,
    use: KeyUse,
  ): Promise<Page<RotationDescription> & { keyId: string }> {
    return this.#look('ListKeyRotations', request.keyId, use, (key) => {
      assertRotates(key);
      const materials = [...key.materials.values()].sort((a, b) => a.record.version - b.record.version);
      const listed = request.all
        ? materials
        : materials.filter(({ record }) => record.version > 1 && belongs({ record }));
      const from = listed.findIndex(({ name }) => name === request.after) + 1;
      const page = listed.slice(from, from + request.limit);
      return {
        keyId: key.record.keyId,
        items: page.map((material) => describeRotation(key, material, this.#changes.nowMs())),
        more: from + request.limit < listed.length,
      };
    });
  }

  async runDue({ destroy }: { readonly destroy: boolean }): Promise<DueWork> {
    const now = this.#changes.now();
    const rotated: string[] = [];
    const destroyed: string[] = [];
    for (const key of this.#ring.keys()) {
      const { record, arn } = key;
      const { keyId, state, rotation, deletionDate } = record;
      if (key.state() === 'enabled' && rotation !== undefined && rotation.nextAt <= now) {
        if (await this.#rotateDue(keyId, now)) rotated.push(arn);
      } else if (destroy && state === 'pending-deletion' && deletionDate !== undefined && deletionDate <= now) {
        if (await this.#destroyDue(keyId, now)) destroyed.push(arn);
      }
    }
    const expired = destroy ? await removeExpired(this.#changes, now) : [];
    return { rotated, destroyed, expired };
  }

  /** False where it is no longer due: another change was made before this one's turn. */
  #rotateDue(keyId: string, now: string): Promise<boolean> {
    return scheduledChange(this.#changes, 'RotateKey', keyId, (key, trace) => {
      const { rotation } = key.record;
      if (key.state() !== 'enabled' || rotation === undefined || rotation.nextAt > now) return undefined;
      const next = { periodDays: rotation.periodDays, nextAt: this.#inDays(rotation.periodDays) };
      const made = { rotation: 'automatic', by: SCHEDULE.principal } as const;
      return () => void this.#rotate(key, made, { rotation: next }, trace);
    });
  }

  #destroyDue(keyId: string, now: string): Promise<boolean> {
    return scheduledChange(this.#changes, 'DeleteKey', keyId, (key, trace) => {
      const { state, deletionDate } = key.record;
      if (state !== 'pending-deletion' || deletionDate === undefined || deletionDate > now) return undefined;
      trace.detail = { deletionDate, materials: key.materials.size };
      return () => this.#destroy(key);
    });
  }

  /** To `pending`, which was imported, or to new material. */
  #rotate(
    key: HeldKey,
    how: { readonly rotation: RotationType; readonly by: string },
    changes: Partial<KeyRecord>,
    trace: UseTrace,
    pending?: HeldMaterial,
  ): HeldKey {
    const { ports, vault } = this.#changes.parts;
    const now = this.#changes.now();
    const old = currentOf(key);
    const made = { createdAt: now, ...how };
    const next =
      pending === undefined
        ? makeMaterial(key.record, old.record.version + 1, made, vault, ports.random)
        : rotatedTo(pending, how, now);
    const retired = retiredMaterial(old.record, { at: now, by: how.by, reason: 'rotated' });
    const record: KeyRecord = { ...key.record, ...changes, currentMaterial: next.materialId };
    this.#changes.commit([
      put('materials', materialRow(retired)),
      put('materials', materialRow(next)),
      put('keys', keyRow(record)),
    ]);
    const others = [...key.materials.values()].filter((material) => material !== old && material !== pending);
    const materials = [...others, ...[retired, next].map((each) => this.#changes.reread(each, record))];
    return this.#changes.publish(record, materials, trace);
  }

  /** For ever: the materials' bytes are overwritten in the store, the key and its aliases are found no more. */
  #destroy(key: HeldKey): void {
    const { cache, database, grants } = this.#changes.parts;
    const { keyId } = key.record;
    const given = grants.list({ by: 'key', keyId, after: undefined, limit: -1 });
    const now = this.#changes.now();
    const aliases = this.#ring.aliasesOf(keyId);
    const changes: RowChange[] = aliases.map((id) => ({ type: 'delete', table: 'aliases', id }));
    for (const grant of given) changes.push(deleteGrant(grant));
    for (const { record } of key.materials.values())
      changes.push(
        put(
          'materials',
          materialRow(destroyedMaterial(record, { at: now, by: SCHEDULE.principal, reason: 'deleted' })),
        ),
      );
    changes.push(put('keys', keyRow({ ...key.record, state: 'deleted', stateSince: now, rotation: undefined })));
    this.#changes.commit(changes);
    for (const alias of aliases) this.#ring.deleteAlias(alias);
    this.#ring.deleteKey(keyId);
    for (const grant of given) grants.changed(grant);
    this.#lastUses.forget(keyId);
    cache.dropKey(keyId);
    database.scrub();
  }

  #assertMayRotate({ arn, materials, record }: HeldKey): void {
    const made = [...materials.values()].filter((material) => material.record.rotation === 'on-demand').length;
    if (made >= MAX_ON_DEMAND_ROTATIONS) {
      throw new KeysError(
        'ERR_KEYS_LIMIT',
        `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${arn}`,
      );
    }
    const dueMs = record.rotation === undefined ? Infinity : Date.parse(record.rotation.nextAt);
    const remainingMs = dueMs - this.#changes.nowMs();
    // One that is overdue waits for an owner that runs for long: it is no reason to refuse.
    if (remainingMs > 0 && remainingMs < ROTATION_CONFLICT_MS)
      throw new KeysError('ERR_KEYS_CONFLICT', `The automatic rotation of ${arn} is due within 20 minutes.`);
  }

  #inDays(days: number): string {
    return new Date(this.#changes.nowMs() + days * DAY_MS).toISOString();
  }

  #change<Result>(
    action: string,
    keyId: string,
    use: KeyUse,
    facts: RequestFacts,
    plan: (key: HeldKey, trace: UseTrace) => () => Result,
  ): Promise<Result> {
    return this.#changes.make(action, use, (trace) => {
      assertNoAlias(keyId, this.#ring.realm);
      return plan(this.#changes.find(keyId, action, use, trace, facts), trace);
    });
  }

  #look<Result>(action: string, keyId: string, use: KeyUse, look: (key: HeldKey) => Result): Promise<Result> {
    return this.#changes.parts.recorder.record(action, use, null, (trace) => {
      assertNoAlias(keyId, this.#ring.realm);
      return look(this.#changes.find(keyId, action, use, trace));
    });
  }
}

/** What other keys have made names no material: with a new one it could not be opened or verified. */
function assertRotates({ arn, record }: HeldKey): void {
  if (record.spec === 'SYMMETRIC_DEFAULT') return;
  throw new KeysError('ERR_KEYS_UNSUPPORTED', `${arn} is ${record.spec}: only symmetric encryption keys are rotated.`);
}

/** What is imported is rotated by its importer alone. */
function assertOurs({ arn, record }: HeldKey): void {
  const { origin } = record;
  if (origin === 'AWS_KMS') return;
  throw new KeysError('ERR_KEYS_UNSUPPORTED', `${arn} origin is ${origin} which is not valid for this operation.`);
}

function describeRotation(key: HeldKey, material: HeldMaterial, now: number): RotationDescription {
  const { version, createdAt, rotation, rotatedAt } = material.record;
  const isPending = !belongs(material);
  const wasRotatedTo = version > 1 && !isPending;
  return {
    materialId: material.name,
    state: isPending ? 'pending-rotation' : material === key.current ? 'current' : 'non-current',
    rotatedAt: wasRotatedTo ? (rotatedAt ?? createdAt) : undefined,
    // Before schema version 2 the type was not kept, and there was only one.
    type: wasRotatedTo ? (rotation ?? 'on-demand') : undefined,
    imported: key.record.origin === 'EXTERNAL' ? describeImport(material, now) : undefined,
  };
}

function assertWithin(days: number, min: number, max: number, what: string): void {
  if (!Number.isInteger(days) || days < min || days > max)
    throw new KeysError('ERR_KEYS_INVALID_REQUEST', `a ${what} is ${min} to ${max} days`);
}
