/** CopyData ('d'), CopyDone ('c') and CopyFail ('f') from the client: data for sealed columns is sealed, other data passes. */
import { serialize } from 'pg-protocol';
import { decodeCopyFail, encodeCopyData } from '../../messages/copy.ts';
import { FRONTEND } from '../../wire/message-types.ts';
import { CONSUME, FORWARD, TAKE, type Verdict } from '../../wire/frame-stream.ts';
import { brokenUtf8 } from '../../wire/protocol-error.ts';
import { strictTextOf, textOf } from '../../wire/reader.ts';
import { abandonCopy, failCopy } from '../copying.ts';
import { PASS } from '../reply.ts';
import type { Session } from '../session.ts';
import type { FrontendHandler } from './handler.ts';

export const copyDataHandler: FrontendHandler = {
  need: () => 0,
  frame(session): Verdict {
    if (session.dropsCopyData !== 'no') return CONSUME;
    if (session.copying?.direction === 'in') return TAKE;
    if (session.inParts !== undefined) return session.copyIn ? TAKE : CONSUME;
    // Where nothing reads it the server would ignore it.
    return session.plainCopies > 0 ? FORWARD : CONSUME;
  },
  body(session, bytes): void | Promise<void> {
    if (session.dropsCopyData !== 'no') return;
    if (session.copying?.direction !== 'in') return passPiece(session, bytes);
    const failed = (error: unknown): void => failCopy(session, error);
    try {
      return session.copying.work.push(bytes)?.catch(failed);
    } catch (error) {
      failed(error);
    }
  },
};

/** As a message of its own: the rest of the client's may come when the COPY has failed, and the proxy ends its block. */
function passPiece({ inParts, copyIn, wires }: Session, bytes: Uint8Array): void {
  if (inParts !== undefined && copyIn) wires.toUpstream(encodeCopyData(bytes));
}

/** Of ours: the client's may have a body, which the server skips. Its head alone would have what follows taken for that. */
const COPY_DONE = serialize.copyDone();

export const copyDoneHandler: FrontendHandler = {
  need: () => 0,
  frame(session): Verdict | Promise<void> {
    if (session.dropsCopyData !== 'no') return CONSUME;
    const turn = session.inParts?.turn;
    if (session.copying?.direction !== 'in') return turn === undefined ? passEnd(session) : endPart(session, COPY_DONE);
    return session.copying.work.end().then(
      () => {
        // Else the server has failed by itself meanwhile, and takes no more.
        if (!session.copyIn) return;
        session.copyIn = false;
        session.wires.toUpstream(COPY_DONE);
        session.wires.flushUpstream();
        return turn;
      },
      (error: unknown) => failCopy(session, error),
    );
  },
};

export const copyFailHandler: FrontendHandler = {
  need: ({ copying, inParts }, bodyLength) => (copying?.direction === 'in' || inParts !== undefined ? bodyLength : 0),
  frame(session, bytes, start, bodyLength): Verdict | Promise<void> {
    if (session.dropsCopyData !== 'no') return CONSUME;
    const isIn = session.copying?.direction === 'in';
    if (!isIn && session.inParts === undefined) return passEnd(session);
    const end = start + bodyLength;
    if (!isIn) return endPart(session, bytes.slice(start - 5, end));
    try {
      abandonCopy(session, reasonOf(session, bytes.subarray(start, end)));
    } catch (error) {
      // The server's COPY fails of its reason then.
      failCopy(session, error);
    }
    return CONSUME;
  },
};

function reasonOf({ settings }: Session, body: Uint8Array): string {
  const reason = decodeCopyFail(body);
  const text = strictTextOf(reason);
  if (text !== undefined) return text;
  if (settings.clientEncoding === 'UTF8') throw brokenUtf8('in the reason of CopyFail');
  return textOf(reason, 0, reason.length);
}

function passEnd(session: Session): Verdict {
  if (session.plainCopies === 0) return CONSUME;
  if (session.copyIn) session.copyIn = false;
  else if (session.replies.size > 0) session.expect(PASS.copyEnd);
  return FORWARD;
}

/** Of a COPY of other tables among the statements of a message, which goes on. */
function endPart(session: Session, frame: Uint8Array): Verdict | Promise<void> {
  if (!session.copyIn) return CONSUME;
  const turn = session.inParts?.turn;
  session.copyIn = false;
  session.wires.toUpstream(frame);
  session.wires.flushUpstream();
  return turn ?? CONSUME;
}

/** Any other message ends the data of a COPY that is over; in the extended protocol, where the server skips to it too, Sync does. */
export function noteMessage(session: Session, type: number): void {
  if (type === FRONTEND.copyData || type === FRONTEND.copyDone || type === FRONTEND.copyFail) return;
  const { dropsCopyData } = session;
  if (dropsCopyData === 'until-message' || type === FRONTEND.sync) session.dropsCopyData = 'no';
}
