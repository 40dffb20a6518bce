/**
 * COPY into sealed columns where something goes wrong, or comes sooner than it should: nothing of it is kept, the session is where the
 * server's own would be, and no value passes the proxy in clear, not even to be ignored.
 */
import { serialize } from 'pg-protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { errorOf, RawClient, statusOf, types } from '../../support/postgres/proxy.ts';
import { startRelay, type Relay } from '../../support/relay.ts';
import { openSearchedDatabase, type SearchedDatabase } from '../../support/postgres/sealed-database.ts';

const { query, parse, bind, execute, sync, flush, copyData, copyDone, copyFail } = serialize;
const CANARY = 'CANARY-5c1e';
const DDL = `CREATE TABLE people (id int PRIMARY KEY, mail sealgate.sealed, score sealgate.sealed);
  CREATE TABLE plain (id int, note text);
  CREATE ROLE reader LOGIN PASSWORD 'reader'; GRANT SELECT ON people TO reader`;
const RULES = [
  { table: 'people', column: 'mail', type: 'text' },
  { table: 'people', column: 'score', type: 'int4' },
];
const COPY = 'COPY people (id, mail) FROM STDIN';

let server: TestPostgres;
let relay: Relay;
let sent: Buffer[] = [];
let db: SearchedDatabase;
let client: RawClient;

beforeAll(async () => {
  server = await startPostgres();
  relay = await startRelay(server.port, (bytes) => sent.push(Buffer.from(bytes)));
  db = await openSearchedDatabase({ ...server, port: relay.port }, 'sealed', DDL, RULES);
});
afterAll(async () => {
  await db.close();
  await relay.cut();
  await server.stop();
});
beforeEach(async () => {
  await db.direct.query('TRUNCATE people, plain');
  sent = [];
  client = await RawClient.login(db.url);
  onTestFinished(() => {
    client.end();
    // Of every test.
    expect(Buffer.concat(sent).includes(CANARY)).toBe(false);
  });
});

const line = (id: number, more = ''): Buffer => Buffer.from(`${id}\t${CANARY}-${id}${more}\n`);
const lines = (from: number, count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => line(from + index)));
const count = async (): Promise<number> => {
  const { rows } = await db.direct.query<{ n: number }>('SELECT count(*)::int AS n FROM people');
  return rows[0]?.n ?? -1;
};
const extended = (sql: string): Buffer => Buffer.concat([parse({ text: sql }), bind({}), execute({})]);

describe('data that comes before the server’s answer', () => {
  test('is taken as data, in both protocols, and what follows is not', async () => {
    client.send(query(COPY), copyData(lines(1, 3)), copyDone(), query('SELECT 1'));
    expect(types(await client.untilReady(2))).toBe('GCZTDCZ');
    client.send(extended(COPY), copyData(lines(4, 2)), copyDone(), sync(), extended('SELECT 1'), sync());
    expect(types(await client.untilReady(2))).toBe('12GCZ12DCZ');
    client.send(
      extended(COPY),
      sync(),
      flush(),
      copyData(line(6)),
      sync(),
      flush(),
      copyData(line(7)),
      copyDone(),
      sync(),
    );
    expect(types(await client.untilReady())).toBe('12GCZ');
    expect(await count()).toBe(7);
  });

  test('of a COPY that the server does not begin is dropped', async () => {
    const reader = await RawClient.login(db.proxy.url('sealed', 'reader', 'reader'));
    onTestFinished(() => reader.end());
    reader.send(query(COPY), copyData(lines(1, 3)), copyDone(), query('SELECT 1'));
    const simple = await reader.untilReady(2);
    expect(types(simple)).toBe('EZTDCZ');
    expect(errorOf(simple)).toMatchObject({ C: '42501' });
    reader.send(extended(COPY), copyData(lines(1, 3)), copyDone(), sync(), extended('SELECT 1'), sync());
    expect(types(await reader.untilReady(2))).toBe('12EZ12DCZ');
  });

  test('of a COPY that is refused is dropped', async () => {
    client.send(query(`${COPY} (ON_ERROR ignore)`), copyData(lines(1, 3)), copyDone(), query('SELECT 1'));
    expect(types(await client.untilReady(2))).toBe('EZTDCZ');
    client.send(extended(`${COPY} (ON_ERROR ignore)`), copyData(lines(1, 3)), copyDone(), sync());
    expect(types(await client.untilReady())).toBe('EZ');
  });

  test('of a COPY in a failed transaction is dropped', async () => {
    client.send(query('BEGIN'), query('SELECT 1/0'), query(COPY), copyData(lines(1, 3)), copyDone(), query('ROLLBACK'));
    expect(types(await client.untilReady(4))).toBe('CZEZEZCZ');
  });

  test('of a COPY of another table is its data', async () => {
    client.send(
      query('COPY plain FROM STDIN'),
      copyData(Buffer.from('1\tone\n')),
      copyDone(),
      query(COPY),
      copyData(line(1)),
      copyDone(),
    );
    expect(types(await client.untilReady(2))).toBe('GCZGCZ');
    expect((await db.direct.query('SELECT * FROM plain')).rows).toEqual([{ id: 1, note: 'one' }]);
  });
});

describe('a COPY that fails half-way', () => {
  const BAD = [
    ['here, of a value', 'COPY people (id, score) FROM STDIN', Buffer.from(`1\t5\n2\t${CANARY}\n`), '22P02'],
    ['here, of a row', COPY, Buffer.concat([line(1), line(2, '\tmore')]), '22P04'],
    ['at the server', COPY, Buffer.concat([line(1), line(1)]), '23505'],
  ] as const;

  test.each(BAD)('%s, while the client sends on', async (_where, sql, bad, code) => {
    for (const begin of [query(sql), extended(sql)]) {
      const isSimple = begin[0] === 0x51;
      client.send(
        begin,
        copyData(bad),
        ...Array.from({ length: 50 }, (_, n) => copyData(lines(100 * n + 3, 100))),
        copyDone(),
      );
      client.send(isSimple ? query('SELECT 1') : Buffer.concat([sync(), extended('SELECT 1'), sync()]));
      const messages = await client.untilReady(2);
      expect(types(messages)).toBe(isSimple ? 'GEZTDCZ' : '12GEZ12DCZ');
      expect(errorOf(messages)).toMatchObject({ C: code, S: 'ERROR' });
      expect(statusOf(messages)).toBe('I');
      expect(await count()).toBe(0);
    }
  });

  test('is followed by one that works', async () => {
    client.send(
      query(COPY),
      copyData(Buffer.from(`1\n${CANARY}\n`)),
      copyDone(),
      query(COPY),
      copyData(line(1)),
      copyDone(),
    );
    expect(types(await client.untilReady(2))).toBe('GEZGCZ');
    client.send(query(COPY), copyData(line(9)), copyFail(CANARY), query(COPY), copyData(line(2)), copyDone());
    const messages = await client.untilReady(2);
    expect(types(messages)).toBe('GEZGCZ');
    expect(errorOf(messages)).toMatchObject({ C: '57014', M: `COPY from stdin failed: ${CANARY}` });
    expect(await count()).toBe(2);
  });

  test('within a savepoint takes that back alone', async () => {
    client.send(query('BEGIN'), query(COPY), copyData(line(1)), copyDone(), query('SAVEPOINT a'));
    expect(types(await client.untilReady(3))).toBe('CZGCZCZ');
    client.send(
      query(COPY),
      copyData(Buffer.concat([line(2), line(3, '\tmore')])),
      copyDone(),
      query('ROLLBACK TO a'),
      query('COMMIT'),
    );
    expect(types(await client.untilReady(3))).toBe('GEZCZCZ');
    expect(await count()).toBe(1);
  });
});

describe('an end in the middle', () => {
  test('of the client keeps nothing, wherever it is', async () => {
    const frames = [query(COPY), copyData(lines(1, 10)), copyData(Buffer.from('11\t')), copyData(Buffer.from(CANARY))];
    for (let sentFrames = 1; sentFrames <= frames.length; sentFrames++) {
      const one = await RawClient.login(db.url);
      one.send(...frames.slice(0, sentFrames));
      await one.message();
      one.end();
    }
    client.send(query(COPY), copyData(line(1)), copyDone());
    expect(types(await client.untilReady())).toBe('GCZ');
    expect(await count()).toBe(1);
  });

  test('of the server ends the client’s connection, and keeps nothing', async () => {
    client.send(query(COPY), copyData(lines(1, 1000)));
    expect((await client.message())?.type).toBe('G');
    await db.direct.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND pid <> pg_backend_pid()",
    );
    for (let n = 0; n < 20 && !client.closed; n++) client.send(copyData(lines(1001 + n, 1)));
    // What the server says may be lost with the connection.
    const said = await client.untilClosed();
    expect(types(said)).toMatch(/^E?$/);
    if (said.length > 0)
      expect(errorOf(said)).toMatchObject({ S: 'FATAL', C: expect.stringMatching(/^(57P01|08006)$/) });
    expect(await count()).toBe(0);
  });

  test('by a cancel is the server’s error', async () => {
    client.send(query(COPY), copyData(lines(1, 1000)));
    expect((await client.message())?.type).toBe('G');
    await db.direct.query(
      "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND pid <> pg_backend_pid()",
    );
    client.send(copyData(line(5000)), copyDone());
    const messages = await client.untilReady();
    expect(errorOf(messages)).toMatchObject({ C: '57014' });
    expect(await count()).toBe(0);
  });
});

describe('much data', () => {
  test('waits for a server that is busy, and arrives', async () => {
    await db.direct.query('BEGIN; LOCK TABLE people IN EXCLUSIVE MODE');
    client.send(query(COPY), ...Array.from({ length: 200 }, (_, n) => copyData(lines(100 * n, 100))), copyDone());
    await new Promise((resolve) => setTimeout(resolve, 300));
    await db.direct.query('COMMIT');
    expect(types(await client.untilReady())).toBe('GCZ');
    expect(await count()).toBe(20_000);
    const out = await connectTo(db.url);
    const { rows } = await out.query<{ id: number; mail: string }>('SELECT id, mail FROM people');
    await out.end();
    for (const { id, mail } of rows) expect(mail).toBe(`${CANARY}-${id}`);
  });

  test('in one message is taken piece by piece; a value beyond the limit is refused', async () => {
    client.send(query(COPY), copyData(lines(1, 100_000)), copyDone());
    expect(types(await client.untilReady())).toBe('GCZ');
    expect(await count()).toBe(100_000);
    client.send(query(COPY), copyData(Buffer.from(`200000\t${'x'.repeat(17 * 1024 * 1024)}\n`)), copyDone());
    expect(errorOf(await client.untilReady())).toMatchObject({ C: '54000', W: 'COPY people, line 1, column mail' });
  });

  test('goes out to a client that reads slowly', async () => {
    client.send(query(COPY), copyData(lines(1, 50_000)), copyDone());
    await client.untilReady();
    client.send(query('COPY people (id, mail) TO STDOUT'));
    client.socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 300));
    client.socket.resume();
    const messages = await client.untilReady();
    expect(
      Buffer.concat(messages.filter(({ type }) => type === 'd').map(({ body }) => body)).equals(lines(1, 50_000)),
    ).toBe(true);
  });
});
