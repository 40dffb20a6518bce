/** Execute ('E'): runs a portal, or goes on with one. */
import { decodeExecute } from '../../messages/execute.ts';
import { FORWARD, type Verdict } from '../../wire/frame-stream.ts';
import { PASS, type Reply, type ResultOpening } from '../reply.ts';
import { needNames, type FrontendHandler } from './handler.ts';

export const executeHandler: FrontendHandler = {
  need: needNames,
  frame(session, bytes, start, bodyLength): Verdict {
    if (!session.watches) {
      session.expect(PASS.execute);
      return FORWARD;
    }
    const portal = session.portals.get(decodeExecute(bytes.subarray(start, start + bodyLength)).portal);
    if (portal === undefined) session.expect(PASS.execute);
    else if (portal.type === 'track') session.expect({ kind: 'execute', track: portal.effect });
    else session.expect(replyTo(portal.opening));
    return FORWARD;
  },
};

function replyTo(opening: ResultOpening): Reply {
  const { effect } = opening.plan;
  return { kind: 'execute', openings: [opening], ...(effect !== undefined && { track: effect }) };
}
