/**
 * Large statements are read on a thread of their own: the parser and the analysis take all of a processor for as long as they run, and meanwhile
 * nobody else's statement would go on. The thread starts with the first of them and ends when none has come for a while, or at once after one
 * that was very large: the grammar's memory is given back in no other way. What it dies of is the end of no one else.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import {
  LARGE_STATEMENT_MS,
  LARGE_THREAD_HEAP_MIB,
  LARGE_THREAD_IDLE_MS,
  VERY_LARGE_STATEMENT_BYTES,
} from '../../limits.ts';
import { ServiceError } from '../../service/errors.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { crossable, withChecks } from './crossing.ts';
import type { Failure, FromThread, LargeAnswer, LargeStatement, ToThread } from './messages.ts';
import type { RemoteService } from './remote-service.ts';
import { watchTime } from './patience.ts';
import { ServedSessions } from './served-sessions.ts';

type Running = { readonly worker: Worker; readonly sessions: ServedSessions; epoch: number };
type Waiting = { readonly resolve: (answer: LargeAnswer) => void; readonly reject: (error: Error) => void };

export class LargeThread {
  readonly #service: RemoteService;
  readonly #limitMs: number;
  #running: Running | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #waiting: Waiting | undefined;
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  /** `limitMs`: of the processor's time, the most that one statement is given. */
  constructor(service: RemoteService, limitMs = LARGE_STATEMENT_MS) {
    this.#service = service;
    this.#limitMs = limitMs;
  }

  /** One after the other. Rejects where the thread does not survive it, or would be at it for longer than the limit. */
  plan(job: LargeStatement, catalog: Catalog): Promise<LargeAnswer> {
    const answer = this.#last.then(() => this.#run(job, catalog));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  close(): void {
    this.#closed = true;
    this.#stop();
  }

  async #run(job: LargeStatement, catalog: Catalog): Promise<LargeAnswer> {
    if (this.#closed) throw new Error('the analysis has been closed');
    clearTimeout(this.#idle);
    const running = (this.#running ??= this.#start());
    running.worker.ref();
    const isKnown = running.epoch === catalog.epoch;
    running.epoch = catalog.epoch;
    const endWatch = watchTime(running.worker, this.#limitMs, () => this.#stop());
    const answer = await new Promise<LargeAnswer>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      say(running.worker, { type: 'plan', job, catalog: isKnown ? undefined : crossable(catalog) });
    }).finally(endWatch);
    running.worker.unref();
    if (job.sql.length > VERY_LARGE_STATEMENT_BYTES) this.#stop();
    else this.#idle = setTimeout(() => this.#stop(), LARGE_THREAD_IDLE_MS).unref();
    return { ...answer, plans: withChecks(answer.plans, catalog) };
  }

  #start(): Running {
    // Beside this file, as source or built.
    const name = `./large-worker${extname(import.meta.filename)}`;
    const resourceLimits = { maxOldGenerationSizeMb: LARGE_THREAD_HEAP_MIB };
    const worker = new Worker(new URL(name, import.meta.url), { resourceLimits });
    const running = { worker, sessions: new ServedSessions(this.#service), epoch: -1 };
    worker.on('message', (message: FromThread) => {
      if (message.type === 'ask') return void serve(running, message);
      this.#waiting?.resolve(message.answer);
      this.#waiting = undefined;
    });
    worker.on('error', (error) => this.#ended(running, error));
    // An answer that cannot be read is none: whoever waits for it would wait for ever.
    worker.on('messageerror', (error) => {
      this.#ended(running, error);
      void worker.terminate();
    });
    worker.on('exit', () => this.#ended(running, undefined));
    return running;
  }

  #stop(): void {
    clearTimeout(this.#idle);
    const running = this.#running;
    if (running === undefined) return;
    void running.worker.terminate();
    this.#ended(running, undefined);
  }

  #ended(running: Running, cause: unknown): void {
    running.sessions.endAll();
    if (this.#running !== running) return;
    this.#running = undefined;
    this.#waiting?.reject(new Error('the thread has ended', { cause }));
    this.#waiting = undefined;
  }
}

async function serve({ worker, sessions }: Running, { id, ask }: FromThread & { type: 'ask' }): Promise<void> {
  try {
    const result = await sessions.answer(ask);
    say(worker, { type: 'asked', id, result, failure: undefined });
  } catch (error) {
    say(worker, { type: 'asked', id, result: undefined, failure: failureOf(error) });
  }
}

function failureOf(error: unknown): Failure {
  if (error instanceof ServiceError) return { code: error.code, sqlstate: error.sqlstate, message: error.message };
  return { code: 'ERR_POSTGRES_SERVICE_UNREACHABLE', sqlstate: '08006', message: 'the service connection failed' };
}

const say = (worker: Worker, message: ToThread): void => worker.postMessage(message);
