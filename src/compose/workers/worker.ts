/** One worker, as the owner of the key store sees it. */
import { fork, type ChildProcess } from 'node:child_process';
import { extname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { CliError } from '../../cli/errors.ts';
import type { RunningListener } from '../../cli/start.ts';
import { SealgateError, unreachable, type ErrorCode } from '../../errors.ts';
import { ServedDataKeys } from '../../keys/shared/serve-data-keys.ts';
import type { DataKeys } from '../../keys/uses/data-keys.ts';
import type { CheckResult } from '../../observe/readiness.ts';
import { KEYS_FD, type FromWorker, type ToWorker, type WorkerStart } from './control.ts';

/** To load the program; one that takes longer is stuck. What it takes to start serving, is limited by what it waits for. */
const LOAD_MS = 60_000;
/** An answer takes longer only where the worker is stuck. */
const ANSWER_MS = 3000;
/** After the deadline, for what a worker still has to close. */
const GRACE_MS = 3000;

const PROGRAM = join(import.meta.dirname, `worker-process${extname(import.meta.filename)}`);

type Answer = Extract<FromWorker, { readonly number: number }>;

/** What a test has otherwise. */
type WorkerOptions = { readonly program?: string; readonly loadMs?: number };

export class Worker {
  /** Resolves with what it ended by: `code 1`, `SIGKILL`, or what kept the system from making it. Never rejects. */
  readonly ended: Promise<string>;
  readonly number: number;
  readonly #process: ChildProcess;
  readonly #keys: ServedDataKeys | undefined;
  readonly #answers = new Map<number, (answer: Answer) => void>();
  readonly #loadMs: number;
  readonly #loaded = Promise.withResolvers<'loaded'>();
  readonly #started = Promise.withResolvers<Extract<FromWorker, { type: 'started' | 'failed' }>>();
  #asked = 0;
  #stoppedWhole = false;
  #hasEnded = false;

  /** A process that runs nothing yet. */
  constructor(number: number, keys: DataKeys, { program = PROGRAM, loadMs = LOAD_MS }: WorkerOptions = {}) {
    this.number = number;
    this.#loadMs = loadMs;
    // As `main.ts` has it of the process that owns the keys: no signal opens a debugger.
    const execArgv = [...process.execArgv, '--disable-sigusr1'];
    this.#process = fork(program, [], { execArgv, stdio: ['ignore', 'ignore', 'inherit', 'ipc', 'pipe'] });
    this.ended = this.#untilEnd();
    // Asked for so: both ends read and write it. There is none where there is no process.
    const pipe = this.#process.stdio?.[KEYS_FD] as Duplex | null | undefined;
    this.#keys = pipe ? new ServedDataKeys(keys, pipe, () => undefined) : undefined;
    this.#process.on('message', (message: FromWorker) => this.#hear(message));
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Resolves when its listeners accept. Rejects with what kept it from that; then it ends. */
  async start(start: WorkerStart): Promise<readonly RunningListener[]> {
    const ended = this.ended.then((by) => {
      throw new CliError('ERR_CLI_WORKER', `worker ${this.number} ended with ${by}`);
    });
    const stuck = setTimeout(() => this.#process.kill('SIGKILL'), this.#loadMs);
    await Promise.race([this.#loaded.promise, ended]).finally(() => clearTimeout(stuck));
    this.#tell({ type: 'start', worker: this.number, ...start });
    const message = await Promise.race([this.#started.promise, ended]);
    // A SealgateError's code was sent.
    if (message.type === 'failed') throw new SealgateError(message.code as ErrorCode, message.message);
    return message.listeners;
  }

  dropDeks(): void {
    this.#keys?.dropDeks();
  }

  /** Undefined: it does not answer. */
  async readiness(): Promise<readonly CheckResult[] | undefined> {
    const answer = await this.#ask('readiness');
    return answer?.type === 'readiness' ? answer.checks : undefined;
  }

  /** Undefined: it does not answer. */
  async metrics(): Promise<readonly object[] | undefined> {
    const answer = await this.#ask('metrics');
    return answer?.type === 'metrics' ? answer.metrics : undefined;
  }

  /** Lets what is under way finish within the time; then ends it. False: something was cut off. */
  async stop(deadlineMs: number): Promise<boolean> {
    this.#tell({ type: 'stop', deadlineMs });
    const late = setTimeout(() => this.#process.kill('SIGKILL'), deadlineMs + GRACE_MS);
    await this.ended;
    clearTimeout(late);
    return this.#stoppedWhole;
  }

  /** Node's own `once` would reject with an error that is no end: that of a message which came too late. */
  async #untilEnd(): Promise<string> {
    const by = await new Promise<string>((resolve) => {
      this.#process.once('exit', (code, signal) => resolve(signal ?? `code ${String(code)}`));
      this.#process.on('error', (error) => {
        // What cannot be sent any more, is not: its end says so. But what never ran has no end.
        if (this.#process.pid === undefined) resolve(error.message);
      });
    });
    this.#hasEnded = true;
    this.#keys?.close();
    return by;
  }

  #hear(message: FromWorker): void {
    switch (message.type) {
      case 'here':
        return this.#loaded.resolve('loaded');
      case 'started':
      case 'failed':
        return this.#started.resolve(message);
      case 'stopped':
        this.#stoppedWhole = message.whole;
        return;
      case 'readiness':
      case 'metrics':
        return this.#answers.get(message.number)?.(message);
      default:
        return unreachable(message);
    }
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
