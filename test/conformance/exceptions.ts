/**
 * What of AWS's model is not proven here, each with its reason. An entry that names what a test proves after all, or what the
 * model does not have, fails: so that none outlives its reason.
 */

import type { ShapeModel } from './model.ts';

const STORES = 'custom key stores are not supported: every request is answered UnsupportedOperationException';

/** Actions that are refused whatever they are asked with: nothing else of theirs is in question. */
export const REFUSED_ACTIONS: Readonly<Record<string, string>> = {
  ConnectCustomKeyStore: STORES,
  CreateCustomKeyStore: STORES,
  DeleteCustomKeyStore: STORES,
  DescribeCustomKeyStores: STORES,
  DisconnectCustomKeyStore: STORES,
  UpdateCustomKeyStore: STORES,
};

const NO_STORES = 'there are no custom key stores';
const ANY_STATE = 'possible in every state that a key here can be in, as AWS’s table of key states has it';
const NO_KEY = 'names no key';

/** Errors that cannot arise, or not here: by name, for every action; or for one action, as `Action.Error`. */
export const UNPROVEN_ERRORS: Readonly<Record<string, string>> = {
  CloudHsmClusterInvalidConfigurationException: NO_STORES,
  CustomKeyStoreInvalidStateException: NO_STORES,
  CustomKeyStoreNotFoundException: NO_STORES,
  XksKeyAlreadyInUseException: NO_STORES,
  XksKeyInvalidConfigurationException: NO_STORES,
  XksKeyNotFoundException: NO_STORES,
  KeyUnavailableException:
    'of keys in a custom key store that is disconnected; a key here is there, or the store does not open',
  'CreateKey.InvalidArnException': NO_KEY,
  'ListRetirableGrants.NotFoundException': NO_KEY,
  'DeleteAlias.KMSInvalidStateException': ANY_STATE,
  'DeleteImportedKeyMaterial.KMSInvalidStateException': ANY_STATE,
  'GetKeyPolicy.KMSInvalidStateException': ANY_STATE,
  'GetKeyRotationStatus.KMSInvalidStateException': ANY_STATE,
  'ListGrants.KMSInvalidStateException': ANY_STATE,
  'ListKeyPolicies.KMSInvalidStateException': ANY_STATE,
  'ListKeyRotations.KMSInvalidStateException': ANY_STATE,
  'PutKeyPolicy.KMSInvalidStateException': ANY_STATE,
  'RetireGrant.KMSInvalidStateException': ANY_STATE,
  'RevokeGrant.KMSInvalidStateException': ANY_STATE,
  'EnableKey.LimitExceededException': 'there is no quota of enabled keys',
  'TagResource.LimitExceededException': 'too many tags are a TagException, on AWS as well',
  'GetPublicKey.InvalidKeyUsageException':
    'a public key may be had whatever it is for; without one: UnsupportedOperationException',
  'GetKeyRotationStatus.UnsupportedOperationException':
    'keys that are not rotated have `KeyRotationEnabled: false`, on AWS as well',
  'PutKeyPolicy.UnsupportedOperationException': 'of keys that AWS manages',
};

/** Shapes whose limits are not those of the model; the tests hold the listener to these. */
export const OTHER_LIMITS: Readonly<Record<string, { readonly limits: Partial<ShapeModel>; readonly why: string }>> = {
  PendingWindowInDaysType: {
    limits: { min: 7, max: 30 },
    why: 'the model says 1 to 365; what AWS takes, and documents, is 7 to 30',
  },
  PrincipalIdType: {
    limits: { pattern: String.raw`^[\w+=,.@:/%-]+$` },
    why: '`%` as well, since names of Postgres roles are percent-encoded in ARNs',
  },
};

/** What is read and held to its limits like everything else, and then refused; each by a request. */
export const REFUSED_VALUES: readonly {
  readonly what: string;
  readonly why: string;
  readonly action: string;
  readonly members: object;
}[] = [
  {
    what: '`Recipient`',
    why: 'an attestation that is not verified must not be answered',
    action: 'GenerateDataKey',
    members: { Recipient: { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256', AttestationDocument: 'eA==' } },
  },
  {
    what: '`CustomKeyStoreId`, `XksKeyId`, `Origin` of other than `AWS_KMS` and `EXTERNAL`',
    why: 'there are no custom key stores',
    action: 'CreateKey',
    members: { CustomKeyStoreId: 'cks-1' },
  },
  {
    what: '`SM2`, `SM2DSA`, `SM2PKE`',
    why: 'of AWS in China alone',
    action: 'CreateKey',
    members: { KeySpec: 'SM2', KeyUsage: 'SIGN_VERIFY' },
  },
  {
    what: '`RSAES_PKCS1_V1_5`',
    why: 'AWS takes it no more',
    action: 'GetParametersForImport',
    members: { WrappingAlgorithm: 'RSAES_PKCS1_V1_5' },
  },
];

export function whyUnproven(action: string, error: string): string | undefined {
  return UNPROVEN_ERRORS[`${action}.${error}`] ?? UNPROVEN_ERRORS[error];
}
