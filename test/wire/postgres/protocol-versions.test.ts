/** Protocol 3.2 and what comes after it: long cancel keys, NegotiateProtocolVersion; and messages that come at any time, from a real server. */
import { readFile, writeFile } from 'node:fs/promises';
import type pg from 'pg';
import { serialize } from 'pg-protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { encodeStartup } from '../../../src/postgres/messages/startup.ts';
import { FakeAnalysis, fakeDatabase } from '../../support/postgres/fake-analysis.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import {
  errorOf,
  RawClient,
  startTestProxy,
  types,
  type RawMessage,
  type TestProxy,
} from '../../support/postgres/proxy.ts';
import { lacking } from '../../support/postgres/versions.ts';
import { reloadConfig, untilRuns } from '../../support/postgres/waits.ts';

let server: TestPostgres;
let direct: pg.Client;

beforeAll(async () => {
  server = await startPostgres();
  direct = await connectTo(server.url());
  await direct.query("SET password_encryption = 'md5'; CREATE ROLE walker LOGIN PASSWORD 'walk'");
  await direct.query('CREATE TABLE vault (id int, secret bytea); GRANT ALL ON vault TO walker');
  const hba = `${server.dataDirectory}/pg_hba.conf`;
  await writeFile(hba, `host all walker all password\n${await readFile(hba, 'utf8')}`);
  await reloadConfig(server);
});
afterAll(async () => {
  await direct.end();
  await server.stop();
});

const NO_LATER = lacking(18, 'protocol 3.2');

type Opened = { readonly client: RawClient; readonly messages: readonly RawMessage[] };

async function open(
  proxy: TestProxy,
  minor: number,
  more: readonly (readonly [string, string])[] = [],
): Promise<Opened> {
  const client = await RawClient.connect(proxy.port);
  client.send(encodeStartup(minor, new Map([['user', 'walker'], ['database', 'postgres'], ...more])));
  const messages: RawMessage[] = [];
  for (;;) {
    const message = await client.message();
    if (message === undefined) return { client, messages };
    messages.push(message);
    if (message.type === 'R' && message.body.readInt32BE(0) === 3) client.send(serialize.password('walk'));
    if (message.type === 'Z') return { client, messages };
  }
}

const keyOf = (messages: readonly RawMessage[]): Buffer =>
  messages.find(({ type }) => type === 'K')?.body ?? Buffer.alloc(0);

function cancelWith(key: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + key.length, 0);
  head.writeUInt32BE(80877102, 4);
  return Buffer.concat([head, key]);
}

describe.each([
  ['with rules', true],
  ['without rules', false],
])('on a database %s', (_name, hasRules) => {
  const withProxy = async (work: (proxy: TestProxy) => Promise<void>): Promise<void> => {
    const databases = hasRules ? new Map([['postgres', fakeDatabase(new FakeAnalysis())]]) : new Map<string, never>();
    const proxy = await startTestProxy(server, { databases });
    await work(proxy).finally(() => proxy.close());
  };

  test.for([
    [0, 8],
    [2, 36],
  ] as const)('a client of 3.%i has a key of %i bytes, with which it cancels', async ([minor, length], { skip }) => {
    if (minor > 0 && NO_LATER !== undefined) return skip(NO_LATER);
    await withProxy(async (proxy) => {
      const { client, messages } = await open(proxy, minor);
      const key = keyOf(messages);
      expect(key).toHaveLength(length);
      client.send(serialize.query('SELECT pg_sleep(30)'));
      await untilRuns(server, 'SELECT pg_sleep(30)');
      const canceller = await RawClient.connect(proxy.port);
      canceller.send(cancelWith(key));
      expect(await canceller.untilClosed()).toEqual([]);
      expect(errorOf(await client.untilReady())).toMatchObject({ C: '57014' });
      client.end();
    });
  });

  test('what the server does not know of a later version it says, and the session goes on', async ({ skip }) => {
    if (NO_LATER !== undefined) return skip(NO_LATER);
    await withProxy(async (proxy) => {
      const { client, messages } = await open(proxy, 9, [['_pq_.nobody_knows', 'x']]);
      const said = messages.find(({ type }) => type === 'v');
      expect(said?.body.readInt32BE(0)).toBe(0x30002);
      expect(said?.body.toString()).toContain('_pq_.nobody_knows');
      client.send(serialize.query('SELECT 1'));
      expect(types(await client.untilReady())).toBe('TDCZ');
      client.end();
    });
  });

  test('notifications come while nothing is asked, notices within an answer', async () => {
    await withProxy(async (proxy) => {
      const { client } = await open(proxy, 0);
      client.send(serialize.query('LISTEN bell'));
      await client.untilReady();
      await direct.query("NOTIFY bell, 'rings'");
      const rung = await client.message();
      expect([rung?.type, rung?.body.toString()]).toEqual(['A', expect.stringContaining('bell\0rings')]);
      client.send(serialize.query("DO $$ BEGIN RAISE NOTICE 'look'; END $$"));
      expect(types(await client.untilReady())).toBe('NCZ');
      client.end();
    });
  });

  test.each([
    ['an option without a name', '-c ='],
    ['an option that never ends', `-c ${'x'.repeat(9000)}`],
    ['a hostile search_path', '-c search_path=evil,pg_catalog -c client_min_messages=panic'],
  ])('%s in the startup packet is the server’s business, and ends or passes', async (_title, options) => {
    await withProxy(async (proxy) => {
      const { client, messages } = await open(proxy, 0, [['options', options]]);
      expect(types(messages)).toMatch(/^RR(?:.*Z|E)$/);
      client.end();
      const { messages: next } = await open(proxy, 0);
      expect(types(next)).toMatch(/Z$/);
    });
  });

  test('the same bytes in pieces of every size give the same answers', async () => {
    await withProxy(async (proxy) => {
      const pipeline = Buffer.concat([
        serialize.query("INSERT INTO vault VALUES (1, 'one'); SELECT 1"),
        serialize.parse({ name: 's', text: 'SELECT id, secret FROM vault WHERE id = $1', types: [] }),
        serialize.bind({ portal: 'p', statement: 's', values: ['1'] }),
        serialize.describe({ type: 'P', name: 'p' }),
        serialize.execute({ portal: 'p', rows: 0 }),
        serialize.flush(),
        serialize.close({ type: 'S', name: 's' }),
        serialize.sync(),
        serialize.parse({ text: 'SELECT 1/0' }),
        serialize.bind({}),
        serialize.execute({}),
        serialize.query('SELECT 2'),
        serialize.sync(),
        serialize.query('TRUNCATE vault'),
      ]);
      const answers = async (size: number): Promise<string> => {
        const { client } = await open(proxy, 0);
        for (let at = 0; at < pipeline.length; at += size) {
          client.socket.write(pipeline.subarray(at, at + size));
          await new Promise((resolve) => setImmediate(resolve));
        }
        const said = await client.untilReady(4);
        client.end();
        return said.map(({ type, body }) => `${type} ${body.toString('hex')}`).join('\n');
      };
      const whole = await answers(pipeline.length);
      for (const size of [1, 2, 3, 4, 5, 6, 7, 11, 64]) expect(await answers(size)).toBe(whole);
    });
  });
});
