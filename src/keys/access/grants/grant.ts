/** Grants: a permission on one key for one principal, given by who may CreateGrant and taken back at any time (field notes 3.3). */
import type { EncryptionContext } from '../../../envelope/encryption-context.ts';
import type { RowRegion } from '../../regions/row-names.ts';

export const GRANT_OPERATIONS = [
  'CreateGrant',
  'Decapsulate',
  'Decrypt',
  'DeriveSharedSecret',
  'DescribeKey',
  'Encapsulate',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateMac',
  'GetPublicKey',
  'ReEncryptFrom',
  'ReEncryptTo',
  'RetireGrant',
  'Sign',
  'Verify',
  'VerifyMac',
] as const;
export type GrantOperation = (typeof GRANT_OPERATIONS)[number];

/** `equals`: the request's encryption context is this one. `subset`: it holds these pairs. Names and values compare exactly. */
export type GrantConstraint = { readonly type: 'equals' | 'subset'; readonly context: EncryptionContext };

/** What a grant allows, apart from whom. */
export type GrantPermissions = {
  readonly operations: readonly GrantOperation[];
  readonly constraint: GrantConstraint | undefined;
  /** ARN of the resource on whose behalf a service must ask; undefined: whoever asks for whatever. */
  readonly sourceArn: string | undefined;
};

export type Grant = GrantPermissions & {
  /** 64 hex digits. */
  readonly grantId: string;
  readonly keyId: string;
  /** Of the key. */
  readonly region: RowRegion;
  /** ARN of an account's root, a user, role, role session or federated user; or the name of a service (`isServiceName`). */
  readonly grantee: string;
  /** Likewise. */
  readonly retiring: string | undefined;
  /** Empty where none was given. */
  readonly name: string;
  /** Twelve digits: the account it was made under. */
  readonly issuingAccount: string;
  /** The principal that made it. */
  readonly issuedBy: string;
  /** ISO 8601. */
  readonly createdAt: string;
};

/** Where decisions find grants. */
export interface GrantSource {
  of(keyId: string, grantee: string): readonly Grant[];
  /** Another number after any change of a grant on this key. */
  version(keyId: string): number;
}

export function isGrantOperation(text: string): text is GrantOperation {
  return (GRANT_OPERATIONS as readonly string[]).includes(text);
}
