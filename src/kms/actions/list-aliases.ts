/** ListAliases: every alias, or those of one key, page by page. */
import { defineAction } from '../action.ts';
import { PAGE_INPUT, pageOutput, pageRequest } from '../paging.ts';
import { optional, struct } from '../shapes/shapes.ts';
import { KEY_ID } from './inputs.ts';

const input = struct({ KeyId: optional(KEY_ID), ...PAGE_INPUT });

/** One of ours whose key is made on first use has neither key nor dates. */
const date = (time: string | undefined): Date | undefined => (time === undefined ? undefined : new Date(time));

export const listAliases = defineAction('ListAliases', input, async (request, { keys, use }) => {
  // The model allows 1000, the service gives at most 100 at a time.
  const asked = pageRequest('aliases', request, { usual: 50, most: 100 });
  const page = await keys.settings.aliasPage({ ...asked, keyId: request.KeyId }, use);
  return {
    Aliases: page.items.map((alias) => ({
      AliasName: alias.aliasName,
      AliasArn: alias.aliasArn,
      TargetKeyId: alias.targetKeyId,
      CreationDate: date(alias.createdAt),
      LastUpdatedDate: date(alias.updatedAt),
    })),
    ...pageOutput('aliases', page, ({ aliasName }) => aliasName),
  };
});
