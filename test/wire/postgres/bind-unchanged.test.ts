/** A Bind in which nothing is to be sealed reaches the server byte for byte, whatever its client wrote; one with a sealed value does not. */
import { createServer, connect, type Server } from 'node:net';
import { once } from 'node:events';
import { serialize } from 'pg-protocol';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { encodeBind } from '../../../src/postgres/messages/bind.ts';
import { FakeAnalysis, fakeDatabase } from '../../support/postgres/fake-analysis.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { errorOf, RawClient, startTestProxy, types, type TestProxy } from '../../support/postgres/proxy.ts';

let server: TestPostgres;
let relay: Server;
let proxy: TestProxy;
let direct: pg.Client;
let client: RawClient;
/** What the proxy sent to the server. */
let sent: Buffer[] = [];

beforeAll(async () => {
  server = await startPostgres();
  direct = await connectTo(server.url());
  await direct.query('CREATE TABLE vault (id int, secret bytea)');
  relay = createServer((from) => {
    const to = connect(server.port, server.host);
    from.on('data', (chunk: Buffer) => sent.push(chunk)).pipe(to);
    to.pipe(from);
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      one.on('error', () => undefined);
      one.on('close', () => other.destroy());
    }
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const { port } = relay.address() as { port: number }; // a TCP server's
  proxy = await startTestProxy(
    { ...server, host: '127.0.0.1', port },
    { databases: new Map([['postgres', fakeDatabase(new FakeAnalysis())]]) },
  );
  client = await RawClient.login(proxy.url());
});
afterAll(async () => {
  client.end();
  await proxy.close();
  relay.close();
  await direct.end();
  await server.stop();
});
beforeEach(async () => {
  await direct.query("TRUNCATE vault; INSERT INTO vault VALUES (1, 'SEAL')");
  sent = [];
});

const { parse, sync, execute } = serialize;

/** What the server answers, by types; and whether the Bind came to it as it is here. */
async function run(text: string, bind: Uint8Array): Promise<readonly [answer: string, unchanged: boolean]> {
  client.send(parse({ text }), bind, execute({}), sync());
  const answer = await client.untilReady();
  const error = errorOf(answer);
  return [error['C'] ?? types(answer), Buffer.concat(sent).includes(bind)];
}
const bindOf = (
  values: readonly (string | undefined)[],
  formats: readonly number[] = [],
  resultFormats: readonly number[] = [],
) =>
  encodeBind({
    portal: '',
    statement: '',
    formats,
    resultFormats,
    values: values.map((value) => (value === undefined ? undefined : Buffer.from(value, 'latin1'))),
  });
const INT_1 = '\0\0\0\x01';

test('without sealed values: parameters in either format, NULL, results asked for as the proxy would', async () => {
  expect(await run('UPDATE vault SET id = $1', bindOf([INT_1], [1]))).toEqual(['12CZ', true]);
  expect(await run('UPDATE vault SET id = $1', bindOf(['7'], [0], [0]))).toEqual(['12CZ', true]);
  expect(await run('UPDATE vault SET id = $1', bindOf([undefined]))).toEqual(['12CZ', true]);
  expect(await run('UPDATE vault SET id = $1, secret = $2', bindOf(['7', undefined], [0, 0]))).toEqual(['12CZ', true]);
  await direct.query('DELETE FROM vault');
  expect(await run('SELECT id, secret FROM vault WHERE id = $1', bindOf([INT_1], [1], [1]))).toEqual(['12CZ', true]);
});

test('what the server refuses it refuses itself, and the session goes on', async () => {
  expect(await run('UPDATE vault SET id = $1', bindOf(['7'], [0, 0]))).toEqual(['08P01', true]);
  expect(await run('UPDATE vault SET id = $1', bindOf([], []))).toEqual(['08P01', true]);
  expect(await run('UPDATE vault SET id = $1', bindOf(['\x01'], [1]))).toEqual(['08P01', true]);
  expect(await run('UPDATE vault SET id = $1', bindOf(['7']))).toEqual(['12CZ', true]);
});

test('with a sealed value, or a sealed result in text, it is made anew', async () => {
  expect(await run('UPDATE vault SET id = $1, secret = $2', bindOf(['7', 'CANARY']))).toEqual(['12CZ', false]);
  expect(Buffer.concat(sent).includes('CANARY')).toBe(false);
  await direct.query('DELETE FROM vault');
  expect(await run('SELECT id, secret FROM vault WHERE id = $1', bindOf(['7'], [], [0]))).toEqual(['12CZ', false]);
});
