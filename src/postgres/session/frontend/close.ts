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
    const undo = type === 'statement' ? forget(session.statements, name) : forget(session.portals, name);
    session.expect(undo === undefined ? PASS.close : { kind: 'close', undo });
    return FORWARD;
  },
};

/** Removes an entry; returns how to put it back, should the Close be skipped. */
function forget<Value>(entries: Map<string, Value>, name: string): (() => void) | undefined {
  const entry: Value | undefined = entries.get(name);
  if (entry === undefined) return undefined;
  entries.delete(name);
  return () => void entries.set(name, entry);
}
