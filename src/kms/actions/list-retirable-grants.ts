/** ListRetirableGrants: the grants, on whichever key, that name this principal as the one who may retire them. */
import { defineAction } from '../action.ts';
import { assertService, GRANT_PAGES, grantEntry, PRINCIPAL, principalOf, SERVICE_PRINCIPAL } from '../grants.ts';
import { PAGE_INPUT, pageOutput, pageRequest } from '../paging.ts';
import { optional, struct } from '../shapes/shapes.ts';
import { invalid } from './inputs.ts';

const input = struct({
  RetiringPrincipal: optional(PRINCIPAL),
  RetiringServicePrincipal: SERVICE_PRINCIPAL,
  ...PAGE_INPUT,
});

export const listRetirableGrants = defineAction('ListRetirableGrants', input, async (request, { keys, use, realm }) => {
  const { RetiringServicePrincipal: service } = request;
  if (service !== undefined) assertService(use.principal, 'RetiringServicePrincipal');
  const retiring = principalOf('Retiring', request.RetiringPrincipal, service);
  if (retiring === undefined) throw invalid('Specify either RetiringPrincipal or RetiringServicePrincipal.');
  const asked = pageRequest('retirable-grants', request, GRANT_PAGES);
  const page = await keys.grants.listRetirable({ ...asked, retiring }, use);
  return {
    Grants: page.items.map((grant) => grantEntry(grant, realm)),
    ...pageOutput('retirable-grants', page, (grant) => grant.grantId),
  };
});
