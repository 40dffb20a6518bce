/** A connection to one server, in clear or with TLS as libpq's sslmode words say. */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { PostgresError } from '../errors.ts';
import { UPSTREAM_CONNECT_TIMEOUT_MS } from '../limits.ts';
import { SSL_REQUEST_PACKET } from '../messages/startup.ts';
import type { ServerAddress, UpstreamTlsOptions } from '../options.ts';
import { upstreamClosed } from './closed.ts';
import { SocketReader } from '../wire/socket-reader.ts';

export type UpstreamServer = ServerAddress & {
  readonly tls: UpstreamTlsOptions;
  readonly connectTimeoutMs?: number;
};

export type UpstreamConnection = { readonly socket: Socket; readonly encrypted: boolean };

/** `offered`: TLS where the server has it, in clear otherwise. */
export type Encryption = 'none' | 'offered' | 'required';

const ACCEPTED = 'S'.charCodeAt(0);
const DECLINED = 'N'.charCodeAt(0);

/** What is tried one after another, should the server refuse the first: `allow` and `prefer` have a second. */
export function encryptionsOf({ host, tls: { mode } }: UpstreamServer): readonly Encryption[] {
  // A Unix socket has no TLS.
  if (host.startsWith('/')) return ['none'];
  switch (mode) {
    case 'disable':
      return ['none'];
    case 'allow':
      return ['none', 'required'];
    case 'prefer':
      return ['offered', 'none'];
    case 'require':
    case 'verify-ca':
    case 'verify-full':
      return ['required'];
  }
}

/** Throws ERR_POSTGRES_UPSTREAM_UNREACHABLE, ERR_POSTGRES_UPSTREAM_TLS, ERR_POSTGRES_UPSTREAM_CLOSED. The socket is paused. */
export async function connectServer(server: UpstreamServer, encryption: Encryption): Promise<UpstreamConnection> {
  const plain = await openTcp(server);
  if (encryption === 'none') return { socket: plain, encrypted: false };
  try {
    return await within(connectTimeoutMs(server), plain, () =>
      server.tls.direct === true ? directTls(plain, server) : negotiateTls(plain, server, encryption),
    );
  } catch (error) {
    plain.destroy();
    throw error;
  }
}

export function connectTimeoutMs({ connectTimeoutMs: given }: UpstreamServer): number {
  return given ?? UPSTREAM_CONNECT_TIMEOUT_MS;
}

/** Whoever waits for a server that says nothing is let go: its socket is destroyed, with which reads of it end. */
export async function within<Result>(ms: number, socket: Socket, work: () => Promise<Result>): Promise<Result> {
  const timer = setTimeout(() => socket.destroy(), ms);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}

async function openTcp(server: UpstreamServer): Promise<Socket> {
  const { host, address, port } = server;
  const place = host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host: address ?? host, port };
  const socket = connectTcp({ ...place, noDelay: true, keepAlive: true });
  try {
    await opened(socket, 'connect', connectTimeoutMs(server));
  } catch (error) {
    socket.destroy();
    throw unreachableUpstream(error);
  }
  return socket;
}

async function negotiateTls(
  plain: Socket,
  server: UpstreamServer,
  encryption: Encryption,
): Promise<UpstreamConnection> {
  const reader = new SocketReader(plain, upstreamClosed);
  plain.write(SSL_REQUEST_PACKET);
  const [answer] = await reader.take(1);
  if (reader.bufferedBytes > 0) throw tlsError('the server sent bytes in clear after its answer to SSLRequest');
  reader.release();
  if (answer === ACCEPTED) return { socket: await handshake(plain, server), encrypted: true };
  if (answer === DECLINED && encryption === 'offered') return { socket: plain, encrypted: false };
  throw tlsError('the server does not offer TLS');
}

async function directTls(plain: Socket, server: UpstreamServer): Promise<UpstreamConnection> {
  const socket = await handshake(plain, server);
  if (socket.alpnProtocol === ALPN) return { socket, encrypted: true };
  socket.destroy();
  throw tlsError('the server does not take direct TLS connections');
}

const ALPN = 'postgresql';

async function handshake(plain: Socket, server: UpstreamServer): Promise<ReturnType<typeof connectTls>> {
  const socket = connectTls({ ...tlsOptions(server), socket: plain });
  try {
    await opened(socket, 'secureConnect', connectTimeoutMs(server));
  } catch (error) {
    throw tlsError('the TLS handshake with the server failed', error);
  }
  return socket;
}

/** As libpq: `require` verifies the chain only where a CA is given, `verify-ca` always, `verify-full` the host's name too. */
function tlsOptions({ host, tls }: UpstreamServer): ConnectionOptions {
  const { mode, caPem, certificatePem, privateKeyPem } = tls;
  const verifies = mode === 'verify-ca' || mode === 'verify-full' || (mode === 'require' && caPem !== undefined);
  return {
    rejectUnauthorized: verifies,
    ...(isIP(host) === 0 && { servername: host }),
    ...(caPem !== undefined && { ca: caPem }),
    ...(certificatePem !== undefined && { cert: certificatePem }),
    ...(privateKeyPem !== undefined && { key: privateKeyPem }),
    ...(mode === 'verify-full' ? { host } : { checkServerIdentity: () => undefined }),
    ALPNProtocols: [ALPN],
  };
}

async function opened(socket: Socket, event: 'connect' | 'secureConnect', ms: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('timed out')), ms);
    const settle = (act: () => void) => () => {
      clearTimeout(timer);
      act();
    };
    socket.once(event, settle(resolve));
    socket.once('error', (error) => settle(() => reject(error))());
    socket.once(
      'close',
      settle(() => reject(new Error('closed'))),
    );
  });
  socket.pause();
}

function unreachableUpstream(cause: unknown): PostgresError {
  return new PostgresError(
    'ERR_POSTGRES_UPSTREAM_UNREACHABLE',
    'the PostgreSQL server behind the proxy cannot be reached',
    { sqlstate: '08001' },
    { cause },
  );
}

function tlsError(message: string, cause?: unknown): PostgresError {
  return new PostgresError('ERR_POSTGRES_UPSTREAM_TLS', message, { sqlstate: '08001' }, { cause });
}
