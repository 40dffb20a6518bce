/** A table with sealed columns is a type, too: what is given to it anywhere would be ciphertext for the server, and is plaintext. */
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { startLoggedPostgres, type LoggedPostgres } from '../../support/postgres/logged-postgres.ts';
import { openSearchedDatabase, type SearchedDatabase, type TestRule } from '../../support/postgres/sealed-database.ts';

const RULES: readonly TestRule[] = [{ table: 'people', column: 'email', type: 'text', mode: 'deterministic' }];
const DDL = `
CREATE TABLE people (id int, email sealgate.sealed);
CREATE TABLE one (id int, person people);
CREATE TABLE many (id int, persons people[]);
CREATE DOMAIN someone AS people;
CREATE TABLE domained (id int, person someone);
CREATE VIEW shown AS SELECT id, person FROM one;
CREATE TYPE pair AS (a int, b text);
CREATE TABLE pairs (id int, p pair, ps pair[])`;

let server: LoggedPostgres;
let db: SearchedDatabase;
let client: pg.Client;

beforeAll(async () => {
  server = await startLoggedPostgres();
  db = await openSearchedDatabase(server, 'sealed', DDL, RULES);
  client = await connectTo(db.url);
});
afterAll(async () => {
  await client.end();
  await db.close();
  await server.stop();
});

test.each([
  "INSERT INTO one VALUES (1, ROW(1, 'canary-1'))",
  "INSERT INTO one VALUES (1, '(1,canary-2)')",
  "UPDATE one SET person.email = 'canary-3'",
  "INSERT INTO many VALUES (1, ARRAY['(1,canary-4)'])",
  "INSERT INTO domained VALUES (1, '(1,canary-5)')",
  "INSERT INTO shown VALUES (1, '(1,canary-6)')",
  'SELECT (person).email FROM one',
  'SELECT * FROM many',
  'SELECT (\'{"(1,canary-7)"}\'::_people)[1]',
  "SELECT ('(1,canary-8)'::public.people).email",
  'SELECT * FROM json_populate_record(NULL::one, \'{"person": {"email": "canary-9"}}\')',
  'COPY one FROM STDIN',
])('refused, and not sent: %s', async (sql) => {
  await expect(client.query(sql)).rejects.toThrow(
    expect.objectContaining({ routine: expect.stringMatching(/^ERR_POSTGRES_/u) }),
  );
  expect(server.log()).not.toContain('canary');
});

test('rows of other types go their way', async () => {
  await client.query("INSERT INTO pairs VALUES (1, ROW(1, 'x'), ARRAY[ROW(2, 'y')::pair])");
  expect((await client.query('SELECT (p).b, ps[1].b AS c FROM pairs')).rows).toEqual([{ b: 'x', c: 'y' }]);
});
