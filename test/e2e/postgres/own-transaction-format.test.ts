/** Format-preserving columns in the transaction that makes them: nothing in a stored value says that it is sealed. */
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { openSearchedDatabase, type SearchedDatabase } from '../../support/postgres/sealed-database.ts';

const FORMAT = { alphabet: 'digits', keepFirst: 0, keepLast: 0, generation: 1 } as const;

let server: TestPostgres;
let db: SearchedDatabase;
let client: pg.Client;

beforeAll(async () => {
  server = await startPostgres();
  const rule = { column: 'num', type: 'text', mode: 'deterministic', guard: false, format: FORMAT } as const;
  db = await openSearchedDatabase(server, 'sealed', 'CREATE TABLE grown (id int)', [
    { ...rule, table: 'grown' },
    { ...rule, table: 'made' },
  ]);
  client = await connectTo(db.url);
});
afterAll(async () => {
  await client.end();
  await db.close();
  await server.stop();
});

test('a table that is made can be used at once', async () => {
  await client.query('BEGIN');
  await client.query('CREATE TABLE made (id int, num text)');
  await client.query("INSERT INTO made VALUES (1, '123456')");
  expect((await client.query('SELECT num FROM made')).rows).toEqual([{ num: '123456' }]);
  await client.query('COMMIT');
  expect((await client.query('SELECT num FROM made')).rows).toEqual([{ num: '123456' }]);
  expect((await db.direct.query('SELECT num FROM made')).rows).not.toEqual([{ num: '123456' }]);
});

test('a column that was added and rolled back is not the one that has its place later', async () => {
  await client.query('BEGIN');
  await client.query('ALTER TABLE grown ADD COLUMN num text');
  await expect(client.query("INSERT INTO grown VALUES (1, '123456')")).rejects.toMatchObject({ code: '0A000' });
  await client.query('ROLLBACK');
  await db.direct.query("ALTER TABLE grown ADD COLUMN num text; INSERT INTO grown VALUES (7, '777777')");
  const again = await connectTo(db.url);
  await expect(again.query('SELECT num FROM grown')).rejects.toMatchObject({ code: '0A000' });
  await again.end();
});

test('an added column can be used once it is committed', async () => {
  await db.direct.query('DROP TABLE grown; CREATE TABLE grown (id int)');
  await client.query('ALTER TABLE grown ADD COLUMN num text');
  await client.query("INSERT INTO grown VALUES (1, '123456')");
  expect((await client.query('SELECT num FROM grown')).rows).toEqual([{ num: '123456' }]);
});
