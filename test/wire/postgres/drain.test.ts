/** The proxy's end: what becomes of sessions that are idle, in a statement, in a transaction, or in none of ours. */
import { once, type EventEmitter } from 'node:events';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { FakeAnalysis, fakeDatabase } from '../../support/postgres/fake-analysis.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { startTestProxy, type TestProxy } from '../../support/postgres/proxy.ts';
import { untilRuns } from '../../support/postgres/waits.ts';

const LONG_MS = 60_000;

let server: TestPostgres;
let direct: pg.Client;

beforeAll(async () => {
  server = await startPostgres();
  direct = await connectTo(server.url());
  await direct.query('create table kept (id int)');
});
afterAll(async () => {
  await direct.end();
  await server.stop();
});

type Session = { readonly client: pg.Client; readonly ended: Promise<unknown> };

async function session(proxy: TestProxy): Promise<Session> {
  const client = new pg.Client({ connectionString: proxy.url() });
  const ended = once(client, 'error').then(([error]: unknown[]) => error);
  client.on('error', () => undefined);
  await client.connect();
  return { client, ended };
}

describe.each([
  ['on a database with rules', true],
  ['on a database without rules', false],
])('A session %s', (_name, hasRules) => {
  let proxy: TestProxy;

  beforeEach(async () => {
    await direct.query('truncate kept');
    const databases = hasRules ? new Map([['postgres', fakeDatabase(new FakeAnalysis())]]) : new Map<string, never>();
    proxy = await startTestProxy(server, { databases });
  });

  test('that is idle ends at once, as by a server that is shut down', async () => {
    const { client, ended } = await session(proxy);
    await client.query('select 1');
    const closed = proxy.close(LONG_MS);
    expect(await ended).toMatchObject({ code: '57P01', severity: 'FATAL' });
    await closed;
    await expect(session(proxy)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('that runs a statement gets its answer first', async () => {
    const { client, ended } = await session(proxy);
    await direct.query('select pg_advisory_lock(7)');
    const statement = 'select pg_advisory_lock_shared(7), 7 as seven';
    const answer = client.query(statement);
    await untilRuns(server, statement);
    const closed = proxy.close(LONG_MS);
    await direct.query('select pg_advisory_unlock(7)');
    expect((await answer).rows).toMatchObject([{ seven: 7 }]);
    expect(await ended).toMatchObject({ code: '57P01' });
    await closed;
  });

  test('in a transaction may finish it', async () => {
    const { client, ended } = await session(proxy);
    await client.query('begin');
    await client.query('insert into kept values (1)');
    const closed = proxy.close(LONG_MS);
    for (let id = 2; id < 5; id += 1) await client.query('insert into kept values ($1)', [id]);
    await client.query('commit');
    expect(await ended).toMatchObject({ code: '57P01' });
    await closed;
    expect((await direct.query('select count(*)::int as rows from kept')).rows).toEqual([{ rows: 4 }]);
  });

  test('that stays in its transaction is cut off at the deadline, and nothing of it is kept', async () => {
    const { client, ended } = await session(proxy);
    await client.query('begin');
    await client.query('insert into kept values (1)');
    await proxy.close(200);
    await ended;
    expect((await direct.query('select count(*)::int as rows from kept')).rows).toEqual([{ rows: 0 }]);
  });

  test('that has a large result on its way gets all of it', async () => {
    const { client } = await session(proxy);
    const answer = client.query("select repeat('x', 10000) as text from generate_series(1, 3000)");
    // npm pg's inner connection: its first word of the result, of which most is then still on its way.
    const { connection } = client as unknown as { connection: EventEmitter };
    await once(connection, 'rowDescription');
    const closed = proxy.close(LONG_MS);
    expect((await answer).rows).toHaveLength(3000);
    await closed;
  });
});
