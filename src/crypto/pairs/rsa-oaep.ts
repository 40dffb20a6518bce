/** RSAES-OAEP (RFC 8017, 7.1) without a label, MGF1 with the same hash. Synchronous: `pair-thread.ts` runs it beside the event loop. */
import { constants, privateDecrypt, publicEncrypt, type KeyObject } from 'node:crypto';
import { modulusBytes } from './key-pair.ts';

export type OaepHash = 'sha1' | 'sha256';

const HASH_BYTES = { sha1: 20, sha256: 32 } as const satisfies Record<OaepHash, number>;

/** The longest plaintext under a modulus of so many bytes. */
export function maxOaepBytes(hash: OaepHash, modulus: number): number {
  return modulus - 2 * HASH_BYTES[hash] - 2;
}

export function encryptOaep(hash: OaepHash, key: KeyObject, plaintext: Uint8Array): Uint8Array {
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash }, plaintext);
}

/** Undefined, whatever is wrong: to say which would be an oracle (Manger, CRYPTO 2001). The caller zeroes the plaintext. */
export function decryptOaep(hash: OaepHash, key: KeyObject, ciphertext: Uint8Array): Uint8Array | undefined {
  // RFC 8017, 7.1.2, step 1. OpenSSL takes one without its leading zeros.
  if (ciphertext.length !== modulusBytes(key)) return undefined;
  try {
    return privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash }, ciphertext);
  } catch {
    return undefined;
  }
}
