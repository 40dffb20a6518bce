/**
 * Nobody has asked the proxy anything for a while, so it has not looked at the catalog; meanwhile another client gives sealed columns a new
 * name. The first statement under that name carries nothing there in clear.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { startLoggedPostgres, type LoggedPostgres } from '../../support/postgres/logged-postgres.ts';
import { openSearchedDatabase, type SearchedDatabase, type TestRule } from '../../support/postgres/sealed-database.ts';

const RULES: readonly TestRule[] = [{ table: 'people', column: 'email', type: 'text', mode: 'deterministic' }];
const DDL = `
CREATE TABLE people (id int, email sealgate.sealed);
CREATE TABLE entries (id int, email text);
CREATE VIEW inbox AS SELECT id, email FROM entries`;

/** Longer than a catalog that was looked at is taken for the present one, and than two polls. */
const REST_MS = 5_000;

let server: LoggedPostgres;
let db: SearchedDatabase;

beforeAll(async () => {
  server = await startLoggedPostgres();
  db = await openSearchedDatabase(server, 'sealed', DDL, RULES);
});
afterAll(async () => {
  await db.close();
  await server.stop();
});

const connected = (): Promise<pg.Client> => connectTo(db.url);

test('a view that was made meanwhile is one over sealed columns to the first statement on it', async () => {
  const client = await connected();
  await client.query('SELECT 1');
  await sleep(REST_MS);
  await db.direct.query('CREATE VIEW someone AS SELECT id, email FROM people');
  await client.query("INSERT INTO someone VALUES (1, 'canary-of-a-view')");
  expect((await client.query('SELECT email FROM someone')).rows).toEqual([{ email: 'canary-of-a-view' }]);
  await client.end();
});

test('so is a view that was put in the place of a plain one, to what was prepared on that', async () => {
  const client = await connected();
  const query = { name: 'before', text: 'INSERT INTO inbox VALUES ($1, $2)' };
  await client.query({ ...query, values: ['2', 'in the open'] });
  await sleep(REST_MS);
  await db.direct.query('DROP VIEW inbox; CREATE VIEW inbox AS SELECT id, email FROM people');
  await expect(client.query({ ...query, values: ['3', 'canary-prepared-before'] })).rejects.toThrow(
    expect.objectContaining({ code: '0A000' }),
  );
  await client.query({ ...query, name: 'after', values: ['3', 'canary-prepared-after'] });
  await client.end();
  expect(server.log()).toContain('in the open');
  expect(server.log()).not.toContain('canary');
});

test('many sessions that begin again together, in pieces of messages too, wait for one look and lose nothing', async () => {
  const clients = await Promise.all(Array.from({ length: 20 }, connected));
  await sleep(REST_MS);
  await db.direct.query('CREATE VIEW everyone AS SELECT id, email FROM people');
  const asked = clients.map(async (client, index) => {
    const long = 'x'.repeat(index % 2 === 0 ? 10 : 200_000);
    expect((await client.query('SELECT $1::text AS long', [long])).rows).toEqual([{ long }]);
    await client.query(`INSERT INTO everyone VALUES (${100 + index}, 'canary-of-many-${index}')`);
    const found = await client.query('SELECT email FROM everyone WHERE id = $1', [100 + index]);
    expect(found.rows).toEqual([{ email: `canary-of-many-${index}` }]);
    await client.end();
  });
  await Promise.all(asked);
  expect(server.log()).not.toContain('canary');
});
