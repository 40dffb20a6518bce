/** A key as DescribeKey and CreateKey show it. */
import type { KeyRealm } from '../keys/arn.ts';
import type { KeyDescription } from '../keys/key-admin.ts';
import type { KeyState } from '../keys/key-states.ts';
import type { JsonOutput } from './json/write.ts';

const STATES = {
  enabled: 'Enabled',
  disabled: 'Disabled',
  'pending-deletion': 'PendingDeletion',
  'pending-import': 'PendingImport',
  unavailable: 'Unavailable',
  // Nothing finds a deleted key.
  deleted: 'Unavailable',
} as const satisfies Record<KeyState, string>;

export function keyMetadata(key: KeyDescription, { account }: KeyRealm): { readonly [member: string]: JsonOutput } {
  return {
    AWSAccountId: account,
    KeyId: key.keyId,
    Arn: key.arn,
    CreationDate: new Date(key.createdAt),
    Enabled: key.enabled,
    Description: key.description,
    KeyUsage: key.usage,
    KeyState: STATES[key.state],
    DeletionDate: key.deletionDate === undefined ? undefined : new Date(key.deletionDate),
    Origin: key.origin,
    KeyManager: 'CUSTOMER',
    CustomerMasterKeySpec: key.spec,
    KeySpec: key.spec,
    EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    MultiRegion: false,
    CurrentKeyMaterialId: key.currentMaterialId,
  };
}
