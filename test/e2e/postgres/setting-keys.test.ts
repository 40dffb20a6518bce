/**
 * Functions that change the session's settings and are run by what no statement names: operator classes of partition keys, ranges, multiranges and types,
 * and triggers to which a TRUNCATE ... CASCADE comes. What follows is read as at a server without the proxy.
 */
import { beforeEach, test } from 'vitest';
import { since } from '../../support/postgres/versions.ts';
import { rawTwins } from '../../support/postgres/raw-twins.ts';

const OTHERS = String.raw`
CREATE FUNCTION compares(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM set_config('datestyle', 'SQL, DMY', false); RETURN btint4cmp($1, $2); END $$;
CREATE OPERATOR CLASS own FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 compares(int, int);
CREATE TABLE parted (x int) PARTITION BY RANGE (x own);
CREATE TABLE parted_one PARTITION OF parted FOR VALUES FROM (0) TO (5);
CREATE TABLE parted_two PARTITION OF parted FOR VALUES FROM (5) TO (10);
CREATE TYPE ranged AS RANGE (subtype = int, subtype_opclass = own);
CREATE TABLE ranges (r ranged);
INSERT INTO ranges VALUES ('[1,3)');
CREATE FUNCTION is_set(int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN SET datestyle = 'SQL, DMY'; RETURN true; END $$;
CREATE DOMAIN checked AS int CHECK (is_set(VALUE));
CREATE TYPE of_domains AS RANGE (subtype = checked);
CREATE TYPE pair AS (x int, y int);
CREATE FUNCTION pair_compares(pair, pair) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM set_config('datestyle', 'SQL, DMY', false); RETURN btint4cmp(($1).x, ($2).x); END $$;
CREATE FUNCTION pair_less(pair, pair) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT ($1).x < ($2).x';
CREATE FUNCTION pair_equal(pair, pair) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT ($1).x = ($2).x';
CREATE OPERATOR < (leftarg = pair, rightarg = pair, function = pair_less);
CREATE OPERATOR = (leftarg = pair, rightarg = pair, function = pair_equal);
CREATE OPERATOR CLASS pairs DEFAULT FOR TYPE pair USING btree AS OPERATOR 1 <, OPERATOR 3 =, FUNCTION 1 pair_compares(pair, pair);
CREATE TABLE pairs (p pair, q pair);
INSERT INTO pairs VALUES (ROW(1, 2), ROW(2, 3));
CREATE TABLE top (id int PRIMARY KEY);
CREATE TABLE middle (id int PRIMARY KEY REFERENCES top);
CREATE TABLE low (id int REFERENCES middle);
CREATE FUNCTION dmy_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SET datestyle = 'SQL, DMY'; RETURN NULL; END $$;
CREATE TRIGGER t BEFORE TRUNCATE ON low EXECUTE FUNCTION dmy_trigger();
RESET datestyle;
`;

const table = (born: string): string => `CREATE TABLE people (id int PRIMARY KEY, born ${born});${OTHERS}`;
const on = rawTwins({ sealed: table('sealgate.sealed'), plain: table('date') }, [
  { table: 'people', column: 'born', type: 'date', mode: 'deterministic' },
]);
beforeEach(() => on.expectAlike("DELETE FROM people; INSERT INTO people VALUES (1, '2001-02-03')"));

const ADD = "INSERT INTO people VALUES (7, '1/2/2003')";
const STORED = ["SET datestyle = 'ISO, MDY'", 'SELECT id, born FROM people', 'DELETE FROM people WHERE id <> 1'];

test.each([
  'INSERT INTO parted VALUES (1)',
  'INSERT INTO parted SELECT 7',
  'SELECT x FROM parted WHERE x BETWEEN 1 AND 2',
  "SELECT '[1,3)'::ranged IS NULL",
  'SELECT ranged(1, 3) IS NULL',
  "INSERT INTO ranges VALUES ('[1,3)')",
  ...since(
    14,
    "SELECT '{[1,3),[5,6)}'::multiranged IS NULL",
    "SELECT '{[1,3)}'::of_domains_multirange IS NULL",
    'SELECT of_domains(1, 2) IS NULL',
  ),
  'SELECT r @> 2 FROM ranges',
  'SELECT (greatest(p, q)).x FROM pairs',
  'SELECT greatest(ROW(1, 2)::pair, ROW(2, 3)::pair) IS NULL',
  'TRUNCATE top CASCADE',
  'TRUNCATE middle CASCADE',
])('a date behind it is read as by the server: %s', async (change) => {
  for (const text of [`${change}; ${ADD}`, ...STORED]) await on.expectAlike(text);
  for (const text of ['BEGIN', change, ADD, 'COMMIT', ...STORED]) await on.expectAlike(text);
});
