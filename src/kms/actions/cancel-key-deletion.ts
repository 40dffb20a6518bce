/** CancelKeyDeletion: the key stays, disabled. */
import { defineAction } from '../action.ts';
import { required, struct } from '../shapes/shapes.ts';
import { KEY_ID } from './inputs.ts';

const input = struct({ KeyId: required(KEY_ID) });

export const cancelKeyDeletion = defineAction('CancelKeyDeletion', input, async ({ KeyId: keyId }, { keys, use }) => {
  const { arn } = await keys.lifecycle.cancelDeletion(keyId, use);
  return { KeyId: arn };
});
