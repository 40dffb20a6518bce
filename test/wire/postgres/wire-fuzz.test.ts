/**
 * Whatever bytes come from either side after login: the proxy answers or ends that connection, never hangs, never takes others with it, and
 * never lets go of what the rules seal. Seeded, so that a finding can be had again.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type pg from 'pg';
import { serialize } from 'pg-protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { encodeStartup } from '../../../src/postgres/messages/startup.ts';
import type { ProtectedDatabase } from '../../../src/postgres/options.ts';
import { FakeAnalysis, fakeDatabase } from '../../support/postgres/fake-analysis.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { drawing, drawn, type Draw } from '../../support/seeded.ts';
import { RawClient, startTestProxy, type RawMessage, type TestProxy } from '../../support/postgres/proxy.ts';

const rules = (): ReadonlyMap<string, ProtectedDatabase> => new Map([['postgres', fakeDatabase(new FakeAnalysis())]]);
const FOR_EVER_MS = 90_000;
const SEEDS = Array.from({ length: 8 }, (_, seed) => seed + 1);
const ROUNDS = 60;

/** Bytes changed, cut out, doubled; lengths that lie. */
function damaged(draw: Draw, frame: Buffer): Buffer {
  const bytes = Buffer.from(frame);
  switch (draw(6)) {
    case 0:
      bytes[draw(bytes.length)] = draw(256);
      return bytes;
    case 1:
      return bytes.subarray(0, draw(bytes.length));
    case 2:
      if (bytes.length >= 5)
        bytes.writeUInt32BE(drawn(draw, [0, 3, 4, 5, 0x7fffffff, 0x80000000, 0xffffffff, draw(64)]), 1);
      return bytes;
    case 3:
      return Buffer.concat([bytes, bytes]);
    case 4:
      return Buffer.concat([
        bytes.subarray(0, draw(bytes.length)),
        Buffer.of(0, draw(256)),
        bytes.subarray(draw(bytes.length)),
      ]);
    default:
      return bytes;
  }
}

let server: TestPostgres;
let direct: pg.Client;

beforeAll(async () => {
  server = await startPostgres();
  direct = await connectTo(server.url());
  await direct.query(
    "CREATE TABLE vault (id int, secret bytea CHECK (substr(secret, 1, 4) = 'SEAL')); CREATE TABLE open (id int, note text)",
  );
});
afterAll(async () => {
  await direct.end();
  await server.stop();
});

/** Sessions that ended by what the proxy did not expect; a statement that was refused since its session made no sense is none. */
const bugs = ({ log }: TestProxy): TestProxy['log'] =>
  log.filter(({ level, fields }) => level === 'error' && fields['code'] === 'ERR_POSTGRES_INTERNAL');

const CANARY = 'canary-of-the-wire';

const FRONTEND: readonly [(draw: Draw) => Buffer, ...((draw: Draw) => Buffer)[]] = [
  () => serialize.query(`INSERT INTO vault VALUES (1, '${CANARY}')`),
  () => serialize.query('SELECT id, secret FROM vault; SELECT 1'),
  () => serialize.query('BEGIN'),
  () => serialize.query('ROLLBACK'),
  () => serialize.query('REFUSE'),
  () => serialize.query('COPY open FROM STDIN'),
  () => serialize.copyData(Buffer.from('1\tx\n')),
  () => serialize.copyDone(),
  () => serialize.copyFail('no'),
  (draw) => serialize.parse({ name: drawn(draw, ['', 's', 't']), text: 'INSERT INTO vault VALUES ($1, $2)' }),
  (draw) => serialize.parse({ name: drawn(draw, ['', 's', 't']), text: 'SELECT id, secret FROM vault' }),
  (draw) =>
    serialize.bind({ statement: drawn(draw, ['', 's', 't']), portal: drawn(draw, ['', 'p']), values: ['2', CANARY] }),
  (draw) => serialize.bind({ statement: drawn(draw, ['', 's', 't']), portal: drawn(draw, ['', 'p']) }),
  (draw) => serialize.describe({ type: drawn(draw, ['S', 'P']), name: drawn(draw, ['', 's', 'p']) }),
  (draw) => serialize.execute({ portal: drawn(draw, ['', 'p']), rows: draw(3) }),
  (draw) => serialize.close({ type: drawn(draw, ['S', 'P']), name: drawn(draw, ['', 's', 'p']) }),
  () => serialize.flush(),
  () => serialize.sync(),
  () => serialize.sync(),
  (draw) => Buffer.from(Array.from({ length: draw(30) }, () => draw(256))),
];

async function closedInTime(client: RawClient): Promise<readonly RawMessage[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('waits for ever')), FOR_EVER_MS);
  });
  return Promise.race([client.untilClosed(), late]).finally(() => clearTimeout(timer));
}

test.each(SEEDS)('a client that sends anything, seed %i: an answer or an end, and no value in clear', async (seed) => {
  const draw = drawing(seed);
  const proxy = await startTestProxy(server, { databases: rules() });
  for (let round = 0; round < ROUNDS; round += 1) {
    const client = await RawClient.login(proxy.url());
    const frames = Array.from({ length: 1 + draw(12) }, () => {
      const frame = drawn(draw, FRONTEND)(draw);
      return draw(4) === 0 && frame.length > 0 ? damaged(draw, frame) : frame;
    });
    client.send(...frames);
    // A half message is waited for by right: the end of the client's side ends that.
    client.socket.end();
    await closedInTime(client).catch((error: unknown) => {
      throw new Error(`round ${round}: ${frames.map((sent) => JSON.stringify(sent.toString('latin1'))).join(' ')}`, {
        cause: error,
      });
    });
  }
  await expect.poll(() => proxy.connections, { timeout: FOR_EVER_MS }).toBe(0);
  expect(bugs(proxy)).toEqual([]);
  await proxy.close();
  const { rows } = await direct.query<{ text: string }>("SELECT convert_from(secret, 'LATIN1') AS text FROM vault");
  for (const { text } of rows) expect(text).not.toContain(CANARY);
  await direct.query('TRUNCATE vault, open');
});

const frame = (type: string, ...body: readonly (Buffer | string)[]): Buffer => {
  const bytes = Buffer.concat(body.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  const head = Buffer.alloc(5);
  head.write(type, 0);
  head.writeUInt32BE(bytes.length + 4, 1);
  return Buffer.concat([head, bytes]);
};
const WELCOME = Buffer.concat([
  frame('R', Buffer.of(0, 0, 0, 0)),
  frame('S', 'server_version\x0018.0\0'),
  frame('K', Buffer.alloc(8, 1)),
  frame('Z', 'I'),
]);
const COLUMN = Buffer.concat([
  Buffer.from('secret\0'),
  Buffer.of(0, 0, 0, 1, 0, 2, 0, 0, 0, 17, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0),
]);

const BACKEND: readonly [(draw: Draw) => Buffer, ...((draw: Draw) => Buffer)[]] = [
  () => frame('1'),
  () => frame('2'),
  () => frame('3'),
  () => frame('C', 'INSERT 0 1\0'),
  () => frame('D', Buffer.of(0, 1, 0, 0, 0, 5), 'SEALx'),
  () => frame('D', Buffer.of(0, 2, 0, 0, 0, 1), '1', Buffer.of(0xff, 0xff, 0xff, 0xff)),
  () => frame('E', 'SERROR\0C42601\0Mno\0\0'),
  // What some servers get wrong: no SQLSTATE.
  () => frame('E', 'Mno\0\0'),
  () => frame('E', 'SFATAL\0VFATAL\0C57P01\0Mgo\0\0'),
  () => frame('G', Buffer.of(0, 0, 0)),
  () => frame('H', Buffer.of(0, 0, 0)),
  () => frame('I'),
  () => frame('N', 'SNOTICE\0C00000\0Mlook\0\0'),
  () => frame('T', Buffer.of(0, 1), COLUMN),
  () => frame('n'),
  () => frame('s'),
  () => frame('t', Buffer.of(0, 0)),
  () => frame('A', Buffer.of(0, 0, 0, 1), 'bell\0x\0'),
  () => frame('S', 'TimeZone\0UTC\0'),
  (draw) => frame('Z', drawn(draw, ['I', 'T', 'E', 'x'])),
  (draw) => frame('Z', drawn(draw, ['I', 'T'])),
  (draw) => Buffer.from(Array.from({ length: draw(30) }, () => draw(256))),
];

test.each(SEEDS)('a server that answers anything and goes, seed %i: the client gets an end', async (seed) => {
  const draw = drawing(seed * 1000);
  const open = new Set<Socket>();
  const liar = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write(WELCOME);
      socket.on('data', () => {
        const frames = Array.from({ length: 1 + draw(10) }, () => {
          const one = drawn(draw, BACKEND)(draw);
          return draw(5) === 0 && one.length > 0 ? damaged(draw, one) : one;
        });
        if (!socket.writableEnded) socket.write(Buffer.concat(frames));
        // Of a server that never answers nobody could say that it will not.
        if (draw(3) === 0) socket.end();
        else setTimeout(() => socket.end(), 30);
      });
    });
  });
  await once(liar.listen(0, '127.0.0.1'), 'listening');
  // A listening TCP server has an address object.
  const { port } = liar.address() as AddressInfo;
  const upstream = { servers: [{ host: '127.0.0.1', port }], tls: { mode: 'disable' } } as const;
  const proxy = await startTestProxy(server, { databases: rules(), upstream });
  for (let round = 0; round < ROUNDS; round += 1) {
    const client = await RawClient.connect(proxy.port);
    client.send(
      encodeStartup(
        0,
        new Map([
          ['user', 'postgres'],
          ['database', 'postgres'],
        ]),
      ),
    );
    await client.untilReady();
    client.send(serialize.query('SELECT 1'), drawn(draw, FRONTEND)(draw), serialize.sync());
    await closedInTime(client);
  }
  await expect
    .poll(() => [proxy.connections, [...open].filter((socket) => !socket.destroyed).length], { timeout: FOR_EVER_MS })
    .toEqual([0, 0]);
  expect(bugs(proxy)).toEqual([]);
  await proxy.close();
  liar.close();
});
