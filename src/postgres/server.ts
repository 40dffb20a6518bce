/**
 * The Postgres proxy's listener: one task for each client connection, from startup to session.
 */
import { randomBytes, X509Certificate } from 'node:crypto';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { endPointBinding } from './auth/channel-binding.ts';
import { Draining } from './draining.ts';
import { MAX_CONNECTIONS } from './limits.ts';
import type { ClientTlsOptions, PostgresProxyOptions } from './options.ts';
import { serveConnection, type ProxyContext } from './connection.ts';
import type { ClientTls } from './startup/client-startup.ts';

export type { PostgresProxyOptions } from './options.ts';

export interface PostgresProxy {
  readonly host: string;
  readonly port: number;
  /** Connections open now. */
  readonly connections: number;
  /** Stops listening; sessions end as they become idle, and what is left after the time is cut off. */
  close(graceMs?: number): Promise<void>;
}

/** Listens. Rejects where it cannot (EADDRINUSE, a bad certificate). */
export async function startPostgresProxy(options: PostgresProxyOptions): Promise<PostgresProxy> {
  const context: ProxyContext = {
    options,
    clientTls: options.clientTls === undefined ? undefined : clientTls(options.clientTls),
    clientBinding:
      options.clientTls === undefined
        ? undefined
        : endPointBinding(new X509Certificate(options.clientTls.certificatePem)),
    mockSecret: randomBytes(32),
    draining: new Draining(),
  };
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true, keepAlive: true, pauseOnConnect: true }, (socket) => {
    sockets.add(socket);
    options.metrics?.connectionOpened?.();
    socket.once('close', () => {
      sockets.delete(socket);
      options.metrics?.connectionClosed?.();
    });
    void serveConnection(socket, context, sockets.size > (options.maxConnections ?? MAX_CONNECTIONS));
  });
  await listening(server, options.listen);
  // A TCP server's address is never a path, and null only when closed.
  const address = server.address() as AddressInfo;
  return {
    host: address.address,
    port: address.port,
    get connections() {
      return sockets.size;
    },
    close: (graceMs = 0) => closed(server, sockets, context.draining, graceMs),
  };
}

function clientTls({ mode, certificatePem, privateKeyPem, clientCaPem }: ClientTlsOptions): ClientTls {
  const context = createSecureContext({
    cert: certificatePem,
    key: privateKeyPem,
    minVersion: 'TLSv1.2',
    ...(clientCaPem !== undefined && { ca: clientCaPem }),
  });
  return { context, required: mode === 'required', verifyClient: clientCaPem !== undefined };
}

function listening(server: Server, { host, port, shared = false }: PostgresProxyOptions['listen']): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, reusePort: shared }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function closed(
  server: Server,
  sockets: ReadonlySet<Socket>,
  draining: Draining,
  graceMs: number,
): Promise<void> {
  const ended = new Promise<void>((resolve) => server.close(() => resolve()));
  draining.begin();
  const late = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, graceMs);
  await ended;
  clearTimeout(late);
}
