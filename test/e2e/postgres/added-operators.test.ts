/**
 * Operators and functions that somebody has added to the database and that fit the logical types of sealed columns better than the server's own:
 * a plain table would be searched with them, and ciphertext cannot be.
 */
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { openSearchedDatabase, type SearchedDatabase, type TestRule } from '../../support/postgres/sealed-database.ts';

const RULES: readonly TestRule[] = [
  { table: 'people', column: 'email', type: 'varchar(40)', mode: 'deterministic' },
  { table: 'people', column: 'ssn', type: 'text', mode: 'deterministic' },
  { table: 'people', column: 'mood', type: 'public.mood' },
  { table: 'people', column: 'token', type: 'uuid' },
  { table: 'people', column: 'level', type: 'int4' },
  { table: 'people', column: 'bytes', type: 'bytea' },
];
const DDL = `
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE people (id int, name text, email sealgate.sealed, ssn sealgate.sealed, mood sealgate.sealed, token sealgate.sealed, level sealgate.sealed, bytes sealgate.sealed);
CREATE FUNCTION never(varchar, varchar) RETURNS bool LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR = (leftarg = varchar, rightarg = varchar, function = never);
CREATE OPERATOR <> (leftarg = varchar, rightarg = varchar, function = never);
CREATE FUNCTION likes(point, point) RETURNS bool LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR = (leftarg = point, rightarg = point, function = likes);
CREATE FUNCTION to_json(varchar) RETURNS json LANGUAGE sql AS $$ SELECT '1'::json $$;
CREATE FUNCTION doubled(x int) RETURNS int LANGUAGE sql AS 'SELECT x * 2'`;

let server: TestPostgres;
let db: SearchedDatabase;
let client: pg.Client;

beforeAll(async () => {
  server = await startPostgres();
  db = await openSearchedDatabase(server, 'sealed', DDL, RULES);
  client = await connectTo(db.url);
  await client.query(
    "INSERT INTO people VALUES (1, 'Ann', 'ann@example.org', '111', 'glad', '00000000-0000-4000-8000-000000000001')",
  );
});
afterAll(async () => {
  await client.end();
  await db.close();
  await server.stop();
});

test.each([
  "SELECT id FROM people WHERE email = 'ann@example.org'::varchar",
  "SELECT id FROM people WHERE email <> 'ann@example.org'",
  "SELECT id FROM people WHERE email IN ('ann@example.org')",
  "SELECT id FROM people WHERE email = ANY ('{ann@example.org}')",
  'SELECT id FROM people WHERE email IN (SELECT email FROM people)',
  'SELECT count(*) FROM people a JOIN people b USING (email)',
  'SELECT NULLIF(email, email) FROM people',
  "SELECT email IS DISTINCT FROM 'ann@example.org' FROM people",
  "SELECT CASE email WHEN 'ann@example.org' THEN 1 END FROM people",
  "UPDATE people SET name = 'Bob' WHERE email = 'ann@example.org'",
  'SELECT to_json(email) FROM people',
])('refused, since another operator or function would be called: %s', async (sql) => {
  await expect(client.query(sql)).rejects.toThrow(
    expect.objectContaining({
      code: '0A000',
      routine: 'ERR_POSTGRES_DISAGREEMENT',
      hint: expect.stringContaining('pg_catalog.'),
    }),
  );
});

test.each([
  ["SELECT id FROM people WHERE email OPERATOR(pg_catalog.=) 'ann@example.org'", [{ id: 1 }]],
  ["SELECT id FROM people WHERE ssn = '111'", [{ id: 1 }]],
  ["SELECT doubled(id) AS id FROM people WHERE ssn = '111' AND point(1, 2) = point(3, 4)", [{ id: 2 }]],
  ['SELECT count(email)::int AS id FROM people', [{ id: 1 }]],
  ['SELECT pg_catalog.to_json(ssn) AS id FROM people', [{ id: '111' }]],
])('exact, since they call the server’s own: %s', async (sql, rows) => {
  expect((await client.query(sql)).rows).toEqual(rows);
});

test('one that is added later is found by what was planned before', async () => {
  const sql = "SELECT id FROM people WHERE ssn = '111'::text";
  expect((await client.query(sql)).rows).toEqual([{ id: 1 }]);
  await db.direct.query(
    "CREATE SCHEMA more; CREATE FUNCTION more.never(text, text) RETURNS bool LANGUAGE sql AS 'SELECT false'; CREATE FUNCTION more.text_eq(text, varchar) RETURNS bool LANGUAGE sql AS 'SELECT false'",
  );
  await db.direct.query('CREATE OPERATOR more.= (leftarg = text, rightarg = varchar, function = more.text_eq)');
  db.analyzer.catalogChanged();
  await client.query('SET search_path = public, more');
  expect((await client.query(sql)).rows).toEqual([{ id: 1 }]);
  await expect(client.query("SELECT id FROM people WHERE ssn = '111'::varchar")).rejects.toThrow(
    expect.objectContaining({ code: '0A000' }),
  );
  await client.query('RESET search_path');
});

test('a cast to text that is added later is found, also by what was planned before', async () => {
  const [mood, token] = ['SELECT mood::text AS m FROM people', 'SELECT token::text AS t FROM people'];
  expect((await client.query(mood)).rows).toEqual([{ m: 'glad' }]);
  await client.query('BEGIN');
  await client.query('CREATE TABLE other (id int)');
  expect((await client.query(mood)).rows).toEqual([{ m: 'glad' }]);
  await client.query("CREATE FUNCTION loud(mood) RETURNS text LANGUAGE sql AS $$ SELECT 'loud' $$");
  await client.query('CREATE CAST (mood AS text) WITH FUNCTION loud(mood)');
  await expect(client.query(mood)).rejects.toMatchObject({ code: '0A000' });
  await client.query('ROLLBACK');
  expect((await client.query(mood)).rows).toEqual([{ m: 'glad' }]);
  await db.direct.query("CREATE FUNCTION loud(mood) RETURNS text LANGUAGE sql AS $$ SELECT 'loud' $$");
  expect((await client.query(mood)).rows).toEqual([{ m: 'glad' }]);
  await db.direct.query('CREATE CAST (mood AS text) WITH FUNCTION loud(mood)');
  db.analyzer.catalogChanged();
  await expect(client.query(mood)).rejects.toMatchObject({ code: '0A000', routine: 'ERR_POSTGRES_DISAGREEMENT' });
  expect((await client.query(token)).rows).toEqual([{ t: '00000000-0000-4000-8000-000000000001' }]);
});

test.each(['text', 'varchar'])(
  "an added cast to %s that calls one of the server's own functions is found as well",
  async (type) => {
    const [level, token] = [`SELECT level::${type} AS l FROM people`, `SELECT token::${type} AS t FROM people`];
    await client.query('UPDATE people SET level = 255');
    expect((await client.query(level)).rows).toEqual([{ l: '255' }]);
    await db.direct.query(`CREATE CAST (int4 AS ${type}) WITH FUNCTION pg_catalog.to_hex(int4)`);
    expect((await db.direct.query(`SELECT 255::${type} AS l`)).rows).toEqual([{ l: 'ff' }]);
    db.analyzer.catalogChanged();
    await expect(client.query(level)).rejects.toMatchObject({ code: '0A000', routine: 'ERR_POSTGRES_DISAGREEMENT' });
    expect((await client.query(token)).rows).toEqual([{ t: '00000000-0000-4000-8000-000000000001' }]);
    await db.direct.query(`DROP CAST (int4 AS ${type})`);
    db.analyzer.catalogChanged();
    expect((await client.query(level)).rows).toEqual([{ l: '255' }]);
  },
);

test('an added cast to text that calls nothing is found, within the transaction that adds it as well', async () => {
  const [bytes, level] = ['SELECT bytes::text AS b FROM people', 'SELECT level::text AS l FROM people'];
  const cast = 'CREATE CAST (bytea AS text) WITHOUT FUNCTION';
  await client.query(String.raw`UPDATE people SET level = 255, bytes = '\x6162'`);
  expect((await client.query(bytes)).rows).toEqual([{ b: String.raw`\x6162` }]);
  await client.query('BEGIN');
  await client.query(cast);
  await expect(client.query(bytes)).rejects.toMatchObject({ code: '0A000' });
  await client.query('ROLLBACK');
  await db.direct.query(cast);
  expect((await db.direct.query(String.raw`SELECT '\x6162'::bytea::text AS b`)).rows).toEqual([{ b: 'ab' }]);
  db.analyzer.catalogChanged();
  await expect(client.query(bytes)).rejects.toMatchObject({ code: '0A000', routine: 'ERR_POSTGRES_DISAGREEMENT' });
  expect((await client.query(level)).rows).toEqual([{ l: '255' }]);
  await db.direct.query('DROP CAST (bytea AS text)');
  await db.direct.query('CREATE CAST (bytea AS text) WITH INOUT');
  db.analyzer.catalogChanged();
  expect((await client.query(bytes)).rows).toEqual([{ b: String.raw`\x6162` }]);
});
