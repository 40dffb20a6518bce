/**
 * XAES-256-GCM: AES-256-GCM with 192-bit nonces, safe to draw at random without counting messages (2^80 of them at a collision
 * risk of 2^-32). Source: https://c2sp.org/XAES-256-GCM.
 *
 * A key and nonce are derived per message by AES-CMAC in an SP 800-108 counter KDF of two one-block inputs, which is two AES
 * block encryptions; the CMAC subkey K1 depends on the key alone and is kept beside it.
 */
import { createCipheriv, type Cipheriv, type KeyObject } from 'node:crypto';
import { nativeBytes } from './bytes.ts';
import { GCM_NONCE_BYTES, GCM_TAG_BYTES, openAesGcm, sealAesGcm } from './aes-gcm.ts';

export const XAES_NONCE_BYTES = 24;
export const XAES_TAG_BYTES = GCM_TAG_BYTES;

const BLOCK_BYTES = 16;
/** "X". */
const LABEL = 0x58;
const CONTEXT_BYTES = XAES_NONCE_BYTES - GCM_NONCE_BYTES;
/** Where the nonce's first half lies in M1 and M2, after the counter (16 bits), the label "X" and a zero. */
const CONTEXT_AT = [BLOCK_BYTES - CONTEXT_BYTES, 2 * BLOCK_BYTES - CONTEXT_BYTES] as const;

/**
 * What depends on the key alone: AES under it, and the blocks masked with K1. Setting up a cipher costs more than two blocks of it. An entry lives exactly as
 * long as its KeyObject, and holds no more than that does (K1 = dbl(AES(0)) does not give the key away).
 */
type Schedule = {
  readonly aes: Cipheriv;
  /** M1 xor K1 | M2 xor K1, but for the nonce's part. */
  readonly masked: Uint8Array;
};
const schedules = new WeakMap<KeyObject, Schedule>();

/**
 * Seals `plaintext`: ciphertext, then the tag of 16 bytes.
 * Precondition: the nonce (24 bytes) is random, or derived from key, AAD and plaintext together.
 */
export function sealXaesGcm(key: KeyObject, nonce: Uint8Array, plaintext: Uint8Array, aad?: Uint8Array): Uint8Array {
  const derived = deriveKey(key, nonce);
  try {
    return sealAesGcm(derived, nonce.subarray(CONTEXT_BYTES), plaintext, aad);
  } finally {
    derived.fill(0);
  }
}

/** Opens what `sealXaesGcm` made. Errors: ERR_CRYPTO_OPEN_FAILED, whatever is wrong. */
export function openXaesGcm(key: KeyObject, nonce: Uint8Array, sealed: Uint8Array, aad?: Uint8Array): Uint8Array {
  const derived = deriveKey(key, nonce);
  try {
    return openAesGcm(derived, nonce.subarray(CONTEXT_BYTES), sealed, aad);
  } finally {
    derived.fill(0);
  }
}

/** Steps 3 to 5 of the specification: AES(M1 xor K1) | AES(M2 xor K1), both blocks in one call. */
function deriveKey(key: KeyObject, nonce: Uint8Array): Uint8Array {
  if (nonce.length !== XAES_NONCE_BYTES) throw new RangeError(`an XAES nonce has ${XAES_NONCE_BYTES} bytes`);
  const { aes, masked } = scheduleOf(key);
  const blocks = nativeBytes(2 * BLOCK_BYTES);
  blocks.set(masked);
  for (let i = 0; i < CONTEXT_BYTES; i++) {
    const byte = nonce[i] ?? 0;
    for (const at of CONTEXT_AT) blocks[at + i] = (blocks[at + i] ?? 0) ^ byte;
  }
  return aes.update(blocks);
}

/** Steps 1 and 2: K1 is L doubled in GF(2^128), branch-free. */
function scheduleOf(key: KeyObject): Schedule {
  const known = schedules.get(key);
  if (known !== undefined) return known;
  const aes = blockCipher(key);
  const l = aes.update(new Uint8Array(BLOCK_BYTES));
  const k1 = new Uint8Array(BLOCK_BYTES);
  for (let i = 0; i < BLOCK_BYTES; i++) k1[i] = ((l[i] ?? 0) << 1) | ((l[i + 1] ?? 0) >>> 7);
  const carry = (l[0] ?? 0) >>> 7;
  k1[BLOCK_BYTES - 1] = (k1[BLOCK_BYTES - 1] ?? 0) ^ (carry * 0x87);
  l.fill(0);
  const masked = new Uint8Array(2 * BLOCK_BYTES);
  for (const counter of [1, 2]) {
    const start = (counter - 1) * BLOCK_BYTES;
    masked.set(k1, start);
    masked[start + 1] = (k1[1] ?? 0) ^ counter;
    masked[start + 2] = (k1[2] ?? 0) ^ LABEL;
  }
  const schedule = { aes, masked };
  schedules.set(key, schedule);
  return schedule;
}

/** Raw AES over whole, independent blocks: it keeps nothing from one `update` to the next, and ECB's weakness does not arise. */
function blockCipher(key: KeyObject): Cipheriv {
  const cipher = createCipheriv('aes-256-ecb', key, null);
  cipher.setAutoPadding(false);
  return cipher;
}
