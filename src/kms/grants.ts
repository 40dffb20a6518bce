/** What the grant actions share: members of their inputs, and a grant as lists show it. */
import type { Grant } from '../keys/access/grants/grant.ts';
import { keyArn, type KeyRealm } from '../keys/arn.ts';
import type { JsonOutput } from './json/write.ts';
import { KmsError } from './errors.ts';
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

/** No caller here is a service of AWS's: a grant to one, or from one, is no grant at all. ERR_KMS_UNSUPPORTED. */
export function refuseServices(...services: readonly (string | undefined)[]): void {
  if (services.some((service) => service !== undefined))
    throw new KmsError('ERR_KMS_UNSUPPORTED', 'Service principals in grants are not supported.');
}

/** To leave the constraint away would make the grant wider than was asked for. ERR_KMS_UNSUPPORTED. */
export function refuseSourceArn(sourceArn: string | undefined): void {
  if (sourceArn !== undefined)
    throw new KmsError('ERR_KMS_UNSUPPORTED', 'The grant constraint SourceArn is not supported.');
}

/** A list gives 50 where nothing is asked for, and never more than 100. */
export const GRANT_PAGES = { usual: 50, most: 100, names: HEX_NAMES };

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
