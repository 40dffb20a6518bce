/**
 * The decision (field notes 3.1). An explicit deny anywhere ends it. Otherwise the key policy is the root of trust: it names the
 * caller, or leaves it to the caller's account, whose identity policies then decide; or a grant allows. Boundaries must allow too.
 *
 * Pure, and the only place where this is decided: explanations run the same code and listen in.
 */
import { allowsOtherAccounts } from './actions.ts';
import type { Decision, Permission, Refusal, StatementRef } from './decision.ts';
import { findGrant, type GrantListener } from './grants/match.ts';
import type { Grant, GrantPermissions } from './grants/grant.ts';
import type { Identity } from './identity.ts';
import type { Policy } from './policy/policy.ts';
import type { AccessRequest } from './request.ts';
import { scan, type Scan, type StatementListener } from './scan.ts';

export type AccessRules = {
  readonly identity: Identity;
  /** Of the key asked about; undefined where the resource has none (aliases, actions on no key). */
  readonly keyPolicy: Policy | undefined;
  /** Grants on this key for one grantee ARN. */
  readonly grantsFor: (grantee: string) => readonly Grant[];
  /** The grant that CreateGrant would make. */
  readonly proposed?: GrantPermissions | undefined;
  /** Whether a grant is enough for a caller of another account, without an identity policy there. */
  readonly grantsCrossAccounts: boolean;
};

/** Hears of everything that is consulted. */
export type Listener = { readonly statement: StatementListener; readonly grant: GrantListener };

/** What the policies say, before it is weighed. `own`: an identity policy allows, or the caller is its account's root. */
type Findings = { readonly named: Scan | undefined; readonly own: StatementRef | 'root' | undefined };

/** `listener` makes it consult everything; it decides the same. */
export function evaluate(request: AccessRequest, rules: AccessRules, listener?: Listener): Decision {
  const { findings, refusal } = consult(request, rules, listener);
  if (refusal?.type === 'explicit-deny' && listener === undefined) return refuse(refusal);
  const decision = weigh(request, rules, findings, listener);
  return refusal?.type === 'explicit-deny' || (decision.allow && refusal !== undefined) ? refuse(refusal) : decision;
}

/** Asks every policy; `refusal` is what stands against it whatever allows it. */
export function consult(
  request: AccessRequest,
  { identity, keyPolicy }: Pick<AccessRules, 'identity' | 'keyPolicy'>,
  listener?: Listener,
): { findings: Findings; refusal: Refusal | undefined } {
  const hear = listener?.statement;
  const named =
    keyPolicy === undefined ? undefined : scan([{ ref: { type: 'key-policy' }, policy: keyPolicy }], request, hear);
  const own = scan(identity.policies, request, hear);
  let deny = named?.deny ?? own.deny;
  let silent: Refusal | undefined;
  for (const boundary of identity.boundaries) {
    const found = scan([boundary], request, hear);
    deny ??= found.deny;
    if (found.direct === undefined) silent ??= { type: 'boundary-silent', policy: boundary.ref };
  }
  const allowing = request.principal.type === 'root' ? 'root' : own.direct;
  const refusal = deny === undefined ? silent : ({ type: 'explicit-deny', statement: deny } as const);
  return { findings: { named, own: allowing }, refusal };
}

function weigh(
  request: AccessRequest,
  rules: AccessRules,
  { named, own }: Findings,
  listener: Listener | undefined,
): Decision {
  const sameAccount = request.principal.account === accountOf(request);
  // Buckets have no policies here that could name another account: whose identity policies allow it is enough.
  const isStorage = request.resource.type === 's3';
  if (!sameAccount && !isStorage && !allowsOtherAccounts(request.action)) return refuse({ type: 'other-account' });
  // Aliases, and actions on no key: there is no key policy to ask.
  if (named === undefined) {
    return own === undefined
      ? refuse({ type: 'identity-policies-silent' })
      : permit({ type: 'identity-policy', identity: own });
  }
  const byPolicy = weighKeyPolicy(request, named, own, sameAccount);
  if (byPolicy !== undefined && listener === undefined) return permit(byPolicy);
  const { identity, grantsFor, proposed, grantsCrossAccounts } = rules;
  // A service has no account whose identity policies could allow it.
  const isAway = !sameAccount && request.principal.type !== 'service';
  const left = { own: own !== undefined, needsOwn: isAway && !grantsCrossAccounts };
  const grant = findGrant(request, { identity, grantsFor, proposed, ...left }, listener?.grant);
  if (byPolicy !== undefined) return permit(byPolicy);
  if (grant !== undefined) return permit({ type: 'grant', grantId: grant.grantId });
  const trusted = named.direct !== undefined || named.account !== undefined;
  return refuse({ type: trusted ? 'identity-policies-silent' : 'key-policy-silent' });
}

function weighKeyPolicy(
  { principal }: AccessRequest,
  { direct, account }: Scan,
  own: Findings['own'],
  sameAccount: boolean,
): Permission | undefined {
  // A service has no account, and so no identity policies to ask; nor has who asked without a signature.
  const alone = sameAccount || principal.type === 'service' || principal.type === 'anonymous';
  if (direct !== undefined && alone) return { type: 'key-policy', statement: direct };
  if (own === undefined) return undefined;
  if (direct !== undefined) return { type: 'key-policy', statement: direct, identity: own };
  return account === undefined ? undefined : { type: 'delegation', statement: account, identity: own };
}

function accountOf({ resource }: AccessRequest): string {
  return resource.type === 'key' ? resource.key.account : resource.account;
}

const permit = (by: Permission): Decision => ({ allow: true, by });
const refuse = (by: Refusal): Decision => ({ allow: false, by });
