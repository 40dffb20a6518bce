/** Execute ('E'): runs a portal, or goes on with one. */
import { serialize } from 'pg-protocol';
import { decodeExecute } from '../../messages/execute.ts';
import { FORWARD, type Verdict } from '../../wire/frame-stream.ts';
import { PASS, type Reply } from '../reply.ts';
import type { Portal, Session } from '../session.ts';
import { expectCopy, needNames, type FrontendHandler } from './handler.ts';

const FLUSH = serialize.flush();

export const executeHandler: FrontendHandler = {
  need: needNames,
  frame(session, bytes, start, bodyLength): Verdict | Promise<void> {
    if (!session.watches) {
      session.expect(PASS.execute);
      return FORWARD;
    }
    const portal = session.portals.get(decodeExecute(bytes.subarray(start, start + bodyLength)).portal);
    if (portal === undefined) session.expect(PASS.execute);
    else if (portal.type === 'track') session.expect({ kind: 'execute', ...doneBy(session, portal, portal.effect) });
    else if (portal.opening.plan.copy?.direction === 'in') {
      session.wires.toUpstream(bytes.slice(start - 5, start + bodyLength));
      session.wires.toUpstream(FLUSH);
      return expectCopy(session, replyTo(session, portal));
    } else session.expect(replyTo(session, portal));
    return FORWARD;
  },
};

function replyTo(session: Session, portal: Portal & { type: 'sealed' }): Reply {
  const { opening } = portal;
  return { kind: 'execute', openings: [opening], ...doneBy(session, portal, opening.plan.effect) };
}

function doneBy(
  session: Session,
  { change, copiesIn = false }: Portal,
  effect: Reply['track'],
): Pick<Reply, 'track' | 'undo' | 'copiesIn'> {
  const undo = change?.(session);
  return { copiesIn, ...(effect !== undefined && { track: effect }), ...(undo !== undefined && { undo }) };
}
