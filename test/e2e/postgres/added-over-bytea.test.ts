/**
 * Functions, aggregates and operators that somebody has added over bytea, or over the guard's domain: they fit ciphertext better than the server's
 * own would, and where the values are plain they are not called. What is asked here gives on sealed columns what it gives on plain ones.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTwinDatabase, type TwinDatabase } from '../../support/postgres/twin-database.ts';
import { lacking } from '../../support/postgres/versions.ts';

const DDL = (sealed: boolean): string => `
CREATE TABLE people (id int PRIMARY KEY, name text, ssn ${sealed ? 'sealgate.sealed' : 'text'}, note ${sealed ? 'sealgate.sealed' : 'text'});
CREATE TABLE pets (id int PRIMARY KEY, ssn ${sealed ? 'sealgate.sealed' : 'text'});
CREATE FUNCTION hundred(int8, bytea) RETURNS int8 LANGUAGE sql AS 'SELECT $1 + 100';
CREATE AGGREGATE count(bytea) (sfunc = hundred, stype = int8, initcond = '0');
CREATE FUNCTION nothing(bytea, bytea) RETURNS bytea LANGUAGE sql AS 'SELECT NULL::bytea';
CREATE AGGREGATE any_value(bytea) (sfunc = nothing, stype = bytea);
CREATE AGGREGATE first_value(bytea) (sfunc = nothing, stype = bytea);
CREATE AGGREGATE lag(bytea) (sfunc = nothing, stype = bytea);
CREATE FUNCTION no_list(bytea[], bytea) RETURNS bytea[] LANGUAGE sql AS 'SELECT NULL::bytea[]';
CREATE AGGREGATE array_agg(bytea) (sfunc = no_list, stype = bytea[]);
CREATE FUNCTION no_json(json, bytea) RETURNS json LANGUAGE sql AS 'SELECT NULL::json';
CREATE AGGREGATE json_agg(bytea) (sfunc = no_json, stype = json);
CREATE FUNCTION to_json(bytea) RETURNS json LANGUAGE sql AS 'SELECT NULL::json';
CREATE FUNCTION to_json(bytea[]) RETURNS json LANGUAGE sql AS 'SELECT NULL::json';
CREATE FUNCTION json_build_object(text, bytea) RETURNS json LANGUAGE sql AS 'SELECT NULL::json';
CREATE FUNCTION unnest(bytea[]) RETURNS SETOF bytea LANGUAGE sql AS 'SELECT NULL::bytea';
CREATE FUNCTION always(bytea, bytea) RETURNS bool LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR public.= (leftarg = bytea, rightarg = bytea, function = always);
CREATE OPERATOR public.<> (leftarg = bytea, rightarg = bytea, function = always);`;

let all: TwinDatabase;

beforeAll(async () => {
  all = await openTwinDatabase(DDL, [
    { table: 'people', column: 'ssn', type: 'text', mode: 'deterministic', domain: 'ssn' },
    { table: 'people', column: 'note', type: 'text', mode: 'randomized' },
    { table: 'pets', column: 'ssn', type: 'text', mode: 'deterministic', domain: 'ssn' },
  ]);
  for (const on of [all.client, all.twin]) {
    await on.query("INSERT INTO people VALUES (1, 'Ann', 'canary-111', 'n1'), (2, 'Bob', 'canary-222', NULL)");
    await on.query("INSERT INTO pets VALUES (1, 'canary-111')");
  }
});
afterAll(() => all.close());

async function expectSame(sql: string, values: readonly unknown[] = []): Promise<void> {
  const [sealed, plain] = await Promise.all([all.client.query(sql, [...values]), all.twin.query(sql, [...values])]);
  expect(sealed.rows.length).toBeGreaterThan(0);
  expect(sealed.rows).toEqual(plain.rows);
}

test.each<{ sql: string; values?: unknown[] }>([
  { sql: 'SELECT count(ssn), count(note), count(DISTINCT ssn), count (/* all */ people), "count"(ssn) FROM people' },
  { sql: 'SELECT count(ssn) FILTER (WHERE id = 1) OVER () AS n FROM people' },
  { sql: 'SELECT n FROM (SELECT COUNT(ssn) AS n FROM people HAVING count(note) = 1) x' },
  {
    sql: 'SELECT id, lag(ssn) OVER w AS a, first_value(note) OVER w AS b FROM people WINDOW w AS (ORDER BY id) ORDER BY id',
  },
  { sql: 'SELECT array_agg(ssn) AS list, json_agg(note) AS notes FROM people WHERE id = 1' },
  { sql: "SELECT to_json(ssn) AS one, to_json(ARRAY[ssn]) AS list, json_build_object('a', ssn) AS object FROM people" },
  { sql: 'SELECT name FROM people JOIN unnest($1::text[]) AS u ON ssn = u', values: [['canary-111']] },
  { sql: "UPDATE pets SET ssn = u FROM unnest(ARRAY['canary-111', 'canary-333']) AS u WHERE ssn = u RETURNING *" },
  { sql: "SELECT name FROM people WHERE ssn = 'canary-111'" },
  { sql: 'SELECT name FROM people WHERE ssn <> $1', values: ['canary-111'] },
  { sql: "SELECT name FROM people WHERE ssn IN ('canary-111', 'canary-333')" },
  { sql: 'SELECT name FROM people WHERE ssn = ANY ($1)', values: [['canary-222']] },
  { sql: 'SELECT name FROM people JOIN pets USING (ssn)' },
  { sql: 'SELECT name FROM people WHERE ssn NOT IN (SELECT ssn FROM pets)' },
  { sql: "SELECT nullif(ssn, 'canary-111') AS a, ssn IS DISTINCT FROM 'canary-111' AS b FROM people" },
  { sql: "SELECT CASE ssn WHEN 'canary-111' THEN 1 END AS a FROM people" },
  { sql: 'SELECT ssn, count(*) FROM people GROUP BY ssn ORDER BY count(*), min(id)' },
])('exact: $sql', ({ sql, values }) => expectSame(sql, values));

test('exact: any_value()', async ({ skip }) => {
  const without = lacking(16, 'any_value()');
  if (without !== undefined) return skip(without);
  await expectSame('SELECT any_value(note) FROM people WHERE id = 1');
});

test('a view made through the proxy that calls one of them is refused where it is read', async () => {
  await all.client.query('CREATE VIEW counted AS SELECT count(ssn) AS n FROM people');
  await expect(all.client.query('SELECT n FROM counted')).rejects.toMatchObject({ code: '0A000' });
  await all.client.query('DROP VIEW counted');
});

test('while there is an operator over the guard’s domain itself, tables with sealed columns are refused', async () => {
  const sql = "SELECT name FROM people WHERE ssn = 'canary-111'";
  const operand = 'sealgate.sealed';
  await all.db.direct.query(
    `CREATE FUNCTION always(${operand}, ${operand}) RETURNS bool LANGUAGE sql AS 'SELECT true';
     CREATE OPERATOR = (leftarg = ${operand}, rightarg = ${operand}, function = always)`,
  );
  all.db.analyzer.catalogChanged();
  await expect(all.client.query(sql)).rejects.toMatchObject({
    code: '0A000',
    message: expect.stringContaining('over sealgate.sealed'),
  });
  await all.db.direct.query(`DROP OPERATOR = (${operand}, ${operand})`);
  all.db.analyzer.catalogChanged();
  expect((await all.client.query(sql)).rows).toEqual([{ name: 'Ann' }]);
});
