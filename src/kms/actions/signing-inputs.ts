/** What Sign and Verify have in common. */
import { KmsError } from '../errors.ts';
import { oneOf, optional } from '../shapes/shapes.ts';
import type { SigningAlgorithm } from '../../keys/pairs/signing-algorithms.ts';

/** In the order of AWS's model. */
export const SIGNING_ALGORITHM = oneOf(
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
  'ECDSA_SHA_256',
  'ECDSA_SHA_384',
  'ECDSA_SHA_512',
  'SM2DSA',
  'ML_DSA_SHAKE_256',
  'ED25519_SHA_512',
  'ED25519_PH_SHA_512',
);
export const MESSAGE_TYPE = optional(oneOf('RAW', 'DIGEST', 'EXTERNAL_MU'));

/** No key here is SM2. ERR_KMS_UNSUPPORTED. */
export function algorithmAsked(algorithm: SigningAlgorithm | 'SM2DSA'): SigningAlgorithm {
  if (algorithm === 'SM2DSA') throw new KmsError('ERR_KMS_UNSUPPORTED', 'SigningAlgorithm SM2DSA is not supported.');
  return algorithm;
}
