/**
 * One request on undici's lowest interface: its own stream objects between parser and reader cost half of what a small answer costs
 * (docs/DECISIONS.md). The reader of the body gets each read of the socket as it is, and takes the pace.
 */
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { ByteSource, Take } from '../bodies/byte-source.ts';
import { S3Error } from '../errors.ts';
import { AnswerBody } from './upstream-body.ts';

export type DispatchedAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: AnswerBody;
};

/**
 * Resolves at the answer's headers. Rejects with undici's error, with what the request's body threw, or with the signal's reason: at once, also while
 * the request waits for a connection.
 */
export function dispatch(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  signal: AbortSignal | undefined,
): Promise<DispatchedAnswer> {
  if (signal?.aborted === true) return Promise.reject(signal.reason as Error); // As in `#abort`.
  const answered = new Promise<DispatchedAnswer>((resolve, reject) => {
    dispatcher.dispatch(options, new Answer(resolve, reject, signal));
  });
  // The body of a request that never came to a connection is ended by nobody else.
  answered.catch(() => options.body instanceof Readable && options.body.destroy());
  return answered;
}

type Reader = { readonly take: Take; readonly resolve: () => void; readonly reject: (error: unknown) => void };

class Answer implements Dispatcher.DispatchHandler, ByteSource {
  readonly #resolve: (answer: DispatchedAnswer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #signal: AbortSignal | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #answered = false;
  /** Reads that nobody has taken yet: one, rarely two, since the socket is paused meanwhile. */
  #chunks: Uint8Array[] = [];
  #end: 'open' | 'ended' | 'left' = 'open';
  #failure: S3Error | undefined;
  #reader: Reader | undefined;
  /** The reader is at work on what it was given. */
  #busy = false;

  constructor(
    resolve: (answer: DispatchedAnswer) => void,
    reject: (error: unknown) => void,
    signal: AbortSignal | undefined,
  ) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#signal = signal;
    signal?.addEventListener('abort', this.#abort);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // It was given up while it waited: nothing of it is sent, and so the connection stays, which an abort through the controller would end.
    if (this.#end !== 'open') throw new Error('the request is not wanted any more');
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    // 100 Continue and 103 Early Hints stand before the answer.
    if (status < 200) return;
    this.#answered = true;
    this.#resolve({ status, headers, body: new AnswerBody(this) });
  }

  /**
   * undici still looks at a read after a pause that was asked for within this call, and the reader may have given its memory back by then: so
   * it is asked for only with a read that nobody has taken.
   */
  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    if (this.#reader === undefined || this.#busy) controller.pause();
    else this.#giveOn(this.#reader);
  }

  onResponseEnd(): void {
    this.#settle('ended');
    if (this.#reader !== undefined) this.#giveOn(this.#reader);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: unknown): void {
    this.#settle('ended');
    this.#failure = withinAnswer(error);
    if (!this.#answered) this.#reject(error);
    else if (this.#reader !== undefined) this.#giveOn(this.#reader);
  }

  pour(take: Take): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#reader = { take, resolve, reject };
      this.#giveOn(this.#reader);
    });
  }

  /** Gives what has come, for as long as the reader takes it at once; then the end, if it has come. */
  #giveOn(reader: Reader): void {
    while (!this.#busy) {
      const chunk = this.#chunks.shift();
      if (chunk === undefined) break;
      this.#give(chunk, reader);
    }
    if (this.#busy) return;
    if (this.#failure !== undefined) reader.reject(this.#failure);
    else if (this.#end === 'open') this.#controller?.resume();
    else reader.resolve();
  }

  #give(chunk: Uint8Array, reader: Reader): void {
    const taking = takenBy(reader, chunk);
    if (taking === undefined) return;
    this.#busy = true;
    taking.then(
      () => {
        this.#busy = false;
        this.#giveOn(reader);
      },
      (error: unknown) => {
        this.#leave();
        this.#busy = false;
        reader.reject(error);
      },
    );
  }

  /** Drops the connection, unless all has come. */
  #leave(): void {
    this.#chunks = [];
    if (this.#end !== 'open') return;
    this.#settle('left');
    this.#controller?.abort(new Error('the rest of the answer is not wanted'));
  }

  readonly #abort = (): void => {
    if (this.#end !== 'open') return;
    const reason = this.#signal?.reason as Error; // Every abort here has an Error as reason.
    if (this.#controller !== undefined) return this.#controller.abort(reason);
    this.#settle('left');
    this.#reject(reason);
  };

  #settle(end: 'ended' | 'left'): void {
    if (this.#end === 'open') this.#end = end;
    this.#signal?.removeEventListener('abort', this.#abort);
  }
}

/** Never throws: what ends the reading ends it outside of undici's parser. */
function takenBy({ take }: Reader, chunk: Uint8Array): Promise<void> | undefined {
  try {
    return take([chunk]);
  } catch (error) {
    return Promise.resolve().then(() => {
      throw error;
    });
  }
}

function withinAnswer(cause: unknown): S3Error {
  if (cause instanceof S3Error) return cause;
  return new S3Error('ERR_S3_UPSTREAM_UNREACHABLE', 'The storage closed the connection within its answer.', { cause });
}
