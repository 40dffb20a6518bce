/** Kinds of KMS keys: what each is made of, and the one thing it is for (NIST SP 800-57 part 1, 5.2: one usage for a key's whole life). */
import { KEY_BYTES } from '../crypto/key-types.ts';

export type KeyUsage = 'ENCRYPT_DECRYPT' | 'GENERATE_VERIFY_MAC';
export type MacAlgorithm = 'HMAC_SHA_224' | 'HMAC_SHA_256' | 'HMAC_SHA_384' | 'HMAC_SHA_512';

/** Bytes of random material; for MACs as many as their hash gives (RFC 2104, 3; as AWS KMS makes them). */
type Kind = { readonly usage: KeyUsage; readonly bytes: number; readonly mac: MacKind | undefined };
type MacKind = { readonly algorithm: MacAlgorithm; /** As node:crypto names it. */ readonly hash: string };

const KINDS = {
  SYMMETRIC_DEFAULT: { usage: 'ENCRYPT_DECRYPT', bytes: KEY_BYTES, mac: undefined },
  HMAC_224: { usage: 'GENERATE_VERIFY_MAC', bytes: 28, mac: { algorithm: 'HMAC_SHA_224', hash: 'sha224' } },
  HMAC_256: { usage: 'GENERATE_VERIFY_MAC', bytes: 32, mac: { algorithm: 'HMAC_SHA_256', hash: 'sha256' } },
  HMAC_384: { usage: 'GENERATE_VERIFY_MAC', bytes: 48, mac: { algorithm: 'HMAC_SHA_384', hash: 'sha384' } },
  HMAC_512: { usage: 'GENERATE_VERIFY_MAC', bytes: 64, mac: { algorithm: 'HMAC_SHA_512', hash: 'sha512' } },
} as const satisfies Readonly<Record<string, Kind>>;

export type KeySpec = keyof typeof KINDS;

export function isKeySpec(text: string): text is KeySpec {
  return Object.hasOwn(KINDS, text);
}

export function kindOf(spec: KeySpec): Kind {
  return KINDS[spec];
}
