/** Actions of the model that answer UnsupportedOperationException: custom key stores for good, the others until they are built. */
import { defineAction, type Action } from '../action.ts';
import { KmsError } from '../errors.ts';
import { struct } from '../shapes/shapes.ts';

const CUSTOM_KEY_STORES = [
  'ConnectCustomKeyStore',
  'CreateCustomKeyStore',
  'DeleteCustomKeyStore',
  'DescribeCustomKeyStores',
  'DisconnectCustomKeyStore',
  'UpdateCustomKeyStore',
];

const NOT_BUILT = ['Encapsulate', 'Decapsulate'];

export const UNSUPPORTED_ACTIONS: readonly Action[] = [
  ...CUSTOM_KEY_STORES.map((name) => refusing(name, 'Custom key stores are not supported.')),
  ...NOT_BUILT.map((name) => refusing(name, `${name} is not supported.`)),
];

function refusing(name: string, message: string): Action {
  return defineAction(name, struct({}), () => {
    throw new KmsError('ERR_KMS_UNSUPPORTED', message);
  });
}
