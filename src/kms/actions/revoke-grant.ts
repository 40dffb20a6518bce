/** RevokeGrant: ends a grant, by whom policies let. */
import { assertNoAlias } from '../../keys/arn.ts';
import { defineAction } from '../action.ts';
import { GRANT_ID } from '../grants.ts';
import { required, struct } from '../shapes/shapes.ts';
import { DRY_RUN, KEY_ID } from './inputs.ts';

const input = struct({ KeyId: required(KEY_ID), GrantId: required(GRANT_ID), DryRun: DRY_RUN });

export const revokeGrant = defineAction('RevokeGrant', input, async (request, { keys, use, realm }) => {
  const { KeyId: keyId, GrantId: grantId, DryRun: dryRun } = request;
  assertNoAlias(keyId, realm);
  await keys.grants.revoke({ keyId, grantId, dryRun }, use);
  return undefined;
});
