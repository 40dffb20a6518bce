/** Sync ('S') and Flush ('H'). */
import { CONSUME, FORWARD } from '../../wire/frame-stream.ts';
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

/**
 * No reply of its own, unless it has a body: that is an error to the server, after which it ignores everything up to the next Sync. While it reads COPY
 * data, as it may without having said so yet, it ignores a Flush whatever is in it, and takes nothing in its place.
 */
export const flushHandler: FrontendHandler = {
  need: () => 0,
  frame(session, _bytes, _start, bodyLength) {
    if (bodyLength === 0) return FORWARD;
    if (session.copyIn || session.plainCopies > 0) return CONSUME;
    throw protocolError('invalid message format');
  },
};
