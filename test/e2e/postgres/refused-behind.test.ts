/**
 * A statement of a message that the proxy refuses, behind others: the client gets their answers first and then the refusal, as of a statement that
 * the server finds fault with, and what they did is taken back or stays as it would there.
 */
import { serialize } from 'pg-protocol';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { errorOf, RawClient, statusOf } from '../../support/postgres/proxy.ts';
import { openSealedDatabase, type SealedDatabase, type TestRule } from '../../support/postgres/sealed-database.ts';
import { say, shown } from '../../support/postgres/said.ts';

const RULES: readonly TestRule[] = [
  { table: 'people', column: 'mail', type: 'varchar(12)', mode: 'deterministic' },
  { table: 'people', column: 'note', type: 'text' },
  { table: 'people', column: 'born', type: 'date' },
];
const table = (sealed: boolean): string =>
  `CREATE TABLE people (id int PRIMARY KEY, ${['mail varchar(12)', 'note text', 'born date']
    .map((column) => (sealed ? `${column.split(' ')[0]} sealgate.sealed` : column))
    .join(', ')});
   CREATE TABLE plain (id int PRIMARY KEY, what text, ref int REFERENCES plain DEFERRABLE INITIALLY DEFERRED)`;
const LEFT = ['ROLLBACK', 'SELECT * FROM people ORDER BY id', 'SELECT * FROM plain ORDER BY id'];

let log = '';
let server: TestPostgres;
let db: SealedDatabase;
let plain: pg.Client;
let sealed: RawClient;
let twin: RawClient;

beforeAll(async () => {
  server = await startPostgres(['log_statement=all'], undefined, (bytes) => {
    log += Buffer.from(bytes).toString();
  });
  db = await openSealedDatabase(server, 'sealed', table(true), RULES);
  await db.direct.query('CREATE DATABASE twin');
  plain = await connectTo(server.url('twin'));
  await plain.query(table(false));
  // What the twin is sent is no leak.
  await plain.query(
    "ALTER DATABASE twin SET log_statement = 'none'; ALTER DATABASE twin SET log_min_messages = 'panic'",
  );
});
afterAll(async () => {
  await plain.end();
  await db.close();
  await server.stop();
  expect(log).toContain('SEALGATE REFUSED THIS STATEMENT');
  expect(log.split('\n').filter((line) => line.includes('canary'))).toEqual([]);
});
beforeEach(async () => {
  sealed = await RawClient.login(db.url);
  twin = await RawClient.login(server.url('twin'));
  const fill =
    "DELETE FROM people; DELETE FROM plain; INSERT INTO people VALUES (1, 'canary-ann', 'canary', '2001-02-03')";
  for (const on of [sealed, twin]) expect(statusOf(await say(on, fill))).toBe('I');
});
afterEach(() => {
  sealed.end();
  twin.end();
});

/** Refused by the proxy, and in the same place by the server for another reason. */
const HERE = 'SELECT lower(note) FROM people';
const THERE = 'SELECT lower(id) FROM people';

const withoutErrors = (said: readonly string[]): readonly string[] =>
  said.map((line) => (line.startsWith('E ') ? 'E' : line));

async function compare(texts: readonly string[], inPlace: (text: string) => string): Promise<readonly string[]> {
  const all: string[] = [];
  for (const text of [...texts, ...LEFT]) {
    const expected = shown(await say(twin, inPlace(text)));
    const said = shown(await say(sealed, text));
    const isOurs = inPlace(text) !== text;
    expect({ text, said: isOurs ? withoutErrors(said) : said }).toEqual({
      text,
      said: isOurs ? withoutErrors(expected) : expected,
    });
    all.push(...said);
  }
  return all;
}

test.each([
  [['SELECT 1; @; SELECT 2']],
  [["INSERT INTO plain VALUES (1, 'a'); SELECT * FROM plain; @"]],
  [["INSERT INTO people VALUES (2, 'canary-bob'); SELECT id, mail FROM people ORDER BY id; @; SELECT 2"]],
  [["BEGIN; INSERT INTO people VALUES (2, 'canary-bob'); COMMIT; INSERT INTO plain VALUES (1, 'a'); @"]],
  [["BEGIN; INSERT INTO people VALUES (2, 'canary-bob'); @; COMMIT", 'SELECT 3', 'COMMIT']],
  [['BEGIN', "INSERT INTO plain VALUES (1, 'a'); @", 'SELECT 3', 'COMMIT']],
  [
    [
      'BEGIN',
      'SAVEPOINT a',
      'SELECT note FROM people; @',
      'ROLLBACK TO a; INSERT INTO people VALUES (2); SELECT 1',
      'COMMIT',
    ],
  ],
  [['BEGIN', 'SELECT 1/0', 'SELECT 1; @', 'ROLLBACK; SELECT 1; @', 'SELECT 4']],
  [['PREPARE one AS SELECT 1; DECLARE c CURSOR WITH HOLD FOR SELECT 2; @', 'EXECUTE one', 'FETCH 1 FROM c']],
  [["LISTEN news; NOTIFY news, 'x'; @", "NOTIFY news, 'y'", 'UNLISTEN news']],
  [['; ;SELECT 1;; @;']],
  [['SELECT note FROM people; SET LOCAL work_mem = 1000; @', 'SHOW work_mem']],
  [['-- first ü\nSELECT 1; /* then ; */ -- ;\n @ -- last']],
])('in its place: %j', async (texts) => {
  const write = (what: string) => texts.map((text) => text.replace('@', what));
  const said = await compare(write(HERE), (text) => text.replace(HERE, THERE));
  expect(said.some((line) => line.startsWith('E ERROR 0A000'))).toBe(true);
});

test('an error of the server ahead of it comes as ever, with its place in the text, and is the last of the message', async () => {
  await compare(
    [
      `INSERT INTO plain VALUES (1, 'ü'); SELECT 'ü', no_such FROM plain; ${HERE}`,
      `SELECT 1/0; ${HERE}; SELECT 2`,
      `SELECT 'ü' FROM people; INSERT INTO plain VALUES (1), (1); ${HERE}`,
    ],
    (text) => text,
  );
});

test('a refusal names the place in the text of the whole message', async () => {
  const text = `SELECT 'ü'; SELECT note FROM people; ${HERE}`;
  const { C: code, P: position } = errorOf(await say(sealed, text));
  expect({ code, at: [...text].slice(Number(position) - 1).join('') }).toEqual({
    code: '0A000',
    at: 'note) FROM people',
  });
});

test.each([
  "SELECT 1; INSERT INTO people VALUES (2, 'canary-too-long-it-is'); SELECT 2",
  "INSERT INTO people VALUES (2, 'canary-bob'); INSERT INTO people (id, born) VALUES (3, 'canary-no-date'); SELECT 2",
  "BEGIN; INSERT INTO people VALUES (2, 'canary-bob'); COMMIT; UPDATE people SET born = 'canary-no-date'",
])('constants that the proxy finds fault with, in its own stead: %s', async (text) => {
  const codes = (lines: readonly string[]): readonly string[] =>
    lines.map((line) => (line.startsWith('E ') ? line.split(' ').slice(0, 3).join(' ') : line));
  const expected = codes(shown(await say(twin, text)));
  expect(codes(shown(await say(sealed, text)))).toEqual(expected);
  expect(expected.some((line) => /^E ERROR 22/.test(line))).toBe(true);
  await compare([], (left) => left);
});

test('names that stand for something sealed fail in their place', async () => {
  const text = 'PREPARE p AS SELECT note FROM people; CREATE TABLE made AS EXECUTE p; SELECT 2';
  const said = shown(await say(sealed, text));
  expect(said.map((line) => line.split(' ')[0])).toEqual(['C', 'E', 'Z']);
  // PREPARE outlives the transaction.
  expect(shown(await say(sealed, 'EXECUTE p')).filter((line) => line.startsWith('D '))).toEqual(['D canary']);
});

test('a syntax error behind it still comes first, and nothing is run', async () => {
  for (const on of [sealed, twin]) {
    const said = shown(await say(on, `INSERT INTO plain VALUES (1); ${on === sealed ? HERE : THERE}; SELEC 1`));
    expect(said.map((line) => line.slice(0, 13))).toEqual(['E ERROR 42601', 'Z I']);
  }
  await compare([], (text) => text);
});

test('messages behind it are answered in their turn', async () => {
  const texts = [`SELECT 1; ${HERE}`, 'SELECT 2', `SELECT 3; ${HERE}; SELECT 4`, 'SELECT id, note FROM people'];
  const theirs = texts.map((text) => text.replace(HERE, THERE));
  expect(withoutErrors(shown(await say(sealed, ...texts)))).toEqual(withoutErrors(shown(await say(twin, ...theirs))));
});

test('one long message, most of which is not sealed', async () => {
  const values = Array.from({ length: 3000 }, (_, id) => `INSERT INTO plain VALUES (${id}, '${'x'.repeat(20)}')`);
  await compare([[...values, HERE, 'SELECT 2'].join('; ')], (text) => text.replace(HERE, THERE));
});

test('Parse takes one statement', async () => {
  for (const on of [sealed, twin]) {
    on.send(serialize.parse({ text: `SELECT 1; ${on === sealed ? HERE : THERE}` }), serialize.sync());
    expect(errorOf(await on.untilReady())).toMatchObject({ C: '42601' });
  }
});
