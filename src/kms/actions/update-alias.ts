/** UpdateAlias: points an alias at another key. */
import { assertNoAlias } from '../../keys/arn.ts';
import { defineAction } from '../action.ts';
import { ALIAS_NAME, assertAliasName } from '../alias-name.ts';
import { required, struct } from '../shapes/shapes.ts';
import { KEY_ID } from './inputs.ts';

const input = struct({ AliasName: required(ALIAS_NAME), TargetKeyId: required(KEY_ID) });

export const updateAlias = defineAction('UpdateAlias', input, async (request, { keys, use, realm }) => {
  const { AliasName: aliasName, TargetKeyId: keyId } = request;
  assertAliasName(aliasName);
  assertNoAlias(keyId, realm);
  await keys.updateAlias({ aliasName, keyId }, use);
  return undefined;
});
