/** Rotation of imported material: to what was imported for it, and waits (AWS's PENDING_ROTATION). */
import { KeysError } from '../errors.ts';
import type { ImportDescription } from '../key-lifecycle.ts';
import type { HeldKey, HeldMaterial } from '../key-ring.ts';
import type { MaterialRecord, RotationType } from '../records.ts';
import { belongs, isImported } from './availability.ts';

/** ERR_KEYS_INVALID_STATE, in AWS's words. */
export function pendingRotation({ arn, materials }: HeldKey, now: number): HeldMaterial {
  const pending = [...materials.values()].find((material) => !belongs(material) && isImported(material, now));
  if (pending !== undefined) return pending;
  throw new KeysError('ERR_KEYS_INVALID_STATE', `No available key material pending rotation for the key: ${arn}.`);
}

export function rotatedTo({ record }: HeldMaterial, rotation: RotationType, now: string): MaterialRecord {
  return { ...record, state: 'active', stateSince: now, stateReason: 'rotated', rotation, rotatedAt: now };
}

export function describeImport(material: HeldMaterial, now: number): ImportDescription {
  const { validTo, description } = material.record;
  return { isHere: isImported(material, now), validTo, description };
}
