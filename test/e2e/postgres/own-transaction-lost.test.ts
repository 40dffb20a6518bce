/** A server's connection that is lost while the transaction in it is being asked: what the proxy holds on its behalf is free again. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { serialize } from 'pg-protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { RawClient, types } from '../../support/postgres/proxy.ts';
import { openSearchedDatabase, type SearchedDatabase } from '../../support/postgres/sealed-database.ts';

let server: TestPostgres;
let db: SearchedDatabase;
/** Between proxy and server. */
let relay: Server;
const relayed: { readonly near: Socket; readonly far: Socket }[] = [];

beforeAll(async () => {
  server = await startPostgres();
  relay = createServer((near) => {
    const far = connect(server.port, server.host);
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.pipe(far);
    far.pipe(near);
    relayed.push({ near, far });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => relay.once('listening', resolve));
  const { port } = relay.address() as AddressInfo;
  const rule = { table: 'made', column: 'mail', type: 'text' } as const;
  db = await openSearchedDatabase({ ...server, host: '127.0.0.1', port }, 'sealed', 'SELECT', [rule]);
});
afterAll(async () => {
  await db.close();
  relay.close();
  await server.stop();
});

/** Asks until there is a row. */
async function seen(sql: string): Promise<void> {
  while ((await db.direct.query(sql)).rows.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
}

const BINDING =
  "SELECT pid FROM pg_locks WHERE relation = 'sealgate.columns'::regclass AND pid <> pg_backend_pid() AND mode = 'ShareRowExclusiveLock'";

test('a connection that is lost amid the binding of its new table leaves no lock behind', async () => {
  const client = await RawClient.login(db.url);
  const ours = relayed.at(-1);
  client.send(serialize.query('BEGIN'), serialize.query('CREATE TABLE made (id int, mail text)'));
  await client.untilReady(2);
  await db.direct.query('BEGIN; LOCK TABLE sealgate.columns IN SHARE ROW EXCLUSIVE MODE');
  client.send(serialize.query("INSERT INTO made VALUES (1, 'canary')"));
  // The proxy waits for us; what it asks next gets no answer.
  await seen(`${BINDING} AND NOT granted`);
  ours?.far.unpipe();
  await db.direct.query('COMMIT');
  await seen(
    `SELECT pid FROM pg_stat_activity WHERE state = 'idle in transaction' AND pid IN (${BINDING} AND granted)`,
  );
  ours?.near.destroy();
  ours?.far.destroy();
  await db.direct.query("BEGIN; SET LOCAL lock_timeout = '100s'; LOCK TABLE sealgate.columns; COMMIT");
  client.end();
  const again = await RawClient.login(db.url);
  again.send(serialize.query('CREATE TABLE made (id int, mail text)'));
  expect(types(await again.untilReady())).toBe('CZ');
  again.send(serialize.query("INSERT INTO made VALUES (1, 'canary')"));
  expect(types(await again.untilReady())).toBe('CZ');
  again.end();
});
