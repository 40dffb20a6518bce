/** Whether a grant allows a request. */
import type { Identity } from '../identity.ts';
import type { AccessRequest } from '../request.ts';
import { CONTEXT_OPERATIONS, coversContext, isAsNarrow, isAsStrict } from './constraint.ts';
import { isGrantOperation, type Grant, type GrantOperation, type GrantPermissions } from './grant.ts';

/**
 * `identity`: it would allow, but the caller's identity policies must too, and do not. `source`: it is for requests on behalf of
 * another resource. `wider`: the grant to be made would allow what this one does not.
 */
export type GrantMatch = 'match' | 'identity' | 'operation' | 'source' | 'context' | 'wider';
export type GrantListener = (grant: Grant, match: GrantMatch) => void;

export type GrantQuestion = {
  readonly identity: Identity;
  readonly grantsFor: (grantee: string) => readonly Grant[];
  readonly proposed: GrantPermissions | undefined;
  /** Whether the caller's identity policies allow the action. */
  readonly own: boolean;
  /** Whether they must, even for a grant to the caller itself. */
  readonly needsOwn: boolean;
};

/** The first grant that allows it. A grant to the caller's account is left to its identity policies, as a key policy would. */
export function findGrant(
  request: AccessRequest,
  { identity, grantsFor, proposed, own, needsOwn }: GrantQuestion,
  listener?: GrantListener,
): Grant | undefined {
  const { action } = request;
  if (!isGrantOperation(action)) return undefined;
  let found: Grant | undefined;
  for (const { arn, match } of identity.grantees) {
    const enough = own || (match === 'direct' && !needsOwn);
    for (const grant of grantsFor(arn)) {
      const covers = matchGrant(grant, action, request, proposed);
      listener?.(grant, covers === 'match' && !enough ? 'identity' : covers);
      if (covers === 'match' && enough) found ??= grant;
      if (found !== undefined && listener === undefined) return found;
    }
  }
  return found;
}

function matchGrant(
  grant: Grant,
  action: GrantOperation,
  request: AccessRequest,
  proposed: GrantPermissions | undefined,
): GrantMatch {
  if (!grant.operations.includes(action)) return 'operation';
  if (grant.sourceArn !== undefined && grant.sourceArn !== request.facts.sourceArn) return 'source';
  if (action === 'CreateGrant') return proposed !== undefined && isWithin(proposed, grant) ? 'match' : 'wider';
  if (!CONTEXT_OPERATIONS.has(action)) return 'match';
  return coversContext(grant.constraint, request.encryptionContext) ? 'match' : 'context';
}

/** Whether `child` allows nothing that `parent` does not: what CreateGrant through a grant may pass on. */
export function isWithin(child: GrantPermissions, parent: GrantPermissions): boolean {
  return (
    child.operations.every((operation) => parent.operations.includes(operation)) &&
    isAsStrict(child.constraint, parent.constraint) &&
    isAsNarrow(child.sourceArn, parent.sourceArn)
  );
}
