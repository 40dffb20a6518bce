/**
 * The one form in which private keys of ML-DSA are kept: the seed alone (RFC 9881, 6). Node.js 24 exports seed and expanded key
 * together, newer ones the seed; each reads either.
 */
import type { KeyObject } from 'node:crypto';
import type { MlDsa } from './key-pair.ts';

export const SEED_BYTES = 32;

/** PKCS #8 up to the seed, which the last byte of the algorithm's OID tells apart. */
const OIDS = { 'ml-dsa-44': 0x11, 'ml-dsa-65': 0x12, 'ml-dsa-87': 0x13 } as const satisfies Record<MlDsa, number>;
const seedPrefix = (type: MlDsa): Uint8Array =>
  Uint8Array.of(
    ...[0x30, 0x34, 0x02, 0x01, 0x00, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03],
    ...[OIDS[type], 0x04, 0x22, 0x80, SEED_BYTES],
  );

export function isMlDsa(type: string | undefined): type is MlDsa {
  return type !== undefined && Object.hasOwn(OIDS, type);
}

/** PKCS #8 in DER, the seed alone; the caller zeroes it. */
export function encodeMlDsaKey(type: MlDsa, privateKey: KeyObject): Uint8Array {
  const seed = mlDsaSeed(privateKey);
  const encoded = Buffer.concat([seedPrefix(type), seed]);
  seed.fill(0);
  return encoded;
}

/** 32 bytes, which the caller zeroes. */
export function mlDsaSeed(privateKey: KeyObject): Uint8Array {
  const encoded = privateKey.export({ format: 'der', type: 'pkcs8' });
  try {
    return seedIn(encoded);
  } finally {
    encoded.fill(0);
  }
}

/** Where the seed lies in `[0] seed`, and in `SEQUENCE { seed, expanded key }`, whose lengths take three bytes more. */
const ALONE_AT = 22;
const BESIDE_AT = 30;

export function seedIn(encoded: Uint8Array): Uint8Array {
  const isAlone = encoded.length === ALONE_AT + SEED_BYTES;
  const at = isAlone ? ALONE_AT : BESIDE_AT;
  if (encoded[at - 2] !== (isAlone ? 0x80 : 0x04) || encoded[at - 1] !== SEED_BYTES)
    throw new TypeError('a private key of ML-DSA without its seed');
  return Uint8Array.from(encoded.subarray(at, at + SEED_BYTES));
}
