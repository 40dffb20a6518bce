/** ListKeyPolicies: the name of the one policy that a key has. */
import { defineAction } from '../action.ts';
import { PAGE_INPUT, pageRequest } from '../paging.ts';
import { THE_POLICY_NAME } from '../policy-name.ts';
import { required, struct } from '../shapes/shapes.ts';
import { KEY_ID } from './inputs.ts';

const input = struct({ KeyId: required(KEY_ID), ...PAGE_INPUT });

export const listKeyPolicies = defineAction('ListKeyPolicies', input, async (request, { keys, use }) => {
  // There is never a second page: a marker can only be wrong.
  pageRequest('policies', request, { usual: 100, most: 1000 });
  await keys.settings.checkPolicies(request.KeyId, use);
  return { PolicyNames: [THE_POLICY_NAME], Truncated: false };
});
