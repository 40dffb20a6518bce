/** ErrorResponse ('E') and NoticeResponse ('N'). */
import { decodeErrorFields, encodeErrorFields } from '../../messages/error-response.ts';
import { BACKEND } from '../../wire/message-types.ts';
import { CONSUME, FORWARD, type Verdict } from '../../wire/frame-stream.ts';
import { copyRefusal, endCopy } from '../copying.ts';
import { isRefusedBy } from '../faulty-bind.ts';
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
    const refusal = session.refusal ?? copyRefusal(session, decodeErrorFields(body));
    if (severity !== 'ERROR') session.isOver = true;
    endCopy(session, true);
    const asked = severity === 'ERROR' ? head?.internal?.failed : undefined;
    asked?.(decodeErrorFields(body));
    abandon(session, head);
    const isTold = severity !== 'ERROR' || head?.part?.fail() !== false;
    if (asked !== undefined || !isTold) return CONSUME;
    // FATAL is about the connection, not the statement: it always goes on.
    if (severity === 'ERROR' && refusal !== undefined && isRefusedBy(decodeErrorFields(body), head)) {
      session.wires.toClient(encodeRefusal(refusal));
      return CONSUME;
    }
    // The proxy's own question failed in a Query of its own; the client's statement is answered separately.
    if (head?.internal !== undefined && head.kind === 'query') return CONSUME;
    const fields = decodeErrorFields(body);
    if (head?.openings === undefined && head?.plan === undefined) {
      if (head?.part === undefined) return FORWARD;
      session.wires.toClient(encodeErrorFields(head.part.placed(fields)));
      return CONSUME;
    }
    const plan = head.plan ?? (head.openings?.length === 1 ? opening?.plan : undefined);
    const scrubbed = scrubError(fields, plan);
    session.wires.toClient(encodeErrorFields(head.part?.placed(scrubbed) ?? scrubbed));
    return CONSUME;
  },
};

export const noticeResponseHandler: BackendHandler = {
  need: (session, bodyLength) => (isRewritten(session.replies.head) ? needControl(session, bodyLength) : 0),
  frame(session, bytes, start, bodyLength): Verdict {
    const { head } = session.replies;
    if (head === undefined || !isRewritten(head)) return FORWARD;
    const { part, openings } = head;
    const fields = decodeErrorFields(bytes.subarray(start, start + bodyLength));
    if (part?.hidesNotice(fields) === true) return CONSUME;
    const scrubbed = openings === undefined ? fields : scrubError(fields, undefined);
    session.wires.toClient(encodeErrorFields(part?.placed(scrubbed) ?? scrubbed, BACKEND.noticeResponse));
    return CONSUME;
  },
};

const isRewritten = (head: Reply | undefined): boolean => head?.openings !== undefined || head?.part !== undefined;

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
