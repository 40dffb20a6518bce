/** A client holds a table locked; statements on that table wait, in the proxy's second analysis too. Nobody else waits with them. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { openSealedDatabase, type SealedDatabase, type TestRule } from '../support/sealed-database.ts';

const RULES: readonly TestRule[] = [{ table: 'people', column: 'email', type: 'text', mode: 'deterministic' }];
const DDL = 'CREATE TABLE people (id int, email sealgate.sealed); CREATE TABLE orders (id int)';

/** Until the catalog has to be looked at again. */
const REST_MS = 3_000;

let server: TestPostgres;
let db: SealedDatabase;

beforeAll(async () => {
  server = await startPostgres();
  db = await openSealedDatabase(server, 'sealed', DDL, RULES);
});
afterAll(async () => {
  await db.close();
  await server.stop();
});

async function connected(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: db.url });
  await client.connect();
  return client;
}

test('who asks nothing of the locked table is answered meanwhile', async () => {
  const reader = await connected();
  await reader.query("INSERT INTO people VALUES (1, 'ann@example.org')");
  const read = async (): Promise<unknown> => (await reader.query('SELECT email FROM people')).rows;
  await read();
  await db.direct.query('BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
  const clients = await Promise.all(Array.from({ length: 10 }, connected));
  let done = 0;
  const waiting = clients.map(async (client, index) => {
    const { rows } = await client.query(`SELECT p.email AS "e${index}" FROM people p LEFT JOIN orders o ON true`);
    done += 1;
    return rows.length;
  });
  await sleep(REST_MS);
  expect(await read()).toEqual([{ email: 'ann@example.org' }]);
  expect(done).toBe(0);
  await db.direct.query('ROLLBACK');
  expect(await Promise.all(waiting)).toEqual(clients.map(() => 1));
  await Promise.all([reader, ...clients].map(async (client) => client.end()));
});
