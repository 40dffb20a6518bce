/**
 * KEK materials: made, sealed under the root, opened and tried. A material's id is a keyed hash of its own bytes and its key's
 * id, so what opens under a record is proven to be the material the record names.
 */
import { equalBytes } from '../crypto/bytes.ts';
import { hmacSha256 } from '../crypto/hmac.ts';
import { KEY_BYTES, takeKey, type Kek } from '../crypto/key-types.ts';
import type { RandomSource } from '../crypto/random.ts';
import { EnvelopeError } from '../envelope/errors.ts';
import { unwrapKey, wrapKey } from '../envelope/wrapped-key.ts';
import { uuidToBytes } from './arn.ts';
import { KeysError } from './errors.ts';
import { encodeFields } from './fields.ts';
import type { MaterialRecord, RotationType } from './records.ts';
import type { RootKeys } from './root/root-keys.ts';
import { openBox, sealBox } from './sealed-box.ts';

/** Where materials are sealed: the store and the key its root gives. */
export type MaterialVault = { readonly storeId: Uint8Array; readonly keys: RootKeys };

const CANARY_CONTEXT = { 'sealgate:purpose': 'canary' } as const;

export function makeMaterial(
  keyId: string,
  version: number,
  origin: { readonly createdAt: string; readonly rotation?: RotationType },
  vault: MaterialVault,
  random: RandomSource,
): MaterialRecord {
  const { createdAt, rotation } = origin;
  const material = random(KEY_BYTES);
  try {
    const materialId = materialIdOf(keyId, material);
    const wrapped = sealBox(vault.keys.material, materialAad(vault, keyId, materialId, version), material, random);
    const kek = takeKey('Kek', material);
    const plaintext = canaryText(materialId);
    const canary = wrapKey(
      { kek, keyUuid: uuidToBytes(keyId), materialId, plaintext, context: CANARY_CONTEXT },
      random,
    );
    const state = { state: 'active', stateSince: createdAt, stateReason: 'created' } as const;
    return { materialId, keyId, version, ...state, createdAt, wrapped, canary, rotation };
  } finally {
    material.fill(0);
  }
}

/** The KEK, proven to be the record's and tried on its canary; ERR_KEYS_STORE_TAMPERED. */
export function openMaterial(record: MaterialRecord, vault: MaterialVault): Kek {
  const { keyId, materialId, version } = record;
  const material = openBox(vault.keys.material, materialAad(vault, keyId, materialId, version), record.wrapped);
  if (material === undefined) throw damaged(record);
  try {
    if (!equalBytes(materialIdOf(keyId, material), materialId)) throw damaged(record);
    const kek = takeKey('Kek', material);
    tryCanary(record, kek);
    return kek;
  } finally {
    material.fill(0);
  }
}

function tryCanary(record: MaterialRecord, kek: Kek): void {
  const { materialId } = record;
  try {
    const opened = unwrapKey({ kek, materialId, blob: record.canary, context: CANARY_CONTEXT });
    if (!equalBytes(opened, canaryText(materialId))) throw damaged(record);
  } catch (cause) {
    if (cause instanceof EnvelopeError) throw damaged(record);
    throw cause;
  }
}

/** Not secret: what matters is that it opens. */
function canaryText(materialId: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from('sealgate canary '), materialId]);
}

function materialIdOf(keyId: string, material: Uint8Array): Uint8Array {
  return hmacSha256(material, encodeFields('sealgate material id v1', [uuidToBytes(keyId)]));
}

function materialAad(vault: MaterialVault, keyId: string, materialId: Uint8Array, version: number): Uint8Array {
  const fields = [
    vault.storeId,
    uuidToBytes(keyId),
    materialId,
    version,
    'SYMMETRIC_DEFAULT',
    'ENCRYPT_DECRYPT',
    'AWS_KMS',
  ];
  return encodeFields('sealgate material v1', fields);
}

function damaged(record: MaterialRecord): KeysError {
  const id = Buffer.from(record.materialId).toString('hex');
  return new KeysError('ERR_KEYS_STORE_TAMPERED', `material ${id} of key ${record.keyId} does not open`);
}
