/**
 * Whether an alias may be moved from one key to another: only to one of the same type and usage, as on AWS. Whoever uses the alias would
 * otherwise fail at once, or make RSA ciphertexts without an encryption context where they counted on one.
 */
import { KeysError } from '../errors.ts';
import { kindOf, type KeySpec } from '../key-kinds.ts';
import type { HeldKey } from '../key-ring.ts';

/** ERR_KEYS_INVALID_REQUEST. */
export function assertAliasFits(aliasName: string, from: HeldKey, to: HeldKey): void {
  const [before, after] = [from.record, to.record];
  if (typeOf(before.spec) === typeOf(after.spec) && before.usage === after.usage) return;
  throw new KeysError(
    'ERR_KEYS_INVALID_REQUEST',
    `${aliasName} names a key of ${before.spec} for ${before.usage}, and cannot be moved to one of ${after.spec} for ${after.usage}: delete it and create it anew.`,
  );
}

function typeOf(spec: KeySpec): 'symmetric' | 'HMAC' | 'asymmetric' {
  if (kindOf(spec).material.type === 'pair') return 'asymmetric';
  return spec === 'SYMMETRIC_DEFAULT' ? 'symmetric' : 'HMAC';
}
