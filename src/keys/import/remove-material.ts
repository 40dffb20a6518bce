/** The end of imported material: its bytes are overwritten, its record stays, so that the same material can come again. */
import { put, type KeyChanges } from '../key-changes.ts';
import { holdMaterial, type HeldKey, type HeldMaterial } from '../key-ring.ts';
import { materialRow } from '../records.ts';
import type { UseTrace } from '../use-recorder.ts';
import { belongs } from './availability.ts';

/** In effect, cached DEKs included, when it returns. What waited for its rotation leaves nothing. */
export function removeMaterial(changes: KeyChanges, key: HeldKey, material: HeldMaterial, trace: UseTrace): void {
  const { cache, database, vault } = changes.parts;
  const others = [...key.materials.values()].filter((each) => each !== material);
  if (!belongs(material)) {
    changes.commit([{ type: 'delete', table: 'materials', id: material.record.materialId }]);
    changes.publish(key.record, others, trace);
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
