/** A key as policies see it. */
import type { HeldKey, KeyRing } from './key-ring.ts';
import { tagRecord } from './key-tags.ts';
import type { QuestionedKey } from './options.ts';

/** Of one state of the key; aliases are looked up when they are asked for. */
export function questionedKey(ring: KeyRing, key: HeldKey): QuestionedKey {
  const { keyId, policy, tags, spec, usage, origin } = key.record;
  return {
    ...{ keyId, arn: key.arn, account: ring.realm.account, spec, usage, origin, policy },
    multiRegion: false,
    tags: tagRecord(tags),
    get aliases() {
      return ring.aliasesOf(keyId);
    },
  };
}
