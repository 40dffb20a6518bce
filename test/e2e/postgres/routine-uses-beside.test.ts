/** What stands beside routines that run dynamic SQL or read sealed columns, and does not run them, is answered as if they were not there. */
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLoggedDatabase, type LoggedDatabase } from '../../support/postgres/logged-database.ts';

const DDL = String.raw`
CREATE TABLE people (id int, name text, email sealgate.sealed);
CREATE TABLE other (id int, name text);
CREATE TYPE state AS ENUM ('on', 'off');
CREATE FUNCTION to_state(text) RETURNS state LANGUAGE plpgsql AS $$ DECLARE found state; BEGIN EXECUTE 'SELECT ' || quote_literal($1) || '::state' INTO found; RETURN found; END $$;
CREATE CAST (text AS state) WITH FUNCTION to_state(text) AS ASSIGNMENT;
CREATE TYPE level AS ENUM ('low', 'high');
CREATE FUNCTION to_level(text) RETURNS level LANGUAGE plpgsql AS $$ DECLARE found level; BEGIN EXECUTE 'SELECT ' || quote_literal($1) || '::level' INTO found; RETURN found; END $$;
CREATE CAST (text AS level) WITH FUNCTION to_level(text) AS IMPLICIT;
CREATE TABLE states (id int, state state);
CREATE TABLE levels (id int, level level)`;

let all: LoggedDatabase;
let client: pg.Client;

beforeAll(async () => {
  all = await openLoggedDatabase(DDL, [{ table: 'people', column: 'email', type: 'text', mode: 'deterministic' }]);
  ({ client } = all);
});
afterAll(() => all.close());

test.each([
  'SELECT id FROM other',
  "SELECT 'a'::text",
  "INSERT INTO other VALUES (1, 'x')",
  "INSERT INTO people VALUES (1, 'Ann', 'ann@example.org')",
  'SELECT email FROM people',
  'SELECT state FROM states',
])('answered: %s', async (sql) => {
  await client.query(sql);
});

test.each([
  "SELECT 'on'::state, 'canary-1'",
  "INSERT INTO states SELECT 1, 'on'::text WHERE 'canary-2' <> ''",
  "SELECT 'canary-3' FROM levels, other WHERE level = name",
])('refused, and not sent: %s', async (sql) => {
  await expect(client.query(sql)).rejects.toThrow(expect.objectContaining({ code: '0A000' }));
  expect(all.server.log()).not.toContain('canary');
});
