/** The end of imported material: its bytes are overwritten, its record stays, so that the same material can come again. */
import { deleteMaterial, put, type KeyChanges } from '../admin/key-changes.ts';
import { holdMaterial, type HeldKey, type HeldMaterial } from '../key-ring.ts';
import { materialRow } from '../records.ts';
import type { UseTrace } from '../uses/use-recorder.ts';
import { isWaiting } from './availability.ts';

/**
 * In effect, cached DEKs included, when it returns. What waited for its rotation leaves nothing, in the regions of replicas neither; a
 * replica's own stays known, since the primary says which materials there are.
 */
export function removeMaterial(changes: KeyChanges, key: HeldKey, material: HeldMaterial, trace: UseTrace): void {
  const { cache, database, vault } = changes.parts;
  const others = [...key.materials.values()].filter((each) => each !== material);
  if (isWaiting(material) && key.record.multiRegion !== 'replica') {
    removePending(changes, key, material, trace);
  } else if (material.secret.type !== 'absent') {
    const none = new Uint8Array();
    const emptied = { ...material.record, wrapped: none, canary: none, validTo: undefined };
    changes.commit([put('materials', materialRow(emptied))]);
    changes.publish(key.record, [...others, holdMaterial(emptied, key.record, vault)], trace);
  } else return;
  trace.material = material;
  cache.dropKey(key.record.keyId);
  database.scrub();
}

function removePending(changes: KeyChanges, key: HeldKey, { name }: HeldMaterial, trace: UseTrace): void {
  const without = changes.related(key).map(({ ring, key: each }) => {
    const materials = [...each.materials.values()];
    const gone = materials.filter((material) => material.name === name);
    return { ring, record: each.record, gone, kept: materials.filter((material) => !gone.includes(material)) };
  });
  changes.commit(without.flatMap(({ gone }) => gone.map(({ record }) => deleteMaterial(record))));
  for (const { ring, record, kept } of without) ring.putKey(record, kept);
  changes.published(key.record.keyId, trace);
}
