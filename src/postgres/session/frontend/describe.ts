/** Describe ('D'): of a statement or a portal. */
import { decodeTarget } from '../../messages/describe.ts';
import { FORWARD, type AGAIN, type Verdict } from '../../wire/frame-stream.ts';
import { untilCertain } from '../certainty.ts';
import { judgeName } from '../encoded-names.ts';
import { cursorOfPortal } from '../known-names.ts';
import { PASS, type Reply } from '../reply.ts';
import type { Session } from '../session.ts';
import type { FrontendHandler } from './handler.ts';

export const describeHandler: FrontendHandler = {
  need: (_session, bodyLength) => bodyLength,
  frame(session, bytes, start, bodyLength): Verdict | Promise<void | typeof AGAIN> {
    const isStatement = bytes[start] === STATEMENT;
    if (!session.watches) {
      session.expect(isStatement ? PASS.describeStatement : PASS.describePortal);
      return FORWARD;
    }
    const target = decodeTarget(bytes.subarray(start, start + bodyLength), 'DESCRIBE');
    const judged = judgeName(session, target.name);
    if (judged !== undefined) return judged;
    if (target.type === 'statement' && session.isInDoubt(target.name)) return untilCertain(session);
    session.expect(replyTo(session, target));
    return FORWARD;
  },
};

const STATEMENT = 'S'.charCodeAt(0);

function replyTo(session: Session, { type, name }: ReturnType<typeof decodeTarget>): Reply {
  if (type === 'statement') {
    const statement = session.statements.get(name);
    if (statement?.type !== 'sealed') return PASS.describeStatement;
    return {
      kind: 'describe-statement',
      openings: [{ plan: statement.plan, columns: undefined, formats: [], textual: false }],
    };
  }
  const portal = session.portals.get(name);
  if (portal?.type === 'sealed') return { kind: 'describe-portal', openings: [portal.opening] };
  const cursor = portal === undefined ? cursorOfPortal(session, name) : undefined;
  if (cursor === undefined) return PASS.describePortal;
  const openings = [{ plan: cursor.plan, columns: undefined, formats: [], textual: true }];
  return { kind: 'describe-portal', openings };
}
