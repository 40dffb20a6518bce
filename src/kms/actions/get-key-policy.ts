/** GetKeyPolicy: the policy as it was put, or the default one. */
import { defineAction } from '../action.ts';
import { assertPolicyName, POLICY_NAME, THE_POLICY_NAME } from '../policy-name.ts';
import { required, struct } from '../shapes/shapes.ts';
import { KEY_ID } from './inputs.ts';

const input = struct({ KeyId: required(KEY_ID), PolicyName: POLICY_NAME });

export const getKeyPolicy = defineAction('GetKeyPolicy', input, async (request, { keys, use }) => {
  assertPolicyName(request.PolicyName);
  return { Policy: await keys.settings.getPolicy(request.KeyId, use), PolicyName: THE_POLICY_NAME };
});
