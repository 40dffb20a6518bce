/** What a multi-Region key's primary alone decides. */
import { KeysError } from '../errors.ts';
import type { HeldKey } from '../key-ring.ts';

/** Not asked of single-Region keys, which have nobody to decide for. ERR_KEYS_UNSUPPORTED, in AWS's words. */
export function assertPrimary(key: HeldKey): void {
  if (key.record.multiRegion === 'replica') throw notPrimary(key);
}

export function notPrimary({ arn }: HeldKey): KeysError {
  return new KeysError('ERR_KEYS_UNSUPPORTED', `${arn} is not a multi-region primary key.`);
}
