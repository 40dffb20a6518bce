/** `pg_dump`, `pg_restore` and psql through a running `sealgate up`, on a server of their own release: a dump through the proxy is plain, one of the server is sealed. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { requireSecret, watchServer } from '../../support/canaries.ts';
import { openBank } from '../../support/postgres/bank.ts';
import type { Installation } from '../../support/installation.ts';
import type { TestPostgres } from '../../support/postgres/postgres.ts';
import { startPostgresServer } from '../../support/postgres/servers.ts';
import { missing } from '../../support/programs.ts';
import { start, type Ran } from '../../support/run.ts';

/** Text that COPY has to escape, and its absence. */
const NOTES = ['tea', 'tab\there', 'line\nbreak', String.raw`back\slash`, '', null, 'canary-of-the-dump'];
/** Of no plain column. */
const SECRET = 'told to the dump alone';

let server: TestPostgres | string;
let installation: Installation | undefined;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  server = missing('pg_dump', 'pg_restore', 'psql') ?? (await startPostgresServer('an older PostgreSQL of Debian'));
  if (typeof server === 'string') return;
  await watchServer(server);
  await asRoot('postgres', [
    "CREATE ROLE sealgate LOGIN PASSWORD 'service-password'",
    "CREATE ROLE app LOGIN PASSWORD 'app-password'",
    'CREATE DATABASE bank OWNER app',
  ]);
  await asRoot('bank', [
    'CREATE TABLE secrets (id int PRIMARY KEY, code bigint UNIQUE, note text, plain text)',
    'ALTER TABLE secrets OWNER TO app',
  ]);
  ({ installation, env } = await openBank(server));
});
afterAll(async () => {
  await installation?.remove();
  if (typeof server === 'string') return;
  await requireSecret(server, [SECRET]);
  await server.stop();
});

async function asRoot(database: string, statements: readonly string[]): Promise<void> {
  if (typeof server === 'string') throw new TypeError(server);
  const root = await connectTo(server.url(database));
  for (const statement of statements) await root.query(statement);
  await root.end();
}

async function session(): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: Number(env['PGPORT']),
    user: 'app',
    password: 'app-password',
    database: 'bank',
  });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

async function rows(client: pg.Client): Promise<readonly unknown[]> {
  return (await client.query<Record<string, unknown>>('select id, code, note, plain from secrets order by id')).rows;
}

async function filled(): Promise<pg.Client> {
  const client = await session();
  await client.query('delete from secrets');
  for (const [id, note] of NOTES.entries())
    await client.query('insert into secrets values ($1, $2, $3, $4)', [id, id * 1000, note, note]);
  await client.query('insert into secrets values ($1, $2, $3)', [NOTES.length, 77, SECRET]);
  return client;
}

const run = (program: string, ...words: readonly string[]): Promise<Ran> => start(program, words, { env }).done;

test('A dump of data through the proxy is plain, and psql puts it back sealed', async ({ skip }) => {
  if (typeof server === 'string') return skip(server);
  const client = await filled();
  const before = await rows(client);
  const { code, stdout, stderr } = await run('pg_dump', '--data-only', '--table', 'secrets');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('canary-of-the-dump\tcanary-of-the-dump');
  expect(stdout).toContain(SECRET);
  expect(stdout).not.toContain(String.raw`\x`);
  await client.query('delete from secrets');
  const file = join(installation?.folder ?? '', 'data.sql');
  await writeFile(file, stdout);
  expect(await run('psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', file)).toMatchObject({ code: 0 });
  expect(await rows(client)).toEqual(before);
});

test('So does a dump as INSERT statements', async ({ skip }) => {
  if (typeof server === 'string') return skip(server);
  const client = await filled();
  const before = await rows(client);
  const { code, stdout, stderr } = await run('pg_dump', '--data-only', '--column-inserts', '--table', 'secrets');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain("'canary-of-the-dump'");
  await client.query('delete from secrets');
  const file = join(installation?.folder ?? '', 'inserts.sql');
  await writeFile(file, stdout);
  expect(await run('psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', file)).toMatchObject({ code: 0 });
  expect(await rows(client)).toEqual(before);
});

test('pg_restore puts an archive back through the proxy', async ({ skip }) => {
  if (typeof server === 'string') return skip(server);
  const client = await filled();
  const before = await rows(client);
  const archive = join(installation?.folder ?? '', 'data.dump');
  expect(await run('pg_dump', '-Fc', '--data-only', '--table', 'secrets', '-f', archive)).toMatchObject({ code: 0 });
  await client.query('delete from secrets');
  expect(await run('pg_restore', '--data-only', '-d', 'bank', archive)).toMatchObject({ code: 0, stderr: '' });
  expect(await rows(client)).toEqual(before);
});

test('A dump of the server itself holds nothing plain, and the sealed columns of both read alike', async ({ skip }) => {
  if (typeof server === 'string') return skip(server);
  const client = await filled();
  const url = server.url('bank');
  const { code, stdout } = await run('pg_dump', '--data-only', '--table', 'secrets', '-d', url);
  expect(code).toBe(0);
  // The plain column has it once; the sealed one does not.
  expect(stdout.split('canary-of-the-dump')).toHaveLength(2);
  expect(stdout).not.toContain(SECRET);
  const before = await rows(client);
  await client.query('delete from secrets');
  const file = join(installation?.folder ?? '', 'sealed.sql');
  await writeFile(file, stdout);
  expect(await run('psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', url, '-f', file)).toMatchObject({ code: 0 });
  expect(await rows(client)).toEqual(before);
});
