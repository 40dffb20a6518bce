/** CreateGrant: a permission on one key for one principal, in force when the answer leaves. */
import { assertNoAlias } from '../../keys/arn.ts';
import { defineAction } from '../action.ts';
import { GRANT_OPERATION, PRINCIPAL, principalOf, SERVICE_PRINCIPAL, SOURCE_ARN } from '../grants.ts';
import { list, optional, patterned, required, struct } from '../shapes/shapes.ts';
import { DRY_RUN, ENCRYPTION_CONTEXT, GRANT_TOKENS, invalid, KEY_ID } from './inputs.ts';

const input = struct({
  KeyId: required(KEY_ID),
  GranteePrincipal: optional(PRINCIPAL),
  RetiringPrincipal: optional(PRINCIPAL),
  Operations: required(list(GRANT_OPERATION)),
  Constraints: optional(
    struct({
      EncryptionContextSubset: ENCRYPTION_CONTEXT,
      EncryptionContextEquals: ENCRYPTION_CONTEXT,
      SourceArn: SOURCE_ARN,
    }),
  ),
  GrantTokens: GRANT_TOKENS,
  Name: optional(patterned(1, 256, '^[a-zA-Z0-9:/_-]+$')),
  DryRun: DRY_RUN,
  GranteeServicePrincipal: SERVICE_PRINCIPAL,
  RetiringServicePrincipal: SERVICE_PRINCIPAL,
});

export const createGrant = defineAction('CreateGrant', input, async (request, { keys, use, realm }) => {
  const { KeyId: keyId, Constraints: constraints } = request;
  const grantee = principalOf('Grantee', request.GranteePrincipal, request.GranteeServicePrincipal);
  const retiring = principalOf('Retiring', request.RetiringPrincipal, request.RetiringServicePrincipal);
  if (grantee === undefined) throw invalid('Specify either GranteePrincipal or GranteeServicePrincipal.');
  assertNoAlias(keyId, realm);
  const { grantId, token } = await keys.grants.create(
    {
      keyId,
      grantee,
      retiring,
      operations: request.Operations,
      constraints: {
        equals: constraints?.EncryptionContextEquals,
        subset: constraints?.EncryptionContextSubset,
        sourceArn: constraints?.SourceArn,
      },
      name: request.Name,
      dryRun: request.DryRun,
    },
    use,
  );
  return { GrantToken: token, GrantId: grantId };
});
