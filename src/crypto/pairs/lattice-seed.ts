/**
 * The one form in which private keys of ML-DSA and ML-KEM are kept: the seed alone (RFC 9881, 6; RFC 9935, 6). Node.js 24 exports
 * seed and expanded key together, newer ones the seed; each reads either.
 */
import type { KeyObject } from 'node:crypto';
import type { MlDsa, MlKem } from './key-pair.ts';

type Lattice = MlDsa | MlKem;

/** The end of the algorithm's OID, 2.16.840.1.101.3.4.x.y, and the length of its seed. */
const KINDS = {
  'ml-dsa-44': { oid: [0x03, 0x11], seedBytes: 32 },
  'ml-dsa-65': { oid: [0x03, 0x12], seedBytes: 32 },
  'ml-dsa-87': { oid: [0x03, 0x13], seedBytes: 32 },
  'ml-kem-512': { oid: [0x04, 0x01], seedBytes: 64 },
  'ml-kem-768': { oid: [0x04, 0x02], seedBytes: 64 },
  'ml-kem-1024': { oid: [0x04, 0x03], seedBytes: 64 },
} as const satisfies Record<Lattice, { readonly oid: readonly number[]; readonly seedBytes: number }>;

export const ML_DSA_SEED_BYTES = KINDS['ml-dsa-44'].seedBytes;

/** PKCS #8 up to the seed. */
function seedPrefix(type: Lattice): Uint8Array {
  const { oid, seedBytes } = KINDS[type];
  return Uint8Array.of(
    ...[0x30, seedBytes + 20, 0x02, 0x01, 0x00, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04],
    ...[...oid, 0x04, seedBytes + 2, 0x80, seedBytes],
  );
}

export function isLattice(type: string | undefined): type is Lattice {
  return type !== undefined && Object.hasOwn(KINDS, type);
}

/** PKCS #8 in DER, the seed alone; the caller zeroes it. */
export function encodeLatticeKey(type: Lattice, privateKey: KeyObject): Uint8Array {
  const seed = latticeSeed(type, privateKey);
  const encoded = Buffer.concat([seedPrefix(type), seed]);
  seed.fill(0);
  return encoded;
}

/** The caller zeroes it. */
export function latticeSeed(type: Lattice, privateKey: KeyObject): Uint8Array {
  const encoded = privateKey.export({ format: 'der', type: 'pkcs8' });
  try {
    return seedIn(type, encoded);
  } finally {
    encoded.fill(0);
  }
}

/** Where the seed lies in `[0] seed`, and in `SEQUENCE { seed, expanded key }`, whose lengths take three bytes more. */
const ALONE_AT = 22;
const BESIDE_AT = 30;

export function seedIn(type: Lattice, encoded: Uint8Array): Uint8Array {
  const { seedBytes } = KINDS[type];
  const isAlone = encoded.length === ALONE_AT + seedBytes;
  const at = isAlone ? ALONE_AT : BESIDE_AT;
  if (encoded[at - 2] !== (isAlone ? 0x80 : 0x04) || encoded[at - 1] !== seedBytes)
    throw new TypeError(`a private key of ${type} without its seed`);
  return Uint8Array.from(encoded.subarray(at, at + seedBytes));
}
