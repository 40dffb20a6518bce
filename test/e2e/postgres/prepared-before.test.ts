/**
 * Statements that named nothing sealed when they were prepared, and would by now: a view over a sealed table has taken the place of a plain
 * one. Nothing they are given goes up in clear, and nothing comes down as what it is not.
 */
import { serialize } from 'pg-protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { startLoggedPostgres, type LoggedPostgres } from '../../support/postgres/logged-postgres.ts';
import { errorOf, RawClient, types, type RawMessage } from '../../support/postgres/proxy.ts';
import { frame } from '../../support/postgres/raw-frames.ts';
import { openSearchedDatabase, type SearchedDatabase } from '../../support/postgres/sealed-database.ts';

const { parse, bind, execute, sync, query, close } = serialize;
const PLACE = 'CREATE TABLE place (id int, note text)';
const VIEW = ['DROP TABLE place', 'CREATE VIEW place AS SELECT id, note FROM people'];
const INSERT = 'INSERT INTO place VALUES ($1, $2)';
const READ = 'SELECT id, note FROM place';

let server: LoggedPostgres;
let db: SearchedDatabase;
let client: RawClient;

beforeAll(async () => {
  server = await startLoggedPostgres();
  db = await openSearchedDatabase(server, 'sealed', 'CREATE TABLE people (id int, note sealgate.sealed)', [
    { table: 'people', column: 'note', type: 'text' },
  ]);
});
afterAll(async () => {
  await db.close();
  await server.stop();
  expect(
    server
      .log()
      .split('\n')
      .filter((line) => line.includes('plain before')),
  ).not.toEqual([]);
  expect(
    server
      .log()
      .split('\n')
      .filter((line) => line.includes('canary')),
  ).toEqual([]);
});
beforeEach(async () => {
  await db.direct.query(PLACE);
  await expect.poll(() => db.analyzer.mayConcern(READ)).toBe(false);
  client = await RawClient.login(db.url);
});
afterEach(async () => {
  client.end();
  const { rows } = await db.direct.query<{ kind: string }>(
    "SELECT relkind AS kind FROM pg_class WHERE oid = to_regclass('public.place')",
  );
  for (const { kind } of rows) await db.direct.query(`DROP ${kind === 'v' ? 'VIEW' : 'TABLE'} place`);
  await db.direct.query('TRUNCATE people');
});

/** All frames at once; what comes up to as many ReadyForQuery. */
async function say(...frames: readonly Uint8Array[]): Promise<RawMessage[]> {
  client.send(...frames);
  return client.untilReady(frames.filter((frame) => frame[0] === 0x51 || frame[0] === 0x53).length);
}

/** What the session changes itself. */
async function change(...statements: readonly string[]): Promise<void> {
  const answer = await say(...statements.map((sql) => query(sql)));
  expect(types(answer).replaceAll('S', '')).toBe('CZ'.repeat(statements.length));
}

const run = (name: string, ...values: readonly string[]): Promise<RawMessage[]> =>
  say(bind({ statement: name, values: [...values] }), execute({}), sync());
const STALE = { C: '0A000', M: expect.stringContaining('cached plan must not change') as string };

const CHANGES: Readonly<Record<string, () => Promise<unknown>>> = {
  'the session itself': () => change('BEGIN', ...VIEW, 'COMMIT'),
  'the session itself, in the open transaction': () => change('BEGIN', ...VIEW, 'SAVEPOINT s'),
  'another client, directly': async () => {
    await db.direct.query(VIEW.join(';'));
    await expect.poll(() => db.analyzer.mayConcern(READ)).toBe(true);
  },
};

test.each(Object.entries(CHANGES))(
  'prepared by the protocol, named and unnamed; changed by %s',
  async (_by, changes) => {
    await say(parse({ name: 's', text: INSERT }), parse({ name: 'r', text: READ }), sync());
    await say(parse({ name: 'other', text: 'SELECT $1::int' }), parse({ text: INSERT }), sync());
    expect(types(await run('s', '1', 'plain before'))).toBe('2CZ');
    expect(types(await run('r'))).toBe('2DCZ');
    await changes();
    for (const [name, ...values] of [['s', '2', 'canary one'], ['r'], ['', '3', 'canary two']] as const) {
      expect(errorOf(await run(name, ...values))).toMatchObject(STALE);
      await say(query('ROLLBACK TO s'));
    }
    expect(types(await run('other', '5'))).toBe('2DCZ');
    await say(query('COMMIT'));
    await say(close({ type: 'S', name: 's' }), parse({ name: 's', text: INSERT }), sync());
    expect(types(await run('s', '4', 'canary three'))).toBe('2CZ');
    const read = await say(parse({ text: READ }), bind({}), execute({}), sync());
    expect(read.find(({ type }) => type === 'D')?.body.toString('latin1')).toContain('canary three');
    expect((await db.direct.query('SELECT id FROM people')).rows).toEqual([{ id: 4 }]);
  },
);

test('prepared by PREPARE', async () => {
  await say(query(`PREPARE s (int, text) AS ${INSERT}`), query(`PREPARE r AS ${READ}`));
  expect(types(await say(query("EXECUTE s (1, 'plain before')"), query('EXECUTE r')))).toBe('CZTDCZ');
  await change('BEGIN', ...VIEW, 'COMMIT');
  expect(errorOf(await say(query("EXECUTE s (2, 'canary four')")))).toMatchObject({ C: '0A000' });
  expect(errorOf(await say(query('EXECUTE r')))).toMatchObject({ C: '0A000' });
  expect(types(await say(query('DEALLOCATE s'), query(`PREPARE s (int, text) AS ${INSERT}`)))).toBe('CZCZ');
  expect(types(await say(query("EXECUTE s (3, 'canary five')")))).toBe('CZ');
});

test('prepared by the protocol and run by EXECUTE', async () => {
  await say(parse({ name: 'r', text: READ }), sync());
  expect(types(await say(query('EXECUTE r')))).toBe('TCZ');
  await change(...VIEW);
  expect(errorOf(await say(query('EXECUTE r')))).toMatchObject(STALE);
});

test('a Parse that failed leaves what the name stood for, which is looked at', async () => {
  await say(parse({ name: 's', text: INSERT }), sync());
  expect(types(await say(parse({ name: 's', text: 'SELECT 1' }), sync()))).toBe('EZ');
  await change(...VIEW);
  expect(errorOf(await run('s', '1', 'canary six'))).toMatchObject(STALE);
});

test('what has nothing to do with it goes on, however it was prepared', async () => {
  await change('CREATE TEMP TABLE own (a int)');
  await say(query('PREPARE t (int) AS INSERT INTO own VALUES ($1) RETURNING a'), query('PREPARE u AS SELECT now()'));
  await say(parse({ name: 'v', text: 'INSERT INTO own VALUES ($1) RETURNING a' }), sync());
  await change(...VIEW, 'SET extra_float_digits = 0', 'BEGIN');
  expect(types(await say(query('EXECUTE t (1)'), query('EXECUTE u')))).toBe('TDCZTDCZ');
  expect(types(await run('v', '2'))).toBe('2DCZ');
  await change('COMMIT');
});

test('changed ahead in the same pipeline', async () => {
  await say(parse({ name: 's', text: INSERT }), sync());
  expect(types(await run('s', '1', 'plain before'))).toBe('2CZ');
  const ahead = VIEW.flatMap((text) => [parse({ text }), bind({}), execute({})]);
  const said = await say(...ahead, bind({ statement: 's', values: ['2', 'canary seven'] }), execute({}), sync());
  expect(errorOf(said)).toMatchObject({ C: '0A000' });
});

test('a view that was there before is given the name', async () => {
  await db.direct.query('CREATE VIEW seen AS SELECT id, note FROM people');
  onTestFinished(async () => void (await db.direct.query('DROP VIEW IF EXISTS seen')));
  await say(parse({ name: 's', text: INSERT }), sync());
  await change('DROP TABLE place', 'ALTER VIEW seen RENAME TO place');
  expect(errorOf(await run('s', '1', 'canary eight'))).toMatchObject(STALE);
  // Nor is it plain to who prepares it now.
  await say(query("INSERT INTO place VALUES (2, 'canary nine')"));
  expect((await db.direct.query('SELECT id FROM people')).rows).toEqual([{ id: 2 }]);
});

describe('a name beyond ASCII, which other bytes are in another encoding:', () => {
  const E = { latin1: [0xe9, 0], utf8: [0xc3, 0xa9, 0] };
  const parsed = (name: readonly number[], text: string) => frame('P', [...name], `${text}\0`, [0, 0]);
  const bound = (name: readonly number[], id: string, note: string) =>
    frame('B', [0], [...name], [0, 0, 0, 2, 0, 0, 0, id.length], id, [0, 0, 0, note.length], note, [0, 0]);
  const LATIN1 = "SET client_encoding = 'LATIN1'";
  const UTF8 = "SET client_encoding = 'UTF8'";
  const PLAIN = 'SELECT $1::int, $2::text';

  test('prepared under the other', async () => {
    await say(query(LATIN1));
    expect(types(await say(parsed(E.latin1, INSERT), bound(E.latin1, '1', 'plain before'), execute({}), sync()))).toBe(
      '12CZ',
    );
    await say(query(UTF8));
    expect(types(await say(bound(E.utf8, '2', 'plain before'), execute({}), sync()))).toBe('2CZ');
    await change('BEGIN', ...VIEW, 'COMMIT');
    expect(errorOf(await say(bound(E.utf8, '3', 'canary ten'), execute({}), sync()))).toMatchObject(STALE);
    expect(errorOf(await say(query("EXECUTE é (3, 'canary eleven')")))).toMatchObject(STALE);
    await change('DEALLOCATE ALL');
    const again = [parsed(E.utf8, INSERT), bound(E.utf8, '4', 'canary twelve'), execute({})];
    expect(types(await say(...again, sync()))).toBe('12CZ');
  });

  test('prepared under one that is set in the same sequence', async () => {
    const set = [parse({ text: LATIN1 }), bind({}), execute({})];
    expect(errorOf(await say(...set, parsed(E.latin1, INSERT), sync()))).toMatchObject({ C: '0A000' });
  });

  test('read by EXECUTE', async () => {
    await say(query(LATIN1), parsed(E.latin1, READ), sync(), query(UTF8));
    await change('BEGIN', ...VIEW, 'COMMIT');
    expect(errorOf(await say(query('EXECUTE é')))).toMatchObject(STALE);
    await change('DISCARD ALL');
    expect(errorOf(await say(query('EXECUTE é')))).toMatchObject({ C: '26000' });
  });

  test('beside another that has its bytes', async () => {
    await say(query(LATIN1), parsed(E.latin1, INSERT), parsed(E.utf8, PLAIN), sync(), query(UTF8));
    await change('BEGIN', ...VIEW, 'COMMIT');
    expect(errorOf(await say(bound(E.utf8, '1', 'canary thirteen'), execute({}), sync()))).toMatchObject(STALE);
  });

  test('of which another with its bytes is closed, or prepared', async () => {
    for (const other of [frame('C', 'S', E.utf8), parsed(E.utf8, PLAIN)]) {
      await say(query(UTF8), parsed(E.utf8, INSERT), sync(), query(LATIN1));
      await say(other, sync());
      await say(query(UTF8));
      await change('BEGIN', ...VIEW, 'COMMIT');
      expect(errorOf(await say(bound(E.utf8, '1', 'canary fourteen'), execute({}), sync()))).toMatchObject(STALE);
      await change('DROP VIEW place', PLACE, 'DEALLOCATE ALL');
    }
  });
});
