/** A rotation gives a key new current material, and all its related keys the same, in one change: what one of them makes, each opens. */
import { pendingRotation, rotatedTo } from '../import/imported-rotation.ts';
import { put, type KeyChanges } from '../admin/key-changes.ts';
import { currentOf, type HeldKey, type HeldMaterial } from '../key-ring.ts';
import { makeMaterial } from '../material.ts';
import { keyRow, materialRow, type KeyRecord, type MaterialRecord, type RotationType } from '../records.ts';
import type { RelatedKey } from '../regions/key-regions.ts';
import type { UseTrace } from '../uses/use-recorder.ts';
import { retiredMaterial } from './material-ends.ts';

export type Rotation = {
  readonly rotation: RotationType;
  /** A principal's ARN. */
  readonly by: string;
  /** To what was imported for it, in every region. */
  readonly toImported: boolean;
  /** Besides, of the keys' records. */
  readonly changes?: Partial<Pick<KeyRecord, 'rotation'>>;
};

type Rotated = RelatedKey & {
  readonly record: KeyRecord;
  readonly retired: MaterialRecord;
  readonly next: MaterialRecord;
  readonly kept: readonly HeldMaterial[];
};

/** ERR_KEYS_INVALID_STATE where one of them lacks what it is to be rotated to. */
export function rotateRelated(changes: KeyChanges, key: HeldKey, rotation: Rotation, trace: UseTrace): HeldKey {
  const rotated = planRelated(changes, key, rotation);
  changes.commit(
    rotated.flatMap(({ record, retired, next }) => [
      put('materials', materialRow(retired)),
      put('materials', materialRow(next)),
      put('keys', keyRow(record)),
    ]),
  );
  // Each is opened and tried before the first is used.
  const reread = rotated.map((each) => ({
    ...each,
    materials: [...each.kept, ...[each.retired, each.next].map((material) => changes.reread(material, each.record))],
  }));
  for (const { ring, record, materials } of reread) ring.putKey(record, materials);
  return changes.published(key.record.keyId, trace);
}

function planRelated(changes: KeyChanges, key: HeldKey, { rotation, by, toImported, ...rest }: Rotation): Rotated[] {
  const { ports, vault } = changes.parts;
  const at = changes.now();
  const made = { createdAt: at, rotation, by };
  const version = currentOf(key).record.version + 1;
  let fresh: MaterialRecord | undefined;
  return changes.related(key).map((related) => {
    const { record: own, materials } = related.key;
    const old = currentOf(related.key);
    const pending = toImported ? pendingRotation(related.key, changes.nowMs()) : undefined;
    const next =
      pending === undefined
        ? { ...(fresh ??= makeMaterial(key.record, version, made, vault, ports.random)), region: own.region }
        : rotatedTo(pending, { rotation, by }, at);
    return {
      ...related,
      next,
      record: { ...own, ...rest.changes, currentMaterial: next.materialId },
      retired: retiredMaterial(old.record, { at, by, reason: 'rotated' }),
      kept: [...materials.values()].filter((material) => material !== old && material !== pending),
    };
  });
}
