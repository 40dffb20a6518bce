/** What the importer let end (ValidTo) is deleted when its time has come; it is of no use from that instant on, deleted or not. */
import type { KeyChanges } from '../admin/key-changes.ts';
import type { HeldKey, HeldMaterial } from '../key-ring.ts';
import type { MaterialRecord } from '../records.ts';
import { scheduledChange } from '../life/scheduled-change.ts';
import { removeMaterial } from './remove-material.ts';

/** False where it has been imported anew, or deleted, before this change's turn. */
export function removeExpired(changes: KeyChanges, { record }: HeldKey, name: string, now: string): Promise<boolean> {
  // As AWS's trail names it.
  return scheduledChange(changes, 'DeleteExpiredKeyMaterial', record.keyId, (key, trace) => {
    const material = expiredMaterials(key, now).find((each) => each.name === name);
    if (material === undefined) return undefined;
    trace.material = material;
    trace.detail = { validTo: material.record.validTo ?? '' };
    return () => removeMaterial(changes, key, material, trace);
  });
}

export function expiredMaterials({ materials, record }: HeldKey, now: string): readonly HeldMaterial[] {
  if (record.origin === 'AWS_KMS') return [];
  // Asked for last: its secret is opened and tried by that.
  return [...materials.values()].filter(
    (material) => hasEnded(material.record, now) && material.secret.type !== 'absent',
  );
}

function hasEnded({ validTo }: MaterialRecord, now: string): boolean {
  return validTo !== undefined && validTo <= now;
}
