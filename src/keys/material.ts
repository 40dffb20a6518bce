/**
 * Materials of keys: made, sealed under the root, opened and tried. A material's id is a keyed hash of its own bytes and its key's
 * id, so what opens under a record is proven to be the material the record names.
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { equalBytes } from '../crypto/bytes.ts';
import { hmacSha256 } from '../crypto/hmac.ts';
import { takeKey, type Kek } from '../crypto/key-types.ts';
import { encodePublicKey, openPair, type KeyPair } from '../crypto/pairs/key-pair.ts';
import type { RandomSource } from '../crypto/random.ts';
import { EnvelopeError } from '../envelope/errors.ts';
import { unwrapKey, wrapKey } from '../envelope/wrapped-key.ts';
import { uuidToBytes } from './arn.ts';
import { KeysError } from './errors.ts';
import { encodeFields } from './fields.ts';
import { kindOf, type KeySpec } from './key-kinds.ts';
import type { KeyRecord, MaterialRecord } from './records.ts';
import type { RootKeys } from './root/root-keys.ts';
import { openBox, sealBox } from './sealed-box.ts';

/** What a material is for. */
export type MaterialKind = Pick<KeyRecord, 'spec' | 'usage' | 'origin'>;
/** The key that a material is of. */
export type MaterialOwner = MaterialKind & Pick<KeyRecord, 'keyId' | 'region'>;

/** How a material came to be, and what is known of it besides its bytes. */
export type MaterialFacts = Pick<MaterialRecord, 'createdAt'> & {
  /** A principal's ARN. */
  readonly by: string;
} & Partial<Pick<MaterialRecord, 'state' | 'stateReason' | 'rotation' | 'validTo' | 'description'>>;

/** Where materials are sealed: the store and the key its root gives. */
export type MaterialVault = { readonly storeId: Uint8Array; readonly keys: RootKeys };

/** What a material is used by: a KEK wraps, a MAC key authenticates, a pair does what its key is for. */
export type MaterialSecret =
  | { readonly type: 'kek'; readonly kek: Kek }
  | { readonly type: 'mac'; readonly key: KeyObject; readonly hash: string }
  | ({ readonly type: 'pair' } & KeyPair)
  /** It was imported, and has to be again. */
  | { readonly type: 'absent' };

const CANARY_CONTEXT = { 'sealgate:purpose': 'canary' } as const;

/** Sealed, and `material` zeroed. */
export function makeMaterial(
  owner: MaterialOwner,
  version: number,
  facts: MaterialFacts,
  vault: MaterialVault,
  random: RandomSource,
  material: Uint8Array = randomMaterial(owner.spec, random),
): MaterialRecord {
  const { keyId, region, spec } = owner;
  const { createdAt, by, state = 'active', stateReason = 'created', rotation, validTo, description } = facts;
  try {
    const materialId = materialIdOf(keyId, material);
    const aad = materialAad(vault, owner, materialId, version);
    const wrapped = sealBox(vault.keys.material, aad, material, random);
    const secret = secretOf(spec, material);
    if (secret === undefined) throw new TypeError(`not the material of ${spec}`);
    const canary = makeCanary(secret, keyId, materialId, random);
    const step = { to: state, at: createdAt, by, reason: stateReason, stillOpens: false };
    const stands = { state, stateSince: createdAt, stateReason, stillOpens: false, history: [step] };
    const known = { ...stands, createdAt, rotation, rotatedAt: undefined };
    return { materialId, keyId, region, version, ...known, validTo, description, wrapped, canary };
  } finally {
    material.fill(0);
  }
}

/** Proven to be the record's, and tried on its canary; ERR_KEYS_STORE_TAMPERED. */
export function openMaterial(record: MaterialRecord, owner: MaterialKind, vault: MaterialVault): MaterialSecret {
  const { keyId, materialId, version } = record;
  if (isAbsent(record, owner)) return { type: 'absent' };
  const aad = materialAad(vault, { ...owner, keyId }, materialId, version);
  const material = openBox(vault.keys.material, aad, record.wrapped);
  if (material === undefined) throw damaged(record);
  try {
    if (!equalBytes(materialIdOf(keyId, material), materialId)) throw damaged(record);
    const secret = secretOf(owner.spec, material);
    if (secret === undefined || !fitsCanary(record, secret)) throw damaged(record);
    return secret;
  } finally {
    material.fill(0);
  }
}

/** A copy: the material is the caller's to zero. Undefined: the private key is none of this kind. */
function secretOf(spec: KeySpec, material: Uint8Array): MaterialSecret | undefined {
  const { mac, material: kind } = kindOf(spec);
  if (kind.type === 'pair') {
    const pair = openPair(kind.pair, material);
    return pair === undefined ? undefined : { type: 'pair', ...pair };
  }
  return mac === undefined
    ? { type: 'kek', kek: takeKey('Kek', Uint8Array.from(material)) }
    : { type: 'mac', key: createSecretKey(material), hash: mac.hash };
}

function randomMaterial(spec: KeySpec, random: RandomSource): Uint8Array {
  const { material } = kindOf(spec);
  if (material.type === 'random') return random(material.bytes);
  throw new TypeError(`the material of ${spec} is made by generatePair`);
}

function makeCanary(secret: MaterialSecret, keyId: string, materialId: Uint8Array, random: RandomSource): Uint8Array {
  const plaintext = canaryText(materialId);
  if (secret.type === 'mac') return macOf(secret, plaintext);
  if (secret.type === 'pair') return encodePublicKey(secret.publicKey);
  if (secret.type === 'absent') throw new TypeError('no material is tried');
  const { kek } = secret;
  return wrapKey({ kek, keyUuid: uuidToBytes(keyId), materialId, plaintext, context: CANARY_CONTEXT }, random);
}

function fitsCanary({ materialId, canary }: MaterialRecord, secret: MaterialSecret): boolean {
  const plaintext = canaryText(materialId);
  if (secret.type === 'mac') return equalBytes(canary, macOf(secret, plaintext));
  if (secret.type === 'pair') return equalBytes(canary, encodePublicKey(secret.publicKey));
  if (secret.type === 'absent') return false;
  try {
    const opened = unwrapKey({ kek: secret.kek, materialId, blob: canary, context: CANARY_CONTEXT });
    return equalBytes(opened, plaintext);
  } catch (cause) {
    if (cause instanceof EnvelopeError) return false;
    throw cause;
  }
}

/** The MAC of a message under a MAC key's material (FIPS 198-1). */
export function macOf({ key, hash }: MaterialSecret & { readonly type: 'mac' }, message: Uint8Array): Uint8Array {
  return createHmac(hash, key).update(message).digest();
}

/** Not secret: what matters is that it comes out right. */
function canaryText(materialId: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from('sealgate canary '), materialId]);
}

/** By its own bytes: the same material of the same key has the same id for ever. */
export function materialIdOf(keyId: string, material: Uint8Array): Uint8Array {
  return hmacSha256(material, encodeFields('sealgate material id v1', [uuidToBytes(keyId)]));
}

function materialAad(
  vault: MaterialVault,
  { keyId, spec, usage, origin }: MaterialKind & Pick<KeyRecord, 'keyId'>,
  materialId: Uint8Array,
  version: number,
): Uint8Array {
  const fields = [vault.storeId, uuidToBytes(keyId), materialId, version, spec, usage, origin];
  return encodeFields('sealgate material v1', fields);
}

/** Of what is imported the owner keeps a copy: its bytes may be gone while the key stays. */
function isAbsent({ wrapped, canary }: MaterialRecord, { origin }: MaterialKind): boolean {
  return origin === 'EXTERNAL' && wrapped.length === 0 && canary.length === 0;
}

function damaged(record: MaterialRecord): KeysError {
  const id = Buffer.from(record.materialId).toString('hex');
  return new KeysError('ERR_KEYS_STORE_TAMPERED', `material ${id} of key ${record.keyId} does not open`);
}
