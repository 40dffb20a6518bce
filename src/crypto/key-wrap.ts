/**
 * AES key wrap with padding (KWP, RFC 5649, SP 800-38F 6.3) under keys of 256 bits: as what is imported comes wrapped. Nothing of ours is
 * wrapped so: it takes no AAD.
 */
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';

const CIPHER = 'id-aes256-wrap-pad';
/** RFC 5649, 3. */
const INITIAL_VALUE = Buffer.from('a65959a6', 'hex');
const BLOCK_BYTES = 8;

export function wrapPadded(key: KeyObject, plaintext: Uint8Array): Uint8Array {
  return createCipheriv(CIPHER, key, INITIAL_VALUE).update(plaintext);
}

/** Undefined: it does not open. The caller zeroes the plaintext. */
export function unwrapPadded(key: KeyObject, wrapped: Uint8Array): Uint8Array | undefined {
  if (wrapped.length < 2 * BLOCK_BYTES || wrapped.length % BLOCK_BYTES !== 0) return undefined;
  const decipher = createDecipheriv(CIPHER, key, INITIAL_VALUE);
  try {
    // All at once, into memory of its own: the cipher has no more to give at its end.
    return decipher.update(wrapped);
  } catch {
    return undefined;
  }
}
