/** CopyInResponse ('G'), CopyOutResponse ('H'), CopyData ('d'), CopyDone ('c') from the server. */
import { MAX_SEALED_MESSAGE_BYTES } from '../../limits.ts';
import { decodeCopyResponse, encodeCopyInResponse } from '../../messages/copy.ts';
import { CONSUME, FORWARD, type Verdict } from '../../wire/frame-stream.ts';
import type { CopyOut } from '../../copy/copy-out.ts';
import type { CopyPlan } from '../../plan.ts';
import { beginCopy } from '../copying.ts';
import { openFailed } from '../../carried/errors.ts';
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
    const copy = session.opening?.plan.copy;
    beginCopy(session, session.opening);
    head.settled?.();
    head.part?.read();
    if (copy?.defaults === undefined) return FORWARD;
    // The client writes fewer columns than the server reads.
    session.wires.toClient(encodeCopyInResponse(copy.format.type === 'binary' ? 1 : 0, copy.names.length));
    return CONSUME;
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
  if (session.refusal !== undefined) throw outOfStep('COPY for a refused message');
  if (head?.openings === undefined) return;
  const plan = session.opening?.plan;
  if (plan === undefined || plan.asksCatalog === true) return;
  const { columns, format } = decodeCopyResponse(body);
  const { copy } = plan;
  const wanted = copy === undefined ? -1 : copy.names.length + (copy.defaults?.length ?? 0);
  if (copy?.direction !== direction || wanted !== columns || (format === 1) !== (copy.format.type === 'binary'))
    throw outOfStep('another COPY than was planned');
}
