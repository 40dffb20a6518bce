/**
 * A database of another encoding than UTF8: the server cuts names at 63 bytes of that, and makes letters beyond ASCII small as its locale has it. No name that
 * it reads otherwise than the grammar here passes for one of nothing sealed.
 */
import { serialize } from 'pg-protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { startLoggedPostgres, type LoggedPostgres } from '../../support/postgres/logged-postgres.ts';
import { errorOf, RawClient, types, type RawMessage } from '../../support/postgres/proxy.ts';
import { openSearchedDatabase, type SearchedDatabase } from '../../support/postgres/sealed-database.ts';

const { query, parse, bind, execute, sync } = serialize;

/** 41 bytes there, and 81 in UTF-8. */
const LONG = `${'é'.repeat(40)}a`;
const FIND = 'SELECT id FROM café WHERE mail = $1';

let server: LoggedPostgres;
let db: SearchedDatabase;
let client: RawClient;
beforeAll(async () => {
  server = await startLoggedPostgres();
  const root = await connectTo(server.url());
  await root.query("CREATE DATABASE sealed ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
  await root.end();
  const columns = 'id int, mail sealgate.sealed, note sealgate.sealed';
  db = await openSearchedDatabase(
    server,
    'sealed',
    `CREATE TABLE ${LONG} (${columns}); CREATE TABLE café (${columns}); CREATE TABLE größe (id int)`,
    [LONG, 'café'].flatMap((table) => [
      { table, column: 'mail', type: 'text', mode: 'deterministic' as const },
      { table, column: 'note', type: 'text' },
    ]),
  );
});
afterAll(async () => {
  await db.close();
  await server.stop();
  expect(
    server
      .log()
      .split('\n')
      .filter((line) => line.includes('canary')),
  ).toEqual([]);
});
beforeEach(async () => {
  client = await RawClient.login(db.url);
  return () => client.end();
});

async function say(...frames: readonly Uint8Array[]): Promise<RawMessage[]> {
  client.send(...frames);
  return client.untilReady(frames.filter((frame) => frame[0] === 0x51 || frame[0] === 0x53).length);
}
const REFUSED = { C: '0A000' };

describe('refused is', () => {
  test.each([
    ['a name that is cut here', `INSERT INTO ${LONG} (id, note) VALUES (1, 'canary')`],
    ['the same in quotes', `SELECT id FROM "${LONG}" WHERE mail = 'canary'`],
    ['the same with its schema', `UPDATE public.${LONG} SET note = 'canary'`],
    ['the same behind another statement', `SELECT 1; SELECT id FROM ${LONG} WHERE mail = 'canary'`],
    ['letters that its locale may make small', "INSERT INTO CAFÉ (id, note) VALUES (1, 'canary')"],
    ['the same with no other than that', "SELECT id FROM cafÉ WHERE mail = 'canary'"],
    ['one in another letter', "INSERT INTO t\u0130tles VALUES ('canary')"],
    ['one in escapes', `SELECT id FROM U&"${String.raw`\00e9`.repeat(40)}a" WHERE mail = 'canary'`],
    ['one of something else', `SELECT 1 AS ${LONG}b, 'canary'`],
  ])('%s', async (_what, sql) => {
    expect(errorOf(await say(query(sql)))).toMatchObject(REFUSED);
    expect(errorOf(await say(parse({ text: sql.replaceAll("'canary'", '$1') }), sync()))).toMatchObject(REFUSED);
  });
});

test('names that are the same here and there work, and values are what they are', async () => {
  expect(types(await say(query("INSERT INTO café VALUES (1, 'canary-é', 'É \"x')")))).toBe('CZ');
  const found = await say(query(`SELECT note AS "É x" FROM "café" WHERE mail = 'canary-é' -- ${LONG.toUpperCase()}`));
  expect(found.find(({ type }) => type === 'D')?.body.toString()).toContain('É "x');
  expect(types(await say(query("SELECT 'É', id AS größer FROM größe")))).toBe('TCZ');
});

test('names of statements that are cut otherwise are told apart, or refused', async () => {
  const [one, other] = [`${LONG}x`, `${LONG}y`];
  expect(types(await say(parse({ name: one, text: 'SELECT $1::text' }), sync()))).toBe('1Z');
  expect(types(await say(parse({ name: 'find', text: FIND }), sync()))).toBe('1Z');
  for (const text of [FIND, 'SELECT $1::text'])
    expect(errorOf(await say(parse({ name: other, text }), sync()))).toMatchObject(REFUSED);
  const run = [bind({ statement: one, values: ['plain'] }), execute({}), sync()];
  expect(errorOf(await say(...run))).toMatchObject(REFUSED);
  const value = bind({ statement: 'find', values: ['canary-é'] });
  expect(types(await say(value, execute({}), sync()))).toBe('2DCZ');
});

test.each(['\u00a6', '\uffe4'])(
  'in EUC_JP, where two bars are one character, a name with either is refused: %s',
  async (bar) => {
    const root = await connectTo(server.url());
    await root.query('DROP DATABASE IF EXISTS japanese');
    await root.query("CREATE DATABASE japanese ENCODING 'EUC_JP' LOCALE 'C' TEMPLATE template0");
    await root.end();
    const rules = [`a${bar}`, 'b'].map((table) => ({ table, column: 'mail', type: 'text' }));
    const japanese = await openSearchedDatabase(
      server,
      'japanese',
      `CREATE TABLE "a${bar}" (id int, mail sealgate.sealed); CREATE TABLE b (id int, mail sealgate.sealed)`,
      rules,
    );
    const on = await RawClient.login(japanese.url);
    for (const table of ['"a\u00a6"', '"a\uffe4"', String.raw`U&"a\00a6"`, String.raw`U&"a\FFE4"`]) {
      on.send(query(`INSERT INTO ${table} VALUES (2, 'canary')`));
      expect(errorOf(await on.untilReady())).toMatchObject(REFUSED);
    }
    on.send(parse({ name: 'find', text: 'SELECT mail FROM b' }), sync());
    expect(types(await on.untilReady())).toBe('1Z');
    on.send(parse({ name: `s${bar}`, text: 'SELECT mail FROM b' }), sync());
    expect(errorOf(await on.untilReady())).toMatchObject(REFUSED);
    on.end();
    await japanese.close();
  },
);
