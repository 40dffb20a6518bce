/**
 * What the time has come for: rotations, the end of keys whose waiting period is over, and of imported material. Nothing is destroyed by
 * time but what a caller has scheduled. What fails of one key keeps no other waiting.
 */
import { expiredMaterials, removeExpired } from '../import/expired-materials.ts';
import type { KeyChanges } from '../admin/key-changes.ts';
import type { HeldKey } from '../key-ring.ts';
import type { LastUses } from '../uses/last-uses.ts';
import { DAY_MS } from '../limits.ts';
import { destroyKey } from './destroy-key.ts';
import type { LifeGuard } from './guard/life-guard.ts';
import type { DueWork } from './key-lifecycle.ts';
import { rotateRelated } from './rotate-related.ts';
import { SCHEDULE, scheduledChange } from './scheduled-change.ts';

/** After so many keys that were looked at, which takes a millisecond at most, uses of keys get their turn: there may be 100,000. */
const KEYS_AT_ONCE = 256;

type Done = 'rotated' | 'destroyed' | 'expired';

export class KeyDueWork {
  readonly #changes: KeyChanges;
  readonly #lastUses: LastUses;
  readonly #life: LifeGuard;

  constructor(changes: KeyChanges, lastUses: LastUses) {
    this.#changes = changes;
    this.#lastUses = lastUses;
    this.#life = changes.parts.recorder.life;
  }

  async run({ destroy }: { readonly destroy: boolean }): Promise<DueWork> {
    const { ring } = this.#changes.parts;
    const now = this.#changes.now();
    const done: Record<Done, string[]> = { rotated: [], destroyed: [], expired: [] };
    const failed: { key: string; error: unknown }[] = [];
    const attempt = async (key: HeldKey, as: Done, work: Promise<boolean>): Promise<void> => {
      try {
        if (await work) done[as].push(key.arn);
      } catch (error) {
        failed.push({ key: key.arn, error });
      }
    };
    let looks = 0;
    for (const key of ring.everyKey()) {
      if ((looks += 1) % KEYS_AT_ONCE === 0) await new Promise(setImmediate);
      if (isRotationDue(key, now)) await attempt(key, 'rotated', this.#rotateDue(key.record.keyId, now));
      else if (this.#life.rotationDue(key) !== undefined)
        await attempt(key, 'rotated', this.rotateEnded(key.record.keyId));
      else if (destroy && isDestructionDue(key, now))
        await attempt(key, 'destroyed', this.#destroyDue(key.record.keyId, now));
    }
    if (destroy) {
      for (const key of ring.keys()) {
        if ((looks += 1) % KEYS_AT_ONCE === 0) await new Promise(setImmediate);
        for (const { name } of expiredMaterials(key, now))
          await attempt(key, 'expired', removeExpired(this.#changes, key, name, now));
      }
    }
    return { ...done, failed };
  }

  /** False where it is no longer due: another change was made before this one's turn. */
  #rotateDue(keyId: string, now: string): Promise<boolean> {
    return scheduledChange(this.#changes, 'RotateKey', keyId, (key, trace) => {
      const { rotation } = key.record;
      if (rotation === undefined || !isRotationDue(key, now)) return undefined;
      const nextAt = new Date(this.#changes.nowMs() + rotation.periodDays * DAY_MS).toISOString();
      const changes = { rotation: { periodDays: rotation.periodDays, nextAt } };
      const made = { rotation: 'automatic', by: SCHEDULE.principal, toImported: false, changes } as const;
      return () => void rotateRelated(this.#changes, key, made, trace);
    });
  }

  /** Because a period or limit of the current material is over, and the key's profile has it so. False: it is not, any more. */
  rotateEnded(keyId: string, bytes = 0): Promise<boolean> {
    return scheduledChange(this.#changes, 'RotateKey', keyId, (key, trace) => {
      const end = this.#life.rotationDue(key, bytes);
      if (end === undefined) return undefined;
      trace.decision = { allow: true, why: end.reason };
      trace.detail = end.facts;
      const made = { rotation: 'automatic', by: SCHEDULE.principal, toImported: false } as const;
      return () => void rotateRelated(this.#changes, key, made, trace);
    });
  }

  #destroyDue(keyId: string, now: string): Promise<boolean> {
    return scheduledChange(this.#changes, 'DeleteKey', keyId, (key, trace) => {
      const { deletionDate } = key.record;
      if (!isDestructionDue(key, now)) return undefined;
      trace.detail = { deletionDate: deletionDate ?? '', materials: key.materials.size };
      return () => destroyKey(this.#changes, this.#lastUses, key);
    });
  }
}

/** Replicas are rotated with their primary. */
function isRotationDue(key: HeldKey, now: string): boolean {
  const { rotation, multiRegion } = key.record;
  return rotation !== undefined && rotation.nextAt <= now && multiRegion !== 'replica' && key.state() === 'enabled';
}

function isDestructionDue({ record: { state, deletionDate } }: HeldKey, now: string): boolean {
  return state === 'pending-deletion' && deletionDate !== undefined && deletionDate <= now;
}
