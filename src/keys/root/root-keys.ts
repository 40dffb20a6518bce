/**
 * Keys derived from the root, one per purpose (HKDF-SHA-256, RFC 5869; salt: the store's id). The root itself encrypts
 * nothing, so no purpose's use says anything about another's.
 */
import { createSecretKey, type KeyObject } from 'node:crypto';
import { takeEd25519Seed } from '../../crypto/ed25519.ts';
import { hkdfSha256 } from '../../crypto/hkdf.ts';
import { KEY_BYTES, takeKey, type RootKey, type ServiceKey } from '../../crypto/key-types.ts';
import { encodeFields, type Field } from '../fields.ts';

export type RootKeys = {
  /** Wraps KEK materials. */
  readonly material: KeyObject;
  /** Authenticates rows of the store, and their set. */
  readonly record: KeyObject;
  readonly set: KeyObject;
  readonly epoch: KeyObject;
  readonly audit: KeyObject;
  /** Ed25519: signs the audit log's checkpoints. */
  readonly checkpoint: KeyObject;
  /** Wraps the key of a backup. */
  readonly backup: KeyObject;
  readonly service: (purpose: string, epoch: number) => ServiceKey;
};

export function deriveRootKeys(root: RootKey, storeId: Uint8Array): RootKeys {
  const derive = (label: string, fields: readonly Field[] = []): Uint8Array =>
    hkdfSha256(root, storeId, encodeFields(`sealgate ${label} v1`, fields), KEY_BYTES);
  const secret = (label: string): KeyObject => {
    const bytes = derive(label);
    const key = createSecretKey(bytes);
    bytes.fill(0);
    return key;
  };
  return {
    material: secret('material'),
    record: secret('record'),
    set: secret('set'),
    epoch: secret('epoch'),
    audit: secret('audit'),
    checkpoint: takeEd25519Seed(derive('audit-checkpoint')),
    backup: secret('backup'),
    service: (purpose, epoch) => takeKey('ServiceKey', derive('service', [purpose, epoch])),
  };
}
