/**
 * Operators, casts, domains and operator classes that are made of functions which change the session's settings: what is printed beside them is refused, and
 * what follows is read and printed as at a server without the proxy.
 */
import { serialize } from 'pg-protocol';
import { beforeEach, expect, test } from 'vitest';
import { copyIn } from '../../support/postgres/copy.ts';
import { say, shown } from '../../support/postgres/said.ts';
import { rawTwins } from '../../support/postgres/raw-twins.ts';

const { parse, bind, execute } = serialize;

const OTHERS = String.raw`
CREATE FUNCTION dmy() RETURNS int LANGUAGE plpgsql AS $$ BEGIN SET datestyle = 'SQL, DMY'; RETURN 1; END $$;
CREATE FUNCTION by_dmy(int, int) RETURNS bool LANGUAGE sql AS 'SELECT dmy() = 1';
CREATE FUNCTION quiet(int, int) RETURNS bool LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR ##= (leftarg = int, rightarg = int, function = by_dmy);
CREATE OPERATOR @@@@ (leftarg = int, rightarg = int, function = quiet);
CREATE FUNCTION uses_it() RETURNS bool LANGUAGE sql AS 'SELECT 1 ##= 1';
CREATE VIEW seen AS SELECT 1 ##= 1 AS x;

CREATE FUNCTION checks(int) RETURNS bool LANGUAGE sql AS 'SELECT dmy() = 1';
CREATE DOMAIN checked AS int CHECK (checks(VALUE));
CREATE DOMAIN checked_again AS checked;
CREATE DOMAIN by_operator AS int CHECK (VALUE ##= 1);
CREATE DOMAIN by_itself AS text CHECK (set_config('datestyle', 'SQL, DMY', false) IS NOT NULL);
CREATE TYPE with_checked AS (x int, y checked);
CREATE TABLE of_domain (x checked, born_not int);
CREATE TABLE of_domains (x checked_again[]);
CREATE TABLE of_composite (x with_checked);
CREATE TABLE of_itself (x by_itself);

CREATE FUNCTION immutably(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM set_config('datestyle', 'SQL, DMY', false); RETURN 1; END $$;
CREATE TABLE indexed (x int);
CREATE INDEX ON indexed (immutably(x));
CREATE TABLE partly (x int);
CREATE INDEX ON partly (x) WHERE immutably(x) = 1;
CREATE TABLE parted (x int) PARTITION BY RANGE (immutably(x));
CREATE TABLE parted_1 PARTITION OF parted DEFAULT;

RESET datestyle;
`;

const table = (born: string): string => `CREATE TABLE people (id int PRIMARY KEY, n int, born ${born});${OTHERS}`;
const on = rawTwins({ sealed: table('sealgate.sealed'), plain: table('date') }, [
  { table: 'people', column: 'born', type: 'date', mode: 'deterministic' },
]);
beforeEach(() =>
  on.expectAlike("DELETE FROM people; INSERT INTO people VALUES (1, 1, '2001-02-03'), (2, 2, '2001-03-04')"),
);

const run = (text: string): Uint8Array[] => [parse({ text }), bind({}), execute({})];
const ADD = "INSERT INTO people (id, born) VALUES (7, '1/2/2003')";
const STORED = [
  "SET datestyle = 'ISO, MDY'",
  'SELECT id, born FROM people ORDER BY id',
  'DELETE FROM people WHERE id = 7',
];

test.each([
  'SELECT 1 ##= 1',
  'SELECT 1 OPERATOR(public.##=) 1',
  'SELECT 1 ##= ANY (ARRAY[1])',
  'SELECT 1 ##= ALL (SELECT 1)',
  'SELECT uses_it()',
  'SELECT * FROM seen',
  'SELECT 1::checked',
  'SELECT 1::checked_again',
  "SELECT '{1}'::checked_again[] IS NULL",
  "SELECT '(1,1)'::with_checked IS NULL",
  'SELECT 1::by_operator',
  "SELECT 'x'::by_itself",
  'INSERT INTO of_domain VALUES (1)',
  "INSERT INTO of_domains VALUES ('{1}')",
  "INSERT INTO of_composite VALUES ('(1,1)')",
  "INSERT INTO of_itself VALUES ('x')",
  'INSERT INTO indexed VALUES (1)',
  'INSERT INTO partly VALUES (1)',
  'INSERT INTO parted VALUES (1)',
])('a date behind it is read as by the server: %s', async (change) => {
  for (const text of [`${change}; ${ADD}`, ...STORED]) await on.expectAlike(text);
  for (const text of ['BEGIN', change, ADD, 'COMMIT', ...STORED]) await on.expectAlike(text);
  await on.expectSequenceAlike(...run(change), ...run(ADD));
  for (const text of STORED) await on.expectAlike(text);
});

/** The proxy refuses what the server prints. */
async function expectRefused(text: string): Promise<void> {
  const [first] = shown(await say(on.sealed, text));
  expect({ text, first }).toEqual({ text, first: expect.stringMatching(/^E ERROR 0A000 .*(?:printed|read) under/) });
}

test.each([
  'SELECT born, n ##= 1 FROM people ORDER BY id',
  'SELECT born FROM people WHERE n OPERATOR(public.##=) 1',
  'SELECT born FROM people WHERE n ##= ANY (ARRAY[1])',
  'SELECT born FROM people WHERE n ##= ANY (SELECT 1)',
  'SELECT array_agg(born) FROM people WHERE 1 ##= n',
  'SELECT born FROM people, seen',
  'SELECT born, n::checked FROM people',
  'SELECT born, checked(n) FROM people',
  'COPY (SELECT born, n ##= 1 FROM people) TO STDOUT',
  'DECLARE c CURSOR WITH HOLD FOR SELECT born, n ##= 1 FROM people',
])('what is printed beside it is refused: %s', async (text) => {
  await expectRefused(text);
  await on.expectAlike('SELECT id, born FROM people ORDER BY id');
});

test.each([
  'SELECT born, n @@@@ 1 FROM people ORDER BY id',
  'SELECT born, n + 1 FROM people WHERE n < 2 ORDER BY id',
  'SELECT id, n ##= 1 FROM people ORDER BY id',
  "UPDATE people SET born = '2001-05-06' WHERE n ##= 1",
])('what prints nothing of it, or sets nothing, is answered: %s', async (text) => {
  await on.expectAlike(text);
  await on.expectAlike('SELECT id, born FROM people ORDER BY id');
});

test('COPY FROM whose rows would be read under what a condition sets', async () => {
  await expectRefused('COPY people (id, born) FROM STDIN WHERE id ##= 1');
  expect(await copyIn(on.sealed, 'COPY people (id, n) FROM STDIN WHERE id ##= 1', '8\t1\n')).toEqual(
    await copyIn(on.twin, 'COPY people (id, n) FROM STDIN WHERE id ##= 1', '8\t1\n'),
  );
});
