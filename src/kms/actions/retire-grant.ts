/** RetireGrant: ends a grant, by whom the grant says may; named by its token, or by key and id. */
import { assertNoAlias } from '../../keys/arn.ts';
import { defineAction } from '../action.ts';
import { GRANT_ID, GRANT_TOKEN } from '../grants.ts';
import { optional, struct } from '../shapes/shapes.ts';
import { DRY_RUN, invalid, KEY_ID } from './inputs.ts';

const input = struct({
  GrantToken: optional(GRANT_TOKEN),
  KeyId: optional(KEY_ID),
  GrantId: optional(GRANT_ID),
  DryRun: DRY_RUN,
});

export const retireGrant = defineAction('RetireGrant', input, async (request, { keys, use, realm }) => {
  const { GrantToken: token, KeyId: keyId, GrantId: grantId, DryRun: dryRun } = request;
  if (token !== undefined) {
    if (keyId !== undefined || grantId !== undefined)
      throw invalid('Specify either a grant token, or a key ID and a grant ID, but not both.');
    await keys.grants.retire({ grant: { type: 'token', token }, dryRun }, use);
    return undefined;
  }
  if (keyId === undefined || grantId === undefined)
    throw invalid('Specify either a grant token, or both a key ID and a grant ID.');
  assertNoAlias(keyId, realm);
  await keys.grants.retire({ grant: { type: 'id', keyId, grantId }, dryRun }, use);
  return undefined;
});
