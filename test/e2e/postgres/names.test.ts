/**
 * Names of statements and cursors that are given again while what was said of them before has failed, or had other meanings: in a pipeline the
 * proxy knows of a failure only after later messages have been sent on.
 */
import { serialize } from 'pg-protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startLoggedPostgres, type LoggedPostgres } from '../../support/postgres/logged-postgres.ts';
import { errorOf, RawClient, types, type RawMessage } from '../../support/postgres/proxy.ts';
import { openSearchedDatabase, type SealedDatabase } from '../../support/postgres/sealed-database.ts';

const { parse, bind, execute, sync, query, close, describe: describeOf } = serialize;
const DDL = `CREATE TABLE people (id int, mail sealgate.sealed);
  CREATE TABLE plain (id int, note text);
  INSERT INTO plain VALUES (1, 'one')`;

let server: LoggedPostgres;
let db: SealedDatabase;
let client: RawClient;

beforeAll(async () => {
  server = await startLoggedPostgres();
  const rule = { table: 'people', column: 'mail', type: 'text', mode: 'deterministic' } as const;
  db = await openSearchedDatabase(server, 'sealed', DDL, [rule]);
});
afterAll(async () => {
  await db.close();
  await server.stop();
});
beforeEach(async () => {
  client = await RawClient.login(db.url);
  await say(query("TRUNCATE people; INSERT INTO people VALUES (1, 'ann@x.org')"));
});
afterEach(() => client.end());

/** All frames at once; what comes up to as many ReadyForQuery. */
async function say(...frames: readonly Uint8Array[]): Promise<RawMessage[]> {
  const ends = frames.filter((frame) => frame[0] === 0x51 || frame[0] === 0x53).length;
  client.send(...frames);
  return client.untilReady(ends);
}

const rowsOf = (messages: readonly RawMessage[]): string[] =>
  messages.filter(({ type }) => type === 'D').map(({ body }) => body.toString('latin1'));

const INSERT = 'INSERT INTO people (id, mail) VALUES (2, $1)';
const READ = 'SELECT mail FROM people';

describe('a name of a statement that failed', () => {
  test('and was prepared anew in the same pipeline is known', async () => {
    const p = { name: 'p', text: INSERT };
    // A known text is planned at once.
    for (const name of ['one', 'two']) await say(parse({ ...p, name }), sync());
    const made = await say(parse({ text: 'SELECT nothing' }), parse(p), sync(), parse(p), sync());
    expect(types(made), made.map(({ body }) => body.toString()).join('\n')).toBe('EZ1Z');
    const done = await say(bind({ statement: 'p', values: ['LEAK-parse'] }), execute({}), sync());
    expect(types(done)).toBe('2CZ');
    expect(rowsOf(await say(query("SELECT id FROM people WHERE mail = 'LEAK-parse'")))).toHaveLength(1);
  });

  test('and was prepared anew by SQL in the same pipeline is known', async () => {
    // Known texts are planned at once.
    await say(query(`PREPARE p AS ${READ}`), query('DEALLOCATE p'));
    await say(query(`SELECT 1/0; PREPARE p AS ${READ}`), query(`PREPARE p AS ${READ}`));
    const rows = rowsOf(await say(query('EXECUTE p')));
    expect(rows).toHaveLength(1);
    expect(rows.join()).toContain('ann@x.org');
  });

  test('whose Close was skipped, and that a later Parse did not replace, is known', async () => {
    await say(parse({ name: 'p', text: INSERT }), sync());
    const plain = parse({ name: 'p', text: 'INSERT INTO plain (note) VALUES ($1)' });
    await say(parse({ text: 'SELECT nothing' }), close({ type: 'S', name: 'p' }), sync(), plain, sync());
    const done = await say(bind({ statement: 'p', values: ['LEAK-close'] }), execute({}), sync());
    expect(types(done)).toBe('2CZ');
  });

  test('the unnamed one, whose next Parse was skipped, is known', async () => {
    await say(parse({ text: INSERT }), sync());
    const plain = parse({ text: 'INSERT INTO plain (note) VALUES ($1)' });
    await say(parse({ name: 'x', text: 'SELECT nothing' }), plain, sync());
    const done = await say(bind({ values: ['LEAK-unnamed'] }), execute({}), sync());
    expect(types(done)).toBe('2CZ');
    expect(rowsOf(await say(query("SELECT id FROM people WHERE mail = 'LEAK-unnamed'")))).toHaveLength(1);
  });
});

describe('what EXECUTE gives a name that stands for nothing is not sent', () => {
  const failure = async (sql: string): Promise<string | undefined> => errorOf(await say(query(sql)))['C'];

  test('its PREPARE was refused', async () => {
    expect(await failure('PREPARE r AS INSERT INTO people SELECT 1, upper($1)')).toBe('0A000');
    expect(await failure("EXECUTE r ('LEAK-refused')")).toBe('26000');
    expect(errorOf(await say(parse({ text: "EXECUTE r ('LEAK-refused')" }), sync()))['C']).toBe('26000');
  });

  test('its PREPARE failed', async () => {
    expect(await failure(`BEGIN; SELECT 1/0`)).toBe('22012');
    expect(await failure(`PREPARE f AS ${INSERT}`)).toBe('25P02');
    expect(await failure("EXECUTE f ('LEAK-failed')")).toBe('25P02');
    await say(query('ROLLBACK'));
    expect(await failure("EXPLAIN EXECUTE f ('LEAK-failed')")).toBe('26000');
  });

  test('it was deallocated, or is written with a slip', async () => {
    await say(query(`PREPARE g AS ${INSERT}`), query("EXECUTE g ('good')"));
    expect(await failure("DEALLOCATE g; EXECUTE g ('LEAK-gone')")).toBe('26000');
    await say(query('DEALLOCATE g'));
    expect(await failure("EXECUTE g ('LEAK-gone')")).toBe('26000');
    expect(await failure("EXECUTE gg ('LEAK-slip')")).toBe('26000');
  });

  test('it was plain, is no more, and its next PREPARE was refused', async () => {
    const refused = 'PREPARE i AS INSERT INTO people SELECT 1, upper($1)';
    for (const end of [query('DEALLOCATE i'), query('DEALLOCATE ALL'), query('DISCARD ALL')]) {
      await say(query('PREPARE i AS SELECT $1::text'), end);
      expect(await failure(refused)).toBe('0A000');
      expect(await failure("EXECUTE i ('LEAK-plain')")).toBe('26000');
    }
    await say(query('PREPARE i AS SELECT $1::text'));
    await say(close({ type: 'S', name: 'i' }), sync());
    expect(await failure("EXECUTE i ('LEAK-closed')")).toBe('26000');
  });

  test('and a plain statement gets its arguments', async () => {
    await say(query('PREPARE h AS SELECT $1::text'));
    expect(rowsOf(await say(query("EXECUTE h ('given')"))).join()).toContain('given');
    const both = await say(query("DEALLOCATE h; PREPARE h AS SELECT $1::text || '!'; EXECUTE h ('given')"));
    expect(rowsOf(both).join()).toContain('given!');
    expect(await failure('EXECUTE nobody')).toBe('26000');
  });
});

test.each(['DISCARD ALL', 'DISCARD TEMP'])(
  'a temporary table that %s has dropped hides no other any more',
  async (discard) => {
    const read = query('SELECT plain.note, mail FROM people JOIN plain ON true');
    await say(query("CREATE TEMP TABLE plain (id int, note text); INSERT INTO plain VALUES (1, 'temporary')"));
    expect(rowsOf(await say(read)).join()).toContain('temporary');
    await say(query(discard));
    expect(rowsOf(await say(read)).join()).toContain('one');
  },
);

test('a message that is being planned when the server begins to skip is skipped', async () => {
  const first = parse({ text: 'SELEC' });
  const said = await say(
    first,
    parse({ text: INSERT }),
    bind({ values: ['LEAK-skip'] }),
    execute({}),
    sync(),
    query(READ),
  );
  expect(types(said)).toBe('EZTDCZ');
});

describe('a prepared FETCH or EXECUTE', () => {
  test('of a cursor that did not exist then', async () => {
    await say(parse({ name: 'f', text: 'FETCH ALL FROM c' }), sync());
    await say(query('BEGIN'), query(`DECLARE c CURSOR FOR ${READ}`));
    const got = await say(bind({ statement: 'f' }), describeOf({ type: 'P' }), execute({}), sync());
    expect(
      rowsOf(got).every((row) => row.includes('ann@x.org')),
      types(got),
    ).toBe(true);
  });

  test('of a cursor that was a plain one then', async () => {
    await say(query('BEGIN'), query('DECLARE c CURSOR FOR SELECT note FROM plain'));
    await say(parse({ name: 'f', text: 'FETCH ALL FROM c' }), sync(), query('COMMIT'));
    await say(query('BEGIN'), query(`DECLARE c CURSOR FOR ${READ}`));
    const got = await say(bind({ statement: 'f' }), describeOf({ type: 'P' }), execute({}), sync());
    expect(
      rowsOf(got).every((row) => row.includes('ann@x.org')),
      types(got),
    ).toBe(true);
  });

  test('of a cursor that is another one once it is executed', async () => {
    await say(query('BEGIN'), query('DECLARE c CURSOR FOR SELECT note FROM plain'));
    await say(parse({ name: 'f', text: 'FETCH ALL FROM c' }), bind({ statement: 'f', portal: 'f' }), sync());
    await say(query('CLOSE c'), query(`DECLARE c CURSOR FOR ${READ}`));
    const got = await say(execute({ portal: 'f' }), sync());
    expect(types(got)).toBe('EZ');
    expect(errorOf(got)['R']).toBe('ERR_POSTGRES_STALE_PLAN');
  });

  test('of a statement that was a plain one then', async () => {
    await say(query('PREPARE q AS SELECT note FROM plain'));
    await say(parse({ name: 'e', text: 'EXECUTE q' }), sync(), query('DEALLOCATE q'));
    await say(query(`PREPARE q AS ${READ}`));
    const got = await say(bind({ statement: 'e' }), describeOf({ type: 'P' }), execute({}), sync());
    expect(
      rowsOf(got).every((row) => row.includes('ann@x.org')),
      types(got),
    ).toBe(true);
  });
});

test('a cursor that is closed and declared anew as a plain one in one message', async () => {
  await say(query('BEGIN'), query(`DECLARE c CURSOR FOR ${READ}`));
  const got = await say(query('CLOSE c; DECLARE c CURSOR FOR SELECT note FROM plain; FETCH ALL FROM c'));
  expect(errorOf(got)).toEqual({});
  expect(rowsOf(got).join()).toContain('one');
});

test('EXECUTE whose argument sets the search path is known to what follows', async () => {
  await db.direct.query("CREATE SCHEMA other; CREATE TABLE other.people AS SELECT 7 AS id, 'other'::text AS mail");
  const made = await say(query('PREPARE s (text, text) AS UPDATE people SET mail = $1 WHERE id = length($2)'));
  expect(errorOf(made)).toEqual({});
  const done = await say(query("EXECUTE s('x@x.org', set_config('search_path', 'other', false))"));
  expect(errorOf(done)).toEqual({});
  const read = await say(query(READ));
  expect(errorOf(read)).toEqual({});
  expect(rowsOf(read).join()).toContain('other');
});

test.each([
  ['COPY of a query', `COPY (${READ} WHERE mail = $1) TO STDOUT`],
  ['EXECUTE', 'EXECUTE w($1)'],
])('a parameter of %s is refused before its value is sent', async (_name, text) => {
  await say(query(`PREPARE w AS ${READ} WHERE mail = $1`));
  const said = await say(parse({ text }), bind({ values: ['LEAK-parameter'] }), execute({}), sync());
  expect(types(said)).toBe('EZ');
  expect(errorOf(said)['R']).toMatch(/^ERR_POSTGRES/);
});

test('no value was logged by the server', () => {
  expect(
    server
      .log()
      .split('\n')
      .filter((line) => line.includes('LEAK')),
  ).toEqual([]);
});
