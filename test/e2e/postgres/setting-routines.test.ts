/**
 * Routines that change the session's settings by what they do: the settings are asked for after them, whoever runs them, since the server does
 * not report what they are (search_path: before PostgreSQL 18).
 */
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { openSearchedDatabase, type SearchedDatabase, type TestRule } from '../../support/postgres/sealed-database.ts';

const RULES: readonly TestRule[] = [{ table: 'people', column: 'email', type: 'text', mode: 'deterministic' }];
const DDL = `
CREATE TABLE people (id int, email sealgate.sealed);
CREATE ROLE plainrole;
CREATE SCHEMA plainrole;
CREATE TABLE plainrole.people (id int, email text);
GRANT USAGE ON SCHEMA plainrole TO plainrole;
GRANT ALL ON ALL TABLES IN SCHEMA public, plainrole TO plainrole;
CREATE ROLE other;
GRANT plainrole TO other;
GRANT ALL ON ALL TABLES IN SCHEMA public TO other;
CREATE FUNCTION set_tenant(t text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('search_path', t, false); END $$;
CREATE FUNCTION as_plainrole() RETURNS void LANGUAGE plpgsql AS $$ BEGIN SET ROLE plainrole; END $$;
CREATE FUNCTION escaped() RETURNS int LANGUAGE plpgsql AS $$ BEGIN SET bytea_output = 'escape'; RETURN 1; END $$;
CREATE FUNCTION wraps() RETURNS int LANGUAGE sql AS 'SELECT escaped()';
CREATE TABLE inbox (id int);
INSERT INTO inbox VALUES (1);
CREATE FUNCTION tenant(inbox) RETURNS text LANGUAGE sql AS $$ SELECT set_config('search_path', 'plainrole', false) $$;
CREATE FUNCTION on_inbox() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM as_plainrole(); RETURN NULL; END $$;
CREATE TRIGGER t AFTER INSERT ON inbox FOR EACH STATEMENT EXECUTE FUNCTION on_inbox();
GRANT ALL ON inbox TO other, plainrole;
CREATE VIEW shown AS SELECT wraps() AS x;
GRANT ALL ON shown TO other;
CREATE FUNCTION noted() RETURNS text LANGUAGE sql AS $$ SELECT set_config('app.noted', 'x', true) $$`;

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
  await client.query('SET ROLE other');
  await client.query('TRUNCATE people').catch(() => undefined);
  await client.query("INSERT INTO people VALUES (1, 'ann@example.org')");
});
afterEach(async () => {
  await client.end();
  await db.direct.query('TRUNCATE people');
});

const emails = async (): Promise<unknown> => (await client.query('SELECT email FROM people')).rows;
const SEALED = [{ email: 'ann@example.org' }];

test.each([
  ["SELECT set_tenant('plainrole')", []],
  ["SELECT 1 WHERE (SELECT set_tenant('plainrole')) IS NULL", []],
  ['SELECT as_plainrole()', []],
  ['INSERT INTO inbox VALUES (1)', []],
  ['SELECT i.tenant FROM inbox i', []],
  ['SELECT (ROW(1)::inbox).tenant', []],
  ['SELECT escaped()', SEALED],
  ['SELECT x FROM shown', SEALED],
  ['SELECT noted()', SEALED],
])('%s: what follows means what it means at the server', async (sql, rows) => {
  expect(await emails()).toEqual(SEALED);
  await client.query("SET search_path = '$user', public");
  expect(await emails()).toEqual(SEALED);
  await client.query(sql);
  expect(await emails()).toEqual(rows);
});

test('prepared, and in a transaction that is rolled back', async () => {
  const query = { name: 'sets', text: 'SELECT set_tenant($1)', values: ['plainrole'] };
  await client.query(query);
  expect(await emails()).toEqual([]);
  await client.query('RESET search_path');
  expect(await emails()).toEqual(SEALED);
  await client.query('BEGIN');
  await client.query(query);
  expect(await emails()).toEqual([]);
  await client.query('ROLLBACK');
  expect(await emails()).toEqual(SEALED);
});
