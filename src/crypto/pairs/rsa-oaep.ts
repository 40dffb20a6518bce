/** RSAES-OAEP (RFC 8017, 7.1) without a label, MGF1 with the same hash. Synchronous: `pair-thread.ts` runs it beside the event loop. */
import { constants, privateDecrypt, publicEncrypt, type KeyObject } from 'node:crypto';

export type OaepHash = 'sha1' | 'sha256';

export function encryptOaep(hash: OaepHash, key: KeyObject, plaintext: Uint8Array): Uint8Array {
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash }, plaintext);
}

/** Undefined, whatever is wrong: to say which would be an oracle (Manger, CRYPTO 2001). The caller zeroes the plaintext. */
export function decryptOaep(hash: OaepHash, key: KeyObject, ciphertext: Uint8Array): Uint8Array | undefined {
  try {
    return privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash }, ciphertext);
  } catch {
    return undefined;
  }
}
