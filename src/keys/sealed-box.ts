/**
 * AES-256-GCM boxes of the key store: `iv 12 | ciphertext | tag 16`, with a random IV. Each key here seals few boxes (one per
 * slot, material or backup), far from the 2^32 limit of random IVs (NIST SP 800-38D, 8.3).
 */
import type { KeyObject } from 'node:crypto';
import { GCM_NONCE_BYTES, GCM_TAG_BYTES, openAesGcm, sealAesGcm } from '../crypto/aes-gcm.ts';
import { concatBytes } from '../crypto/bytes.ts';
import { CryptoError } from '../crypto/errors.ts';
import type { RandomSource } from '../crypto/random.ts';

export const BOX_OVERHEAD = GCM_NONCE_BYTES + GCM_TAG_BYTES;

export function sealBox(key: KeyObject, aad: Uint8Array, plaintext: Uint8Array, random: RandomSource): Uint8Array {
  const iv = random(GCM_NONCE_BYTES);
  return concatBytes(iv, sealAesGcm(key, iv, plaintext, aad));
}

/** The plaintext, which the caller zeroes; undefined when the box does not open, whatever the reason. */
export function openBox(key: KeyObject, aad: Uint8Array, box: Uint8Array): Uint8Array | undefined {
  if (box.length < BOX_OVERHEAD) return undefined;
  try {
    return openAesGcm(key, box.subarray(0, GCM_NONCE_BYTES), box.subarray(GCM_NONCE_BYTES), aad);
  } catch (error) {
    if (error instanceof CryptoError) return undefined;
    throw error;
  }
}
