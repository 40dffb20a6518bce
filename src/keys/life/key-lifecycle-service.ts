/** Rotation and deletion, as callers ask for them; when their time comes is `due-work.ts`. A rotation destroys nothing: old materials keep opening what they wrapped. */
import type { RequestFacts } from '../access/request.ts';
import { assertNoAlias } from '../arn.ts';
import type { KeyUse } from '../uses/data-keys.ts';
import { KeysError } from '../errors.ts';
import { describeKey } from '../admin/describe.ts';
import { belongs, isWaiting } from '../import/availability.ts';
import { describeImport, pendingRotation } from '../import/imported-rotation.ts';
import { isImported } from '../import/availability.ts';
import type { KeyDescription } from '../admin/key-admin.ts';
import type { KeyChanges } from '../admin/key-changes.ts';
import type { KeyLifecycle, RotationDescription, RotationStatus, ScheduledDeletion } from './key-lifecycle.ts';
import {
  assertKeyChangeable,
  assertKeySwitchable,
  assertKeyUsable,
  type HeldKey,
  type HeldMaterial,
  type KeyRing,
} from '../key-ring.ts';
import type { Page, PageRequest } from '../admin/key-settings.ts';
import {
  DAY_MS,
  MAX_DELETION_WINDOW_DAYS,
  MAX_ON_DEMAND_ROTATIONS,
  MAX_ROTATION_DAYS,
  MIN_DELETION_WINDOW_DAYS,
  MIN_ROTATION_DAYS,
  ROTATION_CONFLICT_MS,
} from '../limits.ts';
import type { KeyRecord } from '../records.ts';
import { assertPrimary } from '../regions/primary.ts';
import { rotateRelated } from './rotate-related.ts';
import type { UseTrace } from '../uses/use-recorder.ts';

export class KeyLifecycleService implements KeyLifecycle {
  readonly #changes: KeyChanges;
  readonly #ring: KeyRing;

  constructor(changes: KeyChanges) {
    this.#changes = changes;
    this.#ring = changes.parts.ring;
  }

  scheduleDeletion({ keyId, days }: { keyId: string; days: number }, use: KeyUse): Promise<ScheduledDeletion> {
    const facts = { parameters: { ScheduleKeyDeletionPendingWindowInDays: String(days) } };
    return this.#change('ScheduleKeyDeletion', keyId, use, facts, (key, trace) => {
      assertWithin(days, MIN_DELETION_WINDOW_DAYS, MAX_DELETION_WINDOW_DAYS, 'waiting period');
      assertKeyChangeable(key);
      const waiting = this.#waiting(key, days);
      const { deletionDate } = waiting;
      trace.detail = deletionDate === undefined ? { afterReplicasDays: days } : { deletionDate };
      return () => {
        this.#changes.putRecord(key, { ...waiting, stateSince: this.#changes.now() }, trace);
        this.#changes.parts.cache.dropKey(key.record.keyId);
        return { arn: key.arn, state: waiting.state, deletionDate };
      };
    });
  }

  cancelDeletion(keyId: string, use: KeyUse): Promise<{ arn: string }> {
    return this.#change('CancelKeyDeletion', keyId, use, {}, (key, trace) => {
      if (!isPendingDeletion(key)) throw new KeysError('ERR_KEYS_INVALID_STATE', `${key.arn} is not pending deletion.`);
      return () => {
        const stateSince = this.#changes.now();
        const stays = { state: 'disabled', stateSince, deletionDate: undefined, deletionDays: undefined } as const;
        this.#changes.putRecord(key, stays, trace);
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
      assertPrimary(key);
      assertKeyUsable(key);
      const rotation = { periodDays, nextAt: this.#inDays(periodDays) };
      return () => this.#changes.putShared(key, { rotation }, trace);
    });
  }

  disableRotation(keyId: string, use: KeyUse): Promise<void> {
    return this.#change('DisableKeyRotation', keyId, use, {}, (key, trace) => {
      assertRotates(key);
      assertOurs(key);
      assertPrimary(key);
      assertKeyUsable(key);
      return () => this.#changes.putShared(key, { rotation: undefined }, trace);
    });
  }

  rotationStatus(keyId: string, use: KeyUse): Promise<RotationStatus> {
    return this.#look('GetKeyRotationStatus', keyId, use, (key) => {
      const { record } = key;
      // While it is pending deletion nothing is rotated; should that be cancelled, the schedule is as it was.
      const rotation = isPendingDeletion(key) ? undefined : record.rotation;
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
    assertPrimary(key);
    // A compromised material is what a new one is for, and until there is one the key counts as disabled.
    if (key.current?.record.state === 'compromised') assertKeySwitchable(key);
    else assertKeyUsable(key);
    this.#assertMayRotate(key);
    const toImported = key.record.origin === 'EXTERNAL';
    if (toImported)
      for (const related of this.#changes.related(key)) pendingRotation(related.key, this.#changes.nowMs());
    const rotation = { rotation: 'on-demand', by: use.principal, toImported } as const;
    return () => describeKey(this.#ring, rotateRelated(this.#changes, key, rotation, trace));
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
        items: page.map((material) => this.#describeRotation(key, material)),
        more: from + request.limit < listed.length,
      };
    });
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

  /** A primary key outlives its replicas: its waiting period begins when the last of them is gone. */
  #waiting(key: HeldKey, days: number): Pick<KeyRecord, 'deletionDate' | 'deletionDays'> & Pending {
    const isAwaited = key.record.multiRegion === 'primary' && this.#changes.related(key).length > 1;
    return isAwaited
      ? { state: 'pending-replica-deletion', deletionDate: undefined, deletionDays: days }
      : { state: 'pending-deletion', deletionDate: this.#inDays(days), deletionDays: undefined };
  }

  #describeRotation(key: HeldKey, material: HeldMaterial): RotationDescription {
    const now = this.#changes.nowMs();
    const { multiRegion } = key.record;
    const replicas = multiRegion === undefined ? [] : this.#ring.related(key.record.keyId);
    const isImportedHere = isImported(material, now);
    // A replica shows its own; the primary, whether all have it.
    const lacks = replicas.some(({ materials }) => !hasImported(materials, material.name, now));
    const isAwaited = multiRegion === 'replica' ? !isImportedHere : lacks;
    return describeRotation(key, material, isAwaited, now);
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

type Pending = { readonly state: 'pending-deletion' | 'pending-replica-deletion' };

const isPendingDeletion = ({ record: { state } }: HeldKey): boolean =>
  state === 'pending-deletion' || state === 'pending-replica-deletion';

const hasImported = (materials: HeldKey['materials'], name: string, now: number): boolean =>
  [...materials.values()].some((material) => material.name === name && isImported(material, now));

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

function describeRotation(key: HeldKey, material: HeldMaterial, isAwaited: boolean, now: number): RotationDescription {
  const { version, createdAt, rotation, rotatedAt } = material.record;
  const isPending = isWaiting(material);
  const wasRotatedTo = version > 1 && belongs(material);
  return {
    materialId: material.name,
    state: isPending
      ? isAwaited
        ? 'pending-import-and-rotation'
        : 'pending-rotation'
      : material === key.current
        ? 'current'
        : 'non-current',
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
