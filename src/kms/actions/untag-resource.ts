/** UntagResource: removes tags by name; names that are not there are no error. */
import { defineAction } from '../action.ts';
import { list, required, string, struct } from '../shapes/shapes.ts';
import { KEY_ID } from './inputs.ts';

const input = struct({ KeyId: required(KEY_ID), TagKeys: required(list(string({ min: 1, max: 128 }))) });

export const untagResource = defineAction(
  'UntagResource',
  input,
  async ({ KeyId: keyId, TagKeys: names }, { keys, use }) => {
    await keys.settings.untagKey({ keyId, names }, use);
    return undefined;
  },
);
