/** What stands beside routines that run dynamic SQL or read sealed columns, and does not run them, is answered as if they were not there. */
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestRule } from '../../support/postgres/sealed-database.ts';
import { openLoggedDatabase, refusalOf, type LoggedDatabase } from '../../support/postgres/logged-database.ts';

const DDL = String.raw`
CREATE TABLE people (id int, name text, email sealgate.sealed);
CREATE TABLE dated (id int, "date" sealgate.sealed, at sealgate.sealed, m sealgate.sealed, updated_at timestamptz, old_date text);
CREATE FUNCTION stamps() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
CREATE TRIGGER t BEFORE INSERT OR UPDATE ON dated FOR EACH ROW EXECUTE FUNCTION stamps();
CREATE TABLE copied (id int, "date" sealgate.sealed, old_date bytea);
CREATE FUNCTION copies() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.old_date := NEW.Date; RETURN NEW; END $$;
CREATE TRIGGER t BEFORE INSERT ON copied FOR EACH ROW EXECUTE FUNCTION copies();
CREATE TABLE other (id int, name text);
CREATE TYPE state AS ENUM ('on', 'off');
CREATE FUNCTION to_state(text) RETURNS state LANGUAGE plpgsql AS $$ DECLARE found state; BEGIN EXECUTE 'SELECT ' || quote_literal($1) || '::state' INTO found; RETURN found; END $$;
CREATE CAST (text AS state) WITH FUNCTION to_state(text) AS ASSIGNMENT;
CREATE TYPE level AS ENUM ('low', 'high');
CREATE FUNCTION to_level(text) RETURNS level LANGUAGE plpgsql AS $$ DECLARE found level; BEGIN EXECUTE 'SELECT ' || quote_literal($1) || '::level' INTO found; RETURN found; END $$;
CREATE CAST (text AS level) WITH FUNCTION to_level(text) AS IMPLICIT;
CREATE TABLE states (id int, state state);
CREATE TABLE levels (id int, level level);
CREATE FUNCTION label(int) RETURNS text LANGUAGE sql AS 'SELECT email::text FROM people LIMIT 1';
CREATE TYPE label AS ENUM ('a');
CREATE FUNCTION joins(text, int) RETURNS text LANGUAGE sql AS 'SELECT email::text FROM people LIMIT 1';
CREATE DOMAIN unused AS int CHECK (label(VALUE) <> '');
CREATE DOMAIN judged AS int CHECK (label(VALUE) <> '');
CREATE FUNCTION takes_judged(judged) RETURNS int LANGUAGE internal AS 'int4abs';
CREATE FUNCTION by_default(x int, y text DEFAULT label(1)) RETURNS int LANGUAGE internal AS 'int4abs';
CREATE FUNCTION compiled(int) RETURNS int LANGUAGE internal AS 'int4abs';
CREATE FUNCTION likes(text, int) RETURNS bool LANGUAGE sql AS 'SELECT label(1) IS NOT NULL';
CREATE OPERATOR ~~ (leftarg = text, rightarg = int, function = likes);
CREATE FUNCTION by_like() RETURNS bool LANGUAGE sql AS 'SELECT ''a''::text LIKE 1';
CREATE FUNCTION is_member(team int) RETURNS bool LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT EXISTS (SELECT FROM people WHERE id = team)';
CREATE TABLE documents (id int, team int);
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON documents USING (is_member(team));
CREATE TABLE inserted (id int, team int);
ALTER TABLE inserted ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON inserted FOR INSERT WITH CHECK (is_member(team));
CREATE TABLE updated (id int, team int);
ALTER TABLE updated ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON updated FOR UPDATE USING (is_member(team));
CREATE TABLE deleted (id int, team int);
ALTER TABLE deleted ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON deleted FOR DELETE USING (is_member(team));
CREATE TABLE unenforced (id int, team int);
CREATE POLICY p ON unenforced USING (is_member(team));
CREATE VIEW shown AS SELECT id FROM documents;
CREATE FUNCTION counts() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM documents';
CREATE FUNCTION counts_shown() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM shown';
CREATE TABLE third (id int);
CREATE FUNCTION notes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO documents VALUES (1, 1); RETURN NEW; END $$;
CREATE TRIGGER t AFTER INSERT ON third FOR EACH ROW EXECUTE FUNCTION notes();
CREATE VIEW members AS SELECT is_member(1) AS x;
CREATE FUNCTION counts_members() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM members'`;

const RULES: readonly TestRule[] = [
  { table: 'people', column: 'email', type: 'text', mode: 'deterministic' },
  ...['date', 'at', 'm'].map((column) => ({ table: 'dated', column, type: 'text' })),
  { table: 'copied', column: 'date', type: 'text' },
];

let all: LoggedDatabase;
let client: pg.Client;

beforeAll(async () => {
  all = await openLoggedDatabase(DDL, RULES);
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
  "SELECT 'a'::label",
  'CREATE TABLE labelled (x label)',
  "COMMENT ON DOMAIN unused IS 'none'",
  'DROP DOMAIN unused',
  'SELECT compiled(1)',
  "INSERT INTO dated VALUES (1, 'x', 'y', 'z')",
  "UPDATE dated SET m = 'a' WHERE id = 1",
  'SELECT counts()',
  'SELECT counts_shown()',
  'INSERT INTO third VALUES (1)',
  'SELECT id FROM inserted',
  'SELECT id FROM deleted',
  'SELECT id FROM unenforced',
  'INSERT INTO unenforced VALUES (1, 1)',
])('answered: %s', async (sql) => {
  await client.query(sql);
});

test.each([
  "SELECT 'on'::state, 'canary-1'",
  "INSERT INTO states SELECT 1, 'on'::text WHERE 'canary-2' <> ''",
  "SELECT 'canary-3' FROM levels, other WHERE level = name",
  "SELECT counts_members(), 'canary-4'",
  "SELECT label(1), 'canary-12'",
  "SELECT label(other), 'canary-13' FROM other",
  "INSERT INTO copied VALUES (1, 'canary-20')",
  "SELECT takes_judged(1), 'canary-17'",
  "SELECT by_default(1), 'canary-18'",
  "SELECT by_like(), 'canary-19'",
  'CREATE OPERATOR ### (function = joins, leftarg = text, rightarg = int) /* canary-14 */',
  'CREATE AGGREGATE joined(int) (sfunc = joins, stype = text) /* canary-15 */',
  'CREATE AGGREGATE joined(int) (sfunc = public.joins, stype = text) /* canary-16 */',
])('refused, and not sent: %s', async (sql) => {
  await expect(client.query(sql)).rejects.toThrow(expect.objectContaining({ code: '0A000' }));
  expect(all.server.log()).not.toContain('canary');
});

test.each([
  "SELECT id, 'canary-5' FROM documents",
  "INSERT INTO documents SELECT 1, 1 WHERE 'canary-6' <> ''",
  "SELECT id, 'canary-7' FROM shown",
  "INSERT INTO inserted SELECT 1, 1 WHERE 'canary-8' <> ''",
  "SELECT id FROM updated WHERE 'canary-9' <> '' FOR UPDATE",
  "DELETE FROM deleted WHERE 'canary-10' <> ''",
])('refused with the way out: %s', async (sql) => {
  const { code, message, hint } = await refusalOf(client, sql);
  expect({ code, message, hint }).toEqual({
    code: '0A000',
    message: expect.stringContaining('runs routine public.is_member,'),
    hint: expect.stringContaining('list'),
  });
  expect(hint).toContain('under allowRoutines if it does not touch sealed columns');
  expect(all.server.log()).not.toContain('canary');
});

test.each([
  ['ALTER TABLE unenforced ENABLE ROW LEVEL SECURITY', 'ALTER TABLE unenforced DISABLE ROW LEVEL SECURITY'],
  ['BEGIN; ALTER TABLE unenforced ENABLE ROW LEVEL SECURITY', 'ROLLBACK'],
])('policies count while row security is enabled: %s', async (enable, disable) => {
  await client.query(enable);
  expect(await refusalOf(client, "SELECT id, 'canary-11' FROM unenforced")).toMatchObject({ code: '0A000' });
  await client.query(disable);
  await client.query('SELECT id FROM unenforced');
  expect(all.server.log()).not.toContain('canary');
});
