/** Close ('C'): of a statement or a portal. */
import { decodeTarget } from '../../messages/describe.ts';
import { FORWARD, type AGAIN, type Verdict } from '../../wire/frame-stream.ts';
import { judgeName, mayBeOtherName } from '../encoded-names.ts';
import { PASS } from '../reply.ts';
import { needNames, type FrontendHandler } from './handler.ts';

export const closeHandler: FrontendHandler = {
  need: (session, bodyLength) => needNames(session, bodyLength) || (session.cold.isEmpty ? 0 : bodyLength),
  frame(session, bytes, start, bodyLength): Verdict | Promise<void | typeof AGAIN> {
    if (!session.watches && session.cold.isEmpty) {
      session.expect(PASS.close);
      return FORWARD;
    }
    const { type, name } = decodeTarget(bytes.subarray(start, start + bodyLength), 'CLOSE');
    const judged = session.watches ? judgeName(session, name) : undefined;
    if (judged !== undefined) return judged;
    const tables = type === 'statement' ? [session.statements, session.plainNames] : [session.portals];
    const undo = tables.filter((names) => names.has(name)).map((names) => names.set(name, undefined));
    // Which one is closed by a name of another encoding is not known: it is remembered for longer.
    if (type === 'statement' && !mayBeOtherName(session, name)) undo.push(session.cold.forget(name));
    session.expect(undo.length > 0 ? { kind: 'close', undo: () => undo.forEach((restore) => restore()) } : PASS.close);
    return FORWARD;
  },
};
