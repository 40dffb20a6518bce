/** The shape of a backend message's handler, and what several of them share. */
import { PostgresError } from '../../errors.ts';
import { MAX_CONTROL_MESSAGE_BYTES } from '../../limits.ts';
import { CONSUME, FORWARD, type Verdict } from '../../wire/frame-stream.ts';
import type { Reply, ReplyKind } from '../reply.ts';
import type { Session } from '../session.ts';

export interface BackendHandler {
  /** Bytes of the body that `frame` must see. */
  need(session: Session, bodyLength: number): number;
  /** As FrameHandler.frame. */
  frame(session: Session, bytes: Uint8Array, start: number, bodyLength: number): Verdict | Promise<void>;
}

/** The server said something that does not fit what was asked: nothing after it can be trusted to be what it seems. */
export function outOfStep(what: string): PostgresError {
  return new PostgresError('ERR_POSTGRES_UPSTREAM_PROTOCOL', `the server sent ${what} where it was not expected`, {
    sqlstate: '08P01',
  });
}

/** The head of the queue, which must be of one of these kinds. */
export function expectHead(session: Session, what: string, ...kinds: readonly ReplyKind[]): Reply {
  const { head } = session.replies;
  if (head === undefined || !kinds.includes(head.kind)) throw outOfStep(what);
  return head;
}

/** Whether a message goes to the client, or answers the proxy's own. */
export function verdictFor(reply: Reply): Verdict {
  return reply.internal === undefined ? FORWARD : CONSUME;
}

/** For messages read whole that are small by nature. */
export function needControl(_session: Session, bodyLength: number): number {
  if (bodyLength > MAX_CONTROL_MESSAGE_BYTES) throw outOfStep('an oversized control message');
  return bodyLength;
}

/** A reply whose one message is its whole answer: ParseComplete, BindComplete, CloseComplete. */
export function completion(kind: ReplyKind, what: string): BackendHandler {
  return {
    need: () => 0,
    frame(session) {
      const head = expectHead(session, what, kind);
      if (session.refusal !== undefined) throw outOfStep(`${what} for a refused message`);
      if (kind === 'bind' && head.internal === undefined && session.held === 'nothing') session.held = 'portal';
      session.finish();
      head.internal?.done?.(true);
      return verdictFor(head);
    },
  };
}
