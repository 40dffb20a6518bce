/**
 * Reads a request's body whole, into memory of its own that is zeroed afterwards: it may hold a plaintext. Bounded for each
 * request and for all of them together.
 */
import type { IncomingMessage } from 'node:http';
import { KmsError } from '../errors.ts';
import { MAX_BODY_BYTES } from '../limits.ts';

/** Bytes of bodies that are held at the moment. */
export class BodyBudget {
  readonly #max: number;
  #held = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get held(): number {
    return this.#held;
  }

  /** ERR_KMS_THROTTLED where it would be too much. */
  take(bytes: number): void {
    if (this.#held + bytes > this.#max) throw new KmsError('ERR_KMS_THROTTLED');
    this.#held += bytes;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }
}

/** A body, and what zeroes it and gives its memory back: to be called once, whatever happens. */
export type HeldBody = { readonly bytes: Buffer; readonly release: () => void };

/** ERR_KMS_TOO_LARGE before any of it is read. */
export function assertBodyLength(contentLength: string | undefined): void {
  if (contentLength !== undefined && Number(contentLength) > MAX_BODY_BYTES) throw new KmsError('ERR_KMS_TOO_LARGE');
}

/** Errors: ERR_KMS_TOO_LARGE, ERR_KMS_THROTTLED, ERR_KMS_SERIALIZATION (the client went away in the middle). */
export async function readBody(incoming: IncomingMessage, budget: BodyBudget): Promise<HeldBody> {
  const chunks: Buffer[] = [];
  let length = 0;
  const release = (): void => {
    for (const chunk of chunks) chunk.fill(0);
    budget.give(length);
    length = 0;
  };
  try {
    // Node gives Buffers where no encoding is set. The connection stays, so that a refusal still reaches the client.
    for await (const chunk of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      budget.take(chunk.length);
      length += chunk.length;
      chunks.push(chunk);
      if (length > MAX_BODY_BYTES) throw new KmsError('ERR_KMS_TOO_LARGE');
    }
    return hold(chunks, length, release);
  } catch (cause) {
    release();
    if (cause instanceof KmsError) throw cause;
    throw new KmsError('ERR_KMS_SERIALIZATION', 'The request ends too early.', { cause });
  }
}

/** One piece is taken as it is; several are copied together and zeroed. */
function hold(chunks: readonly Buffer[], length: number, release: () => void): HeldBody {
  const [first] = chunks;
  if (chunks.length === 1 && first !== undefined) return { bytes: first, release };
  const bytes = Buffer.alloc(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
    chunk.fill(0);
  }
  return {
    bytes,
    release: () => {
      bytes.fill(0);
      release();
    },
  };
}
