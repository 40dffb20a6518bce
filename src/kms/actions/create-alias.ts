/** CreateAlias: a new name for a key. */
import { assertNoAlias } from '../../keys/arn.ts';
import { defineAction } from '../action.ts';
import { ALIAS_NAME, assertAliasName } from '../alias-name.ts';
import { KmsError } from '../errors.ts';
import { required, struct } from '../shapes/shapes.ts';
import { KEY_ID } from './inputs.ts';

const input = struct({ AliasName: required(ALIAS_NAME), TargetKeyId: required(KEY_ID) });

export const createAlias = defineAction('CreateAlias', input, async (request, { keys, use, realm }) => {
  const { AliasName: aliasName, TargetKeyId: keyId } = request;
  assertAliasName(aliasName);
  if (aliasName.startsWith('alias/aws/'))
    throw new KmsError('ERR_KMS_INVALID_ALIAS', 'Alias names that begin with alias/aws/ are reserved.');
  assertNoAlias(keyId, realm);
  await keys.createAlias({ aliasName, keyId }, use);
  return undefined;
});
