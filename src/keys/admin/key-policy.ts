/** Key policies as documents: what is refused before it is stored. What they allow is decided in `access/`. */
import type { KeyUse } from '../uses/data-keys.ts';
import { MAX_POLICY_BYTES, parsePolicy } from '../access/policy/policy.ts';
import { KeysError } from '../errors.ts';
import type { KeyAuthorizer, QuestionedKey } from '../options.ts';

/** Errors: ERR_KEYS_POLICY_MALFORMED, ERR_KEYS_POLICY_LOCKOUT, ERR_KEYS_LIMIT. */
export function checkKeyPolicy(
  policy: string,
  request: { readonly bypassLockoutCheck?: boolean | undefined },
  use: KeyUse,
  authorizer: KeyAuthorizer | undefined,
  key?: QuestionedKey,
): void {
  if (Buffer.byteLength(policy) > MAX_POLICY_BYTES)
    throw new KeysError('ERR_KEYS_LIMIT', `The policy document is longer than ${MAX_POLICY_BYTES} bytes.`);
  parsePolicy(policy, 'key');
  if (request.bypassLockoutCheck !== true) authorizer?.checkLockout?.(policy, use, key);
}
