/** ListKeys: every key, page by page; of those that other accounts share (AWS RAM) there are none. */
import { defineAction } from '../action.ts';
import { PAGE_INPUT, pageOutput, pageRequest } from '../paging.ts';
import { list, oneOf, optional, struct } from '../shapes/shapes.ts';

const RESOURCE_OWNERS = list(oneOf('SELF', 'OTHER_ACCOUNTS_VIA_RAM'), { min: 1, max: 2 });
const input = struct({ ...PAGE_INPUT, ResourceOwners: optional(RESOURCE_OWNERS) });

export const listKeys = defineAction('ListKeys', input, async (request, { keys, use }) => {
  const { ResourceOwners: owners = ['SELF'] } = request;
  const page = await keys.settings.keyPage(pageRequest('keys', request, { usual: 100, most: 1000 }), use);
  if (!owners.includes('SELF')) return { Keys: [], Truncated: false };
  return {
    Keys: page.items.map(({ keyId, arn }) => ({ KeyId: keyId, KeyArn: arn })),
    ...pageOutput('keys', page, ({ keyId }) => keyId),
  };
});
