/** Execute ('E'): runs a portal, or goes on with one. */
import { serialize } from 'pg-protocol';
import { decodeExecute } from '../../messages/execute.ts';
import { FORWARD, type Verdict } from '../../wire/frame-stream.ts';
import { PASS, type Reply, type ResultOpening } from '../reply.ts';
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
    else if (portal.type === 'track') session.expect({ kind: 'execute', track: portal.effect });
    else if (portal.opening.plan.copy?.direction === 'in') {
      session.wires.toUpstream(bytes.slice(start - 5, start + bodyLength));
      session.wires.toUpstream(FLUSH);
      return expectCopy(session, replyTo(portal.opening));
    } else session.expect(replyTo(portal.opening));
    return FORWARD;
  },
};

function replyTo(opening: ResultOpening): Reply {
  const { effect } = opening.plan;
  return { kind: 'execute', openings: [opening], ...(effect !== undefined && { track: effect }) };
}
