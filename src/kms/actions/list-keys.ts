/** ListKeys: every key, page by page. */
import { defineAction } from '../action.ts';
import { PAGE_INPUT, pageOutput, pageRequest } from '../paging.ts';
import { struct } from '../shapes/shapes.ts';

const input = struct(PAGE_INPUT);

export const listKeys = defineAction('ListKeys', input, async (request, { keys, use }) => {
  const page = await keys.settings.keyPage(pageRequest('keys', request, { usual: 100, most: 1000 }), use);
  return {
    Keys: page.items.map(({ keyId, arn }) => ({ KeyId: keyId, KeyArn: arn })),
    ...pageOutput('keys', page, ({ keyId }) => keyId),
  };
});
