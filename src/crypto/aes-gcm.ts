/**
 * AES-256-GCM with 96-bit nonces and 128-bit tags (NIST SP 800-38D), on node:crypto.
 *
 * Invariant: no plaintext is returned before its tag has verified.
 */
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { CryptoError } from './errors.ts';

export const GCM_NONCE_BYTES = 12;
export const GCM_TAG_BYTES = 16;

/** A whole key, or the raw bytes of one that was derived for a single use (the caller zeroes them). */
export type GcmKey = KeyObject | Uint8Array;

const NO_AAD = new Uint8Array(0);

/**
 * Seals `plaintext`: ciphertext, then the tag of 16 bytes.
 * Precondition: the nonce (12 bytes) is never used twice with the same key.
 */
export function sealAesGcm(
  key: GcmKey,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array = NO_AAD,
): Uint8Array {
  const sealed = new Uint8Array(plaintext.length + GCM_TAG_BYTES);
  putSealed(sealed, 0, key, nonce, plaintext, aad);
  return sealed;
}

/** The same, into `target` from `at` on, where there is room for it. */
export function putSealed(
  target: Uint8Array,
  at: number,
  key: GcmKey,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
): void {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(aad);
  target.set(cipher.update(plaintext), at);
  cipher.final();
  target.set(cipher.getAuthTag(), at + plaintext.length);
}

/** Opens what `sealAesGcm` made. Errors: ERR_CRYPTO_OPEN_FAILED, whatever is wrong. */
export function openAesGcm(key: GcmKey, nonce: Uint8Array, sealed: Uint8Array, aad: Uint8Array = NO_AAD): Uint8Array {
  const length = sealed.length - GCM_TAG_BYTES;
  if (length < 0) throw new CryptoError('ERR_CRYPTO_OPEN_FAILED');
  // Without `authTagLength`, which costs a tenth more and would say nothing new: the tag handed over always has all of its 16 bytes.
  const decipher = createDecipheriv('aes-256-gcm', key, nonce);
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(length));
  const plaintext = decipher.update(sealed.subarray(0, length));
  try {
    decipher.final();
  } catch {
    plaintext.fill(0);
    throw new CryptoError('ERR_CRYPTO_OPEN_FAILED');
  }
  // A plain view: a Buffer's own methods (slice, toString) mean other things.
  return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.length);
}
