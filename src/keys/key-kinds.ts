/** Kinds of KMS keys: what each is made of, and what it may be for: one usage for a key's whole life (NIST SP 800-57 part 1, 5.2). */
import { KEY_BYTES } from '../crypto/key-types.ts';
import type { EcCurve, MlDsa, MlKem, PairKind } from '../crypto/pairs/key-pair.ts';
import {
  ECDSA_OF,
  EDDSA_ALGORITHMS,
  ML_DSA_ALGORITHMS,
  RSA_SIGNING_ALGORITHMS,
  type SigningAlgorithm,
} from './pairs/signing-algorithms.ts';
import { unreachable } from '../errors.ts';

export type KeyUsage =
  'ENCRYPT_DECRYPT' | 'SIGN_VERIFY' | 'GENERATE_VERIFY_MAC' | 'KEY_AGREEMENT' | 'ENCAPSULATE_DECAPSULATE';
export type MacAlgorithm = 'HMAC_SHA_224' | 'HMAC_SHA_256' | 'HMAC_SHA_384' | 'HMAC_SHA_512';
export type EncryptionAlgorithm = 'SYMMETRIC_DEFAULT' | RsaEncryptionAlgorithm;
export type RsaEncryptionAlgorithm = 'RSAES_OAEP_SHA_1' | 'RSAES_OAEP_SHA_256';

type Kind = {
  /** The first is the only one, or has to be said. */
  readonly usages: readonly [KeyUsage, ...KeyUsage[]];
  readonly material: MaterialKind;
  readonly encryption?: readonly EncryptionAlgorithm[];
  readonly signing?: readonly SigningAlgorithm[];
  readonly mac?: MacKind;
};
/** Random bytes, for MACs as many as their hash gives (RFC 2104, 3; as AWS KMS makes them); or a pair. */
type MaterialKind =
  { readonly type: 'random'; readonly bytes: number } | { readonly type: 'pair'; readonly pair: PairKind };
type MacKind = { readonly algorithm: MacAlgorithm; /** As node:crypto names it. */ readonly hash: string };

const hmac = (bytes: number, algorithm: MacAlgorithm, hash: string): Kind => ({
  usages: ['GENERATE_VERIFY_MAC'],
  material: { type: 'random', bytes },
  mac: { algorithm, hash },
});
const rsa = (bits: 2048 | 3072 | 4096): Kind => ({
  usages: ['ENCRYPT_DECRYPT', 'SIGN_VERIFY'],
  material: { type: 'pair', pair: { type: 'rsa', bits } },
  encryption: ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'],
  signing: RSA_SIGNING_ALGORITHMS,
});
const ec = (curve: EcCurve, ...usages: [KeyUsage, ...KeyUsage[]]): Kind => ({
  usages,
  material: { type: 'pair', pair: { type: 'ec', curve } },
  signing: [ECDSA_OF[curve]],
});
const mlDsa = (type: MlDsa): Kind => ({
  usages: ['SIGN_VERIFY'],
  material: { type: 'pair', pair: { type } },
  signing: ML_DSA_ALGORITHMS,
});
const mlKem = (type: MlKem): Kind => ({
  usages: ['ENCAPSULATE_DECAPSULATE'],
  material: { type: 'pair', pair: { type } },
});

const KINDS = {
  SYMMETRIC_DEFAULT: {
    usages: ['ENCRYPT_DECRYPT'],
    material: { type: 'random', bytes: KEY_BYTES },
    encryption: ['SYMMETRIC_DEFAULT'],
  },
  HMAC_224: hmac(28, 'HMAC_SHA_224', 'sha224'),
  HMAC_256: hmac(32, 'HMAC_SHA_256', 'sha256'),
  HMAC_384: hmac(48, 'HMAC_SHA_384', 'sha384'),
  HMAC_512: hmac(64, 'HMAC_SHA_512', 'sha512'),
  RSA_2048: rsa(2048),
  RSA_3072: rsa(3072),
  RSA_4096: rsa(4096),
  ECC_NIST_P256: ec('prime256v1', 'SIGN_VERIFY', 'KEY_AGREEMENT'),
  ECC_NIST_P384: ec('secp384r1', 'SIGN_VERIFY', 'KEY_AGREEMENT'),
  ECC_NIST_P521: ec('secp521r1', 'SIGN_VERIFY', 'KEY_AGREEMENT'),
  ECC_SECG_P256K1: ec('secp256k1', 'SIGN_VERIFY'),
  ECC_NIST_EDWARDS25519: {
    usages: ['SIGN_VERIFY'],
    material: { type: 'pair', pair: { type: 'ed25519' } },
    signing: EDDSA_ALGORITHMS,
  },
  ML_DSA_44: mlDsa('ml-dsa-44'),
  ML_DSA_65: mlDsa('ml-dsa-65'),
  ML_DSA_87: mlDsa('ml-dsa-87'),
  ML_KEM_512: mlKem('ml-kem-512'),
  ML_KEM_768: mlKem('ml-kem-768'),
  ML_KEM_1024: mlKem('ml-kem-1024'),
} as const satisfies Readonly<Record<string, Kind>>;

export type KeySpec = keyof typeof KINDS;

/** Of pairs that are made for use outside. */
export type DataKeyPairSpec = Exclude<KeySpec, 'SYMMETRIC_DEFAULT' | `HMAC_${string}` | `ML_DSA_${string}`>;

export function isKeySpec(text: string): text is KeySpec {
  return Object.hasOwn(KINDS, text);
}

export function keySpecs(): readonly KeySpec[] {
  return Object.keys(KINDS).filter(isKeySpec);
}

export function kindOf(spec: KeySpec): Kind {
  return KINDS[spec];
}

export function isUsageOf(spec: KeySpec, usage: string): usage is KeyUsage {
  return kindOf(spec).usages.some((possible) => possible === usage);
}

/** By kind of algorithm, in AWS's words: what a key of this spec and usage does. */
export type KeyAlgorithms = {
  readonly encryption?: readonly EncryptionAlgorithm[] | undefined;
  readonly signing?: readonly SigningAlgorithm[] | undefined;
  readonly agreement?: readonly 'ECDH'[];
  readonly encapsulation?: readonly 'ML_KEM'[];
  readonly mac?: readonly MacAlgorithm[];
};

export function algorithmsOf(spec: KeySpec, usage: KeyUsage): KeyAlgorithms {
  const { encryption, signing, mac } = kindOf(spec);
  switch (usage) {
    case 'ENCRYPT_DECRYPT':
      return { encryption };
    case 'SIGN_VERIFY':
      return { signing };
    case 'GENERATE_VERIFY_MAC':
      return { mac: mac === undefined ? [] : [mac.algorithm] };
    case 'KEY_AGREEMENT':
      return { agreement: ['ECDH'] };
    case 'ENCAPSULATE_DECAPSULATE':
      return { encapsulation: ['ML_KEM'] };
    default:
      return unreachable(usage);
  }
}
