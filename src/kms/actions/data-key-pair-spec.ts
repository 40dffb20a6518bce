/** Kinds of data key pairs. */
import type { DataKeyPairSpec } from '../../keys/key-kinds.ts';
import { KmsError } from '../errors.ts';
import { oneOf } from '../shapes/shapes.ts';

export const DATA_KEY_PAIR_SPEC = oneOf(
  'RSA_2048',
  'RSA_3072',
  'RSA_4096',
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'ECC_SECG_P256K1',
  'SM2',
  'ECC_NIST_EDWARDS25519',
  'ML_KEM_512',
  'ML_KEM_768',
  'ML_KEM_1024',
);

/** ERR_KMS_UNSUPPORTED. */
export function pairSpecAsked(spec: DataKeyPairSpec | 'SM2'): DataKeyPairSpec {
  if (spec !== 'SM2') return spec;
  throw new KmsError('ERR_KMS_UNSUPPORTED', `KeyPairSpec ${spec} is not supported.`);
}
