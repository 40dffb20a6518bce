/** `/metrics`, `/healthz`, `/readyz` of the running process: answers from the start, ready once every listener accepts. */
import type { RunningListener } from '../cli/start.ts';
import type { Metrics } from '../observe/metrics.ts';
import { createReadiness, type Readiness, type ReadinessCheck } from '../observe/readiness.ts';
import { startObserveServer } from '../observe/server.ts';
import { listening } from './listening.ts';
import type { Part } from './lifecycle.ts';

const unready = (reason: string): Readiness => ({ ready: false, checks: [{ name: 'process', ready: false, reason }] });

export class Health {
  readonly #metrics: Metrics;
  readonly #keysReady: () => Promise<void>;
  readonly #listeners: RunningListener[] = [];
  #ask: () => Promise<Readiness> = async () => unready('STARTING');

  constructor(metrics: Metrics, keysReady: () => Promise<void>) {
    this.#metrics = metrics;
    this.#keysReady = keysReady;
  }

  get listeners(): readonly RunningListener[] {
    return this.#listeners;
  }

  /** Errors: ERR_CLI_LISTEN. */
  async listen({ host, port }: { readonly host: string; readonly port: number }): Promise<Part> {
    const options = { host, port, registry: this.#metrics.registry, readiness: () => this.#ask() };
    const server = await listening('observe', { host, port }, () => startObserveServer(options));
    this.#listeners.push({ name: 'observe', host, port: server.port, tls: false });
    return { name: 'observe', stop: () => server.close() };
  }

  started(checks: readonly ReadinessCheck[]): void {
    this.#ask = createReadiness([{ name: 'keys', check: this.#keysReady }, ...checks]);
  }

  stopping(): void {
    this.#ask = async () => unready('STOPPING');
  }
}
