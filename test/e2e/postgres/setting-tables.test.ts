/**
 * Tables and views whose use changes the session's settings, or the catalog: by what a DEFAULT, a CHECK, a rule, a policy or a view's own query calls. What
 * follows in the same message, sequence or transaction means what it means at a server without the proxy.
 */
import { serialize } from 'pg-protocol';
import { beforeEach, expect, test } from 'vitest';
import { say, shown } from '../../support/postgres/said.ts';
import { rawTwins } from '../../support/postgres/raw-twins.ts';

const { parse, bind, execute } = serialize;

const OTHERS = String.raw`
CREATE SCHEMA other;
CREATE TABLE other.people (id int, born text, photo text, mood text);
CREATE FUNCTION moodt(mood) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'feeling'::text $$;
CREATE FUNCTION dmy() RETURNS int LANGUAGE plpgsql AS $$ BEGIN SET datestyle = 'SQL, DMY'; RETURN 1; END $$;
CREATE FUNCTION escaped() RETURNS int LANGUAGE plpgsql AS $$ BEGIN SET bytea_output = 'escape'; RETURN 1; END $$;
CREATE FUNCTION elsewhere() RETURNS int LANGUAGE plpgsql AS $$ BEGIN SET search_path = other, public; RETURN 1; END $$;
CREATE FUNCTION by_dmy(int, int) RETURNS bool LANGUAGE sql AS 'SELECT dmy() = 1';
CREATE FUNCTION mkcast() RETURNS int LANGUAGE plpgsql AS $$ BEGIN CREATE CAST (mood AS text) WITH FUNCTION moodt(mood); RETURN 1; END $$;
CREATE OPERATOR ##= (leftarg = int, rightarg = int, function = by_dmy);
CREATE DOMAIN dated AS int DEFAULT dmy();
CREATE TABLE by_default (x int DEFAULT dmy(), y int);
CREATE TABLE by_itself (x text DEFAULT set_config('datestyle', 'SQL, DMY', false), y int);
CREATE TABLE by_domain (x dated, y int);
CREATE TABLE by_check (y int CHECK (dmy() = 1));
CREATE TABLE by_operator (y int CHECK (y ##= 1));
CREATE TABLE by_rule (y int);
CREATE RULE r AS ON INSERT TO by_rule DO ALSO SELECT dmy();
CREATE TABLE by_condition (y int);
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER t AFTER INSERT ON by_condition FOR EACH ROW WHEN (NEW.y ##= 1) EXECUTE FUNCTION nothing();
CREATE TABLE by_parent (y int) PARTITION BY LIST (y);
CREATE TABLE by_parent_1 PARTITION OF by_parent (CHECK (dmy() = 1)) FOR VALUES IN (1);
CREATE TABLE owners (y int PRIMARY KEY);
CREATE TABLE owned (y int REFERENCES owners ON DELETE SET DEFAULT, x int DEFAULT 0 CHECK (dmy() = 1));
CREATE TABLE escaping (x int DEFAULT escaped(), y int);
CREATE TABLE moving (x int DEFAULT elsewhere(), y int);
CREATE TABLE moving_check (y int CHECK (elsewhere() = 1));
CREATE TABLE casting (x int DEFAULT mkcast(), y int);
CREATE VIEW shown AS SELECT set_config('bytea_output', 'escape', false) AS x;
CREATE VIEW shown_again AS SELECT x FROM shown;
CREATE VIEW over_default AS SELECT * FROM by_default;
CREATE VIEW over_settings AS SELECT name, setting FROM pg_settings;
CREATE FUNCTION ends_so() RETURNS text LANGUAGE sql AS 'TABLE shown';
CREATE FUNCTION inserts() RETURNS void LANGUAGE sql AS 'INSERT INTO by_default (y) VALUES (1)';
CREATE FUNCTION updates() RETURNS void LANGUAGE sql AS $$ UPDATE pg_settings SET setting = 'SQL, DMY' WHERE name = 'DateStyle' $$;
CREATE TABLE ordinary (id serial, u uuid DEFAULT gen_random_uuid(), at timestamptz DEFAULT now(), n int DEFAULT 1 CHECK (n > 0), who text DEFAULT current_user);
INSERT INTO owners VALUES (1);
`;

const table = (born: string, photo: string, mood: string): string =>
  `CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TABLE people (id int PRIMARY KEY, born ${born}, photo ${photo}, mood ${mood});${OTHERS}`;
const SEALED = 'sealgate.sealed';
const on = rawTwins({ sealed: table(SEALED, SEALED, SEALED), plain: table('date', 'bytea', 'mood') }, [
  { table: 'people', column: 'born', type: 'date', mode: 'deterministic' },
  { table: 'people', column: 'photo', type: 'bytea' },
  { table: 'people', column: 'mood', type: 'public.mood' },
]);
beforeEach(() =>
  on.expectAlike(String.raw`DELETE FROM people; INSERT INTO people VALUES (1, '2001-02-03', '\x0001ff', 'sad')`),
);

const run = (text: string): Uint8Array[] => [parse({ text }), bind({}), execute({})];
const ADD = "INSERT INTO people (id, born) VALUES (7, '1/2/2003')";
const STORED = [
  "SET datestyle = 'ISO, MDY'",
  'SELECT id, born FROM people ORDER BY id',
  'DELETE FROM people WHERE id = 7',
];
const set = (name: string, value: string): string =>
  `UPDATE pg_settings SET setting = '${value}' WHERE name = '${name}'`;

test.each([
  set('DateStyle', 'SQL, DMY'),
  "UPDATE over_settings SET setting = 'SQL, DMY' WHERE name = 'DateStyle'",
  'INSERT INTO by_default (y) VALUES (1)',
  'INSERT INTO by_itself (y) VALUES (1)',
  'INSERT INTO by_domain (y) VALUES (1)',
  'INSERT INTO by_check VALUES (1)',
  'INSERT INTO by_operator VALUES (1)',
  'INSERT INTO by_rule VALUES (1)',
  'INSERT INTO by_condition VALUES (1)',
  'INSERT INTO by_parent VALUES (1)',
  'INSERT INTO owned VALUES (1); DELETE FROM owners; INSERT INTO owners VALUES (1)',
  'INSERT INTO over_default (y) VALUES (1)',
  'WITH i AS (INSERT INTO by_default (y) VALUES (1) RETURNING y) SELECT y FROM i',
  'SELECT inserts()',
  'SELECT updates()',
  "DO $$ BEGIN PERFORM set_config('datestyle', 'SQL, DMY', false); END $$",
  "DO $$ DECLARE s text := 'datestyle'; BEGIN PERFORM pg_catalog.set_config(s, 'SQL, DMY', false); END $$",
  "DO $$ BEGIN SET datestyle = 'SQL, DMY'; END $$",
])('a date behind it is read as by the server: %s', async (change) => {
  for (const text of [`${change}; ${ADD}`, ...STORED]) await on.expectAlike(text);
  for (const text of ['BEGIN', change, ADD, 'COMMIT', ...STORED]) await on.expectAlike(text);
  if (change.includes(';')) return;
  await on.expectSequenceAlike(...run(change), ...run(ADD));
  for (const text of STORED) await on.expectAlike(text);
  const prepared = parse({ name: 'x', text: 'INSERT INTO people (id, born) VALUES (7, $1)' });
  await on.expectSequenceAlike(prepared);
  await on.expectSequenceAlike(...run(change), bind({ statement: 'x', values: ['1/2/2003'] }), execute({}));
  for (const text of STORED) await on.expectAlike(text);
});

test.each([
  set('bytea_output', 'escape'),
  'INSERT INTO escaping (y) VALUES (1)',
  'SELECT * FROM shown',
  'TABLE shown_again',
  'SELECT ends_so()',
  'EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT * FROM shown',
])('bytes behind it are printed as by the server: %s', async (change) => {
  for (const text of ['SELECT photo FROM people', change, 'SELECT photo FROM people']) await on.expectAlike(text);
  await on.expectAlike('RESET ALL');
  for (const text of [
    `PREPARE p AS ${change.replace(/^EXPLAIN \([^)]*\) /, '')}`,
    'SELECT photo FROM people',
    'EXECUTE p',
  ])
    await on.expectAlike(text);
  await on.expectAlike('SELECT photo FROM people');
});

test.each([
  set('search_path', 'other, public'),
  'INSERT INTO moving (y) VALUES (1)',
  'INSERT INTO moving_check VALUES (1)',
  "DO $$ BEGIN PERFORM set_config('search_path', 'other, public', false); END $$",
])('names behind it are what they are to the server: %s', async (change) => {
  const add = "INSERT INTO people (id, born) VALUES (7, '2009-09-09')";
  const [here, there] = ['SELECT id, born FROM public.people ORDER BY id', 'SELECT id, born FROM other.people'];
  for (const text of [change, add, here, there, 'DELETE FROM other.people', 'RESET ALL']) await on.expectAlike(text);
  for (const text of [`${change}; ${add}`, here, there, 'DELETE FROM other.people']) await on.expectAlike(text);
});

test('what goes back to the sealed table by it is sealed', async () => {
  await on.expectAlike('SET search_path = other, public');
  await on.expectAlike(`${set('search_path', 'public')}; INSERT INTO people (id, born) VALUES (7, '2010-10-10')`);
  await on.expectAlike('SELECT id, born FROM people ORDER BY id');
  expect((await on.db.direct.query('SELECT * FROM other.people')).rows).toEqual([]);
});

test.each([
  "DO $$ BEGIN PERFORM set_config('app.tenant', '7', false); END $$",
  "DO $$ BEGIN PERFORM set_config('bytea_output', 'escape', false); UPDATE ordinary SET n = 2; END $$",
])('a block that sets is no statement on sealed columns: %s', async (block) => {
  const shownNow = ["SELECT current_setting('app.tenant', true)", 'SELECT photo FROM people'];
  for (const text of [block, ...shownNow, 'RESET ALL', `${block}; SELECT photo FROM people`])
    await on.expectAlike(text);
  await on.expectSequenceAlike(...run(block), ...run('SELECT photo FROM people'));
});

test.each(['INSERT INTO casting (y) VALUES (1)', 'SELECT mkcast()'])(
  'a cast that is added by it is not missed: %s',
  async (change) => {
    const cast = 'SELECT array_agg(mood::text) FROM people WHERE id = 1';
    for (const first of ['SELECT 1', 'CREATE TABLE made (id int)']) {
      for (const text of ['BEGIN', first, change]) await on.expectAlike(text);
      expect(shown(await say(on.sealed, cast)).join()).toContain('0A000');
      await say(on.twin, 'ROLLBACK');
      await say(on.sealed, 'ROLLBACK');
    }
    await on.expectAlike('BEGIN');
    expect(shown(await say(on.sealed, `${change}; ${cast}`)).join()).toContain('0A000');
    await say(on.sealed, 'ROLLBACK');
    await say(on.twin, 'ROLLBACK');
    await on.expectAlike(cast);
  },
);

test.each([
  'INSERT INTO ordinary DEFAULT VALUES',
  'UPDATE ordinary SET n = n + 1',
  'DELETE FROM ordinary WHERE n = 1',
  "SELECT setting FROM pg_settings WHERE name = 'search_path'",
])('an ordinary statement goes on without being looked at: %s', (sql) => {
  expect(on.db.analyzer.mayConcern(sql)).toBe(false);
});
