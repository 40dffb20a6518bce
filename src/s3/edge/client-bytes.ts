/**
 * The raw bytes of a request's body, in the pieces in which they came: each belongs to whoever takes it. A body that ends early is an
 * error, never a short body.
 */
import type { IncomingMessage } from 'node:http';
import type { ByteSource, Take } from '../bodies/byte-source.ts';
import { S3Error } from '../errors.ts';

/**
 * `idleMs`: a client that lets us wait this long for its next bytes is gone. `wanted` is called before any are waited for: a client may hold
 * them back until it is told to send (Expect: 100-continue).
 */
export const clientBytes = (
  incoming: IncomingMessage,
  idleMs: number,
  wanted: () => void = () => undefined,
): ByteSource => ({
  pour: async (take) => {
    wanted();
    const inflow = new Inflow(incoming, take);
    const idle = setTimeout(() => inflow.giveUp(), idleMs).unref();
    try {
      await inflow.begin(() => idle.refresh());
    } finally {
      clearTimeout(idle);
      // The connection must outlive a failed body: the client still gets its answer.
      inflow.close();
    }
  },
});

/** Hands on a request's pieces in the turn in which they come; the socket waits where the taker does. */
class Inflow {
  readonly #incoming: IncomingMessage;
  readonly #take: Take;
  readonly #over = Promise.withResolvers<undefined>();
  #moved: () => void = () => undefined;
  /** The taker is at work on what it was given. */
  #busy = false;
  #ended = false;

  constructor(incoming: IncomingMessage, take: Take) {
    this.#incoming = incoming;
    this.#take = take;
  }

  begin(moved: () => void): Promise<undefined> {
    this.#moved = moved;
    const incoming = this.#incoming;
    incoming.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onEnd);
    // A client that left before anybody listened will not be heard to leave.
    if (incoming.destroyed) this.#onEnd();
    else incoming.resume();
    return this.#over.promise;
  }

  giveUp(): void {
    if (!this.#busy) this.#incoming.destroy(new S3Error('ERR_S3_REQUEST_TIMEOUT'));
  }

  close(): void {
    this.#incoming
      .off('data', this.#onData)
      .off('end', this.#onEnd)
      .off('error', this.#onError)
      .off('close', this.#onEnd);
  }

  readonly #onData = (piece: Uint8Array): void => {
    let taking;
    try {
      taking = this.#take([piece]);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#moved();
    if (taking === undefined) return;
    this.#busy = true;
    this.#incoming.pause();
    taking.then(this.#onTaken, this.#fail);
  };

  readonly #onTaken = (): void => {
    this.#busy = false;
    this.#moved();
    if (this.#ended) this.#onEnd();
    else this.#incoming.resume();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    if (this.#busy) return;
    if (this.#incoming.complete) this.#over.resolve(undefined);
    else this.#fail(new S3Error('ERR_S3_INCOMPLETE_BODY'));
  };

  readonly #onError = (error: Error): void => {
    this.#fail(error instanceof S3Error ? error : new S3Error('ERR_S3_INCOMPLETE_BODY', undefined, { cause: error }));
  };

  readonly #fail = (error: unknown): void => {
    // Whatever else comes is not for a taker that has failed. Who answers may already be reading on (`respond.ts`).
    this.close();
    if (this.#incoming.listenerCount('data') === 0) this.#incoming.pause();
    this.#over.reject(error);
  };
}
