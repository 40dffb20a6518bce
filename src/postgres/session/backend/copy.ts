/** CopyInResponse ('G'), CopyOutResponse ('H'), CopyData ('d'), CopyDone ('c') from the server. COPY of sealed tables never gets here. */
import { FORWARD, type Verdict } from '../../wire/frame-stream.ts';
import { expectHead, outOfStep, type BackendHandler } from './handler.ts';

export const copyInResponseHandler: BackendHandler = {
  need: () => 0,
  frame(session): Verdict {
    const head = expectHead(session, 'CopyInResponse', 'query', 'execute');
    if (head.openings !== undefined || head.refusal !== undefined)
      throw outOfStep('CopyInResponse for a sealed statement');
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
    return FORWARD;
  },
};

export const copyOutHandler: BackendHandler = {
  need: () => 0,
  frame(session): Verdict {
    const head = expectHead(session, 'COPY data', 'query', 'execute');
    if (head.openings !== undefined || head.refusal !== undefined) throw outOfStep('COPY data for a sealed statement');
    return FORWARD;
  },
};
