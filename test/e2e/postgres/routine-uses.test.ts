/**
 * Routines that read sealed columns, or run what they make up, run by what does not call them: operators, domains, casts, and what tables do when they are
 * read or written. Ciphertext would be compared, shown and stored.
 */
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLoggedDatabase, type LoggedDatabase } from '../../support/postgres/logged-database.ts';

const DDL = String.raw`
CREATE TABLE people (id int, email sealgate.sealed);
CREATE FUNCTION reads(int, int) RETURNS text LANGUAGE sql AS 'SELECT email::text FROM people LIMIT 1';
CREATE FUNCTION read_one(int) RETURNS text LANGUAGE sql AS 'SELECT email::text FROM people LIMIT 1';
CREATE FUNCTION is_read(int) RETURNS bool LANGUAGE sql AS 'SELECT count(*) >= 0 FROM people';
CREATE FUNCTION allowed(int) RETURNS bool LANGUAGE sql AS 'SELECT count(*) >= 0 FROM people';
CREATE FUNCTION made_up(text, text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'INSERT INTO peo' || 'ple VALUES (1, ' || quote_literal($1) || ')'; RETURN true; END $$;
CREATE OPERATOR ### (leftarg = int, rightarg = int, function = reads);
CREATE OPERATOR <<<>>> (leftarg = text, rightarg = text, function = made_up);
CREATE FUNCTION uses_it() RETURNS text LANGUAGE sql AS 'SELECT 1 ### 1';
CREATE VIEW seen AS SELECT 1 ### 1 AS x;
CREATE DOMAIN checked AS int CHECK (is_read(VALUE));
CREATE DOMAIN noted AS int CHECK (allowed(VALUE));
CREATE DOMAIN written AS text CHECK (VALUE <<<>>> VALUE);
CREATE TYPE kind AS ENUM ('one');
CREATE FUNCTION to_text(kind) RETURNS varchar LANGUAGE sql AS 'SELECT email::text FROM people LIMIT 1';
CREATE CAST (kind AS varchar) WITH FUNCTION to_text(kind) AS ASSIGNMENT;
CREATE TABLE by_domain (x checked);
CREATE TABLE by_domains (x checked[]);
CREATE TABLE by_default (y int, x text DEFAULT read_one(1));
CREATE TABLE by_check (x int CHECK (is_read(x)));
CREATE TABLE by_rule (x int);
CREATE RULE r AS ON INSERT TO by_rule DO ALSO SELECT read_one(1);
CREATE TABLE by_policy (x int);
ALTER TABLE by_policy ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON by_policy USING (is_read(x));
CREATE TABLE by_note (x noted);
CREATE TABLE plain (x int, y text DEFAULT 'none' CHECK (y <> ''))`;

let all: LoggedDatabase;
let client: pg.Client;

beforeAll(async () => {
  all = await openLoggedDatabase(DDL, [{ table: 'people', column: 'email', type: 'text', mode: 'deterministic' }]);
  ({ client } = all);
  await client.query("INSERT INTO people VALUES (1, 'ann@example.org')");
});
afterAll(() => all.close());

test.each([
  "SELECT 1 ### 1, 'canary-1'",
  "SELECT 1 OPERATOR(public.###) 1, 'canary-2'",
  "SELECT 1 WHERE 'canary-3' <<<>>> 'canary-3'",
  "SELECT 1 WHERE 'canary-4' <<<>>> ANY (ARRAY['canary-4'])",
  "SELECT uses_it(), 'canary-5'",
  "SELECT x, 'canary-6' FROM seen",
  "SELECT 1::checked, 'canary-7'",
  "SELECT checked(1), 'canary-8'",
  "SELECT '{1}'::checked[], 'canary-9'",
  "SELECT 'canary-10'::written",
  "SELECT 'one'::kind::varchar, 'canary-11'",
  "INSERT INTO by_domain SELECT 1 WHERE 'canary-12' <> ''",
  "INSERT INTO by_domains SELECT '{1}' WHERE 'canary-13' <> ''",
  "INSERT INTO by_default (y) SELECT 1 WHERE 'canary-14' <> '' RETURNING x",
  "INSERT INTO by_check SELECT 1 WHERE 'canary-15' <> ''",
  "INSERT INTO by_rule SELECT 1 WHERE 'canary-16' <> ''",
  "SELECT x, 'canary-17' FROM by_policy",
  "INSERT INTO by_policy SELECT 1 WHERE 'canary-19' <> ''",
  'COPY by_default (y) FROM STDIN',
  'DO $$ BEGIN PERFORM 1 ### 1; END $$',
  "CREATE VIEW more AS SELECT 1 ### 1 AS x, 'canary-18' AS y",
])('refused, and not sent: %s', async (sql) => {
  await expect(client.query(sql)).rejects.toThrow(expect.objectContaining({ code: '0A000' }));
  expect(all.server.log()).not.toContain('canary');
});

test.each(['SELECT 1 + 1', 'SELECT x FROM by_default', 'SELECT x FROM by_domain', "INSERT INTO plain VALUES (1, 'x')"])(
  'sent: %s',
  async (sql) => {
    await client.query(sql);
  },
);
