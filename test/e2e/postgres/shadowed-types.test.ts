/** Temporary types and tables that are named like a type of the server: a cast means them, whatever search_path says of schemas. */
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { openSearchedDatabase, type SearchedDatabase, type TestRule } from '../../support/postgres/sealed-database.ts';

const RULES: readonly TestRule[] = [
  { table: 'people', column: 'email', type: 'text', mode: 'deterministic' },
  { table: 'people', column: 'born', type: 'date' },
];
const DDL = 'CREATE TABLE people (id int, email sealgate.sealed, born sealgate.sealed); CREATE TABLE plain (id int)';
const READ = "SELECT id, born::date FROM people WHERE email = 'canary@shop.example'::text";

let server: TestPostgres;
let db: SearchedDatabase;
let client: pg.Client;

beforeAll(async () => {
  server = await startPostgres();
  db = await openSearchedDatabase(server, 'sealed', DDL, RULES);
});
afterAll(async () => {
  await db.close();
  await server.stop();
});
beforeEach(async () => {
  client = await connectTo(db.url);
  await client.query("INSERT INTO people VALUES (1, 'canary@shop.example', '2001-02-03')");
  expect((await client.query(READ)).rowCount).toBe(1);
});
afterEach(async () => {
  await client.query('ROLLBACK');
  for (const sql of ['DISCARD ALL', 'TRUNCATE people']) await client.query(sql);
  await client.end();
});

describe.each([
  ['a table', 'CREATE TEMP TABLE text (a int)', 'DROP TABLE pg_temp.text'],
  ['an enum', "CREATE TYPE pg_temp.text AS ENUM ('x')", 'DROP TYPE pg_temp.text'],
  ['a domain', 'CREATE DOMAIN pg_temp.date AS pg_catalog.text', 'DROP DOMAIN pg_temp.date'],
])('%s', (_what, make, drop) => {
  test.each([
    ['a query', READ],
    ['a change', "UPDATE people SET born = date '2001-02-04'"],
    ['a prepared statement', `PREPARE p AS ${READ}`],
    ['COPY', `COPY (${READ}) TO STDOUT`],
    ['a new column', 'ALTER TABLE people ALTER email TYPE text'],
  ])('refuses %s', async (_kind, sql) => {
    await client.query(make);
    await expect(client.query(sql)).rejects.toMatchObject({
      code: '0A000',
      message: expect.stringMatching(/^type (text|date) of pg_temp hides the server’s own/u),
    });
    await client.query('SELECT id FROM plain');
    await client.query(drop);
    expect((await client.query(READ)).rowCount).toBe(1);
  });

  test('refuses what was prepared before', async () => {
    await client.query({ name: 'before', text: READ });
    await client.query(make);
    await expect(client.query({ name: 'before', text: READ })).rejects.toMatchObject({ code: '0A000' });
  });

  test('is noticed within the transaction that makes it, and forgotten with it', async () => {
    await client.query('BEGIN');
    await client.query(make);
    await expect(client.query(READ)).rejects.toMatchObject({ code: '0A000' });
    await client.query('ROLLBACK');
    expect((await client.query(READ)).rowCount).toBe(1);
  });

  test('is no hindrance where pg_temp is searched behind the server’s own', async () => {
    await client.query(make);
    await client.query('SET search_path = pg_catalog, public, pg_temp');
    expect((await client.query(READ)).rows).toMatchObject([{ id: 1 }]);
  });

  test('of another session is none', async () => {
    const other = await connectTo(db.url);
    await other.query(make);
    expect((await client.query(READ)).rowCount).toBe(1);
    await other.end();
  });
});

test('temporary tables by other names are no hindrance', async () => {
  await client.query('CREATE TEMP TABLE texts (text text, date date); CREATE TEMP TABLE pg_class (a int)');
  expect((await client.query(READ)).rowCount).toBe(1);
});
