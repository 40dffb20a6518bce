/** Bodies of routines and of DO name sealed columns in ways that are not seen in the text: in escapes, through functions that run text, in other routines. */
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLoggedDatabase, type LoggedDatabase } from '../../support/postgres/logged-database.ts';
import type { TestRule } from '../../support/postgres/sealed-database.ts';

const RULES: readonly TestRule[] = [
  { table: 'people', column: 'email', type: 'text', mode: 'deterministic' },
  // Names that are in many a text which is not about them.
  { table: 'user', column: 'email', type: 'text' },
  { table: 't', column: 'email', type: 'text' },
];
const DDL = String.raw`
CREATE TABLE people (id int, email sealgate.sealed);
CREATE TABLE others (id int, email text);
CREATE TABLE "user" (id int, email sealgate.sealed);
CREATE TABLE t (id int, email sealgate.sealed);
CREATE FUNCTION who() RETURNS text LANGUAGE sql AS $$ SELECT user || ', but not user' $$;
CREATE FUNCTION counts() RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE total bigint; BEGIN SELECT count(others.id) INTO total FROM others; RETURN total; END $$;
CREATE FUNCTION users() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.user';
CREATE FUNCTION a_user() RETURNS bigint LANGUAGE plpgsql AS 'DECLARE u user%ROWTYPE; BEGIN RETURN u.id; END';
CREATE FUNCTION ts() RETURNS SETOF t LANGUAGE sql AS 'TABLE t';
CREATE FUNCTION spelled(x text) RETURNS void LANGUAGE plpgsql AS 'BEGIN INSERT INTO U&"peo!0070le" UESCAPE ''!'' VALUES (1, x); END';
CREATE FUNCTION handed(x text) RETURNS xml LANGUAGE sql AS $$ SELECT query_to_xml('SELECT * FROM peo' || 'ple', true, true, x) $$;
CREATE FUNCTION owner(others) RETURNS text LANGUAGE sql AS 'SELECT email::text FROM people WHERE id = $1.id';
CREATE FUNCTION owner_of(anyelement, text DEFAULT '') RETURNS text LANGUAGE sql AS 'SELECT email::text FROM people LIMIT 1';
CREATE FUNCTION counted(int) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM people';
CREATE FUNCTION shown(others) RETURNS text LANGUAGE sql AS 'SELECT $1.email || $1.id';
CREATE FUNCTION step(int, int) RETURNS int LANGUAGE sql AS 'SELECT count(*)::int FROM people';
CREATE AGGREGATE gathered(int) (sfunc = step, stype = int, initcond = 0);
CREATE AGGREGATE summed(int) (sfunc = int4pl, stype = int, initcond = 0)`;

let all: LoggedDatabase;
let client: pg.Client;

beforeAll(async () => {
  all = await openLoggedDatabase(DDL, RULES);
  ({ client } = all);
});
afterAll(() => all.close());

test.each([
  String.raw`DO $$ BEGIN INSERT INTO U&"peo\0070le" VALUES (1, 'canary-1'); END $$`,
  String.raw`DO E'BEGIN INSERT INTO peo\x70le VALUES (1, ''canary-2''); END'`,
  String.raw`DO U&'BEGIN INSERT INTO peo\0070le VALUES (1, ''canary-3''); END'`,
  String.raw`DO E'BEGIN \x45XECUTE ''INSERT INTO peo'' || ''ple VALUES (1, ''''canary-4'''')''; END'`,
  `DO $$ BEGIN PERFORM query_to_xml('SELECT * FROM peo' || 'ple WHERE email = ''canary-5''', true, true, ''); END $$`,
  `DO LANGUAGE plperl $$ spi_exec_query("INSERT INTO peo" . "ple VALUES (1, 'canary-6')") $$`,
  String.raw`CREATE FUNCTION made() RETURNS void LANGUAGE sql AS E'INSERT INTO peo\x70le VALUES (1, ''canary-7'')'`,
  String.raw`CREATE PROCEDURE made() LANGUAGE sql AS 'INSERT INTO U&"peo\0070le" VALUES (1, ''canary-8'')'`,
  "SELECT spelled('canary-9')",
  "SELECT handed('canary-10')",
  "SELECT gathered(id), 'canary-11' FROM others",
  // Written as columns of a row.
  "SELECT o.owner, 'canary-12' FROM others o",
  "SELECT others.owner_of, 'canary-13' FROM others",
  "SELECT public.others.owner, 'canary-14' FROM public.others",
  "SELECT (o).owner, 'canary-15' FROM others o",
  "SELECT x.id, 'canary-16' FROM others o, LATERAL (SELECT (o.*).owner_of AS id) x",
  "CREATE VIEW seen AS SELECT o.owner, 'canary-17' AS x FROM others o",
  "UPDATE others o SET email = o.owner || 'canary-18'",
  // No routine of its rows, but one of its name.
  "SELECT p.shown FROM people p WHERE email = 'canary-19'",
  "SELECT (p).shown FROM people p WHERE email = 'canary-20'",
  // The server's own.
  "SELECT p.to_json FROM people p WHERE email = 'canary-21'",
  "SELECT users(), 'canary-23'",
  "SELECT a_user(), 'canary-24'",
  "SELECT ts(), 'canary-25'",
  "DO $$ BEGIN INSERT INTO t VALUES (1, 'canary-26'); END $$",
  `DO $$ BEGIN INSERT INTO "user" VALUES (1, 'canary-27'); END $$`,
  "DO $$ BEGIN INSERT INTO public.user VALUES (1, 'canary-28'); END $$",
  "SELECT p.count, count(email = 'canary-22') FROM people p",
])('refused, and not sent: %s', async (sql) => {
  await expect(client.query(sql)).rejects.toThrow(expect.objectContaining({ code: '0A000' }));
  expect(all.server.log()).not.toContain('canary');
});

test.each([
  'DO $$ BEGIN PERFORM 1; END $$',
  'DO LANGUAGE plpgsql $$ BEGIN PERFORM 1; END $$',
  "CREATE FUNCTION other() RETURNS bigint LANGUAGE sql AS E'SELECT count(*) FROM other\\x73'",
  'SELECT summed(id) FROM others',
  'SELECT who(), counts()',
  'DO $$ BEGIN PERFORM user, count(*) FROM others; END $$',
  'SELECT o.shown FROM others o',
  'SELECT o.shown, p.email FROM others o LEFT JOIN people p ON p.id = o.id',
  'SELECT o.to_json, p.email FROM others o LEFT JOIN people p ON p.id = o.id',
  // Not called: it takes no row.
  'SELECT x.counted FROM (SELECT 1 AS counted) x',
])('sent: %s', async (sql) => {
  await client.query(sql);
});

test.each([
  ['no column of the left table', 'SELECT count(*) FROM people JOIN others USING (absent)', '42703'],
  ['two of the left table', 'SELECT count(*) FROM people p JOIN others o ON true JOIN people q USING (email)', '42702'],
])('USING of %s', async (_what, sql, code) => {
  await expect(client.query(sql)).rejects.toThrow(expect.objectContaining({ code }));
});

test('what is neither column nor routine is said to be no column', async () => {
  await expect(client.query('SELECT p.emial FROM people p')).rejects.toThrow(
    expect.objectContaining({ code: '42703' }),
  );
});
