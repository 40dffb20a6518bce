/**
 * PREPARE and COPY of a query, prepared by the protocol: the server reads their text when they are run, where its constants were sealed as they read
 * when it was prepared, and its names were looked up. Under other settings they are refused as stale, and go on under settings that read alike.
 */
import { serialize } from 'pg-protocol';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { errorOf, RawClient } from '../../support/postgres/proxy.ts';
import { say, shown } from '../../support/postgres/said.ts';
import { openSearchedDatabase, type SearchedDatabase } from '../../support/postgres/sealed-database.ts';

const { parse, bind, execute, sync } = serialize;

let server: TestPostgres;
let db: SearchedDatabase;
let sealed: RawClient;

beforeAll(async () => {
  server = await startPostgres(['timezone=UTC']);
  const ddl = `CREATE TABLE people (id int PRIMARY KEY, born sealgate.sealed, seen sealgate.sealed, mail sealgate.sealed);
    CREATE SCHEMA other; CREATE TABLE other.people (id int PRIMARY KEY, born text, seen text, mail text)`;
  db = await openSearchedDatabase(server, 'sealed', ddl, [
    { table: 'people', column: 'born', type: 'date', mode: 'deterministic' },
    { table: 'people', column: 'seen', type: 'timestamptz' },
    { table: 'people', column: 'mail', type: 'text', mode: 'deterministic' },
  ]);
});
afterAll(async () => {
  await db.close();
  await server.stop();
});
beforeEach(async () => {
  sealed = await RawClient.login(db.url);
  await say(
    sealed,
    "DELETE FROM people; INSERT INTO people VALUES (1, '2003-01-02', NULL, 'a@x'), (2, '2003-02-01', NULL, 'b@x')",
  );
  return () => sealed.end();
});

const run = (text: string): Uint8Array[] => [parse({ text }), bind({}), execute({})];
/** What was answered, but for the reports of settings. */
async function answer(frames: readonly Uint8Array[]): Promise<readonly string[]> {
  sealed.send(...frames, sync());
  const replies = await sealed.untilReady();
  const code = errorOf(replies)['C'];
  return code === undefined ? shown(replies) : [code];
}

const ADD = "PREPARE p AS INSERT INTO people (id, born) VALUES (7, '1/2/2003')";
const ADD_SEEN = "PREPARE p AS INSERT INTO people (id, seen) VALUES (7, '2003-01-02 12:00')";
const ADD_MAIL = "PREPARE p AS INSERT INTO people (id, mail) VALUES (7, '1/2/2003')";
const COPY = "COPY (SELECT id FROM people WHERE born = '1/2/2003') TO STDOUT";
const COPY_MAIL = "COPY (SELECT id FROM people WHERE mail = 'a@x') TO STDOUT";
const DMY = "SET DateStyle = 'SQL, DMY'";
const TOKYO = "SET TimeZone = 'Asia/Tokyo'";
const OTHER = 'SET search_path = other, public';

const STALE: readonly (readonly [string, string])[] = [
  [ADD, DMY],
  [ADD_SEEN, TOKYO],
  [COPY, DMY],
];

const bound = (text: string): Uint8Array[] => [parse({ name: 's', text }), bind({ portal: 'q', statement: 's' })];
const again = [bind({ portal: 'q', statement: 's' }), execute({ portal: 'q' })];

test.each(STALE)('%s, prepared before %s', async (text, set) => {
  await answer([parse({ name: 's', text })]);
  await answer(run(set));
  expect(await answer(again)).toEqual(['0A000']);
});

test.each(STALE)('%s, prepared before %s of the same sequence', async (text, set) => {
  expect(await answer([parse({ name: 's', text }), ...run(set), ...again])).toEqual(['0A000']);
});

test.each([...STALE, [COPY_MAIL, OTHER], [ADD_MAIL, OTHER]] as const)('%s, bound before %s', async (text, set) => {
  expect(await answer([...bound(text), ...run(set), execute({ portal: 'q' })])).toEqual(['0A000']);
});

test.each([...STALE, [COPY_MAIL, OTHER]] as const)('%s, bound before %s in an earlier sequence', async (text, set) => {
  await say(sealed, 'BEGIN');
  await answer(bound(text));
  await say(sealed, set);
  expect(await answer([execute({ portal: 'q' })])).toEqual(['0A000']);
});

test.each([
  [ADD, 'SET bytea_output = escape', '2003-01-02'],
  [ADD, `${DMY}; RESET DateStyle`, '2003-01-02'],
  [ADD_MAIL, DMY, '1/2/2003'],
] as const)('%s goes on behind %s', async (text, set, stored) => {
  await answer(bound(text));
  await say(sealed, set);
  await answer(again);
  await say(sealed, 'EXECUTE p; RESET ALL');
  const plain = shown(await say(sealed, 'SELECT born, mail FROM people WHERE id = 7')).join();
  expect(plain).toContain(stored);
});

const SEEN = ADD_SEEN.replace('PREPARE p AS ', '');
const PUBLIC = 'SET search_path = public, other';

test.each<readonly [string, string, readonly string[], boolean]>([
  ['names are searched elsewhere', SEEN, [TOKYO, PUBLIC], true],
  ['its table has changed', SEEN, [TOKYO, 'ALTER TABLE people ADD COLUMN IF NOT EXISTS plain int'], true],
  ['nothing has changed but how text reads', SEEN, [TOKYO], false],
  ['text reads alike', SEEN, ['SET bytea_output = escape', PUBLIC], false],
])('constants of a prepared INSERT that the server reads again where %s', async (_name, text, sets, isStale) => {
  await answer([parse({ name: 's', text })]);
  await say(sealed, `PREPARE p AS ${text.replace('7', '8')}`);
  for (const set of sets) await say(sealed, set);
  const said = [await answer(again), shown(await say(sealed, 'EXECUTE p'))];
  expect(said.map((lines) => /0A000/.test(lines.join()))).toEqual([isStale, isStale]);
  await say(sealed, 'RESET ALL');
  const stored = shown(await say(sealed, 'SELECT seen FROM people WHERE id > 2')).filter((line) =>
    line.startsWith('D'),
  );
  expect(stored.every((line) => line.includes('12:00:00+00'))).toBe(true);
  expect(stored).toHaveLength(isStale ? 0 : 2);
});

test('COPY of a query goes on behind settings that read alike', async () => {
  for (const text of [COPY, COPY_MAIL]) {
    await answer([parse({ name: 's', text })]);
    await say(sealed, 'SET bytea_output = escape');
    expect((await answer(again)).filter((line) => line.startsWith('d'))).toEqual(['d 1\n']);
    await answer([serialize.close({ type: 'S', name: 's' })]);
  }
});
