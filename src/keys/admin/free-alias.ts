/** Whether a new alias may have its name; ERR_KEYS_INVALID_ID, ERR_KEYS_ALIAS_EXISTS. */
import { aliasArn, checkNewAlias, parseKeyReference } from '../arn.ts';
import { KeysError } from '../errors.ts';
import type { KeyRing } from '../key-ring.ts';

export function assertFreeAlias(ring: KeyRing, aliasName: string): void {
  checkNewAlias(aliasName);
  parseKeyReference(aliasName, ring.realm);
  if (!ring.hasAlias(aliasName)) return;
  throw new KeysError(
    'ERR_KEYS_ALIAS_EXISTS',
    `An alias with the name ${aliasArn(ring.realm, aliasName)} already exists`,
  );
}
