/** What the grant actions share: members of their inputs, and a grant as lists show it. */
import type { Grant } from '../keys/access/grants/grant.ts';
import { keyArn, type KeyRealm } from '../keys/arn.ts';
import type { GrantPrincipal } from '../keys/access/grants/new-grant.ts';
import { isServiceName } from '../keys/access/principal.ts';
import { invalid } from './actions/inputs.ts';
import type { JsonOutput } from './json/write.ts';
import { HEX_NAMES } from './paging.ts';
import { oneOf, optional, patterned, string } from './shapes/shapes.ts';

/** AWS's pattern, and `%`: names of Postgres roles are percent-encoded in ARNs. */
export const PRINCIPAL = patterned(1, 256, String.raw`^[\w+=,.@:/%-]+$`);
export const GRANT_ID = string({ min: 1, max: 128 });
export const GRANT_TOKEN = string({ min: 1, max: 8192 });
/** In the order of AWS's model. */
export const GRANT_OPERATION = oneOf(
  'Decrypt',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'ReEncryptFrom',
  'ReEncryptTo',
  'Sign',
  'Verify',
  'GetPublicKey',
  'CreateGrant',
  'RetireGrant',
  'DescribeKey',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateMac',
  'VerifyMac',
  'DeriveSharedSecret',
  'Encapsulate',
  'Decapsulate',
);
const SERVICE = patterned(1, 128, String.raw`^([A-Za-z0-9\-]+)\.([A-Za-z0-9\-]+)(\.[A-Za-z0-9\-]+)+$`);
export const SERVICE_PRINCIPAL = optional(SERVICE);
export const SOURCE_ARN = optional(patterned(20, 512, '^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$'));

/** The one of the two that is given; undefined: neither. ERR_KMS_VALIDATION for both. */
export function principalOf(
  role: 'Grantee' | 'Retiring',
  principal: string | undefined,
  service: string | undefined,
): GrantPrincipal | undefined {
  if (principal !== undefined && service !== undefined)
    throw invalid(`Specify either ${role}Principal or ${role}ServicePrincipal, but not both.`);
  return service === undefined ? principal : { service };
}

/** Grants of a service are for services alone to find. ERR_KMS_VALIDATION. */
export function assertService(caller: string, member: string): void {
  if (!isServiceName(caller)) throw invalid(`${member} is for callers that are a service principal.`);
}

/** A list gives 50 where nothing is asked for, and never more than 100. */
export const GRANT_PAGES = { usual: 50, most: 100, names: HEX_NAMES };

export function grantEntry(grant: Grant, realm: KeyRealm): { readonly [member: string]: JsonOutput } {
  return {
    KeyId: keyArn(realm, grant.keyId),
    GrantId: grant.grantId,
    Name: grant.name,
    CreationDate: new Date(grant.createdAt),
    ...named('Grantee', grant.grantee),
    ...(grant.retiring === undefined ? {} : named('Retiring', grant.retiring)),
    IssuingAccount: `arn:aws:iam::${grant.issuingAccount}:root`,
    Operations: grant.operations,
    Constraints: constraintsOf(grant),
  };
}

function named(role: 'Grantee' | 'Retiring', name: string): { readonly [member: string]: string } {
  return { [`${role}${isServiceName(name) ? 'Service' : ''}Principal`]: name };
}

function constraintsOf({ constraint, sourceArn }: Grant): JsonOutput {
  if (constraint === undefined && sourceArn === undefined) return undefined;
  const type = constraint?.type === 'equals' ? 'EncryptionContextEquals' : 'EncryptionContextSubset';
  return { [type]: constraint?.context, SourceArn: sourceArn };
}
