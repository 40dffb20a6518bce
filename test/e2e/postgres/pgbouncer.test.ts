/** PgBouncer on either side of `sealgate up`: before it in any mode, behind it in session pooling, and refused where it pools transactions. */
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { poolingAt } from '../../../src/postgres/service/pooling.ts';
import { requireSecret, watchServer } from '../../support/canaries.ts';
import { applyDdl, install, type Installation } from '../../support/installation.ts';
import {
  missingPgBouncer,
  startPgBouncer,
  type PgBouncer,
  type PgBouncerOptions,
} from '../../support/postgres/pgbouncer.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';

const absent = missingPgBouncer();
const USERS = { sealgate: 'service-password', app: 'app-password' };

let server: TestPostgres;

beforeAll(async () => {
  server = await startPostgres();
  await watchServer(server);
  await asRoot('postgres', [
    "CREATE ROLE sealgate LOGIN SUPERUSER PASSWORD 'service-password'",
    "CREATE ROLE app LOGIN PASSWORD 'app-password'",
  ]);
});
afterAll(async () => {
  if (absent === undefined) await requireSecret(server, [100, 102, 105].map(note));
  await server.stop();
});

async function asRoot(database: string, statements: readonly string[]): Promise<pg.QueryResult | undefined> {
  const root = await connectTo(server.url(database));
  let last: pg.QueryResult | undefined;
  for (const statement of statements) last = await root.query(statement);
  await root.end();
  return last;
}

async function pgbouncer(options: Omit<PgBouncerOptions, 'users'>): Promise<PgBouncer> {
  const started = await startPgBouncer({ ...options, users: USERS });
  onTestFinished(() => started.stop());
  return started;
}

let databases = 0;
/** Each installation has keys of its own, and so a database. */
let bank = '';

/** `upstream`: where clients are sent; the proxy's own connection goes there too, unless `own` says another port. */
async function sealgate(upstream: number, own = upstream): Promise<Installation> {
  databases += 1;
  bank = `bank${databases}`;
  await asRoot('postgres', [`CREATE DATABASE ${bank} OWNER app`]);
  await asRoot(bank, ['CREATE TABLE secrets (id int PRIMARY KEY, note text)', 'ALTER TABLE secrets OWNER TO app']);
  const installation = await install(
    `
postgres:
  listen: { host: 127.0.0.1, port: 0 }
  upstream: { host: 127.0.0.1, port: ${upstream}, tls: { mode: disable } }
  databases:
    - { name: ${bank}, service: { url: "postgres://sealgate:service-password@127.0.0.1:${own}/${bank}?sslmode=disable" } }
  columns:
    - { column: ${bank}.public.secrets.note, type: text, key: alias/bank }
`,
    ['bank'],
  );
  onTestFinished(() => installation.remove());
  return installation;
}

function client(port: number): pg.Client {
  return new pg.Client({ host: '127.0.0.1', port, user: 'app', password: 'app-password', database: bank });
}

const note = (id: number): string => `note behind a pooler ${id}`;

/** Several clients at once, each with statements of every kind. */
async function workThrough(port: number, from: number): Promise<void> {
  await Promise.all(
    Array.from({ length: 6 }, async (_, index) => {
      const id = from + index;
      const session = client(port);
      await session.connect();
      await session.query('BEGIN');
      await session.query('INSERT INTO secrets VALUES ($1, $2)', [id, note(id)]);
      await session.query('COMMIT');
      for (let round = 0; round < 5; round += 1) {
        const { rows } = await session.query('SELECT note FROM secrets WHERE id = $1', [id]);
        expect(rows).toEqual([{ note: note(id) }]);
      }
      await session.end();
    }),
  );
}

async function expectSealed(from: number): Promise<void> {
  const result = await asRoot(bank, [`SELECT note::text FROM secrets WHERE id >= ${from} AND id < ${from + 6}`]);
  expect(result?.rows).toHaveLength(6);
  expect(JSON.stringify(result?.rows)).not.toContain(Buffer.from('note ').toString('hex'));
}

test('the proxy works in front of PgBouncer that pools sessions', async ({ skip }) => {
  skip(absent !== undefined, absent);
  const { port } = await pgbouncer({ target: server.port, mode: 'session' });
  const installation = await sealgate(port, server.port);
  await applyDdl(installation, server, bank);
  const { ports } = await installation.up();
  await workThrough(ports['postgres'] ?? 0, 100);
  await expectSealed(100);
});

test.for(['session', 'transaction'] as const)(
  'the proxy works behind PgBouncer that pools by %s',
  async (mode, { skip }) => {
    skip(absent !== undefined, absent);
    const installation = await sealgate(server.port);
    await applyDdl(installation, server, bank);
    const { ports } = await installation.up();
    const settings = { default_pool_size: '2' };
    const { port } = await pgbouncer({ target: ports['postgres'] ?? 0, mode, settings });
    const from = mode === 'session' ? 200 : 300;
    await workThrough(port, from);
    await expectSealed(from);
  },
);

const POOLING: readonly (readonly [string, PgBouncerOptions['mode'], Readonly<Record<string, string>>])[] = [
  ['transactions', 'transaction', {}],
  ['transactions, in turn', 'transaction', { server_round_robin: '1', min_pool_size: '3' }],
  ['statements', 'statement', {}],
];

test.for(POOLING)(
  'a server behind a pooler of %s is told apart, and `up` and `check` refuse it',
  async ([_name, mode, settings], { skip }) => {
    skip(absent !== undefined, absent);
    const { port } = await pgbouncer({ target: server.port, mode, settings });
    const installation = await sealgate(port, server.port);
    await expect(installation.up()).rejects.toThrow('ERR_POSTGRES_TRANSACTION_POOLING');
    const { stdout } = await installation.run('check');
    expect(stdout.toString()).toContain('ERR_POSTGRES_TRANSACTION_POOLING');
  },
);

test('session pooling and a server itself are never taken for it, however busy', async ({ skip }) => {
  skip(absent !== undefined, absent);
  const { port } = await pgbouncer({ target: server.port, mode: 'session', settings: { default_pool_size: '40' } });
  const at = (where: number) => () =>
    Promise.resolve({
      host: '127.0.0.1',
      port: where,
      user: 'sealgate',
      password: 'service-password',
      database: 'postgres',
    });
  const found = await Promise.all(
    [port, server.port].flatMap((where) => Array.from({ length: 12 }, () => poolingAt([at(where)]))),
  );
  expect(new Set(found.map(({ type }) => type))).toEqual(new Set(['none']));
  expect(await poolingAt([at(1)])).toMatchObject({ type: 'unknown' });
});

/** As many transactions at once leave that many backends in the pool, to be used in turn. */
async function openBackends(port: number, count: number): Promise<void> {
  const clients = Array.from({ length: count }, () => client(port));
  for (const each of clients) await each.connect();
  for (const each of clients) await each.query('BEGIN');
  for (const each of clients) await each.query('COMMIT');
  for (const each of clients) await each.end();
}

test('where it cannot be told at start, a session that notices refuses for itself', async ({ skip }) => {
  skip(absent !== undefined, absent);
  // The role of the proxy is unknown to this PgBouncer.
  const pooler = await startPgBouncer({
    target: server.port,
    mode: 'transaction',
    users: { app: USERS.app },
    settings: { server_round_robin: '1' },
  });
  onTestFinished(() => pooler.stop());
  const installation = await sealgate(pooler.port, server.port);
  await applyDdl(installation, server, bank);
  const { ports } = await installation.up();
  await openBackends(pooler.port, 3);
  const sessions = [client(ports['postgres'] ?? 0), client(ports['postgres'] ?? 0)];
  const failures: unknown[] = [];
  for (const session of sessions) {
    session.on('error', () => undefined);
    await session.connect();
    for (let round = 0; round < 4; round += 1) {
      for (const statement of ["SET TimeZone = 'UTC'", 'SELECT note FROM secrets'])
        await session.query(statement).catch((error: unknown) => failures.push(error));
    }
    await session.end();
  }
  expect(failures).not.toEqual([]);
  for (const failure of failures) expect(failure).toMatchObject({ routine: 'ERR_POSTGRES_TRANSACTION_POOLING' });
});
