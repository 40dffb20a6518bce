/** What the grant actions share: members of their inputs, and a grant as lists show it. */
import { GRANT_OPERATIONS, type Grant } from '../keys/access/grants/grant.ts';
import { keyArn, type KeyRealm } from '../keys/arn.ts';
import type { JsonOutput } from './json/write.ts';
import { oneOf, patterned, string } from './shapes/shapes.ts';

/** AWS's pattern, and `%`: names of Postgres roles are percent-encoded in ARNs. */
export const PRINCIPAL = patterned(1, 256, String.raw`^[\w+=,.@:/%-]+$`);
export const GRANT_ID = string({ min: 1, max: 128 });
export const GRANT_TOKEN = string({ min: 1, max: 8192 });
export const GRANT_OPERATION = oneOf(...GRANT_OPERATIONS);

/** A list gives 50 where nothing is asked for, and never more than 100. */
export const GRANT_PAGES = { usual: 50, most: 100 };

export function grantEntry(grant: Grant, realm: KeyRealm): { readonly [member: string]: JsonOutput } {
  const { constraint } = grant;
  const named = constraint?.type === 'equals' ? 'EncryptionContextEquals' : 'EncryptionContextSubset';
  return {
    KeyId: keyArn(realm, grant.keyId),
    GrantId: grant.grantId,
    Name: grant.name,
    CreationDate: new Date(grant.createdAt),
    GranteePrincipal: grant.grantee,
    RetiringPrincipal: grant.retiring,
    IssuingAccount: `arn:aws:iam::${grant.issuingAccount}:root`,
    Operations: grant.operations,
    Constraints: constraint === undefined ? undefined : { [named]: constraint.context },
  };
}
