/** What opens a connection, well formed and hostile, on raw sockets in front of a real server. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serialize } from 'pg-protocol';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { encodeStartup } from '../../../src/postgres/messages/startup.ts';
import type { StatementAnalyzer } from '../../../src/postgres/analysis/analyzer.ts';
import type { ColumnService } from '../../../src/postgres/columns/column-service.ts';
import { PROXY_CERTIFICATE_PEM, PROXY_KEY_PEM, TEST_CA_PEM } from '../../support/certificates.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { errorOf, RawClient, startTestProxy, types, type TestProxy } from '../../support/postgres/proxy.ts';
import { reloadConfig, untilRuns } from '../../support/postgres/waits.ts';

const GSSENC_REQUEST = Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30);
const startup = serialize.startup({ user: 'postgres', database: 'postgres' });
const tls = { mode: 'optional', certificatePem: PROXY_CERTIFICATE_PEM, privateKeyPem: PROXY_KEY_PEM } as const;

/** Never asked: the connection is refused, or carries no SQL. */
const NO_RULES = { analyzer: {} as StatementAnalyzer, columns: {} as ColumnService };

let server: TestPostgres;
let proxy: TestProxy;
let secure: TestProxy;

beforeAll(async () => {
  server = await startPostgres();
  const admin = await connectTo(server.url());
  await admin.query("CREATE ROLE walker LOGIN REPLICATION PASSWORD 'walk'");
  const hba = join(server.dataDirectory, 'pg_hba.conf');
  await writeFile(hba, `host all,replication walker all password\n${await readFile(hba, 'utf8')}`);
  await reloadConfig(server);
  await admin.end();
  proxy = await startTestProxy(server);
  secure = await startTestProxy(server, { clientTls: tls });
});
afterAll(async () => {
  await proxy.close();
  await secure.close();
  await server.stop();
});

async function refused(bytes: Uint8Array): Promise<Record<string, string>> {
  const client = await RawClient.connect(proxy.port);
  client.send(bytes);
  const messages = await client.untilClosed();
  expect(types(messages)).toBe('E');
  return errorOf(messages);
}

function handshake(client: RawClient, options: object = {}): Promise<TLSSocket> {
  client.socket.removeAllListeners();
  return new Promise((resolve, reject) => {
    const socket = connectTls({ socket: client.socket, ca: TEST_CA_PEM, servername: 'localhost', ...options }, () =>
      resolve(socket),
    );
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
  });
}

describe('startup', () => {
  test('without TLS, SSLRequest and GSSENCRequest are answered N, once each, and login goes on', async () => {
    const client = await RawClient.connect(proxy.port);
    client.send(serialize.requestSsl());
    expect((await client.bytes(1)).toString()).toBe('N');
    client.send(GSSENC_REQUEST);
    expect((await client.bytes(1)).toString()).toBe('N');
    client.send(startup);
    expect((await client.message())?.type).toBe('R');
    client.end();
  });

  test('asking twice for TLS is refused', async () => {
    const client = await RawClient.connect(proxy.port);
    client.send(serialize.requestSsl());
    await client.bytes(1);
    client.send(serialize.requestSsl());
    expect(errorOf(await client.untilClosed())).toMatchObject({ C: '08P01', R: 'ERR_POSTGRES_PROTOCOL' });
  });

  test('another protocol gets a clear error: HTTP, SSH, protocol 2', async () => {
    expect(await refused(Buffer.from('SSH-2.0-OpenSSH_9.9\r\n'))).toMatchObject({
      S: 'FATAL',
      R: 'ERR_POSTGRES_PROTOCOL',
    });
    expect(await refused(Uint8Array.of(0, 0, 0, 8, 0, 2, 0, 0))).toMatchObject({
      C: '0A000',
      R: 'ERR_POSTGRES_STARTUP_UNKNOWN',
    });
  });

  test.each([0, 3, 7, 10_005, 0x7fffffff, 0x80000000, 0xffffffff])(
    'a startup length of %i is refused at once',
    async (length) => {
      const head = Buffer.alloc(8);
      head.writeUInt32BE(length);
      expect(await refused(head)).toMatchObject({ C: '08P01', R: 'ERR_POSTGRES_PROTOCOL' });
    },
  );

  test('a client that says nothing is closed', async () => {
    const impatient = await startTestProxy(server, { startupTimeoutMs: 300 });
    const client = await RawClient.connect(impatient.port);
    client.send(Uint8Array.of(0, 0));
    expect(await client.untilClosed()).toEqual([]);
    await impatient.close();
  });

  const ssl = { says: serialize.requestSsl(), answerBytes: 1 };
  test.each([
    { when: 'before it says anything', steps: [], by: 'end' },
    { when: 'before it says anything, with a reset', steps: [], by: 'reset' },
    { when: 'in the middle of a packet', steps: [{ says: Uint8Array.of(0, 0, 0), answerBytes: 0 }], by: 'end' },
    { when: 'after SSLRequest', steps: [ssl], by: 'end' },
    {
      when: 'in the middle of the TLS handshake',
      steps: [ssl, { says: Uint8Array.of(0x16, 3, 1), answerBytes: 0 }],
      by: 'reset',
    },
    { when: 'when it is asked for a password', steps: [{ says: startup, answerBytes: 5 }], by: 'end' },
  ])('a client that leaves $when is no failure', async ({ steps, by }) => {
    const failed: string[] = [];
    const probed = await startTestProxy(server, {
      clientTls: tls,
      metrics: { failed: (code) => void failed.push(code) },
    });
    const client = await RawClient.connect(probed.port);
    for (const { says, answerBytes } of steps) {
      client.send(says);
      expect(await client.bytes(answerBytes)).toHaveLength(answerBytes);
    }
    if (by === 'end') client.end();
    else client.socket.resetAndDestroy();
    await expect.poll(() => probed.log.length).toBe(1);
    expect(probed.log).toMatchObject([{ level: 'debug', message: 'the client left during startup' }]);
    expect([failed, probed.connections]).toEqual([[], 0]);
    await probed.close();
  });

  test('a protocol version of the future is negotiated by the server', async () => {
    const client = await RawClient.connect(proxy.port);
    client.send(
      encodeStartup(
        9,
        new Map([
          ['user', 'postgres'],
          ['_pq_.unheard_of', '1'],
        ]),
      ),
    );
    expect((await client.message())?.type).toBe('v');
    client.end();
  });

  test('an error before authentication is the server’s own', async () => {
    const client = new pg.Client({ connectionString: proxy.url('no_such_database') });
    await expect(client.connect()).rejects.toMatchObject({ code: '3D000' });
  });

  test('a second StartupMessage during authentication ends the connection', async () => {
    const client = await RawClient.connect(proxy.port);
    client.send(startup);
    await client.message();
    client.send(startup);
    expect(errorOf(await client.untilClosed())).toMatchObject({ C: '08P01' });
  });

  test('an authentication message with a hostile length ends the connection', async () => {
    const client = await RawClient.connect(proxy.port);
    client.send(startup);
    await client.message();
    client.send(Uint8Array.of(0x70, 0x7f, 0xff, 0xff, 0xff));
    expect(errorOf(await client.untilClosed())).toMatchObject({ C: '08P01' });
  });

  test('a wrong password is refused and the connection closed', async () => {
    const client = new pg.Client({ connectionString: proxy.url('postgres', 'postgres', 'guess') });
    await expect(client.connect()).rejects.toMatchObject({ code: '28P01' });
    // And one that goes on as if it had been let in is not served.
    const insistent = await RawClient.connect(proxy.port);
    insistent.send(serialize.startup({ user: 'walker', database: 'postgres' }));
    await insistent.message();
    insistent.send(serialize.password('guess'), serialize.query('SELECT 1'));
    const said = await insistent.untilClosed();
    expect([types(said), errorOf(said)['C']]).toEqual(['E', '28P01']);
  });

  test('an unreachable server is said to be so', async () => {
    const lost = await startTestProxy(server, {
      upstream: { servers: [{ host: '127.0.0.1', port: 1 }], tls: { mode: 'disable' } },
    });
    const client = await RawClient.connect(lost.port);
    client.send(startup);
    expect(errorOf(await client.untilClosed())).toMatchObject({ C: '08001', R: 'ERR_POSTGRES_UPSTREAM_UNREACHABLE' });
    await lost.close();
  });

  test('connections beyond the limit are refused', async () => {
    const small = await startTestProxy(server, { maxConnections: 1 });
    const first = await RawClient.login(small.url());
    const second = new pg.Client({ connectionString: small.url() });
    await expect(second.connect()).rejects.toMatchObject({ code: '53300' });
    first.end();
    await small.close();
  });

  const replicating = (mode: string, database?: string): Uint8Array =>
    encodeStartup(
      0,
      new Map([
        ['user', 'postgres'],
        ...(database === undefined ? [] : [['database', database] as const]),
        ['replication', mode],
      ]),
    );

  // Without a name, or with an empty one, the server opens the database that is called as the user.
  test.each(['postgres', '', undefined])(
    'replication from a database with rules (named %j) is refused',
    async (name) => {
      const guarded = await startTestProxy(server, { databases: new Map([['postgres', NO_RULES]]) });
      const client = await RawClient.connect(guarded.port);
      client.send(replicating('database', name));
      expect(errorOf(await client.untilClosed())).toMatchObject({ C: '0A000', R: 'ERR_POSTGRES_REPLICATION' });
      await guarded.close();
    },
  );

  test('a database is known by a name longer than the server takes, as it is there', async () => {
    const [name, longer] = ['d'.repeat(63), 'd'.repeat(70)];
    const admin = await connectTo(server.url());
    await admin.query(`CREATE DATABASE ${name}`);
    await admin.end();
    const opened = await connectTo(proxy.url(longer));
    const { rows } = await opened.query<{ name: string }>('SELECT current_database() AS name');
    expect(rows).toEqual([{ name }]);
    await opened.end();
    const guarded = await startTestProxy(server, { databases: new Map([[name, NO_RULES]]) });
    const client = await RawClient.connect(guarded.port);
    client.send(replicating('database', longer));
    expect(errorOf(await client.untilClosed())).toMatchObject({ C: '0A000', R: 'ERR_POSTGRES_REPLICATION' });
    await guarded.close();
  });

  test.each(['database', 'true'])('where it passes (%s), replication commands do and SQL does not', async (mode) => {
    const passing = await startTestProxy(server, {
      databases: new Map([['postgres', NO_RULES]]),
      replication: 'pass',
      authentication: { type: 'relay' },
    });
    const logIn = async (): Promise<RawClient> => {
      const client = await RawClient.connect(passing.port);
      client.send(
        encodeStartup(
          0,
          new Map([
            ['user', 'walker'],
            ['database', 'postgres'],
            ['replication', mode],
          ]),
        ),
      );
      await client.message();
      client.send(serialize.password('walk'));
      await client.untilReady();
      return client;
    };
    const client = await logIn();
    client.send(serialize.query('IDENTIFY_SYSTEM'));
    const [, row] = await client.untilReady();
    // From the beginning of the segment, so that there is something to send.
    const [, high, low = ''] = /([0-9A-F]+)\/([0-9A-F]+)/.exec(row?.body.toString('latin1') ?? '') ?? [];
    const at = `${high}/${low.slice(0, -6)}000000`;
    client.send(serialize.query(`START_REPLICATION PHYSICAL ${at} TIMELINE 1`));
    expect((await client.message())?.type).toBe('W');
    expect((await client.message())?.type).toBe('d');
    client.send(serialize.copyDone());
    expect(types(await client.untilReady())).toMatch(/^d*c/);
    client.send(serialize.query("INSERT INTO t VALUES ('secret')"));
    expect(errorOf(await client.untilClosed())).toMatchObject({ C: '0A000', R: 'ERR_POSTGRES_REPLICATION' });
    for (const bytes of [serialize.parse({ text: 'SELECT 1' }), serialize.query('/* */ IDENTIFY_SYSTEM; SELECT 1')]) {
      const other = await logIn();
      other.send(bytes);
      expect(errorOf(await other.untilClosed())).toMatchObject({ C: '0A000' });
    }
    await passing.close();
  });
});

describe('cancel', () => {
  test('a cancel request reaches the running statement', async () => {
    const client = await connectTo(proxy.url());
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number }; // npm pg keeps BackendKeyData there
    const sleeping = client.query('SELECT pg_sleep(30)');
    const cancelled = expect(sleeping).rejects.toMatchObject({ code: '57014' });
    await untilRuns(server, 'SELECT pg_sleep(30)');
    const canceller = await RawClient.connect(proxy.port);
    canceller.send(serialize.cancel(processID, secretKey));
    expect(await canceller.untilClosed()).toEqual([]);
    await cancelled;
    await client.end();
  });
});

describe('TLS', () => {
  test('SSLRequest is answered S and the session runs inside TLS', async () => {
    const client = await RawClient.connect(secure.port);
    client.send(serialize.requestSsl());
    expect((await client.bytes(1)).toString()).toBe('S');
    const inner = new RawClient(await handshake(client));
    inner.send(startup);
    expect((await inner.message())?.type).toBe('R');
    inner.end();
  });

  test('bytes in clear after SSLRequest are never taken for bytes of the TLS session', async () => {
    const client = await RawClient.connect(secure.port);
    client.send(serialize.requestSsl(), startup);
    expect(errorOf(await client.untilClosed())).toMatchObject({ R: 'ERR_POSTGRES_TLS_INJECTION' });
  });

  test('direct TLS needs ALPN "postgresql"', async () => {
    const right = await RawClient.connect(secure.port);
    const inner = new RawClient(await handshake(right, { ALPNProtocols: ['postgresql'] }));
    inner.send(startup);
    expect((await inner.message())?.type).toBe('R');
    inner.end();
    const wrong = await RawClient.connect(secure.port);
    const other = await handshake(wrong).then((socket) => new RawClient(socket));
    other.send(startup);
    expect(types(await other.untilClosed())).not.toContain('R');
  });

  test('where TLS is required, a client without it is refused; a cancel request is not', async () => {
    const strict = await startTestProxy(server, { clientTls: { ...tls, mode: 'required' } });
    const client = await RawClient.connect(strict.port);
    client.send(startup);
    expect(errorOf(await client.untilClosed())).toMatchObject({ C: '28000', R: 'ERR_POSTGRES_TLS_REQUIRED' });
    const inside = new pg.Client({ connectionString: strict.url(), ssl: { ca: TEST_CA_PEM, servername: 'localhost' } });
    await inside.connect();
    const { processID, secretKey } = inside as unknown as { processID: number; secretKey: number }; // npm pg keeps BackendKeyData there
    const cancelled = expect(inside.query('SELECT pg_sleep(31)')).rejects.toMatchObject({ code: '57014' });
    await untilRuns(server, 'SELECT pg_sleep(31)');
    const canceller = await RawClient.connect(strict.port);
    canceller.send(serialize.cancel(processID, secretKey));
    expect(await canceller.untilClosed()).toEqual([]);
    await cancelled;
    await inside.end();
    await strict.close();
  });
});
