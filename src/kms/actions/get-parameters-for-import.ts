/** GetParametersForImport: a wrapping key for 24 hours, and the token that goes with it. */
import { WRAPPING_ALGORITHMS, WRAPPING_KEY_BITS, type WrappingAlgorithm } from '../../keys/import/wrapping.ts';
import { defineAction } from '../action.ts';
import { KmsError } from '../errors.ts';
import { oneOf, required, struct } from '../shapes/shapes.ts';
import { KEY_ID } from './inputs.ts';

const input = struct({
  KeyId: required(KEY_ID),
  WrappingAlgorithm: required(
    oneOf(
      'RSAES_PKCS1_V1_5',
      'RSAES_OAEP_SHA_1',
      'RSAES_OAEP_SHA_256',
      'RSA_AES_KEY_WRAP_SHA_1',
      'RSA_AES_KEY_WRAP_SHA_256',
      'SM2PKE',
    ),
  ),
  WrappingKeySpec: required(oneOf('RSA_2048', 'RSA_3072', 'RSA_4096', 'SM2')),
});

export const getParametersForImport = defineAction('GetParametersForImport', input, async (request, { keys, use }) => {
  const algorithm = algorithmAsked(request.WrappingAlgorithm);
  const wrappingSpec = specAsked(request.WrappingKeySpec);
  const given = await keys.imports.parameters({ keyId: request.KeyId, algorithm, wrappingSpec }, use);
  return {
    KeyId: given.keyArn,
    ImportToken: given.token,
    PublicKey: given.publicKey,
    ParametersValidTo: new Date(given.validTo),
  };
});

/** PKCS #1 v1.5 opens to whoever may ask often enough (Bleichenbacher, CRYPTO 1998); AWS takes it no more. */
function algorithmAsked(name: string): WrappingAlgorithm {
  if (isOneOf(WRAPPING_ALGORITHMS, name)) return name;
  throw new KmsError('ERR_KMS_UNSUPPORTED', `WrappingAlgorithm ${name} is not supported.`);
}

function specAsked(name: string): keyof typeof WRAPPING_KEY_BITS {
  if (isOneOf(WRAPPING_KEY_BITS, name)) return name;
  throw new KmsError('ERR_KMS_UNSUPPORTED', `WrappingKeySpec ${name} is not supported.`);
}

function isOneOf<Table extends object>(table: Table, name: PropertyKey): name is keyof Table {
  return Object.hasOwn(table, name);
}
