/** Sync ('S') and Flush ('H'). */
import { FORWARD } from '../../wire/frame-stream.ts';
import { PASS } from '../reply.ts';
import type { FrontendHandler } from './handler.ts';

export const syncHandler: FrontendHandler = {
  need: () => 0,
  frame(session) {
    // The server ignores Sync while it reads COPY data.
    if (!session.copyIn) {
      session.skipping = false;
      session.expect(PASS.sync);
    }
    return FORWARD;
  },
};

/** No reply of its own. */
export const flushHandler: FrontendHandler = {
  need: () => 0,
  frame: () => FORWARD,
};
