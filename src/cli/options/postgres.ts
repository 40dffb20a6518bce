/** From the config's `postgres` section to the proxy's options and those of its service connections. */
import { connect } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { ClientConfig } from 'pg';
import type {
  PostgresConfig,
  PostgresServerAddress,
  PostgresServerConfig,
  PostgresServiceConfig,
  PostgresTlsConfig,
} from '../../config/config.ts';
import type { ListenTlsConfig } from '../../config/listen-tls.ts';
import type {
  CertificateLogin,
  ClientTlsOptions,
  ServerAddress,
  UpstreamOptions,
  UpstreamTlsOptions,
} from '../../postgres/options.ts';
import type { ServiceConnectionOptions, ServiceServer } from '../../postgres/service/connection.ts';
import type { PeerTls } from '../../http/peer-agent.ts';
import { asRead, type TlsNow } from './peer-tls.ts';
import { askServers } from '../../postgres/service/server-roles.ts';

/** `login`: the proxy's own, with which servers are asked what they are. */
export function upstreamServers(
  { servers, tls, target, order, connectTimeoutSeconds }: PostgresServerConfig,
  login?: PostgresServiceConfig,
  tlsNow: TlsNow = asRead,
): UpstreamOptions {
  return {
    servers: servers.map(addressOf),
    tls: upstreamTls(tls, tlsNow(tls)),
    target,
    order,
    ...timeout(connectTimeoutSeconds, 'connectTimeoutMs'),
    ...(login !== undefined && { roles: askServers((server) => loginAt(server, { ...login, tls }, tlsNow)) }),
  };
}

function addressOf({ host, address, port }: PostgresServerAddress): ServerAddress {
  return { host, port, ...(address !== undefined && { address }) };
}

function timeout<Name extends string>(seconds: number | undefined, name: Name): { readonly [Key in Name]?: number } {
  // A computed name makes the checker forget which one it is.
  return (seconds === undefined ? {} : { [name]: seconds * 1000 }) as { readonly [Key in Name]?: number };
}

function upstreamTls({ mode, direct }: PostgresTlsConfig, now: () => PeerTls): UpstreamTlsOptions {
  return {
    mode,
    direct,
    get caPem() {
      return now().ca;
    },
    get certificatePem() {
      return now().cert;
    },
    get privateKeyPem() {
      return now().key;
    },
  };
}

export function clientTls(tls: ListenTlsConfig & { readonly required: boolean }): ClientTlsOptions {
  const { clients } = tls;
  return {
    mode: tls.required ? 'required' : 'optional',
    certificatePem: tls.certificate,
    privateKeyPem: tls.privateKey.reveal(),
    ...(clients !== undefined && {
      clients: {
        caPem: clients.ca,
        required: clients.required,
        ...(clients.crl !== undefined && { crlPem: clients.crl }),
      },
    }),
  };
}

/** Roles that show a certificate. */
export function certificateLogins({ users }: PostgresConfig): ReadonlyMap<string, CertificateLogin> {
  const shown = users.filter(({ certificates }) => certificates.length > 0);
  return new Map(
    shown.map(({ name, certificates, password }) => {
      const names = certificates.map((one) => (one.type === 'subject' ? `subject:${one.subject}` : `name:${one.name}`));
      return [name, { names: new Set(names), password: password?.reveal() }];
    }),
  );
}

/** As libpq reads sslmode (https://www.postgresql.org/docs/18/libpq-ssl.html): `require` with a CA checks the chain. */
function checks({ mode, ca }: PostgresTlsConfig, host: string): ConnectionOptions {
  if (mode === 'verify-full') return { servername: host };
  const chainOnly = mode === 'verify-ca' || (ca !== undefined && mode === 'require');
  return chainOnly ? { checkServerIdentity: () => undefined } : { rejectUnauthorized: false };
}

/** `pg` copies them for each connection, which is when the files' contents are asked for. */
function tlsSettings(tls: PostgresTlsConfig, host: string, now: () => PeerTls): ConnectionOptions {
  return {
    ...checks(tls, host),
    get ca() {
      return now().ca;
    },
    get cert() {
      return now().cert;
    },
    get key() {
      return now().key;
    },
  };
}

export async function serviceOptions(
  service: PostgresServiceConfig,
  tlsNow: TlsNow = asRead,
): Promise<ServiceConnectionOptions> {
  const tls = tlsNow(service.tls);
  const { user, password, database, connectTimeoutSeconds } = service;
  const [first, ...others] = await Promise.all(
    service.servers.map((server) => serviceServer(server, service.tls, tls)),
  );
  return {
    ...first,
    others,
    tls,
    user,
    database,
    ...(password === undefined ? {} : { password: password.reveal() }),
    ...timeout(connectTimeoutSeconds, 'connectionTimeoutMillis'),
  };
}

async function loginAt(server: ServerAddress, service: PostgresServiceConfig, tlsNow?: TlsNow): Promise<ClientConfig> {
  const only = { host: server.host, port: server.port, address: server.address };
  return serviceOptions({ ...service, servers: [only] }, tlsNow);
}

/** The proxy's own login at each server that clients of a database are sent to. */
export function loginsAt(
  { servers, tls }: PostgresServerConfig,
  service: PostgresServiceConfig,
): readonly (() => Promise<ClientConfig>)[] {
  return servers.map((server) => () => loginAt(addressOf(server), { ...service, tls }));
}

async function serviceServer(
  { host, address, port }: PostgresServerAddress,
  tls: PostgresTlsConfig,
  now: () => PeerTls,
): Promise<ServiceServer> {
  const at = address ?? host;
  const local = host.startsWith('/');
  // `allow` takes TLS where it is offered: more than it asks for.
  const ifOffered = tls.mode === 'prefer' || tls.mode === 'allow';
  const encrypted = !local && tls.mode !== 'disable' && (!ifOffered || (await offersTls(at, port)));
  return { host: at, port, ssl: encrypted ? tlsSettings(tls, host, now) : false };
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
