/**
 * Functions that change the session's settings and are run by what neither a statement nor a routine names: operators that the grammar implies in bodies, headers
 * of routines, rows that are made of JSON, and triggers that wait for the end of the transaction. What follows is read as at a server without the proxy.
 */
import { serialize } from 'pg-protocol';
import { beforeEach, test } from 'vitest';
import { rawTwins } from '../../support/postgres/raw-twins.ts';

const { parse, bind, execute } = serialize;

const OTHERS = String.raw`
CREATE TYPE pair AS (x int, y int);
CREATE TABLE pairs (q pair);
CREATE TABLE others (q pair);
CREATE FUNCTION dmy() RETURNS bool LANGUAGE plpgsql AS $$ BEGIN SET datestyle = 'SQL, DMY'; RETURN true; END $$;
CREATE FUNCTION likes(pair, pair) RETURNS bool LANGUAGE sql AS 'SELECT dmy()';
CREATE FUNCTION ilikes(pair, pair) RETURNS bool LANGUAGE sql AS 'SELECT dmy()';
CREATE FUNCTION differs(pair, pair) RETURNS bool LANGUAGE sql AS 'SELECT dmy()';
CREATE FUNCTION matches(pair, text) RETURNS bool LANGUAGE sql AS 'SELECT dmy()';
CREATE FUNCTION is_less(pair, pair) RETURNS bool LANGUAGE sql AS 'SELECT dmy()';
CREATE OPERATOR ~~ (leftarg = pair, rightarg = pair, function = likes);
CREATE OPERATOR ~~* (leftarg = pair, rightarg = pair, function = ilikes);
CREATE OPERATOR <> (leftarg = pair, rightarg = pair, function = differs);
CREATE OPERATOR ~ (leftarg = pair, rightarg = text, function = matches);
CREATE FUNCTION quietly(pair, pair) RETURNS bool LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR < (leftarg = pair, rightarg = pair, function = quietly);
CREATE OPERATOR > (leftarg = pair, rightarg = pair, function = is_less);
CREATE FUNCTION nothing(text) RETURNS bool LANGUAGE sql AS 'SELECT $1 IS NOT NULL';
CREATE FUNCTION by_like() RETURNS bool LANGUAGE plpgsql AS $$ DECLARE a record; BEGIN SELECT q AS x INTO a FROM pairs LIMIT 1; RETURN a.x LIKE a.x; END $$;
CREATE FUNCTION by_ilike() RETURNS bool LANGUAGE sql AS 'SELECT q ILIKE q FROM pairs';
CREATE FUNCTION by_bang() RETURNS bool LANGUAGE sql AS 'SELECT q != q FROM pairs';
CREATE FUNCTION by_not_in() RETURNS bool LANGUAGE sql AS 'SELECT q NOT IN (q, q) FROM pairs';
CREATE FUNCTION by_similar() RETURNS bool LANGUAGE sql AS 'SELECT q SIMILAR TO ''x'' FROM pairs';
CREATE FUNCTION by_between() RETURNS bool LANGUAGE sql AS 'SELECT q NOT BETWEEN q AND q FROM others';

CREATE DOMAIN checked AS int CHECK (dmy());
CREATE FUNCTION returns_it() RETURNS checked LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION takes_it(checked) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION compiled(checked) RETURNS int LANGUAGE internal IMMUTABLE AS 'int4abs';
CREATE FUNCTION by_default(x int, y bool DEFAULT dmy()) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION compiled_default(x int, y bool DEFAULT dmy()) RETURNS int LANGUAGE internal AS 'int4abs';
CREATE TABLE of_checked (x checked);

CREATE TYPE sorted AS (x int);
CREATE FUNCTION sorted_compares(sorted, sorted) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM set_config('datestyle', 'SQL, DMY', false); RETURN btint4cmp(($1).x, ($2).x); END $$;
CREATE FUNCTION sorted_less(sorted, sorted) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT ($1).x < ($2).x';
CREATE FUNCTION sorted_equal(sorted, sorted) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM set_config('datestyle', 'SQL, DMY', false); RETURN ($1).x = ($2).x; END $$;
CREATE OPERATOR < (leftarg = sorted, rightarg = sorted, function = sorted_less);
CREATE OPERATOR = (leftarg = sorted, rightarg = sorted, function = sorted_equal);
CREATE OPERATOR CLASS sorted DEFAULT FOR TYPE sorted USING btree AS OPERATOR 1 <, OPERATOR 3 =, FUNCTION 1 sorted_compares(sorted, sorted);
CREATE FUNCTION given() RETURNS sorted LANGUAGE sql AS 'SELECT ROW(1)';

CREATE TABLE late (x int);
CREATE FUNCTION late_dmy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SET datestyle = 'SQL, DMY'; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late_dmy();
INSERT INTO pairs VALUES (ROW(1, 2));
INSERT INTO others VALUES (ROW(1, 2));
RESET datestyle;
`;

const table = (born: string): string =>
  `CREATE TABLE people (id int PRIMARY KEY, born ${born});${OTHERS} INSERT INTO of_checked VALUES (1); RESET datestyle;`;
const on = rawTwins({ sealed: table('sealgate.sealed'), plain: table('date') }, [
  { table: 'people', column: 'born', type: 'date', mode: 'deterministic' },
]);
beforeEach(() => on.expectAlike("DELETE FROM people; INSERT INTO people VALUES (1, '2001-02-03')"));

const ADD = "INSERT INTO people VALUES (7, '1/2/2003')";
const ADD8 = "INSERT INTO people VALUES (8, '4/5/2006')";
const STORED = ["SET datestyle = 'ISO, MDY'", 'SELECT id, born FROM people', 'DELETE FROM people WHERE id <> 1'];

test.each([
  'SELECT by_like()',
  'SELECT by_ilike()',
  'SELECT by_bang()',
  'SELECT by_not_in()',
  'SELECT by_between()',
  'SELECT by_similar()',
  'SELECT returns_it()',
  'SELECT takes_it(1)',
  'SELECT compiled(1)',
  'SELECT by_default(1)',
  'SELECT compiled_default(1)',
  'SELECT (greatest(given(), given())).x',
  'SELECT array_position(ARRAY[given()], given())',
  'SELECT (jsonb_populate_record(c, \'{"x": 2}\')).x FROM of_checked c',
  'SELECT x FROM of_checked c, json_populate_recordset(c, \'[{"x": 2}]\') AS r(y)',
])('a date behind it is read as by the server: %s', async (change) => {
  for (const text of [`${change}; ${ADD}`, ...STORED]) await on.expectAlike(text);
  for (const text of ['BEGIN', change, ADD, 'COMMIT', ...STORED]) await on.expectAlike(text);
});

const run = (text: string): Uint8Array[] => [parse({ text }), bind({}), execute({})];

test.each([
  ['INSERT INTO late VALUES (1)', ADD],
  ['BEGIN', 'INSERT INTO late VALUES (1)', 'COMMIT', ADD],
  ['BEGIN', 'INSERT INTO late VALUES (1)', ADD, 'COMMIT', 'INSERT INTO people VALUES (8, $$3/4/2005$$)'],
  ['BEGIN; INSERT INTO late VALUES (1); COMMIT; ' + ADD],
  ['BEGIN', 'INSERT INTO late VALUES (1)', 'SET CONSTRAINTS ALL IMMEDIATE', ADD, 'COMMIT'],
  ['BEGIN; INSERT INTO late VALUES (1); SET CONSTRAINTS t IMMEDIATE; ' + ADD + '; COMMIT'],
  ['BEGIN', 'INSERT INTO late VALUES (1)', ADD8, 'SET CONSTRAINTS ALL IMMEDIATE', ADD, 'COMMIT'],
  ['BEGIN', `INSERT INTO late VALUES (1); ${ADD8}; SET CONSTRAINTS ALL IMMEDIATE; ${ADD}`, 'COMMIT'],
  [`INSERT INTO late VALUES (1); ${ADD8}; SET CONSTRAINTS ALL IMMEDIATE; ${ADD}`],
  ['INSERT INTO late VALUES (1); SELECT 1', ADD],
  ['BEGIN', 'INSERT INTO late VALUES (1)', 'COMMIT AND CHAIN', ADD, 'COMMIT'],
  ['BEGIN', 'SAVEPOINT s', 'INSERT INTO late VALUES (1)', 'RELEASE s', 'COMMIT', ADD],
])('and behind a trigger that waits for the end of the transaction: %s', async (...texts) => {
  for (const text of [...texts, ...STORED]) await on.expectAlike(text);
});

test('in a sequence of the extended protocol', async () => {
  await on.expectSequenceAlike(...run('INSERT INTO late VALUES (1)'), ...run('SELECT 1'));
  for (const text of [ADD, ...STORED]) await on.expectAlike(text);
  await on.expectSequenceAlike(
    ...['BEGIN', 'INSERT INTO late VALUES (1)', ADD8, 'SET CONSTRAINTS ALL IMMEDIATE', ADD, 'COMMIT'].flatMap((text) =>
      run(text),
    ),
  );
  for (const text of STORED) await on.expectAlike(text);
});
