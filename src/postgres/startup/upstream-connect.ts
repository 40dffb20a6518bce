/** A connection to the server, with TLS as libpq's sslmode words say. */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { PostgresError } from '../errors.ts';
import { UPSTREAM_CONNECT_TIMEOUT_MS } from '../limits.ts';
import { SSL_REQUEST_PACKET } from '../messages/startup.ts';
import type { UpstreamOptions } from '../options.ts';
import { upstreamClosed } from './closed.ts';
import { SocketReader } from '../wire/socket-reader.ts';

export type UpstreamConnection = { readonly socket: Socket; readonly encrypted: boolean };

const ACCEPTED = 'S'.charCodeAt(0);
const DECLINED = 'N'.charCodeAt(0);

/** Throws ERR_POSTGRES_UPSTREAM_UNREACHABLE, ERR_POSTGRES_UPSTREAM_TLS. The socket is paused. */
export async function connectUpstream(upstream: UpstreamOptions): Promise<UpstreamConnection> {
  const plain = await openTcp(upstream);
  if (upstream.tls.mode === 'disable') return { socket: plain, encrypted: false };
  try {
    return await negotiateTls(plain, upstream);
  } catch (error) {
    plain.destroy();
    throw error;
  }
}

async function openTcp({ host, port }: UpstreamOptions): Promise<Socket> {
  // As with libpq, a host that begins with a slash is the folder of a Unix socket.
  const place = host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port };
  const socket = connectTcp({ ...place, noDelay: true, keepAlive: true });
  try {
    await opened(socket, 'connect');
  } catch (error) {
    socket.destroy();
    throw unreachableUpstream(error);
  }
  return socket;
}

async function negotiateTls(plain: Socket, upstream: UpstreamOptions): Promise<UpstreamConnection> {
  const reader = new SocketReader(plain, upstreamClosed);
  plain.write(SSL_REQUEST_PACKET);
  const [answer] = await reader.take(1);
  if (reader.bufferedBytes > 0) throw tlsError('the server sent bytes in clear after its answer to SSLRequest');
  reader.release();
  if (answer === ACCEPTED) return { socket: await handshake(plain, upstream), encrypted: true };
  if (answer === DECLINED && upstream.tls.mode === 'prefer') return { socket: plain, encrypted: false };
  throw tlsError('the server does not offer TLS');
}

async function handshake(plain: Socket, upstream: UpstreamOptions): Promise<Socket> {
  const socket = connectTls({ ...tlsOptions(upstream), socket: plain });
  try {
    await opened(socket, 'secureConnect');
  } catch (error) {
    throw tlsError('the TLS handshake with the server failed', error);
  }
  return socket;
}

/** As libpq: `require` verifies the chain only where a CA is given, `verify-ca` always, `verify-full` the host's name too. */
function tlsOptions({ host, tls }: UpstreamOptions): ConnectionOptions {
  const { mode, caPem, certificatePem, privateKeyPem } = tls;
  const verifies = mode === 'verify-ca' || mode === 'verify-full' || (mode === 'require' && caPem !== undefined);
  return {
    rejectUnauthorized: verifies,
    ...(isIP(host) === 0 && { servername: host }),
    ...(caPem !== undefined && { ca: caPem }),
    ...(certificatePem !== undefined && { cert: certificatePem }),
    ...(privateKeyPem !== undefined && { key: privateKeyPem }),
    ...(mode === 'verify-full' ? { host } : { checkServerIdentity: () => undefined }),
    ALPNProtocols: ['postgresql'],
  };
}

async function opened(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('timed out')), UPSTREAM_CONNECT_TIMEOUT_MS);
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
