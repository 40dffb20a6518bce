/** One worker, as the owner of the key store sees it. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { extname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningListener } from '../../cli/start.ts';
import { SealgateError, type ErrorCode } from '../../errors.ts';
import { ServedDataKeys } from '../../keys/shared/serve-data-keys.ts';
import type { DataKeys } from '../../keys/uses/data-keys.ts';
import type { CheckResult } from '../../observe/readiness.ts';
import { KEYS_FD, type FromWorker, type ToWorker, type WorkerStart } from './control.ts';

/** An answer takes longer only where the worker is stuck. */
const ANSWER_MS = 3000;
/** After the deadline, for what a worker still has to close. */
const GRACE_MS = 3000;

const PROGRAM = join(import.meta.dirname, `worker-process${extname(import.meta.filename)}`);

type Answer = Extract<FromWorker, { readonly number: number }>;

export class Worker {
  /** Resolves with what it ended by: `code 1`, `SIGKILL`. Never rejects. */
  readonly ended: Promise<string>;
  readonly number: number;
  readonly #process: ChildProcess;
  readonly #keys: ServedDataKeys;
  readonly #answers = new Map<number, (answer: Answer) => void>();
  #asked = 0;
  #stoppedWhole = false;
  #hasEnded = false;

  /** A process that runs nothing yet. */
  constructor(number: number, keys: DataKeys) {
    this.number = number;
    this.#process = fork(PROGRAM, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc', 'pipe'] });
    // Asked for so: both ends read and write it.
    this.#keys = new ServedDataKeys(keys, this.#process.stdio[KEYS_FD] as Duplex, () => undefined);
    // What cannot be sent any more, is not: its end says so.
    this.#process.on('error', () => undefined);
    this.ended = once(this.#process, 'exit').then(([code, signal]: unknown[]) => {
      this.#hasEnded = true;
      this.#keys.close();
      return typeof signal === 'string' ? signal : `code ${String(code)}`;
    });
    this.#process.on('message', (message: FromWorker) => {
      if (message.type === 'stopped') this.#stoppedWhole = message.whole;
      if ('number' in message) this.#answers.get(message.number)?.(message);
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Resolves when its listeners accept. Rejects with what kept it from that; then it ends. */
  async start(start: WorkerStart): Promise<readonly RunningListener[]> {
    for (;;) {
      const message = await this.#next();
      if (message.type === 'here') this.#tell({ type: 'start', worker: this.number, ...start });
      if (message.type === 'started') return message.listeners;
      // A SealgateError's code was sent.
      if (message.type === 'failed') throw new SealgateError(message.code as ErrorCode, message.message);
    }
  }

  dropDeks(): void {
    this.#keys.dropDeks();
  }

  /** Undefined: it does not answer. */
  async readiness(): Promise<readonly CheckResult[] | undefined> {
    const answer = await this.#ask('readiness');
    return answer?.type === 'readiness' ? answer.checks : undefined;
  }

  async metrics(): Promise<readonly object[]> {
    const answer = await this.#ask('metrics');
    return answer?.type === 'metrics' ? answer.metrics : [];
  }

  /** Lets what is under way finish within the time; then ends it. False: something was cut off. */
  async stop(deadlineMs: number): Promise<boolean> {
    this.#tell({ type: 'stop', deadlineMs });
    const late = setTimeout(() => this.#process.kill('SIGKILL'), deadlineMs + GRACE_MS);
    await this.ended;
    clearTimeout(late);
    return this.#stoppedWhole;
  }

  async #next(): Promise<FromWorker> {
    const message = once(this.#process, 'message').then(([value]: unknown[]) => value as FromWorker);
    const ended = this.ended.then((by): FromWorker => {
      return { type: 'failed', code: 'ERR_CLI_WORKER', message: `worker ${this.number} ended with ${by}` };
    });
    return Promise.race([message, ended]);
  }

  async #ask(what: 'readiness' | 'metrics'): Promise<Answer | undefined> {
    this.#asked += 1;
    const number = this.#asked;
    const answered = new Promise<Answer>((resolve) => this.#answers.set(number, resolve));
    this.#tell({ type: 'ask', number, what });
    const timeout = new AbortController();
    try {
      const late = sleep(ANSWER_MS, undefined, { signal: timeout.signal }).catch(() => undefined);
      return await Promise.race([answered, late, this.ended.then(() => undefined)]);
    } finally {
      timeout.abort();
      this.#answers.delete(number);
    }
  }

  #tell(message: ToWorker): void {
    if (!this.#hasEnded && this.#process.connected) this.#process.send(message);
  }
}
