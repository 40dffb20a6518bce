/** `sealgate check` and `check --rebind` as an operator uses them, beside a proxy that runs. */
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requireSecret, watchServer } from '../../support/canaries.ts';
import { connectTo } from '../../support/postgres/connect.ts';
import { applyDdl, install, type Installation } from '../../support/installation.ts';
import type { Ran } from '../../support/run.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';

let server: TestPostgres;
let installation: Installation;
let direct: pg.Client;
let proxied: pg.ClientConfig;

beforeAll(async () => {
  server = await startPostgres();
  await watchServer(server);
  const { host, port, superuser, password } = server;
  const root = await connectTo(server.url());
  await root.query('CREATE DATABASE shop');
  await root.end();
  direct = await connectTo(server.url('shop'));
  await direct.query('CREATE TABLE ours (id int, note text); CREATE TABLE theirs (id int, note text, tag text)');
  installation = await install(
    `
postgres:
  listen: { host: 127.0.0.1, port: 0 }
  upstream: { host: ${host}, port: ${port}, tls: { mode: disable } }
  databases:
    - { name: shop, service: { user: ${superuser}, password: ${password} } }
  columns:
    - { column: shop.public.ours.note, type: text, key: alias/shop }
    - { column: shop.public.theirs.note, type: text, key: alias/shop }
`,
    ['shop'],
  );
  await applyDdl(installation, server, 'shop');
  proxied = { host, user: superuser, password, database: 'shop' };
  await start();
  await ask("INSERT INTO ours VALUES (1, 'a note of ours')");
  await ask("INSERT INTO theirs VALUES (1, 'a note of theirs')");
});
afterAll(async () => {
  await installation.remove();
  await direct.end();
  await requireSecret(server, ['a note of ours', 'a note of theirs', 'a new note', 'a plain note']);
  await server.stop();
});

let stop: () => Promise<void>;
async function start(): Promise<void> {
  const { program, ports } = await installation.up();
  proxied = { ...proxied, port: Number(ports['postgres']) };
  stop = async () => {
    program.child.kill('SIGTERM');
    await program.done;
  };
}

/** With the proxy stopped: the key store has one owner at a time. */
async function rebind(): Promise<Ran> {
  await stop();
  const ran = await installation.run('check', '--rebind');
  await start();
  return ran;
}

/** On a connection of its own: what is planned on a catalog that has just changed may end it. */
async function ask(sql: string): Promise<readonly unknown[]> {
  const client = new pg.Client(proxied);
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<unknown[]>({ text: sql, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end().catch(() => undefined);
  }
}

const notes = (table: string): Promise<readonly unknown[]> => ask(`SELECT note FROM ${table} ORDER BY id`);
const failure = (sql: string): Promise<unknown> =>
  ask(sql).then(
    () => undefined,
    (error: unknown) => (error instanceof pg.DatabaseError ? error.routine : error),
  );

test('swapped tables are refused until `check --rebind`, and then read what they hold', async () => {
  expect(await notes('ours')).toEqual(['a note of ours']);
  await direct.query('ALTER TABLE ours RENAME TO x; ALTER TABLE theirs RENAME TO ours; ALTER TABLE x RENAME TO theirs');
  await expect.poll(() => failure('SELECT note FROM ours')).toBe('ERR_POSTGRES_RULE_UNRESOLVED');
  expect(await failure("INSERT INTO theirs VALUES (2, 'x')")).toBe('ERR_POSTGRES_RULE_UNRESOLVED');

  const look = await installation.run('check');
  expect(look.code).toBe(1);
  expect(look.stdout).toContain('ERR_POSTGRES_COLUMN_MOVED');

  const beside = await installation.run('check', '--rebind');
  expect([beside.code, beside.stderr]).toEqual([5, expect.stringContaining('ERR_KEYS_STORE_IN_USE')]);
  const { code, stdout } = await rebind();
  expect(code, stdout).toBe(0);
  expect(stdout).toContain('shop.public.ours.note: rebind: bound');
  expect(await notes('ours')).toEqual(['a note of theirs']);
  expect(await notes('theirs')).toEqual(['a note of ours']);
  await ask("INSERT INTO theirs VALUES (2, 'a new note')");
  expect(await notes('theirs')).toEqual(['a note of ours', 'a new note']);
  expect((await installation.run('check')).code).toBe(0);
});

test('a table that was renamed away is refused under its new name, and its rule is missed', async () => {
  await direct.query('ALTER TABLE ours RENAME TO gone');
  await expect.poll(() => failure('SELECT note FROM gone')).toBe('ERR_POSTGRES_RULE_UNRESOLVED');
  expect(await failure("INSERT INTO gone VALUES (3, 'a plain note')")).toBe('ERR_POSTGRES_RULE_UNRESOLVED');
  await stop();
  const { code, stdout } = await installation.run('check', '--rebind');
  expect(code).toBe(1);
  expect(stdout).toContain('ERR_POSTGRES_COLUMN_MISSING');
  expect(stdout).toMatch(/shop\.public\.gone\.note.*no rule names it/u);
  await direct.query('ALTER TABLE gone RENAME TO ours');
  await start();
  expect(await notes('ours')).toEqual(['a note of theirs']);
});
