/** DisableKeyRotation: no new material by itself. */
import { defineAction } from '../action.ts';
import { required, struct } from '../shapes/shapes.ts';
import { KEY_ID } from './inputs.ts';

const input = struct({ KeyId: required(KEY_ID) });

export const disableKeyRotation = defineAction('DisableKeyRotation', input, async ({ KeyId: keyId }, { keys, use }) => {
  await keys.lifecycle.disableRotation(keyId, use);
  return undefined;
});
