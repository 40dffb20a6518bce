/** UpdateKeyDescription. */
import { defineAction } from '../action.ts';
import { required, string, struct } from '../shapes/shapes.ts';
import { KEY_ID } from './inputs.ts';

const input = struct({ KeyId: required(KEY_ID), Description: required(string({ min: 0, max: 8192 })) });

export const updateKeyDescription = defineAction('UpdateKeyDescription', input, async (request, { keys, use }) => {
  const { KeyId: keyId, Description: description } = request;
  await keys.settings.updateDescription({ keyId, description }, use);
  return undefined;
});
