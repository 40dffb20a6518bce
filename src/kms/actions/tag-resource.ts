/** TagResource: adds tags, or gives those that are there new values. */
import { defineAction } from '../action.ts';
import { required, struct } from '../shapes/shapes.ts';
import { KEY_ID, TAGS, tagsOf } from './inputs.ts';

const input = struct({ KeyId: required(KEY_ID), Tags: required(TAGS) });

export const tagResource = defineAction('TagResource', input, async ({ KeyId: keyId, Tags }, { keys, use }) => {
  await keys.settings.tagKey({ keyId, tags: tagsOf(Tags) }, use);
  return undefined;
});
