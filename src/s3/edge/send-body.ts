/** Writes an answer's body as it comes, no faster than the client takes it. */
import type { ServerResponse } from 'node:http';
import { freeBytes } from '../bodies/spent-bytes.ts';

/**
 * Resolves when the whole body is with the kernel; rejects with the body's error, or where the client closed. Each piece is freed once it
 * is sent: it belongs to whoever reads the body, and nobody else does.
 */
export async function sendBody(body: AsyncIterable<Uint8Array>, outgoing: ServerResponse): Promise<void> {
  for await (const piece of body) {
    const hasRoom = outgoing.write(piece, (error) => {
      if (error === undefined || error === null) freeBytes(piece);
    });
    if (!hasRoom) await settled(outgoing, 'drain');
    if (outgoing.destroyed) throw closed();
  }
  const finished = settled(outgoing, 'finish');
  outgoing.end();
  await finished;
  if (!outgoing.writableFinished) throw closed();
}

const closed = (): Error => new Error('the client closed the connection within its answer');

/** Resolves at the event, or when the connection is gone. */
function settled(outgoing: ServerResponse, event: 'drain' | 'finish'): Promise<void> {
  return new Promise((resolve) => {
    if (outgoing.destroyed) {
      resolve();
      return;
    }
    const done = (): void => {
      outgoing.off(event, done);
      outgoing.off('close', done);
      resolve();
    };
    outgoing.on(event, done);
    outgoing.on('close', done);
  });
}
