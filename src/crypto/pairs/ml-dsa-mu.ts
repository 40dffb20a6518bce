/**
 * ML-DSA over the representative that the caller made of message and public key (FIPS 204, 6.2: µ = SHAKE256(tr ‖ M′, 64)), which
 * node:crypto does not take. Slow and synchronous: `pair-thread.ts` runs it beside the event loop.
 */
import { randomBytes, type KeyObject } from 'node:crypto';
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';
import type { MlDsa } from './key-pair.ts';
import { latticeSeed, ML_DSA_SEED_BYTES } from './lattice-seed.ts';

export const MU_BYTES = 64;

const SCHEMES = {
  'ml-dsa-44': { type: 'ml-dsa-44', scheme: ml_dsa44, publicBytes: 1312 },
  'ml-dsa-65': { type: 'ml-dsa-65', scheme: ml_dsa65, publicBytes: 1952 },
  'ml-dsa-87': { type: 'ml-dsa-87', scheme: ml_dsa87, publicBytes: 2592 },
} as const satisfies Record<MlDsa, unknown>;

export function signMu(privateKey: KeyObject, mu: Uint8Array): Uint8Array {
  const { scheme, type } = schemeOf(privateKey);
  const seed = latticeSeed(type, privateKey);
  const { secretKey } = scheme.keygen(seed);
  try {
    return scheme.internal.sign(mu, secretKey, { externalMu: true, extraEntropy: randomBytes(ML_DSA_SEED_BYTES) });
  } finally {
    seed.fill(0);
    secretKey.fill(0);
  }
}

export function verifyMu(publicKey: KeyObject, mu: Uint8Array, signature: Uint8Array): boolean {
  const { scheme, publicBytes } = schemeOf(publicKey);
  const bytes = publicKey.export({ format: 'der', type: 'spki' }).subarray(-publicBytes);
  return scheme.internal.verify(signature, mu, Uint8Array.from(bytes), { externalMu: true });
}

function schemeOf({ asymmetricKeyType: type }: KeyObject): (typeof SCHEMES)[MlDsa] {
  if (type === undefined || !Object.hasOwn(SCHEMES, type)) throw new TypeError('not a key of ML-DSA');
  return SCHEMES[type as MlDsa]; // as was just asked
}
