/**
 * A client holds a table locked; statements on that table wait at the server, each in its own session, as without the proxy. Nobody else waits with
 * them, and the proxy's own connections wait for none.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { openSearchedDatabase, type SearchedDatabase, type TestRule } from '../../support/postgres/sealed-database.ts';
import { lacking } from '../../support/postgres/versions.ts';

const RULES: readonly TestRule[] = [{ table: 'people', column: 'email', type: 'text', mode: 'deterministic' }];
/** The server knows what these name. */
const NO_BODIES = lacking(14, 'routines whose bodies are kept parsed');
const DDL = `CREATE TABLE people (id int, email sealgate.sealed);
  CREATE TYPE mood AS ENUM ('good', 'bad');
  CREATE TABLE orders (id int PRIMARY KEY, who text, state mood);
  CREATE TABLE other (id int);
  CREATE VIEW plain_view AS SELECT id, who FROM orders;
  CREATE VIEW both_view AS SELECT p.email, o.who FROM people p LEFT JOIN orders o USING (id);
  ${NO_BODIES === undefined ? 'CREATE FUNCTION orders_of(int) RETURNS SETOF int LANGUAGE sql BEGIN ATOMIC SELECT id FROM orders WHERE id = $1; END;' : ''}
  CREATE FUNCTION who(orders) RETURNS text LANGUAGE sql AS 'SELECT $1.who'`;

/** Until the catalog has to be looked at again. */
const REST_MS = 3_000;

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

afterEach(() => db.direct.query('ROLLBACK'));

const connected = (): Promise<pg.Client> => connectTo(db.url);

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

test('a statement that is canceled while the proxy asks for the settings ahead of it is told so, and was not run', async () => {
  const client = await connected();
  await client.query("INSERT INTO people VALUES (1, 'ann@example.org')");
  await client.query("SET statement_timeout = '500ms'");
  // The question reads it.
  await db.direct.query('BEGIN; LOCK TABLE pg_catalog.pg_type IN ACCESS EXCLUSIVE MODE');
  await expect(client.query("UPDATE people SET email = 'gone@example.org'")).rejects.toMatchObject({
    code: '57014',
    message: 'canceling statement due to statement timeout',
    routine: 'ERR_POSTGRES_CANCELED',
  });
  await db.direct.query('ROLLBACK');
  const { rows } = await client.query('SELECT DISTINCT email FROM people');
  expect(rows).toEqual([{ email: 'ann@example.org' }]);
  await client.end();
});

/** How many of the proxy's own connections wait for a lock, and how many of clients. */
async function waiting(): Promise<{ readonly own: number; readonly clients: number }> {
  const { rows } = await db.direct.query<{ own: number; clients: number }>(
    `SELECT count(*) FILTER (WHERE application_name = 'sealgate')::int AS own,
            count(*) FILTER (WHERE application_name <> 'sealgate')::int AS clients
     FROM pg_stat_activity WHERE wait_event_type = 'Lock'`,
  );
  return rows[0] ?? { own: -1, clients: -1 };
}

async function untilWaiting(clients: number): Promise<void> {
  while ((await waiting()).clients < clients) await sleep(20);
}

const LOCK = 'BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE';
/** That a stand-in is made for. */
const NAMING = [
  'SELECT p.email FROM people p JOIN orders o USING (id)',
  'SELECT p.email FROM people p JOIN plain_view o USING (id)',
  "INSERT INTO orders SELECT id, 'x', 'good' FROM people WHERE email = 'ann@example.org' ON CONFLICT (id) DO NOTHING",
  "UPDATE people SET email = 'bob@example.org' FROM orders o WHERE o.id = people.id AND o.state = 'bad'",
  'DELETE FROM orders USING people WHERE people.id = orders.id RETURNING email, orders',
];

test('only those wait that name the locked table, and they wait at the server', async () => {
  const clients = await Promise.all(
    NAMING.flatMap((sql) => [sql, sql]).map(async (sql) => [await connected(), sql] as const),
  );
  await db.direct.query(LOCK);
  const answers = clients.map(([client, sql], index) => client.query(`/* ${index} */ ${sql} /* ${index} */`));
  await untilWaiting(clients.length);
  expect(await waiting()).toEqual({ own: 0, clients: clients.length });
  const others = await Promise.all(Array.from({ length: 6 }, connected));
  const read = others.map((client, index) =>
    client.query(`SELECT email AS "f${index}" FROM people LEFT JOIN other ON true`),
  );
  await Promise.all(read);
  await db.direct.query('ROLLBACK');
  await Promise.all(answers);
  await Promise.all([...others, ...clients.map(([client]) => client)].map(async (client) => client.end()));
});

test('the client’s own timeouts hold, and its own lock is nothing to wait for', async () => {
  const client = await connected();
  await db.direct.query(LOCK);
  await client.query("SET lock_timeout = '200ms'");
  await expect(client.query('SELECT email AS a FROM people JOIN orders USING (id)')).rejects.toMatchObject({
    code: '55P03',
    message: 'canceling statement due to lock timeout',
  });
  await client.query("RESET lock_timeout; SET statement_timeout = '300ms'");
  await expect(client.query('SELECT email AS b FROM people JOIN orders USING (id)')).rejects.toMatchObject({
    code: '57014',
    message: 'canceling statement due to statement timeout',
  });
  await client.query('RESET statement_timeout');
  await db.direct.query('ROLLBACK');
  await client.query(LOCK);
  await client.query('SELECT email AS c FROM people JOIN orders USING (id)');
  expect((await waiting()).own).toBe(0);
  await client.query('ROLLBACK');
  await client.end();
});

test('what no stand-in can be made for waits a few at a time, and others are planned meanwhile', async () => {
  const clients = await Promise.all(Array.from({ length: 6 }, connected));
  await db.direct.query(LOCK);
  const answers = clients.map((client, index) =>
    client.query(`SELECT p.email AS "g${index}", who(o) FROM people p JOIN orders o USING (id)`),
  );
  while ((await waiting()).own < 2) await sleep(20);
  const other = await connected();
  await other.query('SELECT email AS h FROM people LEFT JOIN other ON true');
  expect((await waiting()).own).toBeLessThanOrEqual(2);
  await db.direct.query('ROLLBACK');
  await Promise.all(answers);
  await Promise.all([other, ...clients].map(async (client) => client.end()));
});

test('the catalog is read although what views and routines name is locked; only these wait, or are refused', async ({
  skip,
}) => {
  if (NO_BODIES !== undefined) return skip(NO_BODIES);
  const client = await connected();
  await client.query('SELECT email FROM both_view');
  await db.direct.query(LOCK);
  // Which has it read anew.
  await db.direct.query('CREATE TABLE more (id int)');
  const changer = await connectTo(server.url('sealed'));
  await changer.query('CREATE TABLE unlike (id int)');
  await sleep(REST_MS);
  expect((await client.query('SELECT email AS i FROM people')).rows).not.toEqual([]);
  expect((await waiting()).own).toBe(0);
  await expect(client.query('SELECT email AS j FROM both_view')).rejects.toMatchObject({ code: '55P03' });
  await expect(client.query('SELECT email, orders_of(1) FROM people')).rejects.toMatchObject({ code: '0A000' });
  await db.direct.query('ROLLBACK');
  await sleep(REST_MS);
  expect((await client.query('SELECT email AS k FROM both_view')).rows).not.toEqual([]);
  await client.query('SELECT email, orders_of(1) FROM people');
  await changer.query('DROP TABLE unlike');
  await Promise.all([changer.end(), client.end()]);
});
