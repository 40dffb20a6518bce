/**
 * The wrapped key (the KMS ciphertext blob): a DEK, or up to 4 KiB of anything, sealed under a KMS key's material.
 *
 *   magic 2 | format 1 | alg 1 | flags 1 | key uuid 16 | material ref 8 | salt 16 | iv 12 | commitment 32 | ciphertext | tag 16
 *
 * Encryption key and commitment are derived afresh for each blob (SP 800-108), so there is no count of messages per KEK to keep,
 * and a blob opens under one material alone (AES-GCM by itself would not promise that).
 */
import { GCM_NONCE_BYTES, GCM_TAG_BYTES, openAesGcm, sealAesGcm } from '../crypto/aes-gcm.ts';
import { concatBytes, equalBytes } from '../crypto/bytes.ts';
import { counterKdf } from '../crypto/counter-kdf.ts';
import { KEY_BYTES, type Kek } from '../crypto/key-types.ts';
import type { RandomSource } from '../crypto/random.ts';
import { Reader, assertLength } from './codec.ts';
import { encodeContext, type EncryptionContext } from './encryption-context.ts';
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
const HEADER_BYTES =
  2 + 1 + 1 + 1 + KEY_UUID_BYTES + MATERIAL_REF_BYTES + SALT_BYTES + GCM_NONCE_BYTES + COMMITMENT_BYTES;

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
  readonly context: EncryptionContext;
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
  const { kek, keyUuid, materialId, plaintext, context, flags = 0 } = input;
  assertLength(keyUuid, KEY_UUID_BYTES, 'a key uuid');
  assertLength(materialId, MATERIAL_ID_BYTES, 'a material id');
  if (plaintext.length < 1 || plaintext.length > MAX_WRAPPED_PLAINTEXT_BYTES) {
    throw new EnvelopeError('ERR_ENVELOPE_TOO_LARGE', `1 to ${MAX_WRAPPED_PLAINTEXT_BYTES} bytes can be wrapped`);
  }
  const canonicalContext = encodeContext(context);
  const salt = random(SALT_BYTES);
  const iv = random(GCM_NONCE_BYTES);
  const derived = deriveKeys(kek, keyUuid, materialId, salt);
  try {
    const header = concatBytes(
      WRAPPED_KEY_MAGIC,
      Uint8Array.of(FORMAT, ALG_KDF_AES_256_GCM, flags),
      keyUuid,
      materialId.subarray(0, MATERIAL_REF_BYTES),
      salt,
      iv,
      derived.commitment,
    );
    return concatBytes(header, sealAesGcm(derived.key, iv, plaintext, concatBytes(header, canonicalContext)));
  } finally {
    derived.key.fill(0);
  }
}

/** Reads what a blob says of itself, none of it proven. Total. Errors: ERR_ENVELOPE_MALFORMED. */
export function parseWrappedKey(blob: Uint8Array): ParsedWrappedKey {
  const { flags, keyUuid, materialRef, sealed } = decode(blob);
  return { flags, keyUuid, materialRef, plaintextBytes: sealed.length - GCM_TAG_BYTES };
}

/**
 * Opens a blob; the caller zeroes what it gets. Precondition: `materialId` (32 bytes) is the id of the material `kek` is.
 * Errors: ERR_ENVELOPE_MALFORMED, ERR_ENVELOPE_CONTEXT, ERR_ENVELOPE_OPEN_FAILED.
 */
export function unwrapKey(input: {
  readonly kek: Kek;
  readonly materialId: Uint8Array;
  readonly blob: Uint8Array;
  readonly context: EncryptionContext;
}): Uint8Array {
  const { kek, materialId, context } = input;
  assertLength(materialId, MATERIAL_ID_BYTES, 'a material id');
  const { keyUuid, salt, iv, commitment, header, sealed } = decode(input.blob);
  const aad = concatBytes(header, encodeContext(context));
  const derived = deriveKeys(kek, keyUuid, materialId, salt);
  try {
    // The commitment covers the whole material id, so the reference in the header needs no check of its own.
    if (!equalBytes(derived.commitment, commitment)) throw openFailed();
    return opening(() => openAesGcm(derived.key, iv, sealed, aad));
  } finally {
    derived.key.fill(0);
  }
}

function decode(blob: Uint8Array) {
  const most = WRAPPED_KEY_OVERHEAD + MAX_WRAPPED_PLAINTEXT_BYTES;
  if (blob.length <= WRAPPED_KEY_OVERHEAD || blob.length > most) throw malformed();
  const reader = new Reader(blob);
  reader.expect(...WRAPPED_KEY_MAGIC, FORMAT, ALG_KDF_AES_256_GCM);
  const flags = reader.uint8();
  if ((flags & ~WRAPPED_KEY_FLAGS.multiRegion) !== 0) throw malformed();
  return {
    flags,
    keyUuid: reader.bytes(KEY_UUID_BYTES),
    materialRef: reader.bytes(MATERIAL_REF_BYTES),
    salt: reader.bytes(SALT_BYTES),
    iv: reader.bytes(GCM_NONCE_BYTES),
    commitment: reader.bytes(COMMITMENT_BYTES),
    header: blob.subarray(0, HEADER_BYTES),
    sealed: reader.rest(),
  };
}

/** key 32 | commitment 32, over alg, key uuid, full material id and salt: all of fixed length. */
function deriveKeys(kek: Kek, keyUuid: Uint8Array, materialId: Uint8Array, salt: Uint8Array) {
  const context = [Uint8Array.of(ALG_KDF_AES_256_GCM), keyUuid, materialId, salt];
  const derived = counterKdf(kek, KDF_LABEL, context, KEY_BYTES + COMMITMENT_BYTES);
  return { key: derived.subarray(0, KEY_BYTES), commitment: derived.subarray(KEY_BYTES) };
}
