/**
 * COPY FROM STDIN among other statements of one message, into sealed tables and others: what comes back over the wire is what a plain server says, and
 * so is what is left; no value passes the proxy in clear, whatever fails.
 */
import { serialize } from 'pg-protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { errorOf, RawClient, statusOf, types, type RawMessage } from '../../support/postgres/proxy.ts';
import { startRelay, type Relay } from '../../support/relay.ts';
import { openSealedDatabase, type SealedDatabase, type TestRule } from '../../support/postgres/sealed-database.ts';
import { say, shown } from '../../support/postgres/said.ts';

const { query, copyData, copyDone, copyFail, sync, flush } = serialize;
const CANARY = 'CANARY-7c02';
/** Of letters alone: what has a digit may be a date that only the server reads. */
const NO_DATE = 'CANARY-without-a-digit';
const RULES: readonly TestRule[] = [
  { table: 'people', column: 'mail', type: 'varchar(30)', mode: 'deterministic' },
  { table: 'people', column: 'born', type: 'date' },
  { table: 'kept', column: 'secret', type: 'text' },
];
const PEOPLE = 'CREATE TABLE people (id int PRIMARY KEY, mail varchar(30) UNIQUE, city text, born date)';
const RESET = [
  'DROP SCHEMA public CASCADE; CREATE SCHEMA public',
  'CREATE TABLE plain (id int PRIMARY KEY, what text, ref int REFERENCES plain DEFERRABLE INITIALLY DEFERRED)',
  'CREATE TABLE kept (id int PRIMARY KEY, secret text)',
];
const LEFT = ['ROLLBACK', 'SELECT * FROM people ORDER BY id', 'SELECT * FROM plain ORDER BY id', 'TABLE kept'];

let server: TestPostgres;
let relay: Relay;
let db: SealedDatabase;
let sealed: RawClient;
let twin: RawClient;
let sent: Buffer[] = [];

beforeAll(async () => {
  server = await startPostgres(['max_prepared_transactions=2']);
  relay = await startRelay(server.port, (bytes) => sent.push(Buffer.from(bytes)));
  const kept = 'CREATE TABLE kept (id int PRIMARY KEY, secret sealgate.sealed)';
  db = await openSealedDatabase({ ...server, port: relay.port }, 'sealed', kept, RULES);
  await db.direct.query('CREATE DATABASE twin');
  const plain = await connectTo(server.url('twin'));
  await plain.query('CREATE TABLE kept (id int PRIMARY KEY, secret text)');
  await plain.end();
});
afterAll(async () => {
  await db.close();
  await relay.cut();
  await server.stop();
});
beforeEach(async () => {
  sent = [];
  sealed = await RawClient.login(db.url);
  twin = await RawClient.login(server.url('twin'));
  for (const on of [sealed, twin]) for (const text of RESET) expect(statusOf(await say(on, text))).toBe('I');
});
afterEach(() => {
  sealed.end();
  twin.end();
  expect(Buffer.concat(sent).includes('CANARY')).toBe(false);
});

/** Data of one COPY, and how it ends. */
type Data = readonly Uint8Array[];
const rows = (...lines: readonly string[]): Data => [copyData(Buffer.from(lines.map((line) => `${line}\n`).join('')))];
const people = (...ids: readonly number[]): Data =>
  rows(...ids.map((id) => [id, `${CANARY}-${id}`, 'Rome', `1999-01-0${id}`].join('\t')));

/** Data is sent when it is asked for, as psql does, or at once, as a pipeline. */
type Manner = 'asked' | 'unasked';

async function tell(on: RawClient, manner: Manner, text: string, data: readonly Data[]): Promise<RawMessage[]> {
  if (manner === 'unasked') {
    on.send(query(text), ...data.flat());
    return on.untilReady();
  }
  on.send(query(text));
  const said: RawMessage[] = [];
  const rest = [...data];
  for (let message = await on.message(); message !== undefined; message = await on.message()) {
    said.push(message);
    if (message.type === 'G') on.send(...(rest.shift() ?? []));
    if (message.type === 'Z') break;
  }
  return said;
}

const done = (data: Data): Data => [...data, copyDone()];

async function same(manner: Manner, text: string, data: readonly Data[], ...more: readonly string[]): Promise<string> {
  const expected = await tell(twin, manner, text, data);
  expect(shown(await tell(sealed, manner, text, data))).toEqual(shown(expected));
  for (const left of [...more, ...LEFT]) {
    const after = shown(await say(twin, left));
    expect({ left, said: shown(await say(sealed, left)) }).toEqual({ left, said: after });
  }
  return types(expected);
}

const COPY = 'COPY people FROM STDIN';
const READ = 'SELECT * FROM people ORDER BY id';
const BAD_DATE = rows(`4\t${CANARY}-4\tRome\t${NO_DATE}`);

/** Text, data of its COPYs, what is said then, and what is sent behind it. */
const ALIKE: Readonly<Record<string, readonly [string, readonly Data[], string, ...string[]]>> = {
  'a table that is made, filled and read': [`${PEOPLE}; ${COPY}; ${READ}`, [done(people(1, 2))], 'CGCTDDCZ'],
  'a COPY that is the last': [`${PEOPLE}; INSERT INTO people VALUES (9); ${COPY}`, [done(people(1))], 'CCGCZ'],
  'a COPY that is the first': [`COPY kept FROM STDIN; TABLE kept`, [done(rows(`1\t${CANARY}`))], 'GCTDCZ'],
  'several COPYs, of tables of either kind': [
    `${PEOPLE}; ${COPY}; COPY plain (id, what) FROM STDIN; COPY people (id, mail) FROM STDIN; COPY plain (id) FROM STDIN; ${READ}`,
    [done(people(1)), done(rows('1\ta', '2\tb')), done(rows(`5\t${CANARY}-five`)), done(rows('3'))],
    'CGCGCGCGCTDDCZ',
  ],
  'another table only, beside statements that wait': [
    `${PEOPLE}; COPY plain (id, what) FROM STDIN; INSERT INTO people VALUES (1, 'x-not-secret'); ${READ}`,
    [done(rows('1\ta'))],
    'CGCCTDCZ',
  ],
  'another table only, beside statements that wait for nothing': [
    'SELECT secret FROM kept; COPY plain (id, what) FROM STDIN; SELECT 1',
    [done(rows('1\ta'))],
    'TCGCTDCZ',
  ],
  'data out and in': [
    `${PEOPLE}; ${COPY}; COPY people (id, mail, born) TO STDOUT; COPY (SELECT mail FROM people WHERE id = 2) TO STDOUT CSV; COPY plain TO STDOUT`,
    [done(people(1, 2))],
    'CGCHddcCHdcCHcCZ',
  ],
  'a block of the client’s own': [
    `BEGIN; ${PEOPLE}; ${COPY}; COMMIT; ${COPY}; INSERT INTO plain VALUES (1), (1); SELECT 2`,
    [done(people(1)), done(people(2))],
    'CCGCCGCEZ',
  ],
  'a block that the message leaves open': [`BEGIN; ${PEOPLE}; ${COPY}`, [done(people(1))], 'CCGCZ', READ, 'COMMIT'],
  'no data at all': [`${PEOPLE}; ${COPY}; SELECT 1`, [[copyDone()]], 'CGCTDCZ'],
  CopyFail: [`${PEOPLE}; ${COPY}; SELECT 1`, [[...people(1), copyFail('no more')]], 'CGEZ'],
  'CopyFail of another table': [
    `${PEOPLE}; INSERT INTO plain VALUES (7); COPY plain (id) FROM STDIN; SELECT 1`,
    [[...rows('1'), copyFail('no more')]],
    'CCGEZ',
  ],
  'CopyFail in a block': [
    `BEGIN; ${PEOPLE}; ${COPY}; SELECT 1`,
    [[...people(1), copyFail('no more')]],
    'CCGEZ',
    'SELECT 1',
  ],
  'a row twice, which the server sees': [`${PEOPLE}; ${COPY}; SELECT 1`, [done(people(1, 1))], 'CGEZ'],
  'a row of another table that is none': [
    `${PEOPLE}; COPY plain (id) FROM STDIN; SELECT 1`,
    [done(rows('1', 'x', ...Array.from({ length: 50 }, (_, id) => `${id + 2}`)))],
    'CGEZ',
  ],
  'an error ahead of it': [`${PEOPLE}; SELECT 1/0; ${COPY}`, [done(people(1))], 'CEZ'],
  'an error behind it': [`${PEOPLE}; ${COPY}; SELECT 1/0; ${COPY}`, [done(people(1)), done(people(2))], 'CGCEZ'],
  'a table that is not there': [`${PEOPLE}; COPY no_such FROM STDIN; SELECT 1`, [done(rows('1'))], 'CEZ'],
  'what fails when it is committed': [
    `${PEOPLE}; ${COPY}; COPY plain FROM STDIN`,
    [done(people(1)), done(rows('1\ta\t2'))],
    'CGCGEZ',
  ],
  'Sync and Flush within the data, which mean nothing there': [
    `${PEOPLE}; ${COPY}; ${READ}`,
    [[...people(1), sync(), flush(), ...people(2), sync(), copyDone()]],
    'CGCTDDCZ',
  ],
  'a row in pieces': [
    `${PEOPLE}; ${COPY}; COPY plain (id, what) FROM STDIN`,
    [
      [...`1\t${CANARY}\tOslo\t\\N\n`].map((letter) => copyData(Buffer.from(letter))).concat(copyDone()),
      [...'1\tabc\n2\tdef\n'].map((letter) => copyData(Buffer.from(letter))).concat(copyDone()),
    ],
    'CGCGCZ',
  ],
};

describe.each(['asked', 'unasked'] as const)('data %s for', (manner) => {
  test.each(Object.entries(ALIKE))('%s', async (_name, [text, data, said, ...more]) => {
    expect((await same(manner, text, data, ...more)).replaceAll('S', '')).toBe(said);
  });
});

test.each(['asked', 'unasked'] as const)('a value that the proxy finds fault with, data %s for', async (manner) => {
  const text = `${PEOPLE}; ${COPY}; SELECT 1`;
  const data = [[...people(1), ...BAD_DATE, ...people(2), copyDone()]];
  const [ours, theirs] = [await tell(sealed, manner, text, data), await tell(twin, manner, text, data)];
  expect({ types: types(ours), code: errorOf(ours)['C'], status: statusOf(ours) }).toEqual({
    types: types(theirs),
    code: errorOf(theirs)['C'],
    status: statusOf(theirs),
  });
  await same(manner, 'SELECT 1', []);
});

describe.each(['asked', 'unasked'] as const)('refused in its place, data %s for:', (manner) => {
  test.each([
    [`${PEOPLE}; COPY people FROM STDIN WHERE mail = 'a'; SELECT 1`, [done(people(1))], 'CEZ'],
    [
      `COPY plain (id) FROM STDIN; COPY kept FROM STDIN WHERE secret = 'a'`,
      [done(rows('1')), done(rows(`1\t${CANARY}`))],
      'GCEZ',
    ],
    [`COPY kept FROM STDIN; SELECT lower(secret) FROM kept; SELECT 1`, [done(rows(`1\t${CANARY}`))], 'GCEZ'],
    [`COPY plain (id) FROM STDIN; SELECT lower(secret) FROM kept`, [done(rows('1'))], 'GCEZ'],
  ] as const)('%s', async (text, data, said) => {
    const ours = await tell(sealed, manner, text, data);
    expect({ types: types(ours), code: errorOf(ours)['C'], status: statusOf(ours) }).toEqual({
      types: said,
      code: '0A000',
      status: 'I',
    });
    await same(manner, 'SELECT 1', []);
  });
});

test('messages behind it wait for their turn, also where a COPY fails early', async () => {
  const bad = [...rows('x'), ...rows(...Array.from({ length: 100 }, (_, id) => `${id}`)), copyDone()];
  for (const data of [done(people(1)), [...people(1), copyFail('no')]]) {
    const frames = [
      query(`${PEOPLE}; ${COPY}; COPY plain (id) FROM STDIN; ${READ}`),
      ...data,
      ...done(rows('1')),
      query('SELECT 2'),
      query(`COPY plain (id) FROM STDIN; SELECT secret FROM kept; COPY kept FROM STDIN`),
      ...bad,
      query('SELECT 3'),
      serialize.parse({ text: 'SELECT 4' }),
      serialize.bind({}),
      serialize.execute({}),
      sync(),
    ];
    for (const on of [sealed, twin]) on.send(...frames);
    expect(shown(await sealed.untilReady(5))).toEqual(shown(await twin.untilReady(5)));
    for (const on of [sealed, twin]) await say(on, 'DROP TABLE IF EXISTS people; TRUNCATE plain');
  }
});

describe('a message above 64 KiB, which another thread reads:', () => {
  const PADDING = ` /* ${'padding '.repeat(10_000)}*/`;
  test.each([
    'a COPY that is the first',
    'several COPYs, of tables of either kind',
    'data out and in',
    'an error behind it',
  ])('%s', async (name) => {
    const [text, data, said] = ALIKE[name] ?? ['', [], ''];
    expect((await same('asked', text + PADDING, data)).replaceAll('S', '')).toBe(said);
    const behind = `INSERT INTO kept VALUES (7, '${CANARY}'); COPY kept FROM STDIN; TABLE kept${PADDING}`;
    await same('unasked', behind, [done(rows(`8\t${CANARY}`))], 'TRUNCATE kept');
  });

  test('what is refused in it is refused in its place', async () => {
    const text = `COPY kept FROM STDIN; SELECT lower(secret) FROM kept; SELECT 1${PADDING}`;
    const ours = await tell(sealed, 'asked', text, [done(rows(`1\t${CANARY}`))]);
    expect([types(ours), errorOf(ours)['C'], statusOf(ours)]).toEqual(['GCEZ', '0A000', 'I']);
    await same('asked', 'SELECT 1', []);
  });
});

test('much data, which passes in pieces', async () => {
  const line = (id: number): string => `${id}\t${CANARY}-${id}\t${'city '.repeat(20)}\t\\N`;
  const many = Array.from({ length: 50 }, (_, part) =>
    copyData(Buffer.from(Array.from({ length: 100 }, (_, id) => `${line(part * 100 + id)}\n`).join(''))),
  );
  const plain = copyData(Buffer.from(Array.from({ length: 5_000 }, (_, id) => `${id}\t${'x'.repeat(300)}\n`).join('')));
  const text = `${PEOPLE}; ${COPY}; COPY plain (id, what) FROM STDIN; SELECT count(*) FROM people; SELECT sum(length(what)) FROM plain`;
  expect(
    await same('unasked', text, [
      [...many, copyDone()],
      [plain, copyDone()],
    ]),
  ).toBe('CGCGCTDCTDCZ');
});

test('a client that goes while its data is read takes the message with it', async () => {
  sealed.send(query(`${PEOPLE}; ${COPY}; SELECT 1`), ...people(1));
  expect(types([await sealed.message(), await sealed.message()].flatMap((message) => message ?? []))).toBe('CG');
  sealed.end();
  const alone = await RawClient.login(db.url);
  expect(shown(await say(alone, `${PEOPLE}; ${READ}`)).filter((line) => /^[DE]/.test(line))).toEqual([]);
  alone.end();
});
