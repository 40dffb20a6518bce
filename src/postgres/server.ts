/**
 * The Postgres proxy's listener: one task for each client connection, from startup to session.
 */
import { constants, randomBytes, X509Certificate } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { endPointBinding } from './auth/channel-binding.ts';
import { Draining } from './draining.ts';
import { MAX_CONNECTIONS } from './limits.ts';
import { listenAt } from './listen.ts';
import type { ClientTlsOptions, PostgresProxyOptions } from './options.ts';
import { serveConnection, type ProxyContext } from './connection.ts';
import { CancelKeys } from './startup/cancel.ts';
import type { ClientTls, ServedTls } from './startup/client-startup.ts';
import { UpstreamServers } from './startup/upstream-servers.ts';

export type { PostgresProxyOptions } from './options.ts';

export interface PostgresProxy {
  readonly host: string;
  readonly port: number;
  /** Connections open now. */
  readonly connections: number;
  /**
   * From now on connections are made with these; sessions go on as they are, as the server's own do. Throws OpenSSL's error, and nothing has
   * changed, where they cannot be used.
   */
  renew(tls: ClientTlsOptions): void;
  /** Stops listening; sessions end as they become idle, and what is left after the time is cut off. */
  close(graceMs?: number): Promise<void>;
}

/** Listens. Rejects where it cannot (EADDRINUSE, a bad certificate). */
export async function startPostgresProxy(options: PostgresProxyOptions): Promise<PostgresProxy> {
  let served = options.clientTls && clientTls(options.clientTls);
  const context = contextOf(options, () => served);
  const sockets = new Set<Socket>();
  const serve = (own: ProxyContext) => (socket: Socket) => {
    sockets.add(socket);
    options.metrics?.connectionOpened?.();
    socket.once('close', () => {
      sockets.delete(socket);
      options.metrics?.connectionClosed?.();
    });
    void serveConnection(socket, own, sockets.size > (options.maxConnections ?? MAX_CONNECTIONS));
  };
  const how = { noDelay: true, keepAlive: true, pauseOnConnect: true };
  const tcp = createServer(how, serve(context));
  // A Unix socket has no TLS, as with PostgreSQL.
  const local = createServer(how, serve({ ...context, clientTls: () => undefined }));
  const { host, port } = await listenAt(options.listen, { tcp, local });
  return {
    host,
    port,
    get connections() {
      return sockets.size;
    },
    renew: (tls) => {
      served = clientTls(tls);
    },
    close: (graceMs = 0) => closed([tcp, local], sockets, context.draining, graceMs),
  };
}

function contextOf(options: PostgresProxyOptions, served: ServedTls): ProxyContext {
  const { upstream, routes = new Map<string, never>() } = options;
  return {
    options,
    clientTls: served,
    mockSecret: randomBytes(32),
    draining: new Draining(),
    upstream: new UpstreamServers(upstream),
    routes: new Map([...routes].map(([database, elsewhere]) => [database, new UpstreamServers(elsewhere)])),
    cancelKeys: new CancelKeys(),
  };
}

function clientTls({ mode, certificatePem, privateKeyPem, clients }: ClientTlsOptions): ClientTls {
  const context = createSecureContext({
    cert: certificatePem,
    key: privateKeyPem,
    minVersion: 'TLSv1.2',
    // As the server itself (be_tls_init): each connection shows its certificate, and OpenSSL refuses resuming where it is asked for.
    secureOptions: constants.SSL_OP_NO_TICKET,
    ...(clients !== undefined && { ca: clients.caPem }),
    ...(clients?.crlPem !== undefined && { crl: clients.crlPem }),
  });
  const asked = clients?.required === true ? 'required' : 'optional';
  return {
    context,
    endPointBinding: endPointBinding(new X509Certificate(certificatePem)),
    required: mode === 'required',
    clientCertificates: clients === undefined ? 'none' : asked,
  };
}

async function closed(
  servers: readonly Server[],
  sockets: ReadonlySet<Socket>,
  draining: Draining,
  graceMs: number,
): Promise<void> {
  const ended = Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  draining.begin();
  const late = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, graceMs);
  await ended;
  clearTimeout(late);
}
