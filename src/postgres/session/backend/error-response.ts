/** ErrorResponse ('E') and NoticeResponse ('N'). */
import { decodeErrorFields, encodeErrorFields } from '../../messages/error-response.ts';
import { BACKEND } from '../../wire/message-types.ts';
import { CONSUME, FORWARD, type Verdict } from '../../wire/frame-stream.ts';
import { copyRefusal, endCopy } from '../copying.ts';
import { encodeRefusal } from '../refusals.ts';
import type { Reply } from '../reply.ts';
import { scrubError } from '../scrub.ts';
import type { Session } from '../session.ts';
import { noteEffect } from '../tracking.ts';
import { needControl, type BackendHandler } from './handler.ts';

export const errorResponseHandler: BackendHandler = {
  need: needControl,
  frame(session, bytes, start, bodyLength): Verdict {
    const { head } = session.replies;
    const { opening } = session;
    const body = bytes.subarray(start, start + bodyLength);
    const severity = severityOf(body);
    const refusal = head?.refusal ?? copyRefusal(session, decodeErrorFields(body));
    if (severity !== 'ERROR') session.isOver = true;
    endCopy(session, true);
    const asked = severity === 'ERROR' ? head?.internal?.failed : undefined;
    asked?.(decodeErrorFields(body));
    abandon(session, head);
    if (asked !== undefined) return CONSUME;
    // FATAL is about the connection, not the statement: it always goes on.
    if (severity === 'ERROR' && refusal !== undefined) {
      session.wires.toClient(encodeRefusal(refusal));
      return CONSUME;
    }
    // The proxy's own question failed in a Query of its own; the client's statement is answered separately.
    if (head?.internal !== undefined && head.kind === 'query') return CONSUME;
    if (head?.openings === undefined && head?.plan === undefined) return FORWARD;
    const plan = head.plan ?? (head.openings?.length === 1 ? opening?.plan : undefined);
    session.wires.toClient(encodeErrorFields(scrubError(decodeErrorFields(body), plan)));
    return CONSUME;
  },
};

export const noticeResponseHandler: BackendHandler = {
  need: (session, bodyLength) => (session.replies.head?.openings === undefined ? 0 : needControl(session, bodyLength)),
  frame(session, bytes, start, bodyLength): Verdict {
    if (session.replies.head?.openings === undefined) return FORWARD;
    const fields = decodeErrorFields(bytes.subarray(start, start + bodyLength));
    session.wires.toClient(encodeErrorFields(scrubError(fields, undefined), BACKEND.noticeResponse));
    return CONSUME;
  },
};

function severityOf(body: Uint8Array): string {
  const fields = decodeErrorFields(body);
  return fields.get('V') ?? fields.get('S') ?? 'ERROR';
}

/** An error ends a Query at its ReadyForQuery; in the extended protocol everything up to the next Sync is skipped. */
function abandon(session: Session, head: Reply | undefined): void {
  if (head === undefined) return;
  noteEffect(session, head.track);
  head.undoFrom?.(session.queryIndex);
  if (head.kind === 'query' || head.kind === 'function-call') return;
  const abandoned: Reply[] = [];
  while (session.replies.head !== undefined && session.replies.head.kind !== 'sync') {
    const reply = session.finish();
    if (reply !== undefined) abandoned.push(reply);
  }
  session.skipping = session.replies.size === 0;
  for (const reply of abandoned.reverse()) {
    reply.undo?.();
    reply.internal?.done?.(false);
  }
}
