/**
 * Who may retire a grant: the grant says so, not the key policy (field notes 3.3). Its retiring principal; its grantee, if
 * RetireGrant is among the operations; the account it was made under. A deny anywhere, and a boundary, still forbid it.
 */
import type { Decision, Permission } from '../decision.ts';
import { consult, type AccessRules } from '../evaluate.ts';
import { matchNamed } from '../identity.ts';
import type { AccessRequest } from '../request.ts';
import type { Grant } from './grant.ts';

type Retirement = Extract<Permission, { readonly type: 'retirement' }>;

export function evaluateRetirement(
  request: AccessRequest,
  rules: Pick<AccessRules, 'identity' | 'keyPolicy'>,
  grant: Grant,
): Decision {
  const { findings, refusal } = consult(request, rules);
  if (refusal !== undefined) return { allow: false, by: refusal };
  const as = capacities(grant).find(({ arn }) => {
    const match = matchNamed(arn, request.principal);
    // Where an account may, its root may, and whom its identity policies let.
    return match === 'direct' || (match === 'account' && findings.own !== undefined);
  });
  if (as === undefined) return { allow: false, by: { type: 'grant-silent' } };
  return { allow: true, by: { type: 'retirement', grantId: grant.grantId, as: as.as } };
}

/** A service has no account whose identity policies could let it: what it may retire, it may list. */
export function evaluateOwnGrants(
  request: AccessRequest,
  rules: Pick<AccessRules, 'identity' | 'keyPolicy'>,
): Decision {
  const { refusal } = consult(request, rules);
  return refusal === undefined ? { allow: true, by: { type: 'own-grants' } } : { allow: false, by: refusal };
}

function capacities(grant: Grant): readonly { readonly as: Retirement['as']; readonly arn: string }[] {
  const { retiring, grantee, operations, issuingAccount } = grant;
  return [
    ...(retiring === undefined ? [] : [{ as: 'retiring principal' as const, arn: retiring }]),
    ...(operations.includes('RetireGrant') ? [{ as: 'grantee' as const, arn: grantee }] : []),
    { as: 'issuing account', arn: issuingAccount },
  ];
}
