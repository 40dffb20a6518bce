/** A table with sealed columns is a type, too: what is given to it anywhere would be ciphertext for the server, and is plaintext. */
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLoggedDatabase, type LoggedDatabase } from '../../support/postgres/logged-database.ts';
import type { TestRule } from '../../support/postgres/sealed-database.ts';

const RULES: readonly TestRule[] = [{ table: 'people', column: 'email', type: 'text', mode: 'deterministic' }];
const DDL = `
CREATE TABLE people (id int, email sealgate.sealed);
CREATE TABLE one (id int, person people);
CREATE TABLE many (id int, persons people[]);
CREATE DOMAIN someone AS people;
CREATE TABLE domained (id int, person someone);
CREATE VIEW shown AS SELECT id, person FROM one;
CREATE TYPE wrap AS (person people, n int);
CREATE TABLE wrapped (id int, w wrap);
CREATE DOMAIN over AS wrap[];
CREATE TABLE covered (id int, w over);
CREATE TABLE nested (id int, w one);
CREATE TYPE higher AS (o over);
CREATE TYPE span AS RANGE (subtype = wrap);
CREATE TABLE spans (id int, s span);
CREATE FUNCTION takes(h higher) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TYPE pair AS (a int, b text);
CREATE TABLE pairs (id int, p pair, ps pair[])`;

let all: LoggedDatabase;
let client: pg.Client;

beforeAll(async () => {
  all = await openLoggedDatabase(DDL, RULES);
  ({ client } = all);
});
afterAll(() => all.close());

test.each([
  "INSERT INTO one VALUES (1, ROW(1, 'canary-1'))",
  "INSERT INTO one VALUES (1, '(1,canary-2)')",
  "UPDATE one SET person.email = 'canary-3'",
  "INSERT INTO many VALUES (1, ARRAY['(1,canary-4)'])",
  "INSERT INTO domained VALUES (1, '(1,canary-5)')",
  "INSERT INTO shown VALUES (1, '(1,canary-6)')",
  "SELECT '(1,canary-10)'::someone",
  "INSERT INTO wrapped VALUES (1, ROW(ROW(1, 'canary-11'), 2))",
  `INSERT INTO wrapped VALUES (1, '("(1,canary-12)",2)')`,
  `SELECT '("(1,canary-13)",2)'::wrap`,
  `SELECT ('{"(\\"(1,canary-14)\\",2)"}'::_wrap)[1]`,
  "INSERT INTO covered VALUES (1, ARRAY[ROW(ROW(1, 'canary-15'), 2)::wrap])",
  "INSERT INTO nested VALUES (1, ROW(1, ROW(1, 'canary-16')))",
  `SELECT json_populate_record(NULL::higher, '{"o": [{"person": {"email": "canary-17"}}]}')`,
  `SELECT takes(ROW(ARRAY[ROW(ROW(1, 'canary-18'), 2)]))`,
  `INSERT INTO spans VALUES (1, '["(""(1,canary-19)"",2)",]')`,
  'CREATE TYPE more AS (p people)',
  'CREATE TYPE more AS (w wrap)',
  'CREATE DOMAIN more AS higher',
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
  expect(all.server.log()).not.toContain('canary');
});

test('rows of other types go their way', async () => {
  await client.query("INSERT INTO pairs VALUES (1, ROW(1, 'x'), ARRAY[ROW(2, 'y')::pair])");
  expect((await client.query('SELECT (p).b, ps[1].b AS c FROM pairs')).rows).toEqual([{ b: 'x', c: 'y' }]);
});
