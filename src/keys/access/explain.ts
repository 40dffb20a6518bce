/** Why a request would be allowed or refused: every statement and grant consulted, what each answered, and what is missing. */
import { unreachable } from '../../errors.ts';
import { displayAction } from './actions.ts';
import {
  formatDecision,
  formatPolicy,
  formatStatement,
  type Decision,
  type PolicyRef,
  type Refusal,
} from './decision.ts';
import { evaluate, type AccessRules } from './evaluate.ts';
import type { Grant } from './grants/grant.ts';
import type { GrantMatch } from './grants/match.ts';
import { AMBIGUOUS, type ConditionValue } from './policy/condition-key.ts';
import type { Statement, StatementMatch } from './policy/statement.ts';
import type { AccessRequest } from './request.ts';

export type Explanation = {
  readonly allowed: boolean;
  /** What decided, as the audit record says it. */
  readonly why: string;
  /** What would have to change; empty where it is allowed. */
  readonly missing: readonly string[];
  readonly statements: readonly ConsultedStatement[];
  readonly grants: readonly ConsultedGrant[];
};

type ConsultedStatement = {
  readonly policy: string;
  readonly statement: string;
  readonly effect: 'Allow' | 'Deny';
  readonly matches: boolean;
  /** Why it speaks of the request, or not. */
  readonly because: string;
};

type ConsultedGrant = { readonly grantId: string; readonly matches: boolean; readonly because: string };

export function explain(request: AccessRequest, rules: AccessRules): Explanation {
  const statements: ConsultedStatement[] = [];
  const grants: ConsultedGrant[] = [];
  const decision = evaluate(request, rules, {
    statement: (policy, statement, match) => statements.push(consulted(policy, statement, match, request)),
    grant: (grant, match) =>
      grants.push({ grantId: grant.grantId, matches: match === 'match', because: grantText(grant, match) }),
  });
  return {
    allowed: decision.allow,
    why: formatDecision(decision),
    missing: missing(decision, request),
    statements,
    grants,
  };
}

function consulted(
  policy: PolicyRef,
  statement: Statement,
  match: StatementMatch,
  request: AccessRequest,
): ConsultedStatement {
  return {
    policy: formatPolicy(policy),
    statement: statement.name,
    effect: statement.effect,
    matches: match.type === 'match',
    because: matchText(match, request),
  };
}

function matchText(match: StatementMatch, request: AccessRequest): string {
  switch (match.type) {
    case 'match':
      return match.principal === 'account'
        ? 'names the caller’s account: its identity policies decide'
        : 'speaks of this request';
    case 'inert':
      return `does nothing: it has no ${match.missing}`;
    case 'action':
      return `does not speak of ${displayAction(request.action)}`;
    case 'principal':
      return 'does not name the caller';
    case 'resource':
      return 'does not speak of this resource';
    case 'condition':
      return `${match.condition.text} does not hold: ${valueText(match.condition.key.read(request))}`;
    default:
      return unreachable(match);
  }
}

function valueText(value: ConditionValue): string {
  if (value === AMBIGUOUS) return 'the request has several names that differ only in case';
  return value === undefined ? 'the request has no such value' : `the request has ${JSON.stringify(value)}`;
}

function grantText({ grantee }: Grant, match: GrantMatch): string {
  switch (match) {
    case 'match':
      return `allows it to ${grantee}`;
    case 'identity':
      return `allows it to ${grantee}, but an identity policy of the caller must allow it too`;
    case 'operation':
      return 'does not allow this operation';
    case 'source':
      return 'covers requests of services on behalf of another resource alone';
    case 'context':
      return 'does not cover this encryption context';
    case 'wider':
      return 'allows CreateGrant, but not a grant as wide as this one';
    default:
      return unreachable(match);
  }
}

function missing(decision: Decision, request: AccessRequest): readonly string[] {
  return decision.allow ? [] : missingFor(decision.by, request);
}

function missingFor(by: Refusal, request: AccessRequest): readonly string[] {
  const { principal, resource } = request;
  const action = displayAction(request.action);
  const on = resource.type === 'key' ? resource.key.arn : 'arn' in resource ? resource.arn : '*';
  const identityPolicy = `an identity policy of ${principal.arn} that allows ${action} on ${on}`;
  switch (by.type) {
    case 'explicit-deny':
      return [`${formatStatement(by.statement)} must not deny it; nothing that allows it outweighs a deny`];
    case 'key-policy-silent':
      return [
        `a statement in the key policy that allows ${action} to ${principal.arn}`,
        // Services, and who asks without a signature, have none.
        ...(principal.account === undefined
          ? []
          : [
              `or one that allows it to arn:aws:iam::${principal.account}:root (the key policy does not delegate to the account), together with ${identityPolicy}`,
            ]),
        `or a grant on the key for ${principal.arn} with this operation`,
      ];
    case 'identity-policies-silent':
      return [identityPolicy];
    case 'other-account':
      return [`a caller of the key’s own account: ${action} is never allowed across accounts`];
    case 'boundary-silent':
      return [`${formatPolicy(by.policy)} must allow ${action} on ${on} too`];
    case 'grant-silent':
      return [
        'the caller must be the grant’s retiring principal, its grantee with RetireGrant, or of the account it was made under',
      ];
    case 'key-policy-unreadable':
      return ['a key policy that this release can read: put another one'];
    default:
      return unreachable(by);
  }
}
