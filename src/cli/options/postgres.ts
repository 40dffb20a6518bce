/** From the config's `postgres` section to the proxy's options and those of its service connections. */
import { connect } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type {
  PostgresConfig,
  PostgresServerConfig,
  PostgresServiceConfig,
  PostgresTlsConfig,
} from '../../config/config.ts';
import type { ClientTlsOptions, UpstreamOptions } from '../../postgres/options.ts';
import type { ServiceConnectionOptions } from '../../postgres/service/connection.ts';

export function upstreamServer({ host, port, tls }: PostgresServerConfig): UpstreamOptions {
  const { mode, ca, client } = tls;
  return {
    host,
    port,
    tls: {
      // A Unix socket has no TLS.
      mode: host.startsWith('/') ? 'disable' : mode,
      ...(ca === undefined ? {} : { caPem: ca }),
      ...(client === undefined
        ? {}
        : { certificatePem: client.certificate, privateKeyPem: client.privateKey.reveal() }),
    },
  };
}

export function clientTls({ tls }: PostgresConfig['listen']): ClientTlsOptions | undefined {
  if (tls === undefined) return undefined;
  return {
    mode: tls.required ? 'required' : 'optional',
    certificatePem: tls.certificate,
    privateKeyPem: tls.privateKey.reveal(),
    ...(tls.clientCa === undefined ? {} : { clientCaPem: tls.clientCa }),
  };
}

/** As libpq reads sslmode (https://www.postgresql.org/docs/18/libpq-ssl.html): `require` with a CA checks the chain. */
function tlsSettings({ mode, ca, client }: PostgresTlsConfig, host: string): ConnectionOptions {
  const certificate = client === undefined ? {} : { cert: client.certificate, key: client.privateKey.reveal() };
  const trust = ca === undefined ? {} : { ca };
  if (mode === 'verify-full') return { ...certificate, ...trust, servername: host };
  const chainOnly = mode === 'verify-ca' || (ca !== undefined && mode === 'require');
  if (chainOnly) return { ...certificate, ...trust, checkServerIdentity: () => undefined };
  return { ...certificate, rejectUnauthorized: false };
}

export async function serviceOptions(service: PostgresServiceConfig): Promise<ServiceConnectionOptions> {
  const { host, port, user, password, database, tls } = service;
  const local = host.startsWith('/');
  const encrypted = !local && tls.mode !== 'disable' && (tls.mode !== 'prefer' || (await offersTls(host, port)));
  return {
    host,
    port,
    user,
    database,
    ...(password === undefined ? {} : { password: password.reveal() }),
    ssl: encrypted ? tlsSettings(tls, host) : false,
  };
}

/** SSLRequest: length 8, code 80877103 (https://www.postgresql.org/docs/18/protocol-message-formats.html). */
const SSL_REQUEST = Uint8Array.of(0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f);
const ASK_TIMEOUT_MS = 5000;

/** Whether the server answers `S` to an SSLRequest; false as well where it cannot be asked: connecting will say why. */
function offersTls(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: ASK_TIMEOUT_MS });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('connect', () => socket.write(SSL_REQUEST));
    socket.on('data', (bytes) => {
      settle(bytes[0] === 0x53);
    });
    socket.on('timeout', () => {
      settle(false);
    });
    socket.on('error', () => {
      settle(false);
    });
    socket.on('end', () => {
      settle(false);
    });
  });
}
