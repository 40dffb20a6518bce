/** CopyData ('d'), CopyDone ('c') and CopyFail ('f') from the client: to a table without rules, so the data passes. */
import { FORWARD } from '../../wire/frame-stream.ts';
import { PASS } from '../reply.ts';
import type { FrontendHandler } from './handler.ts';

export const copyDataHandler: FrontendHandler = {
  need: () => 0,
  frame: () => FORWARD,
};

export const copyEndHandler: FrontendHandler = {
  need: () => 0,
  frame(session) {
    if (session.copyIn) session.copyIn = false;
    else if (session.replies.size > 0) session.expect(PASS.copyEnd);
    return FORWARD;
  },
};
