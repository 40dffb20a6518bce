/** DeleteAlias: removes a name; the key stays. */
import { defineAction } from '../action.ts';
import { ALIAS_NAME, assertAliasName } from '../alias-name.ts';
import { required, struct } from '../shapes/shapes.ts';

const input = struct({ AliasName: required(ALIAS_NAME) });

export const deleteAlias = defineAction('DeleteAlias', input, async ({ AliasName: aliasName }, { keys, use }) => {
  assertAliasName(aliasName);
  await keys.deleteAlias(aliasName, use);
  return undefined;
});
