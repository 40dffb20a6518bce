/** What the self-tests of key pairs have in common. */
import { createHash } from 'node:crypto';
import { openPair, type KeyPair, type PairKind } from './key-pair.ts';

export const unhex = (text: string): Uint8Array => Buffer.from(text, 'hex');
export const sha256 = (message: Uint8Array): Uint8Array => createHash('sha256').update(message).digest();

export const forged = (signature: Uint8Array): Uint8Array => {
  const changed = Uint8Array.from(signature);
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  return changed;
};

export function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** `encoded`: PKCS #8 in DER. */
export function pairOf(kind: PairKind, encoded: Uint8Array): KeyPair {
  const pair = openPair(kind, encoded);
  if (pair === undefined) throw new Error('does not read a private key');
  return pair;
}

/** What comes before the key itself in a lattice key's SubjectPublicKeyInfo has 22 bytes. */
export const LATTICE_KEY_AT = 22;
