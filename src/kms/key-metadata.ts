/** A key as DescribeKey and CreateKey show it. */
import type { KeyRealm } from '../keys/arn.ts';
import type { KeyDescription } from '../keys/key-admin.ts';
import type { KeyState } from '../keys/life/key-states.ts';
import { expirationOutput } from './imports.ts';
import type { JsonOutput } from './json/write.ts';
import { keyAlgorithms } from './key-algorithms.ts';

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
    KeyState: STATES[key.state],
    DeletionDate: key.deletionDate === undefined ? undefined : new Date(key.deletionDate),
    Origin: key.origin,
    ...expirationOutput(key.expiration),
    KeyManager: 'CUSTOMER',
    ...keyAlgorithms(key.spec, key.usage),
    MultiRegion: false,
    CurrentKeyMaterialId: key.spec === 'SYMMETRIC_DEFAULT' ? key.currentMaterialId : undefined,
  };
}
