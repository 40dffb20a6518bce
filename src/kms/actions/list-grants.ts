/** ListGrants: the grants on a key, all of them or one grantee's or one. */
import { defineAction } from '../action.ts';
import {
  assertService,
  GRANT_ID,
  GRANT_PAGES,
  grantEntry,
  PRINCIPAL,
  principalOf,
  SERVICE_PRINCIPAL,
} from '../grants.ts';
import { PAGE_INPUT, pageOutput, pageRequest } from '../paging.ts';
import { optional, required, struct } from '../shapes/shapes.ts';
import { KEY_ID } from './inputs.ts';

const input = struct({
  KeyId: required(KEY_ID),
  GrantId: optional(GRANT_ID),
  GranteePrincipal: optional(PRINCIPAL),
  GranteeServicePrincipal: SERVICE_PRINCIPAL,
  ...PAGE_INPUT,
});

export const listGrants = defineAction('ListGrants', input, async (request, { keys, use, realm }) => {
  const { KeyId: keyId, GrantId: grantId, GranteeServicePrincipal: service } = request;
  if (service !== undefined) assertService(use.principal, 'GranteeServicePrincipal');
  const grantee = principalOf('Grantee', request.GranteePrincipal, service);
  const page = await keys.grants.list({ ...pageRequest('grants', request, GRANT_PAGES), keyId, grantId, grantee }, use);
  return {
    Grants: page.items.map((grant) => grantEntry(grant, realm)),
    ...pageOutput('grants', page, (grant) => grant.grantId),
  };
});
