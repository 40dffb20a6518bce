/**
 * Signatures over a digest that the caller made, which node:crypto does not do: RSA by its bare operation over our own encoding, ECDSA
 * and Ed25519ph by @noble/curves. Slow (up to some milliseconds) and synchronous: `digest-thread.ts` runs it beside the event loop.
 */
import { constants, privateEncrypt, publicDecrypt, type KeyObject } from 'node:crypto';
import { ed25519ph } from '@noble/curves/ed25519.js';
import { p256, p384, p521 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { unreachable } from '../../errors.ts';
import { equalBytes } from '../bytes.ts';
import { CURVE_BYTES, modulusBytes, type EcCurve } from './key-pair.ts';
import { signMu, verifyMu } from './ml-dsa-mu.ts';
import { encodePkcs1, encodePss, isPssOf } from './rsa-encoding.ts';
import type { RsaScheme, SignatureScheme } from './signature-scheme.ts';

/** Ed25519ph hashes what it is given, a digest too, with SHA-512 (RFC 8032, 5.1): as AWS KMS does. */
export type DigestScheme = Exclude<SignatureScheme, { readonly type: 'ed25519' | 'ml-dsa' }>;

const CURVES = {
  prime256v1: { curve: p256, secretBytes: CURVE_BYTES.prime256v1 },
  secp384r1: { curve: p384, secretBytes: CURVE_BYTES.secp384r1 },
  secp521r1: { curve: p521, secretBytes: CURVE_BYTES.secp521r1 },
  secp256k1: { curve: secp256k1, secretBytes: CURVE_BYTES.secp256k1 },
} as const satisfies Record<EcCurve, unknown>;
/** High s is as good as low: AWS and OpenSSL make and take both. */
const ECDSA = { prehash: false, lowS: false, format: 'der' } as const;
const ED25519_SEED_BYTES = 32;

export function signDigest(scheme: DigestScheme, privateKey: KeyObject, digest: Uint8Array): Uint8Array {
  switch (scheme.type) {
    case 'rsa-pss':
    case 'rsa-pkcs1': {
      const encoded = encodeRsa(scheme, digest, modulusBytes(privateKey));
      return privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, encoded);
    }
    case 'ecdsa': {
      const { curve, secretBytes } = curveOf(privateKey);
      return withSecret(ecSecret(privateKey, secretBytes), (secret) =>
        // The nonce is RFC 6979's with fresh entropy: no two signatures share one, whatever the generator does.
        curve.sign(digest, secret, { ...ECDSA, extraEntropy: true }),
      );
    }
    case 'ed25519ph':
      return withSecret(ed25519Seed(privateKey), (seed) => ed25519ph.sign(digest, seed));
    case 'ml-dsa-mu':
      return signMu(privateKey, digest);
    default:
      return unreachable(scheme);
  }
}

/** False also where the signature is none at all. */
export function verifyDigest(
  scheme: DigestScheme,
  publicKey: KeyObject,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    switch (scheme.type) {
      case 'rsa-pss':
      case 'rsa-pkcs1':
        return verifyRsa(scheme, publicKey, digest, signature);
      case 'ecdsa': {
        const { curve, secretBytes } = curveOf(publicKey);
        // An uncompressed point ends its SubjectPublicKeyInfo.
        const point = publicKey.export({ format: 'der', type: 'spki' }).subarray(-(2 * secretBytes + 1));
        return curve.verify(signature, digest, point, ECDSA);
      }
      case 'ed25519ph': {
        const point = publicKey.export({ format: 'der', type: 'spki' }).subarray(-ED25519_SEED_BYTES);
        return ed25519ph.verify(signature, digest, point, { zip215: false });
      }
      case 'ml-dsa-mu':
        return verifyMu(publicKey, digest, signature);
      default:
        return unreachable(scheme);
    }
  } catch {
    return false;
  }
}

function encodeRsa({ type, hash }: RsaScheme, digest: Uint8Array, bytes: number): Uint8Array {
  return type === 'rsa-pss' ? encodePss(hash, digest, bytes) : encodePkcs1(hash, digest, bytes);
}

function verifyRsa({ type, hash }: RsaScheme, key: KeyObject, digest: Uint8Array, signature: Uint8Array): boolean {
  const bytes = modulusBytes(key);
  if (signature.length !== bytes) return false;
  const encoded = publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature);
  return type === 'rsa-pss' ? isPssOf(hash, digest, encoded) : equalBytes(encodePkcs1(hash, digest, bytes), encoded);
}

function curveOf({ asymmetricKeyDetails }: KeyObject): (typeof CURVES)[EcCurve] {
  const name = asymmetricKeyDetails?.namedCurve;
  if (name === undefined || !Object.hasOwn(CURVES, name)) throw new TypeError('not a key on a curve that is known');
  return CURVES[name as EcCurve]; // as was just asked
}

/** Out of an ECPrivateKey (RFC 5915): `30 length | 02 01 01 | 04 length | secret | …`. */
function ecSecret(privateKey: KeyObject, bytes: number): Uint8Array {
  const encoded = privateKey.export({ format: 'der', type: 'sec1' });
  const start = ((encoded[1] ?? 0) < 0x80 ? 2 : 3) + 3;
  try {
    if (encoded[start] !== 4 || encoded[start + 1] !== bytes) throw new TypeError('not an EC private key');
    return Uint8Array.from(encoded.subarray(start + 2, start + 2 + bytes));
  } finally {
    encoded.fill(0);
  }
}

/** A PKCS #8 of Ed25519 ends in its seed (RFC 8410). */
function ed25519Seed(privateKey: KeyObject): Uint8Array {
  const encoded = privateKey.export({ format: 'der', type: 'pkcs8' });
  try {
    return Uint8Array.from(encoded.subarray(-ED25519_SEED_BYTES));
  } finally {
    encoded.fill(0);
  }
}

function withSecret<Result>(secret: Uint8Array, use: (secret: Uint8Array) => Result): Result {
  try {
    return use(secret);
  } finally {
    secret.fill(0);
  }
}
