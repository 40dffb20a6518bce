/**
 * The data plane in several processes that listen on the same ports: the system gives each connection to one of them. This process owns
 * the key store and answers for it; a worker that dies is replaced, and takes its own connections with it alone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { CliError } from '../../cli/errors.ts';
import type { RunningListener } from '../../cli/start.ts';
import type { Config } from '../../config/config.ts';
import { configDigest } from '../../config/digest.ts';
import type { DataKeys } from '../../keys/uses/data-keys.ts';
import type { Log } from '../../observe/log.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { ReadinessCheck } from '../../observe/readiness.ts';
import type { MetricsPage } from '../../observe/server.ts';
import type { Part } from '../lifecycle.ts';
import type { Ports } from './control.ts';
import { added, Counted } from './counted.ts';
import { findPorts } from './find-ports.ts';
import { Worker } from './worker.ts';

/** One that dies young is replaced later and later. */
const FIRST_DELAY_MS = 500;
const LAST_DELAY_MS = 30_000;
const GROWN_MS = 60_000;

export type WorkersOptions = {
  readonly count: number;
  readonly config: Config;
  readonly keys: DataKeys;
  readonly log: Log;
  readonly metrics: Metrics;
};

export class Workers {
  readonly #options: WorkersOptions;
  readonly #digest: string;
  readonly #workers = new Map<number, Worker>();
  readonly #counted = new Counted();
  readonly #stopping = new AbortController();
  #ports: Ports = {};

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.#digest = configDigest(options.config);
  }

  /** The first alone, so that what is made at a first start is made once and an error is said once. Rejects with that error. */
  async start(): Promise<readonly RunningListener[]> {
    this.#ports = await findPorts(this.#options.config);
    const listeners = await this.#startOne(1);
    const others = Array.from({ length: this.#options.count - 1 }, (_, index) => this.#startOne(index + 2));
    await Promise.all(others);
    return listeners;
  }

  get part(): Part {
    return { name: 'workers', stop: (remainingMs) => this.#stop(remainingMs) };
  }

  /** DEKs that workers hold are not to be used again. */
  dropDeks(): void {
    for (const worker of this.#workers.values()) worker.dropDeks();
  }

  get checks(): readonly ReadinessCheck[] {
    return [{ name: 'workers', check: () => this.#check() }];
  }

  /** This process's metrics and those of all workers there are and were, added up. */
  get metricsPage(): MetricsPage {
    const { registry } = this.#options.metrics;
    return {
      contentType: registry.contentType,
      metrics: async () => {
        const workers = this.#counted.by([...this.#workers.values()]);
        return added([await registry.getMetricsAsJSON(), ...(await workers)]).metrics();
      },
    };
  }

  async #startOne(number: number): Promise<readonly RunningListener[]> {
    const { worker, listeners } = await this.#spawn(number);
    void this.#keep(number, worker);
    return listeners;
  }

  async #spawn(number: number): Promise<{ worker: Worker; listeners: readonly RunningListener[] }> {
    const { config, keys, log } = this.#options;
    const worker = new Worker(number, keys);
    // From the start on: it is stopped with the others also while it starts.
    this.#workers.set(number, worker);
    void worker.ended.then(() => {
      this.#workers.delete(number);
      this.#counted.ended(worker);
    });
    const listeners = await worker.start({ file: config.file, digest: this.#digest, ports: this.#ports });
    log.info({ worker: number, pid: worker.pid }, 'worker started');
    return { worker, listeners };
  }

  /** Replaces the worker, and each that takes its place, until the end. */
  async #keep(number: number, first: Worker): Promise<void> {
    const { log } = this.#options;
    let worker: Worker | undefined = first;
    for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(2 * delayMs, LAST_DELAY_MS)) {
      if (worker !== undefined) {
        const since = performance.now();
        const by = await worker.ended;
        if (this.#stopping.signal.aborted) return;
        if (performance.now() - since > GROWN_MS) delayMs = FIRST_DELAY_MS;
        log.error({ worker: number, by }, 'a worker ended; another takes its place');
      }
      await sleep(delayMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      if (this.#stopping.signal.aborted) return;
      worker = await this.#spawn(number).then(
        (spawned) => spawned.worker,
        (error: unknown) => {
          if (!this.#stopping.signal.aborted)
            log.error({ worker: number, err: error }, 'a worker could not be started');
          return undefined;
        },
      );
    }
  }

  /** Ready where every worker is, with its listeners and what they need. */
  async #check(): Promise<void> {
    const workers = [...this.#workers.values()];
    if (workers.length < this.#options.count) throw notReady('WORKER_MISSING');
    for (const checks of await Promise.all(workers.map((worker) => worker.readiness()))) {
      if (checks === undefined) throw notReady('WORKER_SILENT');
      for (const check of checks) if (!check.ready) throw notReady(check.reason);
    }
  }

  async #stop(remainingMs: number): Promise<void> {
    this.#stopping.abort();
    const stopped = await Promise.all([...this.#workers.values()].map((worker) => worker.stop(remainingMs)));
    if (!stopped.every(Boolean)) throw new CliError('ERR_CLI_WORKER', 'a worker did not stop in time, or not whole');
  }
}

/** Health endpoints tell codes, never texts. */
const notReady = (code: string): Error => Object.assign(new Error(code), { code });
