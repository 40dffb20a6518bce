/**
 * One request on undici's lowest interface: its own stream objects between parser and reader cost half of what a small answer costs
 * (docs/DECISIONS.md). The reader of the body gets each read of the socket as it is, and takes the pace.
 */
import type { Dispatcher } from 'undici';
import { S3Error } from '../errors.ts';
import { AnswerBody, type AnswerSource } from './upstream-body.ts';

export type DispatchedAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: AnswerBody;
};

/** Resolves at the answer's headers. Rejects with undici's error, with the signal's reason, or with what the request's body threw. */
export function dispatch(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  signal: AbortSignal | undefined,
): Promise<DispatchedAnswer> {
  return new Promise((resolve, reject) => {
    dispatcher.dispatch(options, new Answer(resolve, reject, signal));
  });
}

const END = { done: true, value: undefined } as const;

type Waiting = {
  readonly resolve: (result: IteratorResult<Uint8Array, undefined>) => void;
  readonly reject: (error: unknown) => void;
};

class Answer implements Dispatcher.DispatchHandler, AnswerSource {
  readonly #resolve: (answer: DispatchedAnswer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #signal: AbortSignal | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #answered = false;
  /** Reads that nobody has waited for: one, rarely two, since the socket is paused meanwhile. */
  #chunks: Uint8Array[] = [];
  #waiting: Waiting | undefined;
  #end: 'open' | 'ended' | 'left' = 'open';
  #failure: S3Error | undefined;

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
    if (this.#signal?.aborted === true) this.#abort();
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

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    const waiting = this.#waiting;
    if (waiting === undefined) {
      this.#chunks.push(chunk);
      controller.pause();
      return;
    }
    this.#waiting = undefined;
    waiting.resolve({ done: false, value: chunk });
  }

  onResponseEnd(): void {
    this.#settle('ended');
    this.#waiting?.resolve(END);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: unknown): void {
    this.#settle('ended');
    const failure = withinAnswer(error);
    this.#failure = failure;
    if (this.#answered) this.#waiting?.reject(failure);
    else this.#reject(error);
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) return Promise.resolve({ done: false, value: chunk });
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#end !== 'open') return Promise.resolve(END);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#controller?.resume();
    });
  }

  return(): Promise<typeof END> {
    if (this.#end === 'open') {
      this.#settle('left');
      this.#controller?.abort(new Error('the rest of the answer is not wanted'));
    }
    this.#chunks = [];
    return Promise.resolve(END);
  }

  readonly #abort = (): void => {
    if (this.#end === 'open') this.#controller?.abort(this.#signal?.reason as Error); // Every abort here has an Error as reason.
  };

  #settle(end: 'ended' | 'left'): void {
    if (this.#end === 'open') this.#end = end;
    this.#signal?.removeEventListener('abort', this.#abort);
  }
}

function withinAnswer(cause: unknown): S3Error {
  if (cause instanceof S3Error) return cause;
  return new S3Error('ERR_S3_UPSTREAM_UNREACHABLE', 'The storage closed the connection within its answer.', { cause });
}
