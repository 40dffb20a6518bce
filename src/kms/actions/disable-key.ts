/** DisableKey: the key does nothing until it is enabled again; in force when the answer leaves. */
import { assertNoAlias } from '../../keys/arn.ts';
import { defineAction } from '../action.ts';
import { required, struct } from '../shapes/shapes.ts';
import { KEY_ID } from './inputs.ts';

const input = struct({ KeyId: required(KEY_ID) });

export const disableKey = defineAction('DisableKey', input, async ({ KeyId: keyId }, { keys, use, realm }) => {
  assertNoAlias(keyId, realm);
  await keys.disableKey(keyId, use);
  return undefined;
});
