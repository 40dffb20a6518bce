/** Close ('C'): of a statement or a portal. */
import { decodeTarget } from '../../messages/describe.ts';
import { FORWARD, type Verdict } from '../../wire/frame-stream.ts';
import { PASS } from '../reply.ts';
import { needNames, type FrontendHandler } from './handler.ts';

export const closeHandler: FrontendHandler = {
  need: needNames,
  frame(session, bytes, start, bodyLength): Verdict {
    if (!session.watches) {
      session.expect(PASS.close);
      return FORWARD;
    }
    const { type, name } = decodeTarget(bytes.subarray(start, start + bodyLength));
    const names = type === 'statement' ? session.statements : session.portals;
    session.expect(names.has(name) ? { kind: 'close', undo: names.set(name, undefined) } : PASS.close);
    return FORWARD;
  },
};
