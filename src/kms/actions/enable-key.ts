/** EnableKey: a disabled key works again. */
import { assertNoAlias } from '../../keys/arn.ts';
import { defineAction } from '../action.ts';
import { required, struct } from '../shapes/shapes.ts';
import { KEY_ID } from './inputs.ts';

const input = struct({ KeyId: required(KEY_ID) });

export const enableKey = defineAction('EnableKey', input, async ({ KeyId: keyId }, { keys, use, realm }) => {
  assertNoAlias(keyId, realm);
  await keys.enableKey(keyId, use);
  return undefined;
});
