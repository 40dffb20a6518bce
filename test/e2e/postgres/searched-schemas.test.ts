/**
 * What an unqualified name means in a session changes without the session: another client makes, drops or renames a schema of its path, or
 * changes who may use it. Then the name means another table at the server, and must mean it here.
 */
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { openSearchedDatabase, type SearchedDatabase, type TestRule } from '../../support/postgres/sealed-database.ts';

const RULES: readonly TestRule[] = [{ table: 'people', column: 'email', type: 'text', mode: 'deterministic' }];
const DDL = `
CREATE TABLE people (id int, email sealgate.sealed);
CREATE ROLE keeper LOGIN PASSWORD 'keeper';
CREATE ROLE friends;
GRANT ALL ON TABLE people TO keeper;
CREATE SCHEMA plain;
CREATE TABLE plain.people (id int, email text);
GRANT ALL ON TABLE plain.people TO keeper;
CREATE SCHEMA later;
CREATE TABLE later.people (id int, email text);
GRANT USAGE ON SCHEMA later TO keeper;
GRANT ALL ON TABLE later.people TO keeper;
ALTER SCHEMA later RENAME TO not_yet`;

let server: TestPostgres;
let db: SearchedDatabase;

beforeAll(async () => {
  server = await startPostgres();
  db = await openSearchedDatabase(server, 'sealed', DDL, RULES);
});
afterAll(async () => {
  await db.close();
  await server.stop();
});

const CHANGES: readonly (readonly [what: string, there: string, back: string])[] = [
  ['a schema gets a name of the path', 'ALTER SCHEMA not_yet RENAME TO later', 'ALTER SCHEMA later RENAME TO not_yet'],
  ['a role may use a schema', 'GRANT USAGE ON SCHEMA plain TO keeper', 'REVOKE USAGE ON SCHEMA plain FROM keeper'],
  [
    'a role becomes a member of one that may use a schema',
    'GRANT USAGE ON SCHEMA plain TO friends; GRANT friends TO keeper',
    'REVOKE friends FROM keeper; REVOKE USAGE ON SCHEMA plain FROM friends',
  ],
  [
    'a schema that was there is made by another name again',
    'CREATE SCHEMA later; CREATE TABLE later.people (id int, email text); GRANT USAGE ON SCHEMA later TO keeper; GRANT ALL ON later.people TO keeper',
    'DROP SCHEMA later CASCADE',
  ],
];

/** Which table a statement reached: the sealed one has the row 1, the others have none. */
const WAYS: Readonly<Record<string, (client: pg.Client) => Promise<number>>> = {
  'a new statement': async (client) =>
    (await client.query(`SELECT id AS "${(count += 1)}" FROM people`)).rowCount ?? -1,
  'a statement that was planned before': async (client) =>
    (await client.query('SELECT email FROM people')).rowCount ?? -1,
  // What it was prepared for may be gone; then it has to be prepared again, which is said.
  'a prepared statement': async (client) => {
    const query = { name: `prepared`, text: 'SELECT id, email FROM people', values: [] };
    return (
      (
        await client.query(query).catch(async (error: { code?: string }) => {
          expect(error.code).toBe('0A000');
          return client.query({ ...query, name: `again${(count += 1)}` });
        })
      ).rowCount ?? -1
    );
  },
};
let count = 0;

async function reached(client: pg.Client): Promise<Readonly<Record<string, number>>> {
  const found: Record<string, number> = {};
  for (const [name, way] of Object.entries(WAYS)) found[name] = await way(client);
  return found;
}

const everywhere = (rows: number): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.keys(WAYS).map((name) => [name, rows]));

test.each(CHANGES)('%s: names mean the table that they mean at the server from then on', async (_what, there, back) => {
  const client = await connectTo(db.proxy.url('sealed', 'keeper', 'keeper'));
  try {
    await db.direct.query('TRUNCATE people');
    await client.query('SET search_path = later, plain, public');
    await client.query("INSERT INTO people VALUES (1, 'canary-email')");
    expect(await reached(client)).toEqual(everywhere(1));
    await db.direct.query(there);
    db.analyzer.catalogChanged();
    expect(await reached(client)).toEqual(everywhere(0));
    await client.query('DELETE FROM people');
    await db.direct.query(back);
    db.analyzer.catalogChanged();
    expect(await reached(client)).toEqual(everywhere(1));
  } finally {
    await client.end();
  }
});

test('what is written goes where the server would write it', async () => {
  const client = await connectTo(db.proxy.url('sealed', 'keeper', 'keeper'));
  await client.query('SET search_path = later, plain, public');
  await db.direct.query('TRUNCATE people');
  await client.query("INSERT INTO people VALUES (2, 'canary-second')");
  await db.direct.query('GRANT USAGE ON SCHEMA plain TO keeper');
  db.analyzer.catalogChanged();
  await client.query("INSERT INTO people VALUES (3, 'in the open')");
  await client.end();
  expect((await db.direct.query('SELECT id, email FROM plain.people')).rows).toEqual([{ id: 3, email: 'in the open' }]);
  expect((await db.direct.query('SELECT id FROM public.people')).rows).toEqual([{ id: 2 }]);
});
