/**
 * The wrapped key (the KMS ciphertext blob): a DEK, or up to 4 KiB of anything, sealed under a KMS key's material.
 *
 *   magic 2 | format 1 | alg 1 | flags 1 | key uuid 16 | material ref 8 | salt 16 | iv 12 | commitment 32 | ciphertext | tag 16
 *
 * Encryption key and commitment are derived afresh for each blob (SP 800-108), so there is no count of messages per KEK to keep,
 * and a blob opens under one material alone (AES-GCM by itself would not promise that).
 */
import { GCM_NONCE_BYTES, GCM_TAG_BYTES, openAesGcm, putSealed } from '../crypto/aes-gcm.ts';
import { equalBytes, nativeBytes } from '../crypto/bytes.ts';
import { counterKdfPair } from '../crypto/counter-kdf.ts';
import type { Kek } from '../crypto/key-types.ts';
import { openBytes, type RandomSource } from '../crypto/random.ts';
import { assertLength } from './codec.ts';
import { encodeContext, isCanonical, type CanonicalContext, type EncryptionContext } from './encryption-context.ts';
import { EnvelopeError, malformed, openFailed, opening } from './errors.ts';
import { MAX_WRAPPED_PLAINTEXT_BYTES } from './limits.ts';

/** "SW". AWS's own blobs begin 01 01 or 01 02. */
export const WRAPPED_KEY_MAGIC: Uint8Array = Uint8Array.of(0x53, 0x57);
export const KEY_UUID_BYTES = 16;
export const MATERIAL_ID_BYTES = 32;
export const MATERIAL_REF_BYTES = 8;

/** Flags of format 1; a blob with any other bit set is of a later format. */
export const WRAPPED_KEY_FLAGS = { multiRegion: 1 } as const;

const FORMAT = 1;
/** SP 800-108 counter KDF with HMAC-SHA-256, then AES-256-GCM. */
const ALG_KDF_AES_256_GCM = 1;
const SALT_BYTES = 16;
const COMMITMENT_BYTES = 32;
const KDF_LABEL = 'sealgate wrapped key v1';
const ALG = Uint8Array.of(ALG_KDF_AES_256_GCM);
const START = Uint8Array.of(...WRAPPED_KEY_MAGIC, FORMAT, ALG_KDF_AES_256_GCM);
const AT_KEY_UUID = START.length + 1;
/** Where each field begins; what follows the last is sealed. */
const AT = {
  flags: START.length,
  keyUuid: AT_KEY_UUID,
  materialRef: AT_KEY_UUID + KEY_UUID_BYTES,
  salt: AT_KEY_UUID + KEY_UUID_BYTES + MATERIAL_REF_BYTES,
  iv: AT_KEY_UUID + KEY_UUID_BYTES + MATERIAL_REF_BYTES + SALT_BYTES,
  commitment: AT_KEY_UUID + KEY_UUID_BYTES + MATERIAL_REF_BYTES + SALT_BYTES + GCM_NONCE_BYTES,
} as const;
const HEADER_BYTES = AT.commitment + COMMITMENT_BYTES;

/** What a wrapped key is longer than what it holds: 105 bytes. */
export const WRAPPED_KEY_OVERHEAD = HEADER_BYTES + GCM_TAG_BYTES;

export type WrapKeyInput = {
  readonly kek: Kek;
  /** 16 bytes: the KMS key's id. */
  readonly keyUuid: Uint8Array;
  /** 32 bytes: the full id of the material `kek` is. */
  readonly materialId: Uint8Array;
  /** 1 to 4096 bytes; the caller zeroes them. */
  readonly plaintext: Uint8Array;
  readonly context: EncryptionContext | CanonicalContext;
  /** Sum of WRAPPED_KEY_FLAGS. */
  readonly flags?: number;
};

export type ParsedWrappedKey = {
  readonly flags: number;
  readonly keyUuid: Uint8Array;
  /** The first 8 bytes of the material's id: for look-up; `unwrapKey` proves the whole of it. */
  readonly materialRef: Uint8Array;
  /** Length of what is wrapped. */
  readonly plaintextBytes: number;
};

/** Wraps `plaintext`. Errors: ERR_ENVELOPE_TOO_LARGE, ERR_ENVELOPE_CONTEXT. */
export function wrapKey(input: WrapKeyInput, random: RandomSource): Uint8Array {
  const { kek, keyUuid, materialId, plaintext, flags = 0 } = input;
  assertLength(keyUuid, KEY_UUID_BYTES, 'a key uuid');
  assertLength(materialId, MATERIAL_ID_BYTES, 'a material id');
  if (plaintext.length < 1 || plaintext.length > MAX_WRAPPED_PLAINTEXT_BYTES) {
    throw new EnvelopeError('ERR_ENVELOPE_TOO_LARGE', `1 to ${MAX_WRAPPED_PLAINTEXT_BYTES} bytes can be wrapped`);
  }
  const context = canonicalOf(input.context);
  const salt = openBytes(random, SALT_BYTES);
  const iv = openBytes(random, GCM_NONCE_BYTES);
  const [key, commitment] = deriveKeys(kek, keyUuid, materialId, salt);
  try {
    const aad = nativeBytes(HEADER_BYTES + context.length);
    aad.set(START);
    aad[AT.flags] = flags;
    aad.set(keyUuid, AT.keyUuid);
    for (let at = 0; at < MATERIAL_REF_BYTES; at++) aad[AT.materialRef + at] = materialId[at] ?? 0;
    aad.set(salt, AT.salt);
    aad.set(iv, AT.iv);
    aad.set(commitment, AT.commitment);
    aad.set(context, HEADER_BYTES);
    const blob = new Uint8Array(WRAPPED_KEY_OVERHEAD + plaintext.length);
    blob.set(aad.subarray(0, HEADER_BYTES));
    putSealed(blob, HEADER_BYTES, key, aad.subarray(AT.iv, AT.commitment), plaintext, aad);
    return blob;
  } finally {
    key.fill(0);
  }
}

/** Reads what a blob says of itself, none of it proven. Total. Errors: ERR_ENVELOPE_MALFORMED. */
export function parseWrappedKey(blob: Uint8Array): ParsedWrappedKey {
  const flags = checkedFlags(blob);
  return {
    flags,
    keyUuid: blob.subarray(AT.keyUuid, AT.materialRef),
    materialRef: blob.subarray(AT.materialRef, AT.salt),
    plaintextBytes: blob.length - WRAPPED_KEY_OVERHEAD,
  };
}

/** Whether both, of which the first was parsed, name the same key and material. */
export function nameSameMaterial(parsed: Uint8Array, blob: Uint8Array): boolean {
  for (let at = AT.flags; at < AT.salt; at++) if (blob[at] !== parsed[at]) return false;
  return true;
}

/**
 * Opens a blob; the caller zeroes what it gets. Precondition: `materialId` (32 bytes) is the id of the material `kek` is.
 * Errors: ERR_ENVELOPE_MALFORMED, ERR_ENVELOPE_CONTEXT, ERR_ENVELOPE_OPEN_FAILED.
 */
export function unwrapKey(input: {
  readonly kek: Kek;
  readonly materialId: Uint8Array;
  readonly blob: Uint8Array;
  readonly context: EncryptionContext | CanonicalContext;
}): Uint8Array {
  const { kek, materialId, blob } = input;
  assertLength(materialId, MATERIAL_ID_BYTES, 'a material id');
  checkedFlags(blob);
  const context = canonicalOf(input.context);
  const aad = nativeBytes(HEADER_BYTES + context.length);
  aad.set(blob.subarray(0, HEADER_BYTES));
  aad.set(context, HEADER_BYTES);
  const salt = blob.subarray(AT.salt, AT.iv);
  const [key, commitment] = deriveKeys(kek, blob.subarray(AT.keyUuid, AT.materialRef), materialId, salt);
  try {
    // The commitment covers the whole material id, so the reference in the header needs no check of its own.
    if (!equalBytes(commitment, blob.subarray(AT.commitment, HEADER_BYTES))) throw openFailed();
    return opening(() => openAesGcm(key, blob.subarray(AT.iv, AT.commitment), blob.subarray(HEADER_BYTES), aad));
  } finally {
    key.fill(0);
  }
}

/** The flags of what is long enough to be a blob, and says that it is one of format 1. */
function checkedFlags(blob: Uint8Array): number {
  const most = WRAPPED_KEY_OVERHEAD + MAX_WRAPPED_PLAINTEXT_BYTES;
  if (blob.length <= WRAPPED_KEY_OVERHEAD || blob.length > most) throw malformed();
  for (let at = 0; at < START.length; at++) if (blob[at] !== START[at]) throw malformed();
  const flags = blob[AT.flags];
  if (flags === undefined || (flags & ~WRAPPED_KEY_FLAGS.multiRegion) !== 0) throw malformed();
  return flags;
}

const canonicalOf = (context: EncryptionContext | CanonicalContext): CanonicalContext =>
  isCanonical(context) ? context : encodeContext(context);

/** key 32, commitment 32, over alg, key uuid, full material id and salt: all of fixed length. */
function deriveKeys(
  kek: Kek,
  keyUuid: Uint8Array,
  materialId: Uint8Array,
  salt: Uint8Array,
): readonly [Uint8Array, Uint8Array] {
  return counterKdfPair(kek, KDF_LABEL, [ALG, keyUuid, materialId, salt]);
}
