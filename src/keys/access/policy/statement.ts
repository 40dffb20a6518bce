/** A statement: effect, whom, what, on what, under which conditions; and whether a request is one it speaks of. */
import { policyAction } from '../actions.ts';
import type { AccessRequest } from '../request.ts';
import type { Condition, Effect } from './condition.ts';
import type { Glob } from './glob.ts';
import { matchPrincipal, type PrincipalElement, type PrincipalMatch } from './principal-element.ts';
import type { Template } from './template.ts';

/** `key`: attached to a key, names principals. `identity`: attached to a principal, names resources. */
export type PolicyKind = 'key' | 'identity';

export type ActionElement = {
  readonly negated: boolean;
  /** In small letters, with prefix. */
  readonly patterns: readonly Glob[];
  /** The prefixes that the patterns have: `kms`, `s3`; `*` of a pattern that is `*` alone. */
  readonly services: ReadonlySet<string>;
};
export type ResourceElement = { readonly negated: boolean; readonly templates: readonly Template[] };

export type Statement = {
  readonly sid: string | undefined;
  /** Its Sid in quotes, or its place: `statement 2`. */
  readonly name: string;
  readonly effect: Effect;
  /** Of key policies only. */
  readonly principals: PrincipalElement | undefined;
  /** AWS KMS takes statements without Action or Resource in key policies; they do nothing. */
  readonly actions: ActionElement | undefined;
  readonly resources: ResourceElement | undefined;
  readonly conditions: readonly Condition[];
};

export type Mismatch =
  | { readonly type: 'inert'; readonly missing: 'Action' | 'Resource' }
  | { readonly type: 'action' }
  | { readonly type: 'principal' }
  | { readonly type: 'resource' }
  | { readonly type: 'condition'; readonly condition: Condition };
export type StatementMatch = { readonly type: 'match'; readonly principal: PrincipalMatch } | Mismatch;

// One object each: a decision asks this of every statement.
const DIRECT: StatementMatch = { type: 'match', principal: 'direct' };
const ACCOUNT: StatementMatch = { type: 'match', principal: 'account' };
const OTHER_ACTION: Mismatch = { type: 'action' };
const OTHER_PRINCIPAL: Mismatch = { type: 'principal' };
const OTHER_RESOURCE: Mismatch = { type: 'resource' };
const NO_ACTION: Mismatch = { type: 'inert', missing: 'Action' };
const NO_RESOURCE: Mismatch = { type: 'inert', missing: 'Resource' };

export function matchStatement(statement: Statement, request: AccessRequest): StatementMatch {
  const { principals, actions, resources, conditions, effect } = statement;
  if (actions === undefined) return NO_ACTION;
  if (resources === undefined) return NO_RESOURCE;
  if (!coversAction(actions, request.action)) return OTHER_ACTION;
  const principal = principals === undefined ? 'direct' : principalMatch(principals, request, effect);
  if (principal === 'none') return OTHER_PRINCIPAL;
  if (!coversResource(resources, request, effect)) return OTHER_RESOURCE;
  for (const condition of conditions) {
    if (!condition.holds(request, effect)) return { type: 'condition', condition };
  }
  return principal === 'direct' ? DIRECT : ACCOUNT;
}

/** Everybody is not who asked without a signature: to allow that takes its name. */
function principalMatch(principals: PrincipalElement, { principal }: AccessRequest, effect: Effect): PrincipalMatch {
  if (principal.type !== 'anonymous' || effect === 'Deny') return matchPrincipal(principals, principal);
  const named = principals.entries.filter((entry) => entry.type === 'arn');
  return matchPrincipal({ ...principals, entries: named }, principal);
}

export function coversAction({ negated, patterns }: ActionElement, action: string): boolean {
  const name = policyAction(action);
  for (const pattern of patterns) if (pattern.matches(name)) return !negated;
  return negated;
}

function coversResource({ negated, templates }: ResourceElement, request: AccessRequest, effect: Effect): boolean {
  const arn = resourceArn(request);
  // NotResource with a variable that stands for nothing: in doubt nothing is allowed.
  if (negated && effect === 'Allow' && !templates.every((template) => template.resolves(request))) return false;
  for (const template of templates) if (template.matches(arn, request)) return !negated;
  return negated;
}

/** Actions on nothing in particular have the resource `*`, which only `*` covers. */
function resourceArn({ resource }: AccessRequest): string {
  switch (resource.type) {
    case 'key':
      return resource.key.arn;
    case 'alias':
    case 's3':
      return resource.arn;
    case 'none':
      return '*';
  }
}
