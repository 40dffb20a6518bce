/** `/metrics`, `/healthz`, `/readyz` of the running process: answers from the start, ready once every listener accepts. */
import type { RunningListener } from '../cli/start.ts';
import { createReadiness, type Readiness, type ReadinessCheck } from '../observe/readiness.ts';
import { startObserveServer, type MetricsPage } from '../observe/server.ts';
import { listening } from './listening.ts';
import type { Part } from './lifecycle.ts';

const unready = (reason: string): Readiness => ({ ready: false, checks: [{ name: 'process', ready: false, reason }] });

export class Health {
  #page: MetricsPage;
  readonly #keysReady: () => Promise<void>;
  readonly #listeners: RunningListener[] = [];
  #ask: () => Promise<Readiness> = async () => unready('STARTING');

  constructor(page: MetricsPage, keysReady: () => Promise<void>) {
    this.#page = page;
    this.#keysReady = keysReady;
  }

  get listeners(): readonly RunningListener[] {
    return this.#listeners;
  }

  /** Errors: ERR_CLI_LISTEN. */
  async listen({ host, port }: { readonly host: string; readonly port: number }): Promise<Part> {
    const page: MetricsPage = { contentType: this.#page.contentType, metrics: () => this.#page.metrics() };
    const options = { host, port, page, readiness: () => this.#ask() };
    const server = await listening('observe', { host, port }, () => startObserveServer(options));
    this.#listeners.push({ name: 'observe', host, port: server.port, tls: false });
    return { name: 'observe', stop: () => server.close() };
  }

  /** `page`: where metrics are more than this process's own. */
  started(checks: readonly ReadinessCheck[], page: MetricsPage = this.#page): void {
    this.#page = page;
    this.#ask = createReadiness([{ name: 'keys', check: this.#keysReady }, ...checks]);
  }

  stopping(): void {
    this.#ask = async () => unready('STOPPING');
  }
}
