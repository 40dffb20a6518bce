/**
 * Operators that statements use without naming them, of comparisons, joins and sorts, and casts: some that are made of functions which change the session's
 * settings. What follows is read as at a server without the proxy.
 */
import { serialize } from 'pg-protocol';
import { beforeEach, expect, test } from 'vitest';
import { say, shown } from '../../support/postgres/said.ts';
import { rawTwins } from '../../support/postgres/raw-twins.ts';

const { parse, bind, execute } = serialize;

const OTHERS = String.raw`
CREATE FUNCTION dmy() RETURNS int LANGUAGE plpgsql AS $$ BEGIN SET datestyle = 'SQL, DMY'; RETURN 1; END $$;
CREATE TYPE kind AS ENUM ('one', 'two');
CREATE TYPE pair AS (x int, y int);
CREATE FUNCTION pair_dmy(pair, pair) RETURNS bool LANGUAGE sql AS 'SELECT dmy() = 1';
CREATE OPERATOR = (leftarg = pair, rightarg = pair, function = pair_dmy);
CREATE FUNCTION to_pair(kind) RETURNS pair LANGUAGE sql AS 'SELECT dmy(), 2';
CREATE CAST (kind AS pair) WITH FUNCTION to_pair(kind) AS ASSIGNMENT;
CREATE TABLE pairs (p pair);

INSERT INTO pairs VALUES (NULL);
CREATE FUNCTION compares(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM set_config('datestyle', 'SQL, DMY', false); RETURN btint4cmp($1, $2); END $$;
CREATE OPERATOR FAMILY own USING btree;
CREATE OPERATOR CLASS own FOR TYPE int USING btree FAMILY own AS OPERATOR 1 <, OPERATOR 3 =, OPERATOR 5 >, FUNCTION 1 compares(int, int);
CREATE TABLE classed (x int);
CREATE INDEX ON classed (x own);
INSERT INTO classed VALUES (3);
RESET datestyle;
`;

const table = (born: string): string => `CREATE TABLE people (id int PRIMARY KEY, born ${born});${OTHERS}`;
const on = rawTwins({ sealed: table('sealgate.sealed'), plain: table('date') }, [
  { table: 'people', column: 'born', type: 'date', mode: 'deterministic' },
]);
beforeEach(() => on.expectAlike("DELETE FROM people; INSERT INTO people VALUES (1, '2001-02-03')"));

const run = (text: string): Uint8Array[] => [parse({ text }), bind({}), execute({})];
const ADD = "INSERT INTO people VALUES (7, '1/2/2003')";
const STORED = ["SET datestyle = 'ISO, MDY'", 'SELECT id, born FROM people', 'DELETE FROM people WHERE id <> 1'];

test.each([
  'SELECT ROW(1, 2)::pair = ROW(1, 2)::pair',
  'SELECT ROW(1, 2)::pair IN (SELECT ROW(1, 2)::pair)',
  'SELECT NULLIF(ROW(1, 2)::pair, ROW(1, 2)::pair) IS NULL',
  'SELECT CASE ROW(1, 2)::pair WHEN ROW(1, 2)::pair THEN 1 END',
  'SELECT ROW(1, 2)::pair IS DISTINCT FROM ROW(1, 2)::pair',
  'SELECT count(*) FROM pairs JOIN pairs AS q USING (p)',
  'SELECT count(*) FROM pairs NATURAL JOIN pairs AS q',
  "INSERT INTO pairs SELECT 'one'::kind",
  'INSERT INTO classed VALUES (1)',
  "SELECT ('one'::kind)::pair IS NULL",
  "SELECT pair('one'::kind) IS NULL",
  'SELECT x FROM classed ORDER BY x USING <',
])('a date behind it is read as by the server: %s', async (change) => {
  for (const text of [`${change}; ${ADD}`, ...STORED]) await on.expectAlike(text);
  for (const text of ['BEGIN', change, ADD, 'COMMIT', ...STORED]) await on.expectAlike(text);
  await on.expectSequenceAlike(...run(change), ...run(ADD));
  for (const text of STORED) await on.expectAlike(text);
});

test.each([
  'SELECT born FROM people WHERE id = 1',
  'SELECT born FROM people ORDER BY id',
  'SELECT array_agg(born) FROM people GROUP BY id',
  'SELECT born FROM people UNION SELECT born FROM people',
  'SELECT born FROM people JOIN people AS p USING (born)',
  'SELECT born FROM people WHERE id BETWEEN 1 AND 2',
  "SELECT born, ('one'::kind)::pair FROM people",
])('what is printed beside it is refused: %s', async (text) => {
  const [first] = shown(await say(on.sealed, text));
  expect({ text, first }).toEqual({ text, first: expect.stringMatching(/^E ERROR 0A000 .*printed under/) });
  await on.expectAlike('SELECT id, born FROM people');
});
