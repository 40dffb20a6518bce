/** Actions of the model that answer UnsupportedOperationException: custom key stores. */
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

export const UNSUPPORTED_ACTIONS: readonly Action[] = CUSTOM_KEY_STORES.map((name) =>
  defineAction(name, struct({}), () => {
    throw new KmsError('ERR_KMS_UNSUPPORTED', 'Custom key stores are not supported.');
  }),
);
