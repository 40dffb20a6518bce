/** Roles that log in at the proxy with a client certificate: who gets in, who does not, and as whom the proxy logs in at the server. */
import { X509Certificate } from 'node:crypto';
import { chmod, chown, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SecureVersion, TLSSocket } from 'node:tls';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CertificateLogin, PostgresProxyOptions } from '../../../src/postgres/options.ts';
import {
  SERVER_CERTIFICATE_PEM,
  SERVER_KEY_PEM,
  PROXY_CERTIFICATE_PEM,
  PROXY_KEY_PEM,
  TEST_CA_PEM,
} from '../../support/certificates.ts';
import { CLIENT_CA, CLIENT_CRL, certificate, type CertificatePair } from '../../support/client-certificates.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { startTestProxy, type TestProxy } from '../../support/postgres/proxy.ts';
import { reloadConfig } from '../../support/postgres/waits.ts';

let server: TestPostgres;
let admin: pg.Pool;

async function serverFile(name: string, text: string): Promise<void> {
  const path = join(server.dataDirectory, name);
  const { uid, gid } = await stat(server.dataDirectory);
  await writeFile(path, text);
  await chown(path, uid, gid);
  await chmod(path, 0o600);
}

beforeAll(async () => {
  server = await startPostgres();
  admin = new pg.Pool({ connectionString: server.url(), max: 1 });
  admin.on('error', () => undefined);
  await serverFile('server.crt', SERVER_CERTIFICATE_PEM);
  await serverFile('server.key', SERVER_KEY_PEM);
  await serverFile('clients.crt', CLIENT_CA);
  for (const statement of [
    'ALTER SYSTEM SET ssl = on',
    "ALTER SYSTEM SET ssl_ca_file = 'clients.crt'",
    "CREATE ROLE app LOGIN PASSWORD 'app-secret'",
    'CREATE ROLE mapped LOGIN',
    'CREATE ROLE trusted LOGIN',
    "CREATE ROLE clear LOGIN PASSWORD 'clear-secret'",
    "CREATE ROLE person LOGIN PASSWORD 'person-secret'",
    "SET password_encryption = 'md5'; CREATE ROLE old LOGIN PASSWORD 'old-secret'",
  ])
    await admin.query(statement);
  const hba = await readFile(join(server.dataDirectory, 'pg_hba.conf'), 'utf8');
  const lines = [
    'hostssl all mapped all cert map=proxy',
    'host all trusted all trust',
    'host all clear all password',
    'host all old all md5',
  ];
  await serverFile('pg_ident.conf', 'proxy nobody mapped\n');
  await serverFile('pg_hba.conf', `${lines.join('\n')}\n${hba}`);
  await reloadConfig(server);
});
afterAll(async () => {
  await admin.end();
  await server.stop();
});

const APP = 'name:URI:spiffe://acme.test/app';
const login = (password?: string, names: readonly string[] = [APP]): CertificateLogin => ({
  names: new Set(names),
  password,
});

type Options = {
  readonly required?: boolean;
  readonly certificates?: readonly (readonly [string, CertificateLogin])[];
} & Omit<Partial<PostgresProxyOptions>, 'certificates'>;

async function withProxy<Result>(
  { required = false, certificates = [['app', login('app-secret')]], ...more }: Options,
  work: (proxy: TestProxy) => Promise<Result>,
): Promise<Result> {
  const proxy = await startTestProxy(server, {
    clientTls: {
      mode: 'required',
      certificatePem: PROXY_CERTIFICATE_PEM,
      privateKeyPem: PROXY_KEY_PEM,
      clients: { caPem: CLIENT_CA, crlPem: CLIENT_CRL, required },
    },
    certificates: new Map(certificates),
    ...more,
  });
  try {
    return await work(proxy);
  } finally {
    await proxy.close();
  }
}

async function whoami(
  proxy: TestProxy,
  user: string,
  shown: CertificatePair | undefined,
  password = 'unused',
): Promise<string> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: proxy.port,
    database: 'postgres',
    user,
    password,
    ssl: { ca: TEST_CA_PEM, ...shown },
  });
  await client.connect();
  try {
    const { rows } = await client.query<{ who: string }>('SELECT session_user AS who');
    return rows[0]?.who ?? '';
  } finally {
    await client.end();
  }
}

/** A login as `app` that offers a session of TLS that it was given before, as JSSE and .NET do. */
async function resuming(proxy: TestProxy, version: SecureVersion, session?: Buffer) {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: proxy.port,
    database: 'postgres',
    user: 'app',
    ssl: { ca: TEST_CA_PEM, maxVersion: version, ...certificate('app'), ...(session !== undefined && { session }) },
  });
  await client.connect();
  try {
    await client.query('SELECT 1');
    const { stream } = (client as unknown as { readonly connection: { readonly stream: TLSSocket } }).connection;
    return { given: stream.getSession(), isReused: stream.isSessionReused() };
  } finally {
    await client.end();
  }
}

describe('a certificate', () => {
  test('that stands for the role logs it in, without a password', async () => {
    await withProxy({}, async (proxy) => {
      expect(await whoami(proxy, 'app', certificate('app'))).toBe('app');
    });
  });

  test.each([
    ['of another role', certificate('nobody')],
    ['with two names of others', certificate('soon')],
    ['not shown', undefined],
  ])('%s does not, whatever password is sent', async (_name, shown) => {
    await withProxy({}, async (proxy) => {
      await expect(whoami(proxy, 'app', shown, 'app-secret')).rejects.toMatchObject({
        code: '28000',
        message: 'certificate authentication failed for user "app"',
        routine: 'ERR_POSTGRES_CERTIFICATE',
      });
    });
  });

  test.each(['revoked', 'wrong-purpose', 'foreign', 'expired', 'future'] as const)(
    'that is not good (%s) ends the connection, also of a role with a password',
    async (name) => {
      const { subject } = new X509Certificate(certificate(name).cert);
      const names = [APP, `subject:${subject.split('\n').join(', ')}`];
      await withProxy({ certificates: [['app', login('app-secret', names)]] }, async (proxy) => {
        for (const [user, password] of [
          ['app', 'app-secret'],
          ['person', 'person-secret'],
        ] as const)
          await expect(whoami(proxy, user, certificate(name), password)).rejects.toMatchObject({
            code: '28000',
            routine: 'ERR_POSTGRES_CERTIFICATE',
          });
        expect(proxy.log.filter(({ level }) => level === 'warn')).toHaveLength(2);
      });
    },
  );

  test('leaves roles that have none configured to their passwords', async () => {
    await withProxy({}, async (proxy) => {
      for (const shown of [undefined, certificate('app')]) {
        expect(await whoami(proxy, 'person', shown, 'person-secret')).toBe('person');
        await expect(whoami(proxy, 'person', shown, 'guess')).rejects.toMatchObject({ code: '28P01' });
      }
    });
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'is looked at anew where a client would resume a session of %s',
    async (version) => {
      await withProxy({}, async (proxy) => {
        const first = await resuming(proxy, version);
        expect(first.given).toBeDefined();
        expect(await resuming(proxy, version, first.given)).toMatchObject({ isReused: false });
      });
    },
  );

  test('that is required of all is required before anything else', async () => {
    await withProxy({ required: true }, async (proxy) => {
      await expect(whoami(proxy, 'person', undefined, 'person-secret')).rejects.toThrow();
      expect(await whoami(proxy, 'person', certificate('backup'), 'person-secret')).toBe('person');
    });
  });
});

describe('at the server', () => {
  test('the proxy’s own certificate, mapped, lets it in as the role', async () => {
    const { cert, key } = certificate('nobody');
    const tls = { mode: 'verify-full', caPem: TEST_CA_PEM, certificatePem: cert, privateKeyPem: key } as const;
    const upstream = { servers: [{ host: 'localhost', address: '127.0.0.1', port: server.port }], tls };
    await withProxy({ certificates: [['mapped', login()]], upstream }, async (proxy) => {
      expect(await whoami(proxy, 'mapped', certificate('app'))).toBe('mapped');
    });
  });

  test('so does trust, and SCRAM with channel binding', async () => {
    const upstream = { servers: [server], tls: { mode: 'require', caPem: TEST_CA_PEM } } as const;
    const certificates = [
      ['trusted', login()],
      ['app', login('app-secret')],
    ] as const;
    await withProxy({ certificates, upstream }, async (proxy) => {
      expect(await whoami(proxy, 'trusted', certificate('app'))).toBe('trusted');
      expect(await whoami(proxy, 'app', certificate('app'))).toBe('app');
    });
  });

  test.each([
    ['app', undefined, 'no password is configured'],
    ['clear', 'clear-secret', 'the server asks for the password itself'],
    ['old', 'old-secret', 'the server asks for an MD5 hash'],
  ])('role %s is not logged in: %s, %s', async (user, password: string | undefined, _why) => {
    await withProxy({ certificates: [[user, login(password)]] }, async (proxy) => {
      await expect(whoami(proxy, user, certificate('app'))).rejects.toMatchObject({
        code: '28000',
        routine: 'ERR_POSTGRES_AUTHENTICATION',
      });
    });
  });

  test('a wrong password in the config is the server’s refusal', async () => {
    await withProxy({ certificates: [['app', login('guess')]] }, async (proxy) => {
      await expect(whoami(proxy, 'app', certificate('app'))).rejects.toMatchObject({ code: '28P01' });
    });
  });
});
