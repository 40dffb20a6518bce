/**
 * The raw bytes of a request's body, in the pieces in which they came: each belongs to whoever reads it. A body that ends early is an
 * error, never a short body. (Node's own iterator joins what has gathered, which copies every byte of an upload.)
 */
import type { IncomingMessage } from 'node:http';
import { S3Error } from '../errors.ts';

/** `idleMs`: a client that lets us wait this long for its next bytes is gone. */
export async function* clientBytes(incoming: IncomingMessage, idleMs: number): AsyncGenerator<Uint8Array> {
  const pieces = new Pieces(incoming);
  const idle = setTimeout(() => {
    if (pieces.isAwaited) incoming.destroy(new S3Error('ERR_S3_REQUEST_TIMEOUT'));
  }, idleMs).unref();
  try {
    for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) {
      yield piece;
      idle.refresh();
    }
  } catch (error) {
    throw error instanceof S3Error ? error : new S3Error('ERR_S3_INCOMPLETE_BODY', undefined, { cause: error });
  } finally {
    clearTimeout(idle);
    // The connection must outlive a failed body: the client still gets its answer.
    pieces.close();
  }
  if (!incoming.complete) throw new S3Error('ERR_S3_INCOMPLETE_BODY');
}

/** A request's pieces, taken one at a time. */
class Pieces {
  readonly #incoming: IncomingMessage;
  #gathered: Uint8Array[] = [];
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming;
    // A client that left before anybody listened will not be heard to leave.
    this.#ended = incoming.destroyed;
    incoming.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onEnd);
  }

  get isAwaited(): boolean {
    return this.#wake !== undefined;
  }

  /** Undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    while (this.#gathered.length === 0) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#incoming.resume();
      });
    }
    return this.#gathered.shift();
  }

  close(): void {
    this.#incoming
      .off('data', this.#onData)
      .off('end', this.#onEnd)
      .off('error', this.#onError)
      .off('close', this.#onEnd);
    this.#gathered = [];
  }

  readonly #onData = (piece: Uint8Array): void => {
    this.#gathered.push(piece);
    this.#incoming.pause();
    this.#awake();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#awake();
  };

  readonly #onError = (error: Error): void => {
    this.#failure = error;
    this.#awake();
  };

  #awake(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
