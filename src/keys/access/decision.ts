/** What was decided, by what, and in words: for the audit record, for the caller's error, for explanations. */
import { unreachable } from '../../errors.ts';
import { displayAction } from './actions.ts';
import type { AccessRequest, AccessResource } from './request.ts';

/** A statement and the policy it stands in: `key policy`, or the name of an identity policy, boundary or organization policy. */
export type StatementRef = { readonly policy: PolicyRef; readonly statement: string };
export type PolicyRef =
  | { readonly type: 'key-policy' }
  | { readonly type: 'identity-policy' | 'boundary' | 'organization-policy'; readonly name: string };

export type Permission =
  /** The key policy names the caller; of another account's caller its identity policy must allow too. */
  | { readonly type: 'key-policy'; readonly statement: StatementRef; readonly identity?: StatementRef | 'root' }
  /** The key policy leaves it to the caller's account, and an identity policy allows (an account's root needs none). */
  | { readonly type: 'delegation'; readonly statement: StatementRef; readonly identity: StatementRef | 'root' }
  /** An action on no key: identity policies alone decide. */
  | { readonly type: 'identity-policy'; readonly identity: StatementRef | 'root' }
  | { readonly type: 'grant'; readonly grantId: string }
  /** Retiring is decided by the grant itself. */
  | {
      readonly type: 'retirement';
      readonly grantId: string;
      readonly as: 'retiring principal' | 'grantee' | 'issuing account';
    }
  /** A service, whom no identity policy could let, asks for the grants that name it. */
  | { readonly type: 'own-grants' }
  /** At the terminal, with the secret that unseals the store: nothing could be kept from them. */
  | { readonly type: 'operator' };

export type Refusal =
  | { readonly type: 'explicit-deny'; readonly statement: StatementRef }
  /** Neither allows nor leaves it to the caller's account, and no grant does. */
  | { readonly type: 'key-policy-silent' }
  /** The key policy leaves it to the account (or, of another account, names the caller), but no identity policy allows. */
  | { readonly type: 'identity-policies-silent' }
  | { readonly type: 'other-account' }
  /** Allowed, but a boundary does not allow it too. */
  | { readonly type: 'boundary-silent'; readonly policy: PolicyRef }
  | { readonly type: 'grant-silent' }
  | { readonly type: 'key-policy-unreadable' };

export type Decision =
  { readonly allow: true; readonly by: Permission } | { readonly allow: false; readonly by: Refusal };

/** One line for the audit record. */
export function formatDecision(decision: Decision): string {
  return decision.allow ? formatPermission(decision.by) : formatRefusal(decision.by);
}

function formatPermission(by: Permission): string {
  switch (by.type) {
    case 'key-policy':
      return by.identity === undefined
        ? formatStatement(by.statement)
        : `${formatStatement(by.statement)} and ${formatIdentity(by.identity)}`;
    case 'delegation':
      return `${formatStatement(by.statement)} and ${formatIdentity(by.identity)}`;
    case 'identity-policy':
      return formatIdentity(by.identity);
    case 'grant':
      return `grant ${by.grantId}`;
    case 'retirement':
      return `${by.as} of grant ${by.grantId}`;
    case 'own-grants':
      return 'service that may retire these grants';
    case 'operator':
      return 'operator at the terminal';
    default:
      return unreachable(by);
  }
}

export function formatRefusal(by: Refusal): string {
  switch (by.type) {
    case 'explicit-deny':
      return `denied by ${formatStatement(by.statement)}`;
    case 'key-policy-silent':
      return 'the key policy neither allows it nor leaves it to the caller’s account, and no grant allows it';
    case 'identity-policies-silent':
      return 'the key policy leaves it to the caller’s account, but no identity policy allows it';
    case 'other-account':
      return 'the action is never allowed to other accounts';
    case 'boundary-silent':
      return `${formatPolicy(by.policy)} does not allow it`;
    case 'grant-silent':
      return 'the caller is not the retiring principal, a grantee with RetireGrant, or of the issuing account';
    case 'key-policy-unreadable':
      return 'the key policy cannot be read';
    default:
      return unreachable(by);
  }
}

export function formatPolicy(policy: PolicyRef): string {
  switch (policy.type) {
    case 'key-policy':
      return 'key policy';
    case 'identity-policy':
      return `identity policy ${policy.name}`;
    case 'boundary':
      return `boundary ${policy.name}`;
    case 'organization-policy':
      return `organization policy ${policy.name}`;
    default:
      return unreachable(policy);
  }
}

export function formatStatement({ policy, statement }: StatementRef): string {
  return `${formatPolicy(policy)}, ${statement}`;
}

function formatIdentity(identity: StatementRef | 'root'): string {
  return identity === 'root' ? 'account root' : formatStatement(identity);
}

/** As AWS words its AccessDeniedException. */
export function accessDeniedMessage(request: AccessRequest, by: Refusal): string {
  const action = displayAction(request.action);
  // That its own account allows nothing is told to whom the key is shared with: it knows of it.
  if (isFromElsewhere(request) && by.type !== 'identity-policies-silent')
    return notSharedMessage(request.principal.arn, request.action);
  const on = resourceText(request.resource);
  return `User: ${request.principal.arn} is not authorized to perform: ${action}${on} ${because(by, action)}`;
}

/** What AWS says to a caller of another account of a key that is not there, or is not shared with it: the one is not told from the other. */
export function notSharedMessage(principal: string, action: string): string {
  return `User: ${principal} is not authorized to perform: ${displayAction(action)} on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access`;
}

function isFromElsewhere({ principal, resource }: AccessRequest): boolean {
  if (resource.type !== 'key' && resource.type !== 'alias') return false;
  const { account } = resource.type === 'key' ? resource.key : resource;
  return principal.account !== undefined && principal.account !== account;
}

function resourceText(resource: AccessResource): string {
  switch (resource.type) {
    case 'key':
      return ` on resource: ${resource.key.arn}`;
    case 'alias':
      return ` on resource: ${resource.arn}`;
    case 's3':
      return ` on resource: "${resource.arn}"`;
    case 'none':
      return ' on resource: *';
  }
}

const POLICY_KINDS = {
  'key-policy': 'a resource-based policy',
  'identity-policy': 'an identity-based policy',
  boundary: 'a permissions boundary',
  'organization-policy': 'a service control policy',
} as const satisfies Record<PolicyRef['type'], string>;

function because(by: Refusal, action: string): string {
  switch (by.type) {
    case 'explicit-deny':
      return `with an explicit deny in ${POLICY_KINDS[by.statement.policy.type]}`;
    case 'identity-policies-silent':
      return `because no identity-based policy allows the ${action} action`;
    case 'boundary-silent':
      return `because no ${POLICY_KINDS[by.policy.type].replace(/^an? /, '')} allows the ${action} action`;
    default:
      return `because no resource-based policy allows the ${action} action`;
  }
}
