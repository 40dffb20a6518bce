/** Every way to log in through the proxy, by TLS on either leg: real server, real clients (npm pg, and libpq where psql is on PATH). */
import { execFile } from 'node:child_process';
import { chmod, chown, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { createLog } from '../../../src/observe/log.ts';
import { authenticationOptions } from '../../../src/compose/verifiers.ts';
import { openServiceConnection } from '../../../src/postgres/service/connection.ts';
import type {
  AuthenticationOptions,
  PostgresProxyOptions,
  UpstreamTlsOptions,
  VerifierSource,
} from '../../../src/postgres/options.ts';
import {
  PROXY_CERTIFICATE_PEM,
  PROXY_KEY_PEM,
  SERVER_CERTIFICATE_PEM,
  SERVER_KEY_PEM,
  TEST_CA_PEM,
} from '../../support/certificates.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { startTestProxy, type TestProxy } from '../../support/postgres/proxy.ts';
import { lacking } from '../../support/postgres/versions.ts';
import { reloadConfig } from '../../support/postgres/waits.ts';
import { missing } from '../../support/programs.ts';
import { startRelay } from '../../support/relay.ts';

const run = promisify(execFile);
const noPsql = missing('psql');

let server: TestPostgres;
let service: pg.Pool;
const clientTls = { mode: 'optional', certificatePem: PROXY_CERTIFICATE_PEM, privateKeyPem: PROXY_KEY_PEM } as const;

/** As main.ts will: the text of pg_authid.rolpassword. */
const verifiers: VerifierSource = {
  verifier: async (user) => {
    const { rows } = await service.query<{ rolpassword: string | null }>(
      'SELECT rolpassword FROM pg_authid WHERE rolname = $1 AND rolcanlogin',
      [user],
    );
    return rows[0]?.rolpassword ?? undefined;
  },
};
const terminate = { type: 'terminate', verifiers } as const;

/** The server's files belong to whom it runs as. */
async function serverFile(name: string, text: string): Promise<string> {
  const path = join(server.dataDirectory, name);
  const { uid, gid } = await stat(server.dataDirectory);
  await writeFile(path, text);
  await chown(path, uid, gid);
  await chmod(path, 0o600);
  return path;
}

beforeAll(async () => {
  server = await startPostgres();
  service = new pg.Pool({ connectionString: server.url(), max: 2 });
  service.on('error', () => undefined);
  service.on('connect', (client) => void client.on('error', () => undefined));
  await serverFile('server.crt', SERVER_CERTIFICATE_PEM);
  await serverFile('server.key', SERVER_KEY_PEM);
  for (const statement of [
    'ALTER SYSTEM SET ssl = on',
    "CREATE ROLE ann LOGIN PASSWORD 'ann-secret'",
    "CREATE ROLE clear LOGIN PASSWORD 'clear-secret'",
    "SET password_encryption = 'md5'; CREATE ROLE old LOGIN PASSWORD 'old-secret'",
    'CREATE ROLE locked LOGIN',
    "CREATE ROLE expired LOGIN PASSWORD 'expired-secret' VALID UNTIL '2001-01-01'",
  ]) {
    await service.query(statement);
  }
  const hba = await readFile(join(server.dataDirectory, 'pg_hba.conf'), 'utf8');
  await serverFile('pg_hba.conf', `host all clear all password\nhost all old all md5\n${hba}`);
  await reloadConfig(server);
});
afterAll(async () => {
  await service.end();
  await server.stop();
});

async function withProxy<Result>(
  options: Partial<PostgresProxyOptions>,
  work: (proxy: TestProxy) => Promise<Result>,
): Promise<Result> {
  const proxy = await startTestProxy(server, options);
  try {
    return await work(proxy);
  } finally {
    await proxy.close();
  }
}

type Legs = { readonly client: boolean; readonly upstream: UpstreamTlsOptions['mode'] };
const optionsFor = ({ client, upstream }: Legs): Partial<PostgresProxyOptions> => ({
  ...(client && { clientTls }),
  upstream: { servers: [server], tls: { mode: upstream, caPem: TEST_CA_PEM } },
});

async function whoami(url: string, ssl: boolean): Promise<string> {
  const client = new pg.Client({
    connectionString: url,
    ...(ssl && { ssl: { ca: TEST_CA_PEM }, enableChannelBinding: true }),
  });
  await client.connect();
  try {
    const { rows } = await client.query<{ who: string }>('SELECT current_user AS who');
    return rows[0]?.who ?? '';
  } finally {
    await client.end();
  }
}

async function psql(
  proxy: TestProxy,
  user: string,
  password: string,
  settings: Record<string, string>,
): Promise<string> {
  const conninfo = Object.entries({
    host: 'localhost',
    hostaddr: '127.0.0.1',
    port: String(proxy.port),
    user,
    dbname: 'postgres',
    ...settings,
  });
  const env = { ...process.env, PGPASSWORD: password, PGSSLROOTCERT: join(server.dataDirectory, 'none') };
  const { stdout } = await run(
    'psql',
    ['-XAtc', 'SELECT current_user', conninfo.map(([key, value]) => `${key}=${value}`).join(' ')],
    { env },
  );
  return stdout.trim();
}

const LEGS: readonly Legs[] = [
  { client: false, upstream: 'disable' },
  { client: false, upstream: 'require' },
  { client: true, upstream: 'disable' },
  { client: true, upstream: 'verify-ca' },
];

describe('relayed authentication', () => {
  test.each(LEGS)('md5 and cleartext work with TLS on any leg: %o', async (legs) => {
    await withProxy(optionsFor(legs), async (proxy) => {
      expect(await whoami(proxy.url('postgres', 'old', 'old-secret'), legs.client)).toBe('old');
      expect(await whoami(proxy.url('postgres', 'clear', 'clear-secret'), legs.client)).toBe('clear');
      await expect(whoami(proxy.url('postgres', 'old', 'guess'), legs.client)).rejects.toMatchObject({ code: '28P01' });
    });
  });

  test.each(LEGS.slice(0, 3))('SCRAM works with TLS on at most one leg: %o', async (legs) => {
    await withProxy(optionsFor(legs), async (proxy) => {
      expect(await whoami(proxy.url('postgres', 'ann', 'ann-secret'), legs.client)).toBe('ann');
      if (noPsql === undefined)
        expect(await psql(proxy, 'ann', 'ann-secret', { sslmode: legs.client ? 'require' : 'disable' })).toBe('ann');
      await expect(whoami(proxy.url('postgres', 'ann', 'guess'), legs.client)).rejects.toMatchObject({ code: '28P01' });
    });
  });

  test('with TLS on both legs a client that binds is told why it fails, and one that does not gets in', async () => {
    await withProxy(optionsFor({ client: true, upstream: 'require' }), async (proxy) => {
      await expect(whoami(proxy.url('postgres', 'ann', 'ann-secret'), true)).rejects.toMatchObject({
        code: '28000',
        routine: 'ERR_POSTGRES_CHANNEL_BINDING',
      });
      if (noPsql === undefined)
        expect(await psql(proxy, 'ann', 'ann-secret', { sslmode: 'require', channel_binding: 'disable' })).toBe('ann');
    });
  });
});

describe('terminated authentication', () => {
  test.each(LEGS)('SCRAM works with TLS on any leg, as the user itself: %o', async (legs) => {
    await withProxy({ ...optionsFor(legs), authentication: terminate }, async (proxy) => {
      expect(await whoami(proxy.url('postgres', 'ann', 'ann-secret'), legs.client)).toBe('ann');
      if (noPsql === undefined)
        expect(await psql(proxy, 'ann', 'ann-secret', { sslmode: legs.client ? 'require' : 'disable' })).toBe('ann');
    });
  });

  test('SCRAM works where the first of several servers is down', async () => {
    const servers = [{ host: '127.0.0.1', port: 1 }, server];
    const upstream = { servers, tls: { mode: 'require', caPem: TEST_CA_PEM } } as const;
    await withProxy({ clientTls, upstream, authentication: terminate }, async (proxy) => {
      expect(await whoami(proxy.url('postgres', 'ann', 'ann-secret'), true)).toBe('ann');
      await expect(whoami(proxy.url('postgres', 'ann', 'guess'), true)).rejects.toMatchObject({ code: '28P01' });
    });
  });

  test('libpq with channel_binding=require gets its channel binding', async ({ skip }) => {
    skip(noPsql !== undefined, noPsql);
    await withProxy(
      { ...optionsFor({ client: true, upstream: 'require' }), authentication: terminate },
      async (proxy) => {
        const bound = { sslmode: 'require', channel_binding: 'require' };
        expect(await psql(proxy, 'ann', 'ann-secret', bound)).toBe('ann');
        // The binding is that of the certificate which the connection was made with.
        proxy.renew({ mode: 'required', certificatePem: SERVER_CERTIFICATE_PEM, privateKeyPem: SERVER_KEY_PEM });
        expect(await psql(proxy, 'ann', 'ann-secret', bound)).toBe('ann');
      },
    );
  });

  test.each([
    ['ann', 'guess'],
    ['nobody', 'x'],
    ['locked', 'x'],
    ['old', 'guess'],
  ])('user %s with password %s is refused as one, whoever exists', async (user, password) => {
    await withProxy({ authentication: terminate }, async (proxy) => {
      await expect(whoami(proxy.url('postgres', user, password), false)).rejects.toMatchObject({
        code: expect.stringMatching(/^28(P01|000)$/),
      });
    });
  });

  test('an expired password is refused by the server, which is asked as the user', async () => {
    await withProxy({ authentication: terminate }, async (proxy) => {
      await expect(whoami(proxy.url('postgres', 'expired', 'expired-secret'), false)).rejects.toMatchObject({
        code: '28P01',
      });
    });
  });

  test('verifiers come from a query of a role that is no superuser, and from the config before that', async () => {
    for (const statement of [
      "SET password_encryption = 'scram-sha-256'; CREATE ROLE asker LOGIN PASSWORD 'asker-secret'",
      "CREATE FUNCTION public.verifier_of(name, OUT who name, OUT hash text) LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS 'SELECT rolname, rolpassword FROM pg_authid WHERE rolname = $1'",
      'REVOKE ALL ON FUNCTION public.verifier_of(name) FROM public; GRANT EXECUTE ON FUNCTION public.verifier_of(name) TO asker',
    ])
      await service.query(statement);
    const { host, port } = server;
    const asker = openServiceConnection({ host, port, user: 'asker', password: 'asker-secret', database: 'postgres' });
    const unused = undefined as never; // of the config only what is read here
    const sources = (query: string): AuthenticationOptions =>
      authenticationOptions(
        {
          listen: { host, port, socket: undefined, tls: undefined },
          upstream: {
            servers: [{ host, port, address: undefined }],
            tls: unused,
            target: 'any',
            order: 'listed',
            connectTimeoutSeconds: undefined,
          },
          routes: [],
          authentication: 'terminate',
          users: [],
          verifiers: { query, service: unused },
          replication: 'refuse',
          databases: [],
          columns: [],
        },
        asker,
        createLog({ level: 'silent' }, { write: () => undefined }),
      );
    await withProxy({ authentication: sources('SELECT * FROM public.verifier_of($1)') }, async (proxy) => {
      expect(await whoami(proxy.url('postgres', 'ann', 'ann-secret'), false)).toBe('ann');
      await expect(whoami(proxy.url('postgres', 'nobody', 'x'), false)).rejects.toMatchObject({ code: '28P01' });
    });
    // Without the right to read them everybody has a wrong password.
    await withProxy(
      { authentication: sources('SELECT rolpassword FROM pg_authid WHERE rolname = $1') },
      async (proxy) => {
        await expect(whoami(proxy.url('postgres', 'ann', 'ann-secret'), false)).rejects.toMatchObject({
          code: '28P01',
        });
      },
    );
    await asker.close();
  });

  test('a verifier source that fails lets nobody in', async () => {
    const broken: VerifierSource = { verifier: () => Promise.reject(new Error('down')) };
    await withProxy({ authentication: { type: 'terminate', verifiers: broken } }, async (proxy) => {
      await expect(whoami(proxy.url('postgres', 'ann', 'ann-secret'), false)).rejects.toMatchObject({ code: 'XX000' });
    });
  });
});

describe('TLS to the server', () => {
  const connecting = (tls: UpstreamTlsOptions, host = '127.0.0.1') =>
    withProxy({ upstream: { servers: [{ host, port: server.port }], tls } }, (proxy) =>
      whoami(proxy.url('postgres', 'ann', 'ann-secret'), false),
    );

  test.each([
    ['disable', false],
    ['prefer', true],
    ['require', true],
  ] as const)('%s needs no certificate authority; encrypted: %s', async (mode, encrypted) => {
    await withProxy({ upstream: { servers: [server], tls: { mode } } }, async (proxy) => {
      const client = await connectTo(proxy.url('postgres', 'ann', 'ann-secret'));
      const { rows } = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
      expect(rows).toEqual([{ ssl: encrypted }]);
      await client.end();
    });
  });

  test('allow takes TLS only where the server lets nobody in without it, and prefer the other way round', async () => {
    const path = join(server.dataDirectory, 'pg_hba.conf');
    const before = await readFile(path, 'utf8');
    const encryptedWith = async (mode: UpstreamTlsOptions['mode'], hba: string): Promise<boolean> => {
      await serverFile('pg_hba.conf', `${hba}\n${before}`);
      await reloadConfig(server);
      return withProxy({ upstream: { servers: [server], tls: { mode } } }, async (proxy) => {
        const client = await connectTo(proxy.url('postgres', 'ann', 'ann-secret'));
        const { rows } = await client.query<{ ssl: boolean }>(
          'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
        );
        await client.end();
        return rows[0]?.ssl ?? false;
      });
    };
    expect(await encryptedWith('allow', '')).toBe(false);
    expect(await encryptedWith('allow', 'hostnossl all ann all reject')).toBe(true);
    expect(await encryptedWith('prefer', '')).toBe(true);
    expect(await encryptedWith('prefer', 'hostssl all ann all reject')).toBe(false);
    await serverFile('pg_hba.conf', before);
    await reloadConfig(server);
  });

  test('direct TLS asks for nothing first', async ({ skip }) => {
    const without = lacking(17, 'direct TLS');
    if (without !== undefined) return skip(without);
    const firstBytes = async (direct: boolean): Promise<string> => {
      const sent: Uint8Array[] = [];
      const relay = await startRelay(server.port, (bytes) => void sent.push(bytes));
      const tls = { mode: 'verify-full', direct, caPem: TEST_CA_PEM } as const;
      const upstream = { servers: [{ host: 'localhost', address: '127.0.0.1', port: relay.port }], tls };
      await withProxy({ upstream }, async (proxy) =>
        expect(await whoami(proxy.url('postgres', 'ann', 'ann-secret'), false)).toBe('ann'),
      );
      await relay.cut();
      return Buffer.concat(sent).toString('hex', 0, 2);
    };
    // A handshake record of TLS; otherwise the length of SSLRequest.
    expect([await firstBytes(true), await firstBytes(false)]).toEqual(['1603', '0000']);
  });

  test('verify-full takes the certificate of the host', async () => {
    expect(await connecting({ mode: 'verify-full', caPem: TEST_CA_PEM }, 'localhost')).toBe('ann');
    expect(await connecting({ mode: 'verify-full', caPem: TEST_CA_PEM })).toBe('ann');
  });

  test.for([true, false])(
    'verify-full takes no certificate of another host, verify-ca does; direct: %s',
    async (direct, { skip }) => {
      const without = direct ? lacking(17, 'direct TLS') : undefined;
      if (without !== undefined) return skip(without);
      const elsewhere = (mode: UpstreamTlsOptions['mode']) => {
        const servers = [{ host: 'other.example', address: '127.0.0.1', port: server.port }];
        const upstream = { servers, tls: { mode, direct, caPem: TEST_CA_PEM } };
        return withProxy({ upstream }, (proxy) => whoami(proxy.url('postgres', 'ann', 'ann-secret'), false));
      };
      await expect(elsewhere('verify-full')).rejects.toMatchObject({
        code: '08001',
        routine: 'ERR_POSTGRES_UPSTREAM_TLS',
      });
      expect(await elsewhere('verify-ca')).toBe('ann');
    },
  );

  test('verify-ca without the right authority fails', async () => {
    await expect(connecting({ mode: 'verify-ca' })).rejects.toMatchObject({
      code: '08001',
      routine: 'ERR_POSTGRES_UPSTREAM_TLS',
    });
  });

  test('a server without TLS: require fails, prefer goes on', async () => {
    await service.query('ALTER SYSTEM SET ssl = off');
    await reloadConfig(server);
    await expect(connecting({ mode: 'require' })).rejects.toMatchObject({ code: '08001' });
    expect(await connecting({ mode: 'prefer' })).toBe('ann');
  });
});
