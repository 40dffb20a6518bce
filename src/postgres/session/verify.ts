/** The server's opinion of a prepared statement's results, which is to be known before any row. */
import { encodeDescribeStatement } from '../messages/describe.ts';
import type { SealedPlan } from '../plan.ts';
import type { Session } from './session.ts';

/** Clients need not Describe; the proxy does, once for a plan. `name`: of the statement, which the server has. */
export function verifyOnce(session: Session, name: string, plan: SealedPlan): void {
  const { named, copy, results } = plan;
  if (results === undefined || copy !== undefined || named?.type === 'declare' || named?.type === 'prepare') return;
  if (session.verified.has(plan)) return;
  session.wires.toUpstream(encodeDescribeStatement(name));
  session.expect({
    kind: 'describe-statement',
    internal: {},
    openings: [{ plan, columns: undefined, formats: [], textual: false }],
  });
}
