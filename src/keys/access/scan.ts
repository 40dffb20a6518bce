/** What policies say of a request: per policy, the first statement of each kind that speaks of it. */
import type { PolicyRef, StatementRef } from './decision.ts';
import type { Policy } from './policy/policy.ts';
import { matchStatement, type Statement, type StatementMatch } from './policy/statement.ts';
import type { AccessRequest } from './request.ts';

export type NamedPolicy = { readonly ref: PolicyRef; readonly policy: Policy };

export type Scan = {
  deny: StatementRef | undefined;
  /** An Allow that names the caller; of identity policies, any Allow. */
  direct: StatementRef | undefined;
  /** An Allow that names the caller's account. */
  account: StatementRef | undefined;
};

export type StatementListener = (policy: PolicyRef, statement: Statement, match: StatementMatch) => void;

/** Several policies together, as one. */
export function scan(
  policies: readonly NamedPolicy[],
  request: AccessRequest,
  listener: StatementListener | undefined,
): Scan {
  const found: Scan = { deny: undefined, direct: undefined, account: undefined };
  for (const { ref, policy } of policies) {
    for (const statement of policy.statements) {
      const match = matchStatement(statement, request);
      listener?.(ref, statement, match);
      if (match.type !== 'match') continue;
      const kind = statement.effect === 'Deny' ? 'deny' : match.principal === 'account' ? 'account' : 'direct';
      found[kind] ??= { policy: ref, statement: statement.name };
    }
  }
  return found;
}
