/**
 * Schema changes, settings and data in one message, as migration tools and `psql -c` send them: on sealed columns what comes back over the wire,
 * message by message, is what plain columns give, and so is what is left afterwards.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { serialize } from 'pg-protocol';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { missing } from '../../support/programs.ts';
import { skipBecause } from '../../support/skip.ts';
import { startLoggedPostgres, type LoggedPostgres } from '../../support/postgres/logged-postgres.ts';
import { errorOf, RawClient, statusOf, type RawMessage } from '../../support/postgres/proxy.ts';
import { say, shown } from '../../support/postgres/said.ts';
import { openSealedDatabase, type SealedDatabase, type TestRule } from '../../support/postgres/sealed-database.ts';

const run = promisify(execFile);

const RULES: readonly TestRule[] = [
  { table: 'people', column: 'mail', type: 'varchar(60)', mode: 'deterministic', domain: 'mail' },
  { table: 'people', column: 'note', type: 'text' },
  { table: 'people', column: 'born', type: 'date' },
  { table: 'pets', column: 'name', type: 'text', mode: 'deterministic' },
  { table: 'kept', column: 'secret', type: 'text' },
];
const PEOPLE = 'CREATE TABLE people (id int PRIMARY KEY, mail varchar(60) UNIQUE, note text, city text, born date)';
const FILL = "INSERT INTO people VALUES (1, 'canary-ann', 'canary one', 'Rome'), (2, 'canary-bob', NULL, 'Oslo')";
const READ = 'SELECT * FROM people ORDER BY id';
const RESET = [
  'DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP SCHEMA IF EXISTS other CASCADE',
  'CREATE TABLE plain (id int PRIMARY KEY, what text, ref int REFERENCES plain DEFERRABLE INITIALLY DEFERRED)',
  'CREATE TABLE kept (id int, secret text)',
];

let server: LoggedPostgres;
let db: SealedDatabase;
let plain: pg.Client;
let sealed: RawClient;
let twin: RawClient;

beforeAll(async () => {
  server = await startLoggedPostgres(['max_prepared_transactions=2']);
  db = await openSealedDatabase(server, 'sealed', 'CREATE TABLE kept (id int, secret sealgate.sealed)', RULES);
  await db.direct.query('CREATE DATABASE twin');
  plain = await connectTo(server.url('twin'));
  await plain.query('CREATE TABLE kept (id int, secret text)');
  // What the twin is sent is no leak.
  await plain.query(
    "ALTER DATABASE twin SET log_statement = 'none'; ALTER DATABASE twin SET log_min_messages = 'panic'",
  );
});
afterAll(async () => {
  await plain.end();
  await db.close();
  await server.stop();
  expect(server.log()).toContain('INSERT INTO');
  expect(
    server
      .log()
      .split('\n')
      .filter((line) => line.includes('canary')),
  ).toEqual([]);
});
beforeEach(async () => {
  sealed = await RawClient.login(db.url);
  twin = await RawClient.login(server.url('twin'));
  for (const on of [sealed, twin]) for (const text of RESET) expect(statusOf(await say(on, text))).toBe('I');
});
afterEach(() => {
  sealed.end();
  twin.end();
});

/** Messages one after the other, and then what is left for others, as both sides tell. */
async function same(...texts: readonly string[]): Promise<readonly string[]> {
  const all: string[] = [];
  for (const text of [...texts, 'ROLLBACK', READ, 'SELECT * FROM plain ORDER BY id', 'SELECT * FROM kept']) {
    const expected = shown(await say(twin, text));
    expect({ text, said: shown(await say(sealed, text)) }).toEqual({ text, said: expected });
    all.push(...expected);
  }
  return all;
}

const ALIKE: Readonly<Record<string, readonly string[]>> = {
  'a table that is made, filled and read': [`${PEOPLE}; ${FILL}; ${READ}`],
  'a table that is changed, and filled anew': [
    `${PEOPLE}; ${FILL}`,
    `-- Migration ü
    ALTER TABLE people ADD COLUMN more int DEFAULT 7; UPDATE people SET born = '1990-02-03' WHERE mail = 'canary-bob';
    SELECT id, born, more FROM people WHERE mail = 'canary-bob'; ALTER TABLE people DROP COLUMN city; ${READ};`,
    'CREATE TABLE pets (id int)',
    "ALTER TABLE pets ADD name text; INSERT INTO pets VALUES (1, NULL), (2, 'canary-rex'); UPDATE pets SET name = 'canary-rex' WHERE id = 1; CREATE INDEX ON pets (name); SELECT * FROM pets WHERE name = 'canary-rex'",
  ],
  'an error in the middle takes all of it back, and the rest is not run': [
    `${PEOPLE}; ${FILL}; INSERT INTO people VALUES (3, 'canary-ann'); SELECT 1`,
    `${PEOPLE}; ${FILL}; INSERT INTO plain VALUES (1, 'ü'); SELECT 'ü', 1/0, no_such; SELECT 2`,
    `${PEOPLE}; ${FILL}; SELECT 'ü', no_such FROM plain; SELECT 2`,
    `INSERT INTO plain VALUES (1, 'a'); ${PEOPLE}; ${FILL}; SELECT (1/(id - 1)) FROM people`,
  ],
  'BEGIN and COMMIT inside': [
    `BEGIN; ${PEOPLE}; ${FILL}; COMMIT; SELECT mail FROM people ORDER BY id; ALTER TABLE people ADD more date; ${READ}`,
  ],
  'what is committed inside stays, whatever comes behind it': [
    `BEGIN; ${PEOPLE}; ${FILL}; COMMIT; UPDATE people SET note = 'canary two'; INSERT INTO people VALUES (1); SELECT 1`,
  ],
  'ROLLBACK inside': [
    `BEGIN; ${PEOPLE}; ${FILL}; ROLLBACK; ${PEOPLE}; INSERT INTO people VALUES (7, 'canary-z'); ${READ}`,
  ],
  'a block that the message leaves open': [
    `BEGIN; ${PEOPLE}; ${FILL}`,
    READ,
    `DELETE FROM people WHERE id = 1; ${READ}; COMMIT`,
  ],
  'a block that fails, and is left so': [
    `BEGIN; ${PEOPLE}; ${FILL}; ${FILL}; SELECT 1`,
    'SELECT 2',
    `ROLLBACK; ${PEOPLE}; ${FILL}`,
  ],
  'BEGIN behind others takes them into its block': [
    `INSERT INTO plain VALUES (1, 'a'); ${PEOPLE}; ${FILL}; BEGIN; SELECT mail FROM people; INSERT INTO plain VALUES (2, 'b')`,
    'ROLLBACK',
    `${PEOPLE}; ${FILL}; BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1`,
    `${PEOPLE}; ${FILL}; BEGIN`,
    'COMMIT',
  ],
  'COMMIT and ROLLBACK without a block': [
    `${PEOPLE}; ${FILL}; COMMIT; INSERT INTO people VALUES (3, 'canary-c'); ROLLBACK; INSERT INTO people VALUES (4, 'canary-d'); ${READ}`,
    `ALTER TABLE people ADD more date; UPDATE people SET born = '2001-01-01'; COMMIT`,
  ],
  'what needs a block of the client’s own': [
    `${PEOPLE}; ${FILL}; SAVEPOINT a; SELECT 1`,
    `${PEOPLE}; ${FILL}; ROLLBACK TO SAVEPOINT a; SELECT 1`,
    `${PEOPLE}; ${FILL}; RELEASE a`,
    `${PEOPLE}; ${FILL}; COMMIT AND CHAIN; SELECT 1`,
    `${PEOPLE}; ${FILL}; ROLLBACK AND CHAIN`,
    `BEGIN; ${PEOPLE}; SAVEPOINT a; ${FILL}; ROLLBACK TO a; SELECT count(*) FROM people; COMMIT AND CHAIN; ${FILL}; COMMIT`,
  ],
  'what any block forbids': [
    `${PEOPLE}; ${FILL}; VACUUM people`,
    `${PEOPLE}; ${FILL}; CREATE DATABASE no`,
    `${PEOPLE}; ${FILL}; CREATE INDEX CONCURRENTLY ON people (mail)`,
    `${PEOPLE}; ${FILL}; DISCARD ALL`,
    `${PEOPLE}; ${FILL}; SET LOCAL statement_timeout = 0; LOCK TABLE people; DECLARE c CURSOR FOR SELECT mail FROM people ORDER BY id; FETCH 1 FROM c`,
    'FETCH 1 FROM c',
  ],
  'what fails only when it is committed': [
    `${PEOPLE}; ${FILL}; INSERT INTO plain VALUES (1, 'a', 2); SELECT mail FROM people ORDER BY id`,
    `${PEOPLE}; ${FILL}; INSERT INTO plain VALUES (1, 'a', 2); BEGIN; COMMIT; SELECT 1`,
    `${PEOPLE}; ${FILL}; SET CONSTRAINTS ALL IMMEDIATE; INSERT INTO plain VALUES (1, 'a', 2); SELECT 1`,
  ],
  settings: [
    `${PEOPLE}; ${FILL}`,
    `CREATE SCHEMA other; SET search_path = other, public; SELECT note FROM people ORDER BY id; SHOW search_path`,
    `SET LOCAL TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'; ALTER TABLE people ADD more date; UPDATE people SET born = '1.2.1999'; SELECT born FROM people; SELECT 1/0`,
    `SHOW DateStyle`,
    `SELECT set_config('DateStyle', 'SQL, DMY', false); ALTER TABLE people ADD more date; UPDATE people SET born = '1/2/1999'; SELECT born FROM people`,
    `SHOW DateStyle; SHOW TimeZone`,
    `RESET DateStyle; RESET search_path`,
  ],
  'a temporary table joined with a sealed one': [
    "INSERT INTO kept VALUES (1, 'canary kept'), (2, 'canary too')",
    'CREATE TEMP TABLE wanted (id int) ON COMMIT DROP; INSERT INTO wanted VALUES (2); SELECT secret FROM kept JOIN wanted USING (id)',
    'SELECT * FROM wanted',
  ],
  'in a block that was open before': [
    'BEGIN',
    `${PEOPLE}; ${FILL}; ${READ}`,
    `ALTER TABLE people ADD more date; UPDATE people SET born = '2001-01-01' WHERE mail = 'canary-ann'; COMMIT; ${READ}; SELECT 1/0`,
  ],
  'in a block that has failed before': [
    'BEGIN',
    'SELECT 1/0',
    `${PEOPLE}; ${FILL}`,
    `ROLLBACK; ${PEOPLE}; ${FILL}; ${READ}`,
  ],
};

test.each(Object.entries(ALIKE))('%s', async (_name, texts) => {
  const said = await same(...texts);
  expect(said.some((message) => message.startsWith('C'))).toBe(true);
});

test('with a syntax error anywhere nothing of it is run', async () => {
  const said = await say(sealed, `${PEOPLE}; ${FILL}; SELEC 1`);
  expect(said.map(({ type }) => type)).toEqual(['E', 'Z']);
  expect(errorOf(said)).toMatchObject({ C: '42601', P: String(`${PEOPLE}; ${FILL}; S`.length) });
  await same();
});

test('messages behind it wait for their turn', async () => {
  const texts = [
    `${PEOPLE}; ${FILL}; ${READ}`,
    'SELECT 1',
    `ALTER TABLE people ADD more int; DELETE FROM people; SELECT 1/0`,
    READ,
  ];
  expect(shown(await say(sealed, ...texts))).toEqual(shown(await say(twin, ...texts)));
});

test('notifications come at its end, and to others only when it is committed', async () => {
  for (const on of [sealed, twin]) await say(on, 'LISTEN news');
  const channel = ({ type, body }: RawMessage): string => (type === 'A' ? body.subarray(4).toString() : type);
  const text = `NOTIFY news, 'one'; ${PEOPLE}; ${FILL}`;
  expect((await say(sealed, text)).map(channel)).toEqual((await say(twin, text)).map(channel));
});

describe('refused, with all that was before it taken back:', () => {
  test.each([
    [`${PEOPLE}; ${FILL}; SELECT lower(note) FROM people; SELECT 1`, 'note)'],
    [`${PEOPLE}; ${FILL}; PREPARE TRANSACTION 'x'; SELECT 1`, 'PREPARE'],
    [
      `SET standard_conforming_strings = off; SELECT secret FROM kept; SELECT '\\' || '; INSERT INTO kept VALUES (9, 9) --'`,
      'SELECT secret',
    ],
  ])('%s', async (text, place) => {
    const said = await say(sealed, text);
    const { C: code, P: position } = errorOf(said);
    expect({ code, at: text.slice(Number(position) - 1).slice(0, place.length), status: statusOf(said) }).toEqual({
      code: '0A000',
      at: place,
      status: 'I',
    });
    await same();
  });
});

describe('psql -c', () => {
  skipBecause(missing('psql'));
  test('with a migration', async () => {
    const migration = `${PEOPLE}; ${FILL}; ALTER TABLE people ADD CONSTRAINT one UNIQUE (mail, id); SELECT mail FROM people ORDER BY id`;
    const answers = [db.url, server.url('twin')].map((url) => run('psql', ['-XAt', '-c', migration, url]));
    const [ours, theirs] = await Promise.all(answers);
    expect(ours?.stdout).toBe(theirs?.stdout);
    await same(`${PEOPLE}; ${FILL}; SELECT 1`);
  });
});

test('in a sequence of the extended protocol that has not come to its Sync it is refused', async () => {
  const { parse, bind, execute } = serialize;
  sealed.send(parse({ text: 'SELECT 1' }), bind({}), execute({}), serialize.query(`${PEOPLE}; ${FILL}`));
  expect(errorOf(await sealed.untilReady())).toMatchObject({ R: 'ERR_POSTGRES_SEQUENCE' });
  await same();
});

test('the extended protocol takes one statement, as ever', async () => {
  const frames = [serialize.parse({ text: `${PEOPLE}; ${FILL}` }), serialize.sync()];
  for (const on of [sealed, twin]) on.send(...frames);
  expect(shown(await sealed.untilReady()).map((line) => line.replace(/ \S*$/u, ''))).toEqual(
    shown(await twin.untilReady()).map((line) => line.replace(/ \S*$/u, '')),
  );
});
