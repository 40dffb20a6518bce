/**
 * Asymmetric key pairs: made, encoded and opened, on node:crypto. Pairs are made by OpenSSL from its own generator (SP 800-90A), not
 * from a RandomSource: it takes no other.
 */
import { createPrivateKey, createPublicKey, generateKeyPair as generate, type KeyObject } from 'node:crypto';
import { unreachable } from '../../errors.ts';
import { encodeLatticeKey, isLattice } from './lattice-seed.ts';

export type EcCurve = 'prime256v1' | 'secp384r1' | 'secp521r1' | 'secp256k1';
/** Of a coordinate, and of a private number. */
export const CURVE_BYTES = {
  prime256v1: 32,
  secp384r1: 48,
  secp521r1: 66,
  secp256k1: 32,
} as const satisfies Record<EcCurve, number>;
export type MlDsa = 'ml-dsa-44' | 'ml-dsa-65' | 'ml-dsa-87';
export type MlKem = 'ml-kem-512' | 'ml-kem-768' | 'ml-kem-1024';
/** Of what opens to a secret (FIPS 203, table 3). */
export const ENCAPSULATED_BYTES = {
  'ml-kem-512': 768,
  'ml-kem-768': 1088,
  'ml-kem-1024': 1568,
} as const satisfies Record<MlKem, number>;

export function isMlKem(type: string): type is MlKem {
  return Object.hasOwn(ENCAPSULATED_BYTES, type);
}

export type PairKind =
  | { readonly type: 'rsa'; readonly bits: 2048 | 3072 | 4096 }
  | { readonly type: 'ec'; readonly curve: EcCurve }
  | { readonly type: 'ed25519' }
  | { readonly type: MlDsa }
  | { readonly type: MlKem };

export type KeyPair = { readonly privateKey: KeyObject; readonly publicKey: KeyObject };

const RSA_EXPONENT = 65537;

/** On a thread of its own: RSA takes from milliseconds to seconds. */
export function generatePair(kind: PairKind): Promise<KeyPair> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, publicKey: KeyObject, privateKey: KeyObject): void => {
      if (error === null) resolve({ publicKey, privateKey });
      else reject(error);
    };
    switch (kind.type) {
      case 'rsa':
        return generate('rsa', { modulusLength: kind.bits, publicExponent: RSA_EXPONENT }, done);
      case 'ec':
        return generate('ec', { namedCurve: kind.curve, paramEncoding: 'named' }, done);
      case 'ed25519':
        return generate('ed25519', {}, done);
      case 'ml-dsa-44':
      case 'ml-dsa-65':
      case 'ml-dsa-87':
        return generate(kind.type, {}, done);
      case 'ml-kem-512':
      case 'ml-kem-768':
      case 'ml-kem-1024':
        return generate(kind.type, {}, done);
      default:
        return unreachable(kind);
    }
  });
}

/** PKCS #8 in DER; the caller zeroes it. */
export function encodePrivateKey({ privateKey }: KeyPair): Uint8Array {
  const { asymmetricKeyType: type } = privateKey;
  return isLattice(type) ? encodeLatticeKey(type, privateKey) : privateKey.export({ format: 'der', type: 'pkcs8' });
}

/** SubjectPublicKeyInfo in DER. */
export function encodePublicKey(publicKey: KeyObject): Uint8Array {
  return publicKey.export({ format: 'der', type: 'spki' });
}

/** What `encodePrivateKey` gave, which stays the caller's to zero. Undefined: it is no private key of this kind. */
export function openPair(kind: PairKind, encoded: Uint8Array): KeyPair | undefined {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey({ key: encoded as Buffer, format: 'der', type: 'pkcs8' }); // typed Buffer, takes any bytes
  } catch {
    return undefined;
  }
  const pair = { privateKey, publicKey: createPublicKey(privateKey) };
  return isOfKind(kind, pair.privateKey) ? pair : undefined;
}

export function isOfKind(kind: PairKind, { asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): boolean {
  if (asymmetricKeyType !== kind.type) return false;
  const { modulusLength, publicExponent, namedCurve } = asymmetricKeyDetails;
  if (kind.type === 'rsa') return modulusLength === kind.bits && publicExponent === BigInt(RSA_EXPONENT);
  return kind.type !== 'ec' || namedCurve === kind.curve;
}

/** The length of an RSA key's modulus, and of what it signs and encrypts. */
export function modulusBytes({ asymmetricKeyDetails }: KeyObject): number {
  const { modulusLength } = asymmetricKeyDetails ?? {};
  if (modulusLength === undefined) throw new TypeError('not an RSA key');
  return modulusLength / 8;
}
