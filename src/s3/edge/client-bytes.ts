/** The raw bytes of a request's body. A body that ends early is an error, never a short body. */
import type { IncomingMessage } from 'node:http';
import { S3Error } from '../errors.ts';

/** `idleMs`: a client that lets us wait this long for its next bytes is gone. */
export async function* clientBytes(incoming: IncomingMessage, idleMs: number): AsyncGenerator<Uint8Array> {
  let waiting = true;
  const idle = setTimeout(() => {
    if (waiting) incoming.destroy(new S3Error('ERR_S3_REQUEST_TIMEOUT'));
  }, idleMs).unref();
  try {
    // The socket must outlive a failed body: the client still gets its answer. No encoding is set, so chunks are Buffers.
    for await (const chunk of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      waiting = false;
      yield chunk;
      waiting = true;
      idle.refresh();
    }
  } catch (error) {
    throw error instanceof S3Error ? error : new S3Error('ERR_S3_INCOMPLETE_BODY', undefined, { cause: error });
  } finally {
    clearTimeout(idle);
  }
  if (!incoming.complete) throw new S3Error('ERR_S3_INCOMPLETE_BODY');
}
