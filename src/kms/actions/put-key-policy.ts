/** PutKeyPolicy: replaces the policy, in force when the answer leaves. */
import { defineAction } from '../action.ts';
import { assertPolicyName, POLICY_NAME } from '../policy-name.ts';
import { boolean, optional, required, struct } from '../shapes/shapes.ts';
import { KEY_ID, POLICY } from './inputs.ts';

const input = struct({
  KeyId: required(KEY_ID),
  PolicyName: POLICY_NAME,
  Policy: required(POLICY),
  BypassPolicyLockoutSafetyCheck: optional(boolean),
});

export const putKeyPolicy = defineAction('PutKeyPolicy', input, async (request, { keys, use }) => {
  const { KeyId: keyId, Policy: policy, BypassPolicyLockoutSafetyCheck: bypassLockoutCheck = false } = request;
  assertPolicyName(request.PolicyName);
  await keys.settings.putPolicy({ keyId, policy, bypassLockoutCheck }, use);
  return undefined;
});
