/** CopyInResponse ('G'), CopyOutResponse ('H'), CopyData ('d'), CopyDone ('c') from the server. */
import { MAX_SEALED_MESSAGE_BYTES } from '../../limits.ts';
import { decodeCopyResponse } from '../../messages/copy.ts';
import { CONSUME, FORWARD, type Verdict } from '../../wire/frame-stream.ts';
import type { CopyOut } from '../../copy/copy-out.ts';
import type { CopyPlan } from '../../plan.ts';
import { beginCopy } from '../copying.ts';
import { openFailed } from '../opening.ts';
import type { Session } from '../session.ts';
import { expectHead, needControl, outOfStep, type BackendHandler } from './handler.ts';

export const copyInResponseHandler: BackendHandler = {
  need: needControl,
  frame(session, bytes, start, bodyLength): Verdict {
    const head = expectHead(session, 'CopyInResponse', 'query', 'execute');
    requirePlanned(session, 'in', bytes.subarray(start, start + bodyLength));
    let ended = false;
    // What the client sent on before knowing of the COPY is read by it: Sync is ignored there, up to CopyDone.
    session.replies.dropAfterHead(
      (reply) => {
        ended ||= reply.kind === 'copy-end';
        return reply.kind === 'copy-end';
      },
      (reply) => {
        if (reply.kind !== 'sync') throw outOfStep('CopyInResponse before other messages');
        return false;
      },
    );
    session.copyIn = !ended;
    beginCopy(session, session.opening);
    head.settled?.();
    return FORWARD;
  },
};

export const copyOutResponseHandler: BackendHandler = {
  need: needControl,
  frame(session, bytes, start, bodyLength): Verdict {
    expectHead(session, 'CopyOutResponse', 'query', 'execute');
    requirePlanned(session, 'out', bytes.subarray(start, start + bodyLength));
    beginCopy(session, session.opening);
    return FORWARD;
  },
};

export const copyOutDataHandler: BackendHandler = {
  need(session, bodyLength) {
    if (session.copying?.direction !== 'out') return 0;
    if (bodyLength > MAX_SEALED_MESSAGE_BYTES)
      throw openFailed(`a row with sealed columns may have at most ${MAX_SEALED_MESSAGE_BYTES} bytes`);
    return bodyLength;
  },
  frame(session, bytes, start, bodyLength): Verdict | Promise<void> {
    expectHead(session, 'COPY data', 'query', 'execute');
    if (session.copying?.direction !== 'out') return FORWARD;
    return openData(session, session.copying.work, bytes.subarray(start, start + bodyLength));
  },
};

export const copyOutDoneHandler: BackendHandler = {
  need: () => 0,
  frame(session): Verdict {
    expectHead(session, 'CopyDone', 'query', 'execute');
    session.copying = undefined;
    return FORWARD;
  },
};

function openData(session: Session, work: CopyOut, data: Uint8Array): Verdict | Promise<void> {
  const opened = work.open(data, session.settings);
  if (opened === undefined) return work.fetchKeys().then(() => session.wires.toClient(openAgain(work, data, session)));
  session.wires.toClient(opened);
  return CONSUME;
}

function openAgain(work: CopyOut, data: Uint8Array, session: Session): Uint8Array {
  const opened = work.open(data, session.settings);
  if (opened === undefined) throw openFailed('its key could not be had');
  return opened;
}

/** What the server is about to do is what was planned, with as many columns. */
function requirePlanned(session: Session, direction: CopyPlan['direction'], body: Uint8Array): void {
  const { head } = session.replies;
  if (head?.refusal !== undefined) throw outOfStep('COPY for a refused message');
  if (head?.openings === undefined) return;
  const plan = session.opening?.plan;
  if (plan === undefined) return;
  const { columns, format } = decodeCopyResponse(body);
  const isBinary = plan.copy?.format.type === 'binary';
  if (plan.copy?.direction !== direction || plan.copy.names.length !== columns || (format === 1) !== isBinary)
    throw outOfStep('another COPY than was planned');
}
