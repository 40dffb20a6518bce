/** Signing algorithms in AWS's words: the scheme each is, and which forms of a message it takes. */
import type { DigestScheme } from '../../crypto/pairs/digest-signature.ts';
import type { EcCurve } from '../../crypto/pairs/key-pair.ts';
import type { MessageScheme } from '../../crypto/pairs/message-signature.ts';
import { MU_BYTES } from '../../crypto/pairs/ml-dsa-mu.ts';
import { DIGEST_BYTES, type SignatureHash } from '../../crypto/pairs/rsa-encoding.ts';

/** As the message is, as its digest, or as the representative of message and public key that ML-DSA signs (FIPS 204, 6.2). */
export type MessageType = 'RAW' | 'DIGEST' | 'EXTERNAL_MU';

type Algorithm = {
  /** Undefined: it does not take whole messages. */
  readonly message?: MessageScheme;
  /** The other form that it takes, which has so many bytes. */
  readonly digest?: {
    readonly messageType: Exclude<MessageType, 'RAW'>;
    readonly scheme: DigestScheme;
    readonly bytes: number;
  };
};

const hashed = (type: 'rsa-pss' | 'rsa-pkcs1' | 'ecdsa', hash: SignatureHash): Algorithm => ({
  message: { type, hash },
  digest: { messageType: 'DIGEST', scheme: { type, hash }, bytes: DIGEST_BYTES[hash] },
});

const ALGORITHMS = {
  RSASSA_PKCS1_V1_5_SHA_256: hashed('rsa-pkcs1', 'sha256'),
  RSASSA_PKCS1_V1_5_SHA_384: hashed('rsa-pkcs1', 'sha384'),
  RSASSA_PKCS1_V1_5_SHA_512: hashed('rsa-pkcs1', 'sha512'),
  RSASSA_PSS_SHA_256: hashed('rsa-pss', 'sha256'),
  RSASSA_PSS_SHA_384: hashed('rsa-pss', 'sha384'),
  RSASSA_PSS_SHA_512: hashed('rsa-pss', 'sha512'),
  ECDSA_SHA_256: hashed('ecdsa', 'sha256'),
  ECDSA_SHA_384: hashed('ecdsa', 'sha384'),
  ECDSA_SHA_512: hashed('ecdsa', 'sha512'),
  ED25519_SHA_512: { message: { type: 'ed25519' } },
  // The digest is hashed once more: AWS signs it as RFC 8032 has it for a message.
  ED25519_PH_SHA_512: {
    digest: { messageType: 'DIGEST', scheme: { type: 'ed25519ph' }, bytes: DIGEST_BYTES.sha512 },
  },
  ML_DSA_SHAKE_256: {
    message: { type: 'ml-dsa' },
    digest: { messageType: 'EXTERNAL_MU', scheme: { type: 'ml-dsa-mu' }, bytes: MU_BYTES },
  },
} as const satisfies Readonly<Record<string, Algorithm>>;

export type SigningAlgorithm = keyof typeof ALGORITHMS;

export function signingAlgorithm(name: SigningAlgorithm): Algorithm {
  return ALGORITHMS[name];
}

export const RSA_SIGNING_ALGORITHMS: readonly SigningAlgorithm[] = [
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
];
export const EDDSA_ALGORITHMS: readonly SigningAlgorithm[] = ['ED25519_SHA_512', 'ED25519_PH_SHA_512'];
export const ML_DSA_ALGORITHMS: readonly SigningAlgorithm[] = ['ML_DSA_SHAKE_256'];
/** The hash that is as strong as the curve. */
export const ECDSA_OF = {
  prime256v1: 'ECDSA_SHA_256',
  secp384r1: 'ECDSA_SHA_384',
  secp521r1: 'ECDSA_SHA_512',
  secp256k1: 'ECDSA_SHA_256',
} as const satisfies Record<EcCurve, SigningAlgorithm>;
