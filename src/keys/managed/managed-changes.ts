/**
 * What may be done with a key that a service manages. Its policy refuses callers already; this also holds for the operator, who is above
 * policies, and where there are none. The operator takes AWS's part: what the life of the material asks for, and nothing that would
 * leave what it protects without a key.
 */
import type { KeyUse } from '../uses/data-keys.ts';
import { KeysError } from '../errors.ts';
import type { HeldKey } from '../key-ring.ts';

const READING = /^(?:Describe|Get|List)/;
const LIFE: ReadonlySet<string> = new Set([
  'RotateKeyOnDemand',
  'SuspendKeyMaterial',
  'ReactivateKeyMaterial',
  'DeactivateKeyMaterial',
  'MarkKeyMaterialCompromised',
]);

/** ERR_KEYS_MANAGED. */
export function assertChangesAllowed({ record, arn }: HeldKey, action: string, { via }: KeyUse): void {
  if (record.management.type === 'customer' || READING.test(action) || (via === 'cli' && LIFE.has(action))) return;
  throw new KeysError('ERR_KEYS_MANAGED', `${arn} is managed by a service of ours: it allows no ${action}.`);
}
