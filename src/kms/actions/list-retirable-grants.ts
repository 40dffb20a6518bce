/** ListRetirableGrants: the grants, on whichever key, that name this principal as the one who may retire them. */
import { defineAction } from '../action.ts';
import { GRANT_PAGES, grantEntry, PRINCIPAL } from '../grants.ts';
import { PAGE_INPUT, pageOutput, pageRequest } from '../paging.ts';
import { required, struct } from '../shapes/shapes.ts';

const input = struct({ RetiringPrincipal: required(PRINCIPAL), ...PAGE_INPUT });

export const listRetirableGrants = defineAction('ListRetirableGrants', input, async (request, { keys, use, realm }) => {
  const asked = pageRequest('retirable-grants', request, GRANT_PAGES);
  const page = await keys.grants.listRetirable({ ...asked, retiring: request.RetiringPrincipal }, use);
  return {
    Grants: page.items.map((grant) => grantEntry(grant, realm)),
    ...pageOutput('retirable-grants', page, (grant) => grant.grantId),
  };
});
