/** ListResourceTags: the tags of a key, by name. */
import { defineAction } from '../action.ts';
import { PAGE_INPUT, pageOutput, pageRequest } from '../paging.ts';
import { required, struct } from '../shapes/shapes.ts';
import { KEY_ID } from './inputs.ts';

const input = struct({ KeyId: required(KEY_ID), ...PAGE_INPUT });

export const listResourceTags = defineAction('ListResourceTags', input, async (request, { keys, use }) => {
  const asked = pageRequest('tags', request, { usual: 50, most: 50 });
  const page = await keys.settings.listTags({ ...asked, keyId: request.KeyId }, use);
  return {
    Tags: page.items.map(({ key, value }) => ({ TagKey: key, TagValue: value })),
    ...pageOutput('tags', page, ({ key }) => key),
  };
});
