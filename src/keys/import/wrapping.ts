/** How material comes wrapped: by RSA itself, or by an AES key that RSA wraps (PKCS #11, CKM_RSA_AES_KEY_WRAP). */
import type { KeyObject } from 'node:crypto';
import { KEY_BYTES, takeKey } from '../../crypto/key-types.ts';
import { unwrapPadded } from '../../crypto/key-wrap.ts';
import { modulusBytes } from '../../crypto/pairs/key-pair.ts';
import type { PairCrypto } from '../../crypto/pairs/pair-crypto.ts';
import type { OaepHash } from '../../crypto/pairs/rsa-oaep.ts';
import type { KeySpec } from '../key-kinds.ts';

type Wrapping = { readonly hash: OaepHash; /** With an AES key between the two. */ readonly aes: boolean };

export const WRAPPING_ALGORITHMS = {
  RSAES_OAEP_SHA_1: { hash: 'sha1', aes: false },
  RSAES_OAEP_SHA_256: { hash: 'sha256', aes: false },
  RSA_AES_KEY_WRAP_SHA_1: { hash: 'sha1', aes: true },
  RSA_AES_KEY_WRAP_SHA_256: { hash: 'sha256', aes: true },
} as const satisfies Readonly<Record<string, Wrapping>>;
export type WrappingAlgorithm = keyof typeof WRAPPING_ALGORITHMS;

export const WRAPPING_KEY_BITS = { RSA_2048: 2048, RSA_3072: 3072, RSA_4096: 4096 } as const;
export type WrappingKeySpec = keyof typeof WRAPPING_KEY_BITS;

/** Whether the material of such a key can be wrapped so: of RSA alone no RSA key is, and of P-521 too much for RSA_2048, as AWS has it. */
export function canWrap(algorithm: WrappingAlgorithm, wrappingSpec: WrappingKeySpec, spec: KeySpec): boolean {
  if (WRAPPING_ALGORITHMS[algorithm].aes) return true;
  if (spec.startsWith('RSA_')) return false;
  return !(spec === 'ECC_NIST_P521' && wrappingSpec === 'RSA_2048');
}

/** The material; undefined where it does not open, whatever is wrong. The caller zeroes it. */
export async function unwrapMaterial(
  algorithm: WrappingAlgorithm,
  privateKey: KeyObject,
  wrapped: Uint8Array,
  pairs: PairCrypto,
): Promise<Uint8Array | undefined> {
  const { hash, aes } = WRAPPING_ALGORITHMS[algorithm];
  if (!aes) return pairs.decrypt(hash, privateKey, wrapped);
  const modulus = modulusBytes(privateKey);
  const aesKey = await pairs.decrypt(hash, privateKey, wrapped.subarray(0, modulus));
  if (aesKey === undefined) return undefined;
  if (aesKey.length === KEY_BYTES) return unwrapPadded(takeKey('WrappingKey', aesKey), wrapped.subarray(modulus));
  aesKey.fill(0);
  return undefined;
}
