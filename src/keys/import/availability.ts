/**
 * Whether what was imported is there. The bytes of an imported material may be deleted or come to their end while the key stays: it is
 * of no use until the same material is imported again (AWS's PendingImport). The end is the caller's own word, kept at every use.
 */
import type { KeyExpiration } from '../admin/key-admin.ts';
import type { HeldKey, HeldMaterial } from '../key-ring.ts';
import type { KeyRecord } from '../records.ts';

/** Until when all its materials are there, in milliseconds since 1970; -Infinity: they are not. */
export function usableUntil({ origin }: KeyRecord, materials: readonly HeldMaterial[]): number {
  if (origin === 'AWS_KMS') return Infinity;
  const belonging = materials.filter(belongs);
  if (belonging.length === 0) return -Infinity;
  return Math.min(...belonging.map(endOf));
}

/** It is to be rotated to, and can still be exchanged for another. */
export function isWaiting({ record }: Pick<HeldMaterial, 'record'>): boolean {
  return record.state === 'pre-activation';
}

/** Data may lie under it: it protects, or did. Without what never did, found compromised while it waited, the key does. */
export function belongs({ record }: Pick<HeldMaterial, 'record'>): boolean {
  return record.history.some(({ to }) => to === 'active');
}

function endOf({ record, secret }: HeldMaterial): number {
  if (secret.type === 'absent') return -Infinity;
  return record.validTo === undefined ? Infinity : Date.parse(record.validTo);
}

/** Undefined: nothing is imported. */
export function expirationOf({ record, materials, state }: HeldKey): KeyExpiration | undefined {
  if (record.origin === 'AWS_KMS') return undefined;
  const imported = [...materials.values()].filter((each) => belongs(each) && each.secret.type !== 'absent');
  if (imported.length === 0 || state() === 'pending-import') return undefined;
  const ends = imported.flatMap(({ record: { validTo } }) => validTo ?? []).sort();
  const [validTo] = ends;
  return validTo === undefined ? { type: 'never' } : { type: 'at', validTo };
}

/** Whether it can be used now, by its bytes and its end alone. */
export function isImported(material: HeldMaterial, now: number): boolean {
  return now < endOf(material);
}
