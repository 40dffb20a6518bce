/** Kinds of keys: which specifications and usages AWS knows, which fit together, and which are built. */
import { isKeySpec, kindOf, type KeySpec as HeldSpec, type KeyUsage as HeldUsage } from '../keys/key-kinds.ts';
import type { KeyOrigin } from '../keys/records.ts';
import { KmsError } from './errors.ts';

export const KEY_USAGES = [
  'SIGN_VERIFY',
  'ENCRYPT_DECRYPT',
  'GENERATE_VERIFY_MAC',
  'KEY_AGREEMENT',
  'ENCAPSULATE_DECAPSULATE',
] as const;
type KeyUsage = (typeof KEY_USAGES)[number];

/** `CustomerMasterKeySpec`, which is deprecated and knows no newer ones. */
export const LEGACY_KEY_SPECS = [
  'RSA_2048',
  'RSA_3072',
  'RSA_4096',
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'ECC_SECG_P256K1',
  'SYMMETRIC_DEFAULT',
  'HMAC_224',
  'HMAC_256',
  'HMAC_384',
  'HMAC_512',
  'SM2',
] as const;
export const KEY_SPECS = [
  ...LEGACY_KEY_SPECS,
  'ML_DSA_44',
  'ML_DSA_65',
  'ML_DSA_87',
  'ECC_NIST_EDWARDS25519',
  'ML_KEM_512',
  'ML_KEM_768',
  'ML_KEM_1024',
] as const;
type KeySpec = (typeof KEY_SPECS)[number];

const RSA = ['ENCRYPT_DECRYPT', 'SIGN_VERIFY'] as const;
const NIST_CURVE = ['SIGN_VERIFY', 'KEY_AGREEMENT'] as const;
const SIGNING = ['SIGN_VERIFY'] as const;
const MAC = ['GENERATE_VERIFY_MAC'] as const;
const KEM = ['ENCAPSULATE_DECAPSULATE'] as const;

/** One usage per key, for its whole life (NIST SP 800-57 part 1, 5.2). */
const USAGES: Readonly<Record<KeySpec, readonly KeyUsage[]>> = {
  RSA_2048: RSA,
  RSA_3072: RSA,
  RSA_4096: RSA,
  ECC_NIST_P256: NIST_CURVE,
  ECC_NIST_P384: NIST_CURVE,
  ECC_NIST_P521: NIST_CURVE,
  ECC_SECG_P256K1: SIGNING,
  ECC_NIST_EDWARDS25519: SIGNING,
  SYMMETRIC_DEFAULT: ['ENCRYPT_DECRYPT'],
  HMAC_224: MAC,
  HMAC_256: MAC,
  HMAC_384: MAC,
  HMAC_512: MAC,
  SM2: ['ENCRYPT_DECRYPT', 'SIGN_VERIFY', 'KEY_AGREEMENT'],
  ML_DSA_44: SIGNING,
  ML_DSA_65: SIGNING,
  ML_DSA_87: SIGNING,
  ML_KEM_512: KEM,
  ML_KEM_768: KEM,
  ML_KEM_1024: KEM,
};

type KeyRequest = {
  readonly KeySpec: KeySpec | undefined;
  readonly CustomerMasterKeySpec: KeySpec | undefined;
  readonly KeyUsage: KeyUsage | undefined;
  readonly Origin: KeyOrigin | 'AWS_CLOUDHSM' | 'EXTERNAL_KEY_STORE' | undefined;
  readonly CustomKeyStoreId: string | undefined;
  readonly XksKeyId: string | undefined;
};

/** What such a key is to be: whether it makes sense (ERR_KMS_VALIDATION) and can be made here (ERR_KMS_UNSUPPORTED). */
export function creatableKind(request: KeyRequest): {
  readonly spec: HeldSpec;
  readonly usage: HeldUsage;
  readonly origin: KeyOrigin;
} {
  const spec = specOf(request);
  assertUsageFits(spec, request.KeyUsage);
  const { Origin: origin = 'AWS_KMS', CustomKeyStoreId, XksKeyId } = request;
  if (
    CustomKeyStoreId !== undefined ||
    XksKeyId !== undefined ||
    origin === 'AWS_CLOUDHSM' ||
    origin === 'EXTERNAL_KEY_STORE'
  )
    throw unsupported('Custom key stores are not supported.');
  if (!isKeySpec(spec)) throw unsupported(`KeySpec ${spec} is not supported.`);
  const { KeyUsage: usage = kindOf(spec).usages[0] } = request;
  return { spec, usage, origin };
}

function specOf({ KeySpec, CustomerMasterKeySpec }: KeyRequest): KeySpec {
  if (KeySpec !== undefined && CustomerMasterKeySpec !== undefined) {
    throw invalid(
      'You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.',
    );
  }
  return KeySpec ?? CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT';
}

function assertUsageFits(spec: KeySpec, usage: KeyUsage | undefined): void {
  if (usage === undefined && spec !== 'SYMMETRIC_DEFAULT')
    throw invalid('You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.');
  if (usage !== undefined && !USAGES[spec].includes(usage))
    throw invalid(`KeyUsage ${usage} is not compatible with KeySpec ${spec}`);
}

const invalid = (message: string): KmsError => new KmsError('ERR_KMS_VALIDATION', message);
const unsupported = (message: string): KmsError => new KmsError('ERR_KMS_UNSUPPORTED', message);
