/**
 * What node:crypto does with key pairs only while everything else waits, on a thread of its own. It starts with the first job, keeps no
 * process alive that has nothing to wait for, and is started anew should it ever end.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { withOwnBytes, type NumberedJob, type NumberedResult, type PairJob, type PairResult } from './pair-job.ts';

type Waiting = { readonly resolve: (result: PairResult) => void; readonly reject: (error: Error) => void };

export class PairThread {
  #worker: Worker | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  /** Rejects where the thread itself is at fault. */
  async run(job: PairJob): Promise<PairResult> {
    const result = await this.#ask(job);
    if (result.type === 'failed') throw new Error(`the pair thread failed: ${result.reason}`);
    return result;
  }

  /** What is under way is rejected. */
  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #ask(job: PairJob): Promise<PairResult> {
    const worker = (this.#worker ??= this.#start());
    const id = (this.#last += 1);
    const { message, transfer } = withOwnBytes(job);
    return new Promise((resolve, reject) => {
      worker.postMessage({ id, job: message } satisfies NumberedJob, transfer);
      this.#waiting.set(id, { resolve, reject });
      worker.ref();
    });
  }

  #start(): Worker {
    // Beside this file, as source or built.
    const name = `./pair-worker${extname(import.meta.filename)}`;
    const worker = new Worker(new URL(name, import.meta.url));
    worker.on('message', ({ id, result }: NumberedResult) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) worker.unref();
      waiting?.resolve(result);
    });
    worker.on('error', (error) => this.#end(worker, error));
    worker.on('exit', () => this.#end(worker, undefined));
    return worker;
  }

  #end(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const error = new Error('the pair thread has ended', { cause });
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
