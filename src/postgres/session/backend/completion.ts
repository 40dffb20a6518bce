/** CommandComplete ('C'), EmptyQueryResponse ('I') and PortalSuspended ('s'): a statement, or an Execute, is done. */
import { CONSUME, FORWARD, type Verdict } from '../../wire/frame-stream.ts';
import { endCopy } from '../copying.ts';
import type { QueryPart } from '../query-part.ts';
import { heldBehind, TAG_BYTES } from '../held.ts';
import type { Session } from '../session.ts';
import { textOf } from '../../wire/reader.ts';
import { noteEffect } from '../tracking.ts';
import { expectHead, needControl, outOfStep, verdictFor, type BackendHandler } from './handler.ts';

export const commandCompleteHandler: BackendHandler = {
  need(session, bodyLength) {
    const { head } = session.replies;
    if (head?.kind === 'execute') return Math.min(bodyLength, TAG_BYTES);
    return head?.part?.waits === true ? needControl(session, bodyLength) : 0;
  },
  frame(session, bytes, start, bodyLength): Verdict {
    const head = expectHead(session, 'CommandComplete', 'query', 'execute');
    if (session.refusal !== undefined) throw outOfStep('CommandComplete for a refused message');
    endCopy(session, false);
    noteEffect(session, head.track);
    if (head.kind === 'query') {
      session.queryIndex++;
      if (head.part !== undefined) return endPart(session, head.part, bytes.subarray(start - 5, start + bodyLength));
    } else {
      if (bodyLength > 0) session.failureOver = true;
      // EmptyQueryResponse has no body, and nothing has run.
      if (head.internal === undefined && bodyLength > 0)
        session.held = heldBehind(session.held, tagOf(bytes, start, bodyLength));
      session.finish();
      head.internal?.done?.(true);
    }
    return verdictFor(head);
  },
};

/** Without its terminator; one that is longer than those that are looked for is cut. Empty: of one that counts rows. */
function tagOf(bytes: Uint8Array, start: number, bodyLength: number): string {
  const end = start + Math.min(bodyLength, TAG_BYTES) - 1;
  return isDigit(bytes[end - 1]) ? '' : textOf(bytes, start, end);
}

const isDigit = (byte = 0): boolean => byte >= 0x30 && byte <= 0x39;

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
    session.held = 'block';
    noteEffect(session, head.track);
    session.finish();
    return verdictFor(head);
  },
};
