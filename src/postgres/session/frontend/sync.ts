/** Sync ('S') and Flush ('H'). */
import { FORWARD } from '../../wire/frame-stream.ts';
import { protocolError } from '../../wire/protocol-error.ts';
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

/** No reply of its own, unless it has a body: that is an error to the server, after which it ignores everything up to the next Sync. */
export const flushHandler: FrontendHandler = {
  need: () => 0,
  frame(_session, _bytes, _start, bodyLength) {
    if (bodyLength > 0) throw protocolError('invalid message format');
    return FORWARD;
  },
};
