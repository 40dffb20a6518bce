/** RotateKeyOnDemand: new material now, done when the answer leaves. */
import { defineAction } from '../action.ts';
import { required, struct } from '../shapes/shapes.ts';
import { KEY_ID } from './inputs.ts';

const input = struct({ KeyId: required(KEY_ID) });

export const rotateKeyOnDemand = defineAction('RotateKeyOnDemand', input, async (request, { keys, use }) => {
  const { keyId } = await keys.lifecycle.rotateOnDemand(request.KeyId, use);
  return { KeyId: keyId };
});
