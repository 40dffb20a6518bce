/** Ed25519 signatures (RFC 8032) with keys made from a derived seed. */
import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';

export const ED25519_PUBLIC_BYTES = 32;
export const ED25519_SIGNATURE_BYTES = 64;

/** What PKCS #8 and SubjectPublicKeyInfo put before the bytes of an Ed25519 key (RFC 8410). */
const PRIVATE_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** The private key of a seed of 32 bytes, which is zeroed. */
export function takeEd25519Seed(seed: Uint8Array): KeyObject {
  const encoded = Buffer.concat([PRIVATE_PREFIX, seed]);
  try {
    return createPrivateKey({ key: encoded, format: 'der', type: 'pkcs8' });
  } finally {
    encoded.fill(0);
    seed.fill(0);
  }
}

/** The 32 bytes of the public half. */
export function ed25519PublicBytes(privateKey: KeyObject): Uint8Array {
  const encoded = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return Uint8Array.from(encoded.subarray(PUBLIC_PREFIX.length));
}

/** From the 32 bytes that `ed25519PublicBytes` gave; RangeError for another length. */
export function ed25519PublicKey(bytes: Uint8Array): KeyObject {
  if (bytes.length !== ED25519_PUBLIC_BYTES) throw new RangeError('an Ed25519 public key has 32 bytes');
  return createPublicKey({ key: Buffer.concat([PUBLIC_PREFIX, bytes]), format: 'der', type: 'spki' });
}

/** The signature, 64 bytes. */
export function signEd25519(privateKey: KeyObject, message: Uint8Array): Uint8Array {
  return sign(null, message, privateKey);
}

export function verifyEd25519(publicKey: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === ED25519_SIGNATURE_BYTES && verify(null, message, publicKey, signature);
}
