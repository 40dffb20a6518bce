/** The lockout check: a key policy that its maker could not replace again is refused, unless the request says it shall not be checked. */
import { KeysError } from '../errors.ts';
import type { Policy } from './policy/policy.ts';
import type { AccessRequest } from './request.ts';
import { scan } from './scan.ts';

/**
 * `request` is PutKeyPolicy on the key by the caller. A policy that leaves it to the account passes: whoever administers the
 * account's identities can give the permission back. Errors: ERR_KEYS_POLICY_LOCKOUT.
 */
export function assertNoLockout(policy: Policy, request: AccessRequest): void {
  const { deny, direct, account } = scan([{ ref: { type: 'key-policy' }, policy }], request, undefined);
  if (deny === undefined && (direct !== undefined || account !== undefined)) return;
  throw new KeysError(
    'ERR_KEYS_POLICY_LOCKOUT',
    'The new key policy will not allow you to update the key policy in the future.',
  );
}
