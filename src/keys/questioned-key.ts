/** A key as policies see it. */
import type { HeldKey, KeyRing } from './key-ring.ts';
import { tagRecord } from './admin/key-tags.ts';
import { policyOf } from './managed/managed-key-policy.ts';
import type { QuestionedKey } from './options.ts';

export const MULTI_REGION_TYPES = { primary: 'PRIMARY', replica: 'REPLICA' } as const;

/** Of one state of the key; aliases are looked up when they are asked for. */
export function questionedKey(ring: KeyRing, key: HeldKey): QuestionedKey {
  const { keyId, tags, spec, usage, origin, multiRegion } = key.record;
  const policy = policyOf(key.record, ring.realm);
  return {
    ...{ keyId, arn: key.arn, account: ring.realm.account, spec, usage, origin, policy },
    multiRegion: multiRegion !== undefined,
    ...(multiRegion === undefined ? {} : { multiRegionKeyType: MULTI_REGION_TYPES[multiRegion] }),
    tags: tagRecord(tags),
    get aliases() {
      return ring.aliasesOf(keyId);
    },
  };
}
