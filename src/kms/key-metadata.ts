/** A key as DescribeKey and CreateKey show it. */
import type { KeyRealm } from '../keys/arn.ts';
import type { KeyDescription } from '../keys/key-admin.ts';
import { kindOf } from '../keys/key-kinds.ts';
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

function algorithmsOf({ spec }: KeyDescription): { readonly [member: string]: JsonOutput } {
  const { mac } = kindOf(spec);
  return mac === undefined ? { EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'] } : { MacAlgorithms: [mac.algorithm] };
}

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
    ...algorithmsOf(key),
    MultiRegion: false,
    CurrentKeyMaterialId: key.spec === 'SYMMETRIC_DEFAULT' ? key.currentMaterialId : undefined,
  };
}
