/** CommandComplete ('C'), EmptyQueryResponse ('I') and PortalSuspended ('s'): a statement, or an Execute, is done. */
import { CONSUME, FORWARD, type Verdict } from '../../wire/frame-stream.ts';
import { endCopy } from '../copying.ts';
import type { QueryPart } from '../query-part.ts';
import type { Session } from '../session.ts';
import { noteEffect } from '../tracking.ts';
import { expectHead, needControl, outOfStep, verdictFor, type BackendHandler } from './handler.ts';

export const commandCompleteHandler: BackendHandler = {
  need: (session, bodyLength) => (session.replies.head?.part?.waits === true ? needControl(session, bodyLength) : 0),
  frame(session, bytes, start, bodyLength): Verdict {
    const head = expectHead(session, 'CommandComplete', 'query', 'execute');
    if (session.refusal !== undefined) throw outOfStep('CommandComplete for a refused message');
    endCopy(session, false);
    noteEffect(session, head.track);
    if (head.kind === 'query') {
      session.queryIndex++;
      if (head.part !== undefined) return endPart(session, head.part, bytes.subarray(start - 5, start + bodyLength));
    } else {
      session.finish();
      head.internal?.done?.(true);
    }
    return verdictFor(head);
  },
};

function endPart(session: Session, part: QueryPart, frame: Uint8Array): Verdict {
  if (part.waits) part.completion = Uint8Array.from(frame);
  else if (!part.isOwn) return FORWARD;
  else if (part.completion !== undefined) session.wires.toClient(part.completion);
  return CONSUME;
}

export const portalSuspendedHandler: BackendHandler = {
  need: () => 0,
  frame(session): Verdict {
    const head = expectHead(session, 'PortalSuspended', 'execute');
    noteEffect(session, head.track);
    session.finish();
    return verdictFor(head);
  },
};
