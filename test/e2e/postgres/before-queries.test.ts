/**
 * What a transaction may say before its first query only, and what waits for a lock: the proxy's own question for the settings is a query, so it comes
 * behind these, whatever was set ahead of them.
 */
import { serialize } from 'pg-protocol';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { RawClient } from '../../support/postgres/proxy.ts';
import { shown } from '../../support/postgres/said.ts';
import { openSealedDatabase, type SealedDatabase } from '../../support/postgres/sealed-database.ts';
import { END, untilEnd } from '../../support/postgres/until-end.ts';
import { untilRuns } from '../../support/postgres/waits.ts';

const { query, parse, bind, execute, sync } = serialize;
const READ = 'SELECT id, note FROM people';

let server: TestPostgres;
let db: SealedDatabase;

beforeAll(async () => {
  server = await startPostgres();
  db = await openSealedDatabase(server, 'sealed', 'CREATE TABLE people (id int, note sealgate.sealed)', [
    { table: 'people', column: 'note', type: 'text' },
  ]);
  await db.direct.query('CREATE DATABASE twin');
  const twin = await connectTo(server.url('twin'));
  await twin.query('CREATE TABLE people (id int, note text)');
  await twin.end();
});
afterAll(async () => {
  await db.close();
  await server.stop();
});

const TRANSACTIONS: readonly (readonly string[])[] = [
  ['BEGIN', 'SET search_path = public', 'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE', READ, 'COMMIT'],
  [
    ...['BEGIN', "SET LOCAL TimeZone = 'Asia/Tokyo'", 'RESET DateStyle', 'SET TRANSACTION READ ONLY, DEFERRABLE'],
    ...[READ, 'COMMIT'],
  ],
  ['BEGIN', 'SET search_path = public', "SET transaction_isolation = 'repeatable read'", READ, 'COMMIT'],
  ['BEGIN', 'SET search_path = public', 'LOCK TABLE people', 'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE', READ],
  ['BEGIN', 'LOCK TABLE people IN SHARE MODE', 'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE', READ, 'COMMIT'],
  ['BEGIN', READ, 'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE', 'ROLLBACK'],
];
const WAYS: Readonly<Record<string, (texts: readonly string[]) => readonly Uint8Array[]>> = {
  'one by one': (texts) => texts.map((text) => query(text)),
  'in one message': (texts) => [query(texts.join('; '))],
  'with a Sync each': (texts) => texts.flatMap((text) => [parse({ text }), bind({}), execute({}), sync()]),
  'in a pipeline': (texts) => [...texts.flatMap((text) => [parse({ text }), bind({}), execute({})]), sync()],
};

async function tell(url: string, frames: readonly Uint8Array[]): Promise<readonly string[]> {
  const on = await RawClient.login(url);
  on.send(...frames, query('ROLLBACK'), query(END));
  const messages = await untilEnd(on);
  on.end();
  return shown(messages.filter(({ type }) => !'NSA'.includes(type)));
}

test.each(Object.entries(WAYS).flatMap(([way, frames]) => TRANSACTIONS.map((texts) => ({ way, texts, frames }))))(
  '$way: $texts',
  async ({ texts, frames }) => {
    expect(await tell(db.url, frames(texts))).toEqual(await tell(server.url('twin'), frames(texts)));
  },
);

test.each(['simple', 'extended'] as const)(
  'what a lock was waited for is seen, by the %s protocol',
  async (protocol) => {
    await db.direct.query('TRUNCATE people');
    const writer = await connectTo(db.url);
    const reader = await connectTo(db.url);
    onTestFinished(async () => {
      await writer.end();
      await reader.end();
    });
    // A name makes npm pg take the extended protocol.
    const say = (text: string) => reader.query(protocol === 'simple' ? text : { name: text, text });
    await writer.query("BEGIN; LOCK TABLE people; INSERT INTO people VALUES (1, 'written meanwhile')");
    await say('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await say("SET LOCAL TimeZone = 'Asia/Tokyo'");
    const locked = say('LOCK TABLE people IN SHARE MODE');
    await untilRuns(server, 'LOCK TABLE people IN SHARE MODE');
    await writer.query('COMMIT');
    await locked;
    expect((await say(READ)).rows).toEqual([{ id: 1, note: 'written meanwhile' }]);
    await say('COMMIT');
    await writer.end();
    await reader.end();
  },
);
