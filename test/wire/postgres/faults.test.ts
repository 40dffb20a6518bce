/**
 * The server or the client goes away at every message boundary, and within a message: nobody waits for ever, no socket and no session of the
 * server is left behind, what the client is told is a connection failure, and what it was told is done is done.
 */
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import type { PostgresProxyOptions } from '../../../src/postgres/options.ts';
import { FakeAnalysis, fakeDatabase } from '../../support/postgres/fake-analysis.ts';
import { startCuttingRelay, type Cut, type CuttingRelay, type Direction } from '../../support/cutting-relay.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { startTestProxy, type TestProxy } from '../../support/postgres/proxy.ts';

let server: TestPostgres;
let direct: pg.Client;

beforeAll(async () => {
  server = await startPostgres();
  direct = await connectTo(server.url());
  await direct.query('CREATE TABLE vault (id int, secret bytea); CREATE TABLE open (id int)');
});
afterAll(async () => {
  await direct.end();
  await server.stop();
});
beforeEach(async () => {
  await direct.query('TRUNCATE vault, open');
});

const TIMEOUT = Symbol('timeout');
/** Far more than any of it takes: reached only by what would wait for ever. */
const FOR_EVER_MS = 90_000;

async function inTime<Value>(work: Promise<Value>): Promise<Value | typeof TIMEOUT> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<typeof TIMEOUT>((resolve) => (timer = setTimeout(resolve, FOR_EVER_MS, TIMEOUT)));
  const value = await Promise.race([work, late]);
  clearTimeout(timer);
  return value;
}

const COMMITTED = 'committed';

/** A session of many kinds of messages; what went wrong first, and which of its steps were answered. */
async function session(url: string): Promise<{ error: (Error & { code?: string }) | undefined; done: string[] }> {
  const client = new pg.Client({ connectionString: `${url}?application_name=faults` });
  const done: string[] = [];
  let lost: Error | undefined;
  client.on('error', (error) => (lost ??= error));
  try {
    await client.connect();
    await client.query("INSERT INTO vault VALUES (1, 'one')");
    done.push(COMMITTED);
    await client.query('SELECT id, secret FROM vault WHERE id = $1', [1]);
    await client.query('SELECT 1; SELECT generate_series(1, 3)');
    await client.query('BEGIN');
    await client.query('INSERT INTO vault VALUES ($1, $2)', [2, 'two']);
    await client.query('SELECT 1/0').catch(notWithinStatement);
    await client.query('REFUSE this').catch(notWithinStatement);
    await client.query('ROLLBACK');
    await client.query('SET search_path = public');
    await client.query("INSERT INTO vault VALUES (3, 'three'); SELECT id, secret FROM vault");
    done.push('all');
    await client.end();
    return { error: lost, done };
  } catch (error) {
    await client.end().catch(() => undefined);
    return { error: error as Error, done };
  }
}

/** The errors that the session means to meet. */
function notWithinStatement(error: Error & { code?: string }): void {
  if (!['22012', '0A000', '25P02', '42601'].includes(error.code ?? '')) throw error;
}

type Chain = {
  readonly outer: CuttingRelay;
  readonly inner: CuttingRelay;
  readonly proxy: TestProxy;
  readonly url: string;
};

/** client, relay, proxy, relay, server. */
async function withChain(hasRules: boolean, work: (chain: Chain) => Promise<void>): Promise<void> {
  const inner = await startCuttingRelay(server.port);
  const databases: PostgresProxyOptions['databases'] = hasRules
    ? new Map([['postgres', fakeDatabase(new FakeAnalysis())]])
    : new Map();
  const upstream = { servers: [{ host: '127.0.0.1', port: inner.port }], tls: { mode: 'disable' } } as const;
  const proxy = await startTestProxy(server, { databases, upstream });
  const outer = await startCuttingRelay(proxy.port);
  const url = `postgres://${server.superuser}:${server.password}@127.0.0.1:${outer.port}/postgres`;
  try {
    await work({ outer, inner, proxy, url });
  } finally {
    await Promise.all([outer.close(), proxy.close(), inner.close()]);
  }
}

/** Where the connection may be cut: after each message of either direction. */
async function boundaries(
  { inner, outer, url }: Chain,
  at: 'inner' | 'outer',
): Promise<readonly (readonly [Direction, number])[]> {
  expect(await inTime(session(url))).toMatchObject({ error: undefined });
  const { counts } = at === 'inner' ? inner : outer;
  return (['frontend', 'backend'] as const).flatMap((direction) =>
    Array.from({ length: counts[direction] }, (_, after) => [direction, after] as const),
  );
}

async function nothingIsLeft({ proxy, inner, outer }: Chain): Promise<void> {
  await expect
    .poll(() => [proxy.connections, inner.openSockets(), outer.openSockets()], { timeout: FOR_EVER_MS })
    .toEqual([0, 0, 0]);
}

async function noSessionIsLeft(): Promise<void> {
  const left = async () =>
    (await direct.query("SELECT 1 FROM pg_stat_activity WHERE application_name = 'faults'")).rowCount;
  await expect.poll(left, { timeout: FOR_EVER_MS }).toBe(0);
}

/** What drivers say of a connection that broke; or the proxy's own words, FATAL and of class 08. */
function isConnectionFailure(error: (Error & { code?: string }) | undefined): boolean {
  if (error === undefined) return false;
  return /^(08...|57P01|ECONNRESET|EPIPE)$/.test(error.code ?? '') || /terminated|not queryable/i.test(error.message);
}

async function cutEverywhere(chain: Chain, at: 'inner' | 'outer', how: Cut['how']): Promise<void> {
  for (const [direction, after] of await boundaries(chain, at)) {
    await direct.query('TRUNCATE vault');
    const relay = chain[at];
    relay.cut = { direction, after, how };
    const place = `${at} ${direction} ${after} ${how}`;
    const outcome = await inTime(session(chain.url));
    relay.cut = undefined;
    if (outcome === TIMEOUT) throw new Error(`${place}: the client waits for ever`);
    const { error, done } = outcome;
    if (!done.includes('all'))
      expect([place, isConnectionFailure(error), error?.message]).toEqual([place, true, error?.message]);
    await nothingIsLeft(chain);
    const { rows } = await direct.query<{ id: number }>('SELECT id FROM vault ORDER BY id');
    // Never half a transaction; and what was said to be committed is.
    expect(rows.map(({ id }) => id)).not.toContain(2);
    if (done.includes(COMMITTED)) expect(rows[0]?.id).toBe(1);
  }
  await noSessionIsLeft();
}

describe.each([
  ['with rules', true],
  ['without rules', false],
])('on a database %s', (_name, hasRules) => {
  test.each(['end', 'reset', 'torn'] as const)(
    'the server goes away: %s',
    async (how) => {
      await withChain(hasRules, (chain) => cutEverywhere(chain, 'inner', how));
    },
    300_000,
  );

  test.each(['end', 'reset', 'torn'] as const)(
    'the client goes away: %s',
    async (how) => {
      await withChain(hasRules, (chain) => cutEverywhere(chain, 'outer', how));
    },
    300_000,
  );

  test('the client is told by SQLSTATE that it was the server, between two statements and within one', async () => {
    await withChain(hasRules, async ({ url, proxy }) => {
      const client = new pg.Client({ connectionString: `${url}?application_name=faults` });
      const told = new Promise<Error>((resolve) => client.on('error', resolve));
      await client.connect();
      await client.query('SELECT 1');
      await direct.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'faults'");
      // The server's own words come through, and no others after them.
      expect(await told).toMatchObject({ code: '57P01' });
      await expect.poll(() => proxy.connections).toBe(0);
    });
  });
});

test('a server that goes without a word: FATAL 08006 in its place, once, at a message boundary', async () => {
  await withChain(true, async ({ url, inner }) => {
    inner.cut = { direction: 'frontend', after: 5, how: 'reset' };
    const client = new pg.Client({ connectionString: url });
    const errors: (Error & { code?: string })[] = [];
    client.on('error', (error) => errors.push(error));
    await client.connect();
    await client.query('SELECT 1');
    // A driver tells it to the statement that is under way, or where there is none to whoever listens.
    await client
      .query('SELECT 2')
      .then(() => client.query('SELECT 3'))
      .catch((error: Error) => errors.push(error));
    const told = errors.filter(({ code }) => code !== undefined);
    expect(told).toMatchObject([{ code: '08006', severity: 'FATAL', routine: 'ERR_POSTGRES_UPSTREAM_CLOSED' }]);
  });
});
