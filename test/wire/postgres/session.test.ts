/** The session's state machine between raw sockets and a real server: order, transaction status, pipelining, sealing, opening. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { serialize } from 'pg-protocol';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { decodeParameterDescription } from '../../../src/postgres/messages/parameter-description.ts';
import { decodeRowDescription } from '../../../src/postgres/messages/row-description.ts';
import { decodeDataRow } from '../../../src/postgres/messages/data-row.ts';
import { encodeBind } from '../../../src/postgres/messages/bind.ts';
import { FakeAnalysis, fakeDatabase, MARK } from '../../support/postgres/fake-analysis.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import {
  errorOf,
  RawClient,
  startTestProxy,
  statusOf,
  types,
  type RawMessage,
  type TestProxy,
} from '../../support/postgres/proxy.ts';

let server: TestPostgres;
let proxy: TestProxy;
let direct: pg.Client;
let analysis: FakeAnalysis;
let client: RawClient;

beforeAll(async () => {
  server = await startPostgres();
  direct = await connectTo(server.url());
  await direct.query(
    "CREATE TABLE vault (id int, secret bytea CHECK (substr(secret, 1, 4) = 'SEAL')); CREATE TABLE open (id int, note text); CREATE SCHEMA other",
  );
});
beforeEach(async () => {
  await direct.query('TRUNCATE vault, open');
  analysis = new FakeAnalysis();
  proxy = await startTestProxy(server, { databases: new Map([['postgres', fakeDatabase(analysis)]]) });
  client = await RawClient.login(proxy.url());
});
afterEach(async () => {
  client.end();
  await proxy.close();
});
afterAll(async () => {
  await direct.end();
  await server.stop();
});

const {
  query,
  parse,
  bind,
  describe: describeMessage,
  execute,
  sync,
  flush,
  close,
  copyData,
  copyDone,
  copyFail,
} = serialize;
const rowsOf = (messages: readonly RawMessage[]): (string | null)[][] =>
  messages
    .filter(({ type }) => type === 'D')
    .map(({ body }) =>
      decodeDataRow(body).map((value) => (value === undefined ? null : Buffer.from(value).toString())),
    );
const ask = async (...frames: readonly Uint8Array[]): Promise<RawMessage[]> => {
  client.send(...frames);
  return client.untilReady();
};
/** Parse, Bind, Describe of the portal, Execute of one unnamed statement. */
const extended = (text: string, values: (string | null)[] = []): Buffer =>
  Buffer.concat([parse({ text }), bind({ values }), describeMessage({ type: 'P', name: '' }), execute({})]);

describe('what touches nothing hot', () => {
  test('answers exactly as the server itself does', async () => {
    const other = await RawClient.login(server.url());
    for (const frames of [
      [query('')],
      [query('SELECT 1 AS a; SELECT NULL, 2; INSERT INTO open VALUES (1)')],
      [query('SELECT 1/0; SELECT 2')],
      [extended('SELECT 7 AS x'), sync()],
      [extended('SELECT nothing'), extended('SELECT 2'), sync()],
      [
        parse({ name: 's', text: 'SELECT generate_series(1,3)' }),
        bind({ statement: 's' }),
        execute({ rows: 2 }),
        execute({ rows: 2 }),
        close({ type: 'S', name: 's' }),
        sync(),
      ],
      [parse({ text: '' }), bind({}), execute({}), sync()],
      [describeMessage({ type: 'S', name: 'missing' }), sync()],
    ]) {
      other.send(...frames);
      expect(await ask(...frames)).toEqual(await other.untilReady());
    }
    other.end();
  });

  test('Flush without Sync gives its replies', async () => {
    client.send(parse({ text: 'SELECT 1' }), describeMessage({ type: 'S', name: '' }), flush());
    expect(
      types([await client.message(), await client.message(), await client.message()].filter((m) => m !== undefined)),
    ).toBe('1tT');
    expect(types(await ask(sync()))).toBe('Z');
  });

  test('a pipeline of thousands of statements keeps its order', async () => {
    const count = 5000;
    client.send(...Array.from({ length: count }, (_, index) => Buffer.concat([extended(`SELECT ${index}`), sync()])));
    const rows = rowsOf(await client.untilReady(count));
    expect(rows).toEqual(Array.from({ length: count }, (_, index) => [String(index)]));
  });

  test('COPY in both protocols and both directions, with Sync before its data, and failing on either side', async () => {
    client.send(query('COPY open FROM STDIN'), copyData(Buffer.from('1\tone\n')), copyDone());
    expect(types(await client.untilReady())).toBe('GCZ');
    client.send(parse({ text: 'COPY open FROM STDIN' }), bind({}), execute({}), sync());
    expect(
      types([await client.message(), await client.message(), await client.message()].filter((m) => m !== undefined)),
    ).toBe('12G');
    expect(types(await ask(copyData(Buffer.from('2\ttwo\n')), copyDone(), sync()))).toBe('CZ');
    client.send(query('COPY open FROM STDIN'), copyFail('no'));
    expect(types(await client.untilReady())).toBe('GEZ');
    client.send(query('COPY open FROM STDIN'), copyData(Buffer.from('garbage\n')), copyDone());
    expect(types(await client.untilReady())).toBe('GEZ');
    client.send(query('COPY missing FROM STDIN'), copyData(Buffer.from('1\n')), copyDone());
    expect(types(await client.untilReady())).toBe('EZ');
    expect(types(await ask(query('COPY open TO STDOUT')))).toBe('HddcCZ');
    expect(types(await ask(query('SELECT 1')))).toBe('TDCZ');
  });

  test('rows wait for a client that does not read, and a COPY for a busy server: both arrive as they were', async () => {
    const rows = "SELECT md5(g::text), repeat('x', g % 300) FROM generate_series(1, 60000) g";
    const [expected] = (await direct.query(`SELECT md5(string_agg(a || b, '|')) AS sum FROM (${rows}) AS r (a, b)`))
      .rows as {
      sum: string;
    }[];
    client.send(query(rows));
    client.socket.pause();
    await sleep(300);
    client.socket.resume();
    const read = rowsOf(await client.untilReady()).map((row) => row.join(''));
    expect(createHash('md5').update(read.join('|')).digest('hex')).toBe(expected?.sum);

    const lines = Array.from({ length: 60_000 }, (_, g) => `${g}\t${'y'.repeat(g % 300)}\n`);
    await direct.query('BEGIN; LOCK TABLE open IN EXCLUSIVE MODE');
    client.send(query('COPY open FROM STDIN'), ...lines.map((line) => copyData(Buffer.from(line))), copyDone());
    await sleep(300);
    await direct.query('COMMIT');
    expect(types(await client.untilReady())).toBe('GCZ');
    const [stored] = (await direct.query('SELECT count(*)::int AS n, sum(length(note))::int AS length FROM open'))
      .rows as {
      n: number;
      length: number;
    }[];
    expect(stored).toEqual({ n: 60_000, length: 200 * ((299 * 300) / 2) });
  });

  test('a row of 64 MiB streams through', async () => {
    const [, row] = await ask(query("SELECT repeat('x', 64 * 1024 * 1024)"));
    expect(row?.body.length).toBe(64 * 1024 * 1024 + 6);
  });

  test('FunctionCall is for large objects only', async () => {
    const call = (oid: number): Buffer => {
      const body = Buffer.alloc(4 + 2 + 2 + 2 + 4 + 4 + 2);
      body.writeUInt32BE(oid, 0);
      body.writeUInt16BE(1, 4);
      body.writeUInt16BE(1, 6);
      body.writeUInt16BE(1, 8);
      body.writeUInt32BE(4, 10);
      body.writeInt32BE(0x20000, 14);
      body.writeUInt16BE(1, 18);
      const head = Buffer.from([0x46, 0, 0, 0, 0]);
      head.writeUInt32BE(body.length + 4, 1);
      return Buffer.concat([head, body]);
    };
    expect(types(await ask(call(957)))).toBe('VZ');
    expect(errorOf(await ask(call(1598)))).toMatchObject({ R: 'ERR_POSTGRES_FUNCTION_CALL' });
    expect(types(await ask(query('SELECT 1')))).toBe('TDCZ');
  });
});

describe('refusals', () => {
  test('keep their place and say SQLSTATE, position and hint, in the simple protocol', async () => {
    client.send(query('SELECT 1'), query('REFUSE me'), query('SELECT 2'));
    const messages = await client.untilReady(3);
    expect(types(messages)).toBe('TDCZEZTDCZ');
    expect(errorOf(messages)).toMatchObject({ C: '0A000', P: '8', H: 'do not', R: 'ERR_POSTGRES_TEST' });
  });

  test('fail the open transaction, as an error of the server would', async () => {
    await ask(query('BEGIN'));
    expect(statusOf(await ask(query('REFUSE')))).toBe('E');
    expect(errorOf(await ask(query('SELECT 1')))).toMatchObject({ C: '25P02' });
    expect(statusOf(await ask(query('ROLLBACK')))).toBe('I');
  });

  test('refuse a Query whole: nothing of it has run', async () => {
    await ask(query('INSERT INTO open VALUES (9); REFUSE'));
    expect((await direct.query('SELECT * FROM open')).rows).toEqual([]);
  });

  test('in the extended protocol skip to the next Sync', async () => {
    client.send(extended('SELECT 1'), extended('REFUSE'), extended('SELECT 3'), sync(), extended('SELECT 4'), sync());
    const messages = await client.untilReady(2);
    expect(types(messages)).toBe('12TDCEZ12TDCZ');
    expect(errorOf(messages)).toMatchObject({ C: '0A000', P: '8' });
  });

  test('a refused Parse leaves no statement under its name', async () => {
    await ask(parse({ name: 's', text: 'REFUSE' }), sync());
    expect(errorOf(await ask(bind({ statement: 's' }), sync()))).toMatchObject({ C: '26000' });
  });
});

describe('sealed statements', () => {
  const insert = 'INSERT INTO vault VALUES ($1, $2)';
  const select = 'SELECT id, secret FROM vault ORDER BY id';

  test('seal literals and parameters, open rows in both protocols; NULL stays NULL', async () => {
    await ask(query("INSERT INTO vault VALUES (1, 'first'), (2, NULL)"));
    await ask(extended(insert, ['3', 'third']), sync());
    await ask(extended(insert, ['4', null]), sync());
    const stored = await direct.query<{ secret: Buffer | null }>('SELECT secret FROM vault WHERE secret IS NOT NULL');
    expect(stored.rows.map(({ secret }) => secret?.subarray(0, 4).toString())).toEqual([MARK, MARK]);
    expect(JSON.stringify(stored.rows)).not.toContain('first');
    const expected = [
      ['1', 'first'],
      ['2', null],
      ['3', 'third'],
      ['4', null],
    ];
    expect(rowsOf(await ask(query(select)))).toEqual(expected);
    expect(rowsOf(await ask(extended(select), sync()))).toEqual(expected);
    await ask(query('SET bytea_output = escape'));
    expect(rowsOf(await ask(query(select)))).toEqual(expected);
  });

  test('Describe reports logical types, before and after Bind', async () => {
    const messages = await ask(
      parse({ name: 'a', text: `${insert} RETURNING id, secret` }),
      describeMessage({ type: 'S', name: 'a' }),
      sync(),
    );
    expect(types(messages)).toBe('1tTZ');
    const [, parameters, row] = messages;
    expect(decodeParameterDescription(parameters?.body ?? Buffer.alloc(0))).toEqual([23, 25]);
    expect(decodeRowDescription(row?.body ?? Buffer.alloc(0)).map(({ typeOid, format }) => [typeOid, format])).toEqual([
      [23, 0],
      [25, 0],
    ]);
    const bound = await ask(
      encodeBind({
        portal: '',
        statement: 'a',
        formats: [],
        values: [Buffer.from('1'), Buffer.from('x')],
        resultFormats: [0, 1],
      }),
      describeMessage({ type: 'P', name: '' }),
      execute({}),
      sync(),
    );
    expect(
      decodeRowDescription(bound[1]?.body ?? Buffer.alloc(0)).map(({ typeOid, format }) => [typeOid, format]),
    ).toEqual([
      [23, 0],
      [25, 1],
    ]);
    expect(rowsOf(bound)).toEqual([['1', 'x']]);
  });

  test('the unnamed statement is bound anew each time, hot and not in turn', async () => {
    client.send(
      extended(insert, ['1', 'a']),
      sync(),
      extended('SELECT $1::int, $2::text', ['5', 'b']),
      sync(),
      extended(insert, ['2', 'c']),
      extended(select),
      sync(),
    );
    const messages = await client.untilReady(3);
    expect(rowsOf(messages)).toEqual([
      ['5', 'b'],
      ['1', 'a'],
      ['2', 'c'],
    ]);
  });

  test('named portals with a row limit are suspended and go on', async () => {
    await ask(query("INSERT INTO vault VALUES (1, 'a'), (2, 'b'), (3, 'c')"));
    const messages = await ask(query('BEGIN'));
    expect(statusOf(messages)).toBe('T');
    client.send(
      parse({ name: 's', text: select }),
      bind({ statement: 's', portal: 'p' }),
      execute({ portal: 'p', rows: 2 }),
      sync(),
    );
    expect(types(await client.untilReady())).toBe('12DDsZ');
    const rest = await ask(execute({ portal: 'p', rows: 2 }), sync());
    expect(types(rest)).toBe('DCZ');
    expect(rowsOf(rest)).toEqual([['3', 'c']]);
  });

  test('several statements of one Query, hot and not', async () => {
    const messages = await ask(
      query("SELECT 1; INSERT INTO vault VALUES (1, 'a'); SELECT id, secret FROM vault; SELECT 2"),
    );
    expect(types(messages)).toBe('TDCCTDCTDCZ');
    expect(rowsOf(messages)).toEqual([['1'], ['1', 'a'], ['2']]);
  });

  test('a sealed Bind in a pipeline after an error is skipped, and forgotten', async () => {
    client.send(extended('SELECT 1/0'), extended(insert, ['1', 'a']), sync(), extended(select), sync());
    const messages = await client.untilReady(2);
    expect(types(messages)).toBe('1EZ12TCZ');
  });

  test('errors of the server about sealed statements show no value', async () => {
    await direct.query('CREATE UNIQUE INDEX vault_secret ON vault (secret)');
    await ask(query("INSERT INTO vault VALUES (1, 'a')"));
    const error = errorOf(await ask(query("INSERT INTO vault VALUES (1, 'a')")));
    await direct.query('DROP INDEX vault_secret');
    expect(error).toMatchObject({ C: '23505' });
    expect(JSON.stringify(error)).not.toContain('\\x');
    expect(errorOf(await ask(query("INSERT INTO vault VALUES (x, 'a')")))).toMatchObject({ C: '42703', P: '27' });
  });

  test('a value that does not open ends the connection: FATAL, outcome unknown', async () => {
    await ask(query("INSERT INTO vault VALUES (1, 'good')"));
    await direct.query("ALTER TABLE vault DROP CONSTRAINT vault_secret_check; INSERT INTO vault VALUES (2, 'plain!')");
    client.send(query(select));
    const messages = await client.untilClosed();
    expect(types(messages)).toBe('TDE');
    expect(errorOf(messages)).toMatchObject({ S: 'FATAL', C: '58030', R: 'ERR_POSTGRES_OPEN_FAILED' });
    await direct.query("TRUNCATE vault; ALTER TABLE vault ADD CHECK (substr(secret, 1, 4) = 'SEAL')");
  });

  test('a statement prepared before the catalog changed is planned anew, and goes on where it means the same', async () => {
    await ask(parse({ name: 's', text: insert }), sync());
    await ask(query('CREATE TABLE unrelated (x int)'));
    expect(analysis.catalogChanges).toBe(1);
    expect(types(await ask(bind({ statement: 's', values: ['1', 'x'] }), execute({}), sync()))).toBe('2CZ');
    await ask(query('DROP TABLE unrelated'));
    expect(rowsOf(await ask(query(select)))).toEqual([['1', 'x']]);
  });
});

describe('the settings of the session', () => {
  const last = () => analysis.seen.at(-1);

  test('are asked for after a change, even within one pipeline without Sync', async () => {
    await ask(extended("SELECT id, secret FROM vault WHERE secret = 'a'"), sync());
    expect(last()?.searchPath).toEqual(['pg_catalog', 'public']);
    client.send(extended('SET search_path = other, public'), extended('SELECT id, secret FROM vault'), sync());
    expect(types(await client.untilReady()).replaceAll('S', '')).toBe('12nC12TCZ');
    expect(last()?.searchPath).toEqual(['pg_catalog', 'other', 'public']);
    await ask(query('SET TimeZone = "Asia/Tokyo"'));
    await ask(query('SELECT id, secret FROM vault'));
    expect(last()?.timeZone).toBe('Asia/Tokyo');
  });

  test('a rolled back change is noticed', async () => {
    await ask(query('BEGIN'));
    await ask(query('SET search_path = other'));
    await ask(query('ROLLBACK'));
    await ask(query('SELECT id, secret FROM vault'));
    expect(last()?.searchPath).toEqual(['pg_catalog', 'public']);
  });

  test.each([
    ['ROLLBACK TO', ['BEGIN', 'SAVEPOINT s', 'SET search_path = other'], 'ROLLBACK TO s'],
    ['COMMIT AND CHAIN', ['BEGIN', 'SET LOCAL search_path = other'], 'COMMIT AND CHAIN'],
    ['the end and beginning in one message', ['BEGIN', 'SET LOCAL search_path = other'], 'COMMIT; BEGIN'],
  ])('so is one that %s takes back within a transaction, whatever the server reports', async (_name, before, back) => {
    const changed = 'SET LOCAL bytea_output = escape';
    for (const sql of [...before, changed]) await ask(query(sql));
    await ask(query('SELECT id, secret FROM vault'));
    expect(last()).toMatchObject({ searchPath: ['pg_catalog', 'other'], byteaOutput: 'escape' });
    await ask(query(back));
    await ask(query('SELECT id, secret FROM vault'));
    expect(last()).toMatchObject({ searchPath: ['pg_catalog', 'public'], byteaOutput: 'hex' });
    await ask(query('ROLLBACK'));
  });

  test('temporary tables and uncommitted DDL show', async () => {
    await ask(query('CREATE TEMP TABLE shadow (x int)'));
    await ask(query('SELECT id, secret FROM vault'));
    expect(last()?.searchPath[0]).toMatch(/^pg_temp_/);
    await ask(query('BEGIN'));
    await ask(query('CREATE TABLE fresh (x int)'));
    await ask(query('SELECT id, secret FROM vault'));
    expect(last()?.uncommittedCatalog).toBe(true);
    await ask(query('ROLLBACK'));
  });

  test('in a failed transaction a hot statement gets the server’s own error, and ROLLBACK works', async () => {
    await ask(query('BEGIN'));
    await ask(query('SELECT 1/0'));
    expect(errorOf(await ask(query("INSERT INTO vault VALUES (1, 'x')")))).toMatchObject({ C: '25P02' });
    expect(errorOf(await ask(extended('SELECT id, secret FROM vault'), sync()))).toMatchObject({ C: '25P02' });
    expect(statusOf(await ask(query('ROLLBACK')))).toBe('I');
  });

  test('statements beyond ASCII need client_encoding UTF8', async () => {
    await ask(query('SET client_encoding = LATIN1'));
    expect(types(await ask(query('SELECT 1')))).toBe('TDCZ');
    expect(errorOf(await ask(query("SELECT 'é'")))).toMatchObject({ C: '0A000', R: 'ERR_POSTGRES_ENCODING' });
  });
});

describe('hostile frames', () => {
  test.each([
    ['a type nobody knows', Uint8Array.of(0x7e, 0, 0, 0, 4)],
    ['a length below four', Uint8Array.of(0x51, 0, 0, 0, 3)],
    ['a length beyond a gigabyte', Uint8Array.of(0x51, 0x7f, 0xff, 0xff, 0xff)],
    ['a negative length', Uint8Array.of(0x64, 0xff, 0xff, 0xff, 0xff)],
    ['a password message after login', Uint8Array.of(0x70, 0, 0, 0, 5, 0)],
  ])('%s ends this connection and no other', async (_name, bytes) => {
    client.send(bytes);
    expect(errorOf(await client.untilClosed())).toMatchObject({ S: 'FATAL', C: '08P01' });
    const other = await RawClient.login(proxy.url());
    other.send(query('SELECT 1'));
    expect(types(await other.untilReady())).toBe('TDCZ');
    other.end();
  });
});
