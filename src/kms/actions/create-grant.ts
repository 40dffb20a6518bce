/** CreateGrant: a permission on one key for one principal, in force when the answer leaves. */
import { assertNoAlias } from '../../keys/arn.ts';
import { defineAction } from '../action.ts';
import { GRANT_OPERATION, PRINCIPAL } from '../grants.ts';
import { list, optional, patterned, required, struct } from '../shapes/shapes.ts';
import { DRY_RUN, ENCRYPTION_CONTEXT, GRANT_TOKENS, KEY_ID } from './inputs.ts';

const input = struct({
  KeyId: required(KEY_ID),
  GranteePrincipal: required(PRINCIPAL),
  RetiringPrincipal: optional(PRINCIPAL),
  Operations: required(list(GRANT_OPERATION)),
  Constraints: optional(
    struct({ EncryptionContextSubset: ENCRYPTION_CONTEXT, EncryptionContextEquals: ENCRYPTION_CONTEXT }),
  ),
  GrantTokens: GRANT_TOKENS,
  Name: optional(patterned(1, 256, '^[a-zA-Z0-9:/_-]+$')),
  DryRun: DRY_RUN,
});

export const createGrant = defineAction('CreateGrant', input, async (request, { keys, use, realm }) => {
  const { KeyId: keyId, Constraints: constraints } = request;
  assertNoAlias(keyId, realm);
  const { grantId, token } = await keys.grants.create(
    {
      keyId,
      grantee: request.GranteePrincipal,
      retiring: request.RetiringPrincipal,
      operations: request.Operations,
      constraints: {
        equals: constraints?.EncryptionContextEquals,
        subset: constraints?.EncryptionContextSubset,
      },
      name: request.Name,
      dryRun: request.DryRun,
    },
    use,
  );
  return { GrantToken: token, GrantId: grantId };
});
