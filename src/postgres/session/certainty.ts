/**
 * A name that is prepared again while it stands, or closed behind what fails: the server keeps what it stood for, and says so only in replies that
 * a client which pipelines has not waited for. What it sends to the name next would be sealed, or not, for another statement.
 */
import { serialize } from 'pg-protocol';
import { AGAIN } from '../wire/frame-stream.ts';
import type { Session } from './session.ts';

const FLUSH = serialize.flush();

/** Resolves when all that was sent has been answered. */
export async function untilAnswered(session: Session): Promise<void> {
  if (session.replies.size === 0) return;
  if (session.sequenceOpen) session.wires.toUpstream(FLUSH);
  session.wires.flushUpstream();
  await session.replies.until(0);
}

/** As `untilAnswered`: names stand for what they are said to stand for. */
export async function untilCertain(session: Session): Promise<typeof AGAIN> {
  await untilAnswered(session);
  return AGAIN;
}
