/** A caller with what belongs to it: its policies, its boundaries, the names grants to it are kept under. */
import { matchEntry, parsePrincipalArn, type PrincipalMatch } from './policy/principal-element.ts';
import { isServiceName } from './principal.ts';
import type { Principal } from './request.ts';
import type { NamedPolicy } from './scan.ts';

export type Identity = {
  readonly principal: Principal;
  /** Any of them may allow. */
  readonly policies: readonly NamedPolicy[];
  /** Each of them must allow besides. */
  readonly boundaries: readonly NamedPolicy[];
  readonly grantees: readonly Grantee[];
};

/** A name under which grants to the caller are kept; `account` leaves them to the account's identity policies. */
export type Grantee = { readonly arn: string; readonly match: Exclude<PrincipalMatch, 'none'> };

export function makeIdentity(
  principal: Principal,
  policies: readonly NamedPolicy[],
  boundaries: readonly NamedPolicy[] = [],
): Identity {
  return { principal, policies, boundaries, grantees: granteesOf(principal) };
}

function granteesOf(principal: Principal): readonly Grantee[] {
  const { arn, roleArn, account } = principal;
  const names = new Set([arn, ...(roleArn === undefined ? [] : [roleArn])]);
  if (account !== undefined) names.add(`arn:aws:iam::${account}:root`);
  return [...names].flatMap((name) => {
    const match = matchNamed(name, principal);
    return match === 'none' ? [] : [{ arn: name, match }];
  });
}

/** How directly the ARN of an account, user, role or session, or the name of a service, names this caller. */
export function matchNamed(arn: string, principal: Principal): PrincipalMatch {
  if (isServiceName(arn)) return matchEntry({ type: 'service', name: arn }, principal);
  const entry = parsePrincipalArn(arn);
  return entry === undefined ? 'none' : matchEntry(entry, principal);
}
