/** Signature schemes, as data. */
import { constants } from 'node:crypto';
import type { SignatureHash } from './rsa-encoding.ts';

export type SignatureScheme =
  /** RFC 8017; PSS with MGF1 of the same hash and a salt as long as the digest. */
  | { readonly type: 'rsa-pss' | 'rsa-pkcs1'; readonly hash: SignatureHash }
  /** FIPS 186-5; DER. */
  | { readonly type: 'ecdsa'; readonly hash: SignatureHash }
  /** RFC 8032. */
  | { readonly type: 'ed25519' }
  /** The same of the SHA-512 of the message. */
  | { readonly type: 'ed25519ph' }
  /** FIPS 204, no context, hedged. */
  | { readonly type: 'ml-dsa' }
  /** The same, of the representative µ. */
  | { readonly type: 'ml-dsa-mu' };

export type RsaScheme = Extract<SignatureScheme, { readonly type: 'rsa-pss' | 'rsa-pkcs1' }>;

export function isRsa(scheme: SignatureScheme): scheme is RsaScheme {
  return scheme.type === 'rsa-pss' || scheme.type === 'rsa-pkcs1';
}

/** What node:crypto is told besides the hash. */
export function paddingOf({ type }: SignatureScheme): { readonly padding?: number; readonly saltLength?: number } {
  if (type === 'rsa-pkcs1') return { padding: constants.RSA_PKCS1_PADDING };
  if (type !== 'rsa-pss') return {};
  return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}
