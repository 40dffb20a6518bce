/** Rotation of imported material: to what was imported for it, and waits (AWS's PENDING_ROTATION). */
import { KeysError } from '../errors.ts';
import type { ImportDescription } from '../life/key-lifecycle.ts';
import type { HeldKey, HeldMaterial } from '../key-ring.ts';
import { moveMaterial } from '../life/material-history.ts';
import type { MaterialRecord, RotationType } from '../records.ts';
import { isImported, isWaiting } from './availability.ts';

/** ERR_KEYS_INVALID_STATE, in AWS's words. */
export function pendingRotation({ arn, materials }: HeldKey, now: number): HeldMaterial {
  const pending = [...materials.values()].find((material) => isWaiting(material) && isImported(material, now));
  if (pending !== undefined) return pending;
  throw new KeysError('ERR_KEYS_INVALID_STATE', `No available key material pending rotation for the key: ${arn}.`);
}

export function rotatedTo(
  { record }: HeldMaterial,
  { rotation, by }: { readonly rotation: RotationType; readonly by: string },
  now: string,
): MaterialRecord {
  const activated = moveMaterial(record, 'active', { at: now, by, reason: 'rotated' });
  return { ...activated, rotation, rotatedAt: now };
}

export function describeImport(material: HeldMaterial, now: number): ImportDescription {
  const { validTo, description } = material.record;
  return { isHere: isImported(material, now), validTo, description };
}
