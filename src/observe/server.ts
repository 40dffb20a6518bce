/** `/metrics` (Prometheus), `/healthz` (the process answers), `/readyz` (it can do its work): plain HTTP on an address of its own. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Readiness } from './readiness.ts';

/** What a Registry of prom-client gives. */
export type MetricsPage = { readonly contentType: string; readonly metrics: () => Promise<string> };

export type ObserveServerOptions = {
  readonly host: string;
  readonly port: number;
  readonly page: MetricsPage;
  readonly readiness: () => Promise<Readiness>;
};

export type ObserveServer = {
  /** The port that was taken, also where 0 was asked for. */
  readonly port: number;
  readonly close: () => Promise<void>;
};

type Answer = { readonly status: number; readonly type: string; readonly body: string };

const HEADERS_TIMEOUT_MS = 5000;
const MAX_CONNECTIONS = 100;

/** Rejects with the operating system's error (EADDRINUSE, EACCES) where the port cannot be had. */
export async function startObserveServer({
  host,
  port,
  page,
  readiness,
}: ObserveServerOptions): Promise<ObserveServer> {
  const server = createServer(
    { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: HEADERS_TIMEOUT_MS },
    (request, response) => {
      respond(request, response, () => answer(request, page, readiness));
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function respond(request: IncomingMessage, response: ServerResponse, make: () => Promise<Answer>): void {
  make()
    .catch((): Answer => ({ status: 500, type: 'text/plain', body: 'failed\n' }))
    .then(({ status, type, body }) => {
      response.writeHead(status, {
        'content-type': type,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
      response.end(request.method === 'HEAD' ? undefined : body);
    })
    .catch(() => {
      response.destroy();
    });
}

async function answer(
  request: IncomingMessage,
  page: MetricsPage,
  readiness: () => Promise<Readiness>,
): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { status: 405, type: 'text/plain', body: 'GET only\n' };
  switch (request.url?.split('?')[0]) {
    case '/metrics':
      return { status: 200, type: page.contentType, body: await page.metrics() };
    case '/healthz':
      return { status: 200, type: 'text/plain', body: 'ok\n' };
    case '/readyz': {
      const state = await readiness();
      return { status: state.ready ? 200 : 503, type: 'application/json', body: `${JSON.stringify(state)}\n` };
    }
    default:
      return { status: 404, type: 'text/plain', body: 'not found: /metrics, /healthz, /readyz\n' };
  }
}
