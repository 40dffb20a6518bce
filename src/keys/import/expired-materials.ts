/** What the importer let end (ValidTo) is deleted when its time has come; it is of no use from that instant on, deleted or not. */
import type { KeyChanges } from '../key-changes.ts';
import type { HeldKey, HeldMaterial } from '../key-ring.ts';
import { scheduledChange } from '../life/scheduled-change.ts';
import { removeMaterial } from './remove-material.ts';

/** Key ARNs, of which material was deleted. */
export async function removeExpired(changes: KeyChanges, now: string): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const key of changes.parts.ring.keys()) {
    for (const { name } of expired(key, now)) if (await removeOne(changes, key, name, now)) removed.push(key.arn);
  }
  return removed;
}

/** False where it has been imported anew, or deleted, before this change's turn. */
function removeOne(changes: KeyChanges, { record }: HeldKey, name: string, now: string): Promise<boolean> {
  // As AWS's trail names it.
  return scheduledChange(changes, 'DeleteExpiredKeyMaterial', record.keyId, (key, trace) => {
    const material = expired(key, now).find((each) => each.name === name);
    if (material === undefined) return undefined;
    trace.material = material;
    trace.detail = { validTo: material.record.validTo ?? '' };
    return () => removeMaterial(changes, key, material, trace);
  });
}

function expired({ materials, record }: HeldKey, now: string): readonly HeldMaterial[] {
  if (record.origin === 'AWS_KMS') return [];
  return [...materials.values()].filter(
    ({ secret, record: { validTo } }) => secret.type !== 'absent' && validTo !== undefined && validTo <= now,
  );
}
