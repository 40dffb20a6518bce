/** Which key and material did it, as answers say it. */
import type { KeyUsed } from './key-operations.ts';
import { currentOf, type HeldKey, type HeldMaterial } from '../key-ring.ts';

export function usedOf(key: HeldKey, material: HeldMaterial = currentOf(key)): KeyUsed {
  return { keyArn: key.arn, materialId: key.record.spec === 'SYMMETRIC_DEFAULT' ? material.name : undefined };
}
