/** Terminate ('X'): the server closes, and with it the connection. */
import { FORWARD } from '../../wire/frame-stream.ts';
import type { FrontendHandler } from './handler.ts';

export const terminateHandler: FrontendHandler = {
  need: () => 0,
  frame(session) {
    session.isOver = true;
    return FORWARD;
  },
};
