/** A key as DescribeKey and CreateKey show it. */
import type { KeyRealm } from '../keys/arn.ts';
import type { KeyDescription, MultiRegionDescription, RegionalKeyName } from '../keys/admin/key-admin.ts';
import type { KeyState } from '../keys/life/key-states.ts';
import { MULTI_REGION_TYPES } from '../keys/questioned-key.ts';
import { expirationOutput } from './imports.ts';
import type { JsonOutput } from './json/write.ts';
import { keyAlgorithms } from './key-algorithms.ts';

export const KEY_STATES = {
  enabled: 'Enabled',
  disabled: 'Disabled',
  'pending-deletion': 'PendingDeletion',
  'pending-replica-deletion': 'PendingReplicaDeletion',
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
    KeyState: KEY_STATES[key.state],
    DeletionDate: key.deletionDate === undefined ? undefined : new Date(key.deletionDate),
    PendingDeletionWindowInDays: key.deletionDays,
    Origin: key.origin,
    ...expirationOutput(key.expiration),
    KeyManager: key.management.type === 'customer' ? 'CUSTOMER' : 'AWS',
    ...keyAlgorithms(key.spec, key.usage),
    ...multiRegionOutput(key.multiRegion),
    CurrentKeyMaterialId: key.spec === 'SYMMETRIC_DEFAULT' ? key.currentMaterialId : undefined,
  };
}

function multiRegionOutput(multiRegion: MultiRegionDescription | undefined): { readonly [member: string]: JsonOutput } {
  if (multiRegion === undefined) return { MultiRegion: false };
  const { type, primary, replicas } = multiRegion;
  return {
    MultiRegion: true,
    MultiRegionConfiguration: {
      MultiRegionKeyType: MULTI_REGION_TYPES[type],
      PrimaryKey: nameOutput(primary),
      ReplicaKeys: replicas.map(nameOutput),
    },
  };
}

const nameOutput = ({ arn, region }: RegionalKeyName): { readonly [member: string]: JsonOutput } => ({
  Arn: arn,
  Region: region,
});
