/**
 * How text is read may change within a sequence of messages, where the server reports it only at the end; and names of prepared statements are text,
 * too, so that other bytes may name the same statement. Nothing is sealed, or sent on unseen, for what it would have meant before.
 */
import { serialize } from 'pg-protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { errorOf, RawClient, types, type RawMessage } from '../../support/postgres/proxy.ts';
import { frame } from '../../support/postgres/raw-frames.ts';
import { openSearchedDatabase, type SearchedDatabase } from '../../support/postgres/sealed-database.ts';

const { query, parse, bind, execute, sync } = serialize;

const FIND = 'SELECT id FROM people WHERE mail = $1';
const LATIN1 = "SET client_encoding = 'LATIN1'";

let log = '';
let server: TestPostgres;
let db: SearchedDatabase;
let client: RawClient;

beforeAll(async () => {
  server = await startPostgres(['log_statement=all', 'log_parameter_max_length=-1'], undefined, (bytes) => {
    log += Buffer.from(bytes).toString('latin1');
  });
  db = await openSearchedDatabase(
    server,
    'sealed',
    'CREATE TABLE people (id int PRIMARY KEY, mail sealgate.sealed, note sealgate.sealed); CREATE TABLE café (mail sealgate.sealed)',
    [
      { table: 'café', column: 'mail', type: 'text' },
      { table: 'people', column: 'mail', type: 'text', mode: 'deterministic' },
      { table: 'people', column: 'note', type: 'text' },
    ],
  );
});
afterAll(async () => {
  await db.close();
  await server.stop();
});
beforeEach(async () => {
  client = await RawClient.login(db.url);
  log = '';
  return () => client.end();
});

const run = (text: string): Uint8Array[] => [parse({ text }), bind({}), execute({})];
const ask = async (...frames: readonly Uint8Array[]): Promise<RawMessage[]> => {
  client.send(...frames);
  return client.untilReady();
};
const REFUSED = { C: '0A000' };

describe('within a sequence:', () => {
  test('a statement, and a value, behind a change of the encoding', async () => {
    const insert = "INSERT INTO people VALUES (1, 'CANARY-é')";
    expect(errorOf(await ask(...run(LATIN1), ...run(insert), sync()))).toMatchObject(REFUSED);
    await ask(parse({ name: 'f', text: FIND }), sync());
    const values = bind({ statement: 'f', values: ['CANARY-é'] });
    expect(errorOf(await ask(...run(LATIN1), values, execute({}), sync()))).toMatchObject(REFUSED);
    expect(types(await ask(values, execute({}), sync()))).toBe('2CZ');
  });

  test('a statement behind a change of what a backslash is', async () => {
    const insert = "INSERT INTO people VALUES (1, 'CANARY\\', '), (2, 'CANARY-two')";
    const off = run('SET standard_conforming_strings = off');
    expect(errorOf(await ask(...off, ...run(insert), sync()))).toMatchObject(REFUSED);
    expect(log).not.toContain('CANARY');
  });
});

describe('what was bound, or begun, before a change of the encoding is not printed, and the session goes on:', () => {
  const READ = 'SELECT note FROM people ORDER BY id';
  const portal = (text: string) => [parse({ name: 'r', text }), bind({ portal: 'r', statement: 'r' })];
  const read = (rows = 0) => execute({ portal: 'r', rows });
  const SEQUENCES: Readonly<Record<string, readonly (readonly Uint8Array[])[]>> = {
    'within a sequence': [[...portal(READ), ...run(LATIN1), read()]],
    'in another sequence': [portal(READ), run(LATIN1), [read()]],
    'in a simple Query': [portal(READ), [query(LATIN1)], [read()]],
    'between two Executes': [[...portal(READ), read(1), ...run(LATIN1), read()]],
    'by COPY': [[...portal('COPY people (note) TO STDOUT'), ...run(LATIN1), read()]],
    'by FETCH': [[query(`DECLARE c CURSOR FOR ${READ}`)], [query(LATIN1)], [query('FETCH c')]],
    'by FETCH in the same message': [[query(`DECLARE c CURSOR FOR ${READ}`)], [query(`${LATIN1}; FETCH c`)]],
    'by FETCH in the extended protocol': [
      [query(`DECLARE c CURSOR FOR ${READ}`)],
      [...portal('FETCH c'), ...run(LATIN1), read()],
    ],
    'of a cursor that the protocol executes': [[query(`DECLARE r CURSOR FOR ${READ}`)], [...run(LATIN1), read()]],
  };

  test.each(Object.entries(SEQUENCES))('%s', async (_name, sequences) => {
    await ask(query("TRUNCATE people; INSERT INTO people (id, note) VALUES (1, 'CANARY-é'), (2, 'CANARY-ü')"));
    await ask(query('BEGIN'));
    let said: RawMessage[] = [];
    for (const frames of sequences) {
      const isSimple = frames.length === 1 && frames[0]?.[0] === 'Q'.charCodeAt(0);
      said = await ask(...frames, ...(isSimple ? [] : [sync()]));
    }
    expect(errorOf(said)).toMatchObject({ S: 'ERROR', C: '0A000' });
    expect(said.at(-1)?.type).toBe('Z');
    await ask(query('ROLLBACK'));
    expect(types(await ask(query(READ)))).toBe('TDDCZ');
  });
});

describe('the name of a prepared statement, by other bytes:', () => {
  const e = [0xe9, 0];
  const VALUE = 'CANARY-name';
  /** By the name as it is in LATIN1. */
  const bindOf = (value: string) => frame('B', [0], e, [0, 0, 0, 1, 0, 0, 0, value.length], value, [0, 0]);
  const bindE = bindOf(VALUE);

  test('of another encoding', async () => {
    await ask(parse({ name: 'é', text: FIND }), sync());
    await ask(query(LATIN1));
    for (const frames of [[bindE, execute({})], [frame('D', 'S', e)], [frame('C', 'S', e)]])
      expect(errorOf(await ask(...frames, sync()))).toMatchObject(REFUSED);
    await ask(query("SET client_encoding = 'UTF8'"));
    expect(types(await ask(bind({ statement: 'é', values: [VALUE] }), execute({}), sync()))).toBe('2CZ');
    expect(log).not.toContain(VALUE);
  });

  test('of an encoding that is set in the same sequence, or on its way', async () => {
    await ask(parse({ name: 'é', text: FIND }), sync());
    expect(errorOf(await ask(...run(LATIN1), bindE, execute({}), sync()))).toMatchObject(REFUSED);
    client.send(query(LATIN1), bindE, execute({}), sync());
    await client.untilReady();
    expect(errorOf(await client.untilReady())).toMatchObject(REFUSED);
    expect(log).not.toContain(VALUE);
  });

  test('of a plain statement that is prepared under the other', async () => {
    await ask(parse({ name: 'é', text: FIND }), sync());
    const bytes = [0xc3, 0xa9, 0];
    const plain = frame('P', bytes, 'SELECT $1::text\0', [0, 0]);
    await ask(query(LATIN1));
    expect(errorOf(await ask(plain, sync()))).toMatchObject(REFUSED);
    await ask(query("SET client_encoding = 'UTF8'"));
    expect(errorOf(await ask(...run(LATIN1), plain, sync()))).toMatchObject(REFUSED);
    expect(types(await ask(bind({ statement: 'é', values: [VALUE] }), execute({}), sync()))).toBe('2CZ');
    expect(log).not.toContain(VALUE);
  });

  test('a plain statement of such a name is as before', async () => {
    await ask(query(LATIN1));
    expect(types(await ask(frame('P', e, 'SELECT $1::text\0', [0, 0]), bindOf('plain'), execute({}), sync()))).toBe(
      '12DCZ',
    );
  });
});

/** Since PostgreSQL 14 the server reports what differs at the end of a sequence, and nothing of what was set and taken back within it. */
describe('an encoding that was asked for within a sequence, and taken back:', () => {
  /** Looked at, for its word, and nothing sealed in it: taken under every encoding. */
  const ASKED = run("SELECT 'people'");
  const to = (encoding: string, scope = ''): Uint8Array[] => run(`SET ${scope} client_encoding = '${encoding}'`);
  const ways: readonly [string, (here: string, there: string) => readonly Uint8Array[]][] = [
    ['set again', (here, there) => [...to(there), ...ASKED, ...to(here)]],
    ['by an error', (_here, there) => [...to(there), ...ASKED, ...run('SELECT 1/0')]],
    ['by ROLLBACK', (_here, there) => [...run('BEGIN'), ...to(there), ...ASKED, ...run('ROLLBACK')]],
    ['that was local', (_here, there) => [...run('BEGIN'), ...to(there, 'LOCAL'), ...ASKED, ...run('COMMIT')]],
  ];
  const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');
  const said = (messages: readonly RawMessage[]) => errorOf(messages)?.['C'];

  test.each(ways)('LATIN1, %s', async (_way, sequence) => {
    await ask(parse({ name: 'é', text: FIND }), sync());
    await ask(query(LATIN1));
    await ask(...sequence('LATIN1', 'UTF8'), sync());
    const insert = frame('Q', [...latin1("INSERT INTO café (mail) VALUES ('CANARY-cafe')")], [0]);
    expect(said(await ask(insert))).toBe('0A000');
    await ask(...sequence('LATIN1', 'UTF8'), sync());
    const named = frame('B', [0], [0xe9, 0], [0, 0, 0, 1, 0, 0, 0, 6], 'CANARY', [0, 0]);
    expect(said(await ask(named, execute({}), sync()))).toBe('0A000');
    client.send(...sequence('LATIN1', 'UTF8'), sync(), insert);
    await client.untilReady();
    expect(said(await client.untilReady())).toBe('0A000');
    expect(log).not.toContain('CANARY');
  });

  test.each(ways)('UTF8, %s', async (_way, sequence) => {
    await ask(parse({ name: 'é', text: 'SELECT mail FROM café' }), sync());
    await ask(...sequence('UTF8', 'LATIN1'), sync());
    expect(types(await ask(bind({ statement: 'é' }), sync()))).toBe('2Z');
    client.send(...sequence('UTF8', 'LATIN1'), sync(), query("SELECT 'é' FROM café"));
    await client.untilReady();
    expect(types(await client.untilReady())).toBe('TCZ');
  });

  test.each(ways)('what a backslash is, %s', async (_way, sequence) => {
    const strings = (off: string, on: string): Uint8Array[] =>
      sequence(on, off).map((bytes) => replaced(bytes, 'client_encoding', 'standard_conforming_strings'));
    await ask(query('SET standard_conforming_strings = off'));
    await ask(...strings('on', 'off'), sync());
    expect(said(await ask(query("SELECT 'a\\b' FROM people")))).toBe('0A000');
  });

  /** A Parse that says something else; others as they are. */
  function replaced(bytes: Uint8Array, what: string, by: string): Uint8Array {
    const [text = '', rest] = Buffer.from(bytes.subarray(6)).toString().split('\0');
    return text.includes(what) && rest !== undefined ? parse({ text: text.replace(what, by) }) : bytes;
  }
});

test('a name that comes with what sets how it is read is known by no other bytes', async () => {
  const named = frame('P', [0xe9, 0], "SET search_path = 'other'\0", [0, 0]);
  await ask(parse({ text: FIND }), sync());
  expect(errorOf(await ask(...run(LATIN1), named, sync()))).toMatchObject(REFUSED);
  const utf8 = parse({ name: 'é', text: "SET search_path = 'other'" });
  // Before PostgreSQL 14 the change is reported at once.
  expect(types(await ask(...run("SET client_encoding = 'UTF8'"), utf8, sync())).replace('S', '')).toBe('12C1Z');
});

describe('NULL in the text of an array, which array_nulls makes four letters:', () => {
  const OFF = 'SET array_nulls = off';
  const ANY = parse({ name: 'any', text: 'SELECT id FROM people WHERE mail = ANY($1)' });
  const NULLS = [bind({ statement: 'any', values: ['{NULL,CANARY}'] }), execute({})];

  test('statements on sealed columns are refused, and taken again', async () => {
    await ask(ANY, sync());
    await ask(query(OFF));
    const constant = query("SELECT id FROM people WHERE mail = ANY('{NULL,CANARY}')");
    expect(errorOf(await ask(constant))).toMatchObject(REFUSED);
    expect(errorOf(await ask(...NULLS, sync()))).toMatchObject(REFUSED);
    expect(types(await ask(query("SELECT '{NULL}'::text[]")))).toBe('TDCZ');
    await ask(query('RESET array_nulls'));
    expect(types(await ask(...NULLS, sync()))).toBe('2CZ');
    expect(types(await ask(constant))).toBe('TCZ');
  });

  test('also where it is set in the same sequence, or by a routine', async () => {
    await ask(ANY, sync());
    expect(errorOf(await ask(...run(OFF), ...NULLS, sync()))).toMatchObject(REFUSED);
    expect(types(await ask(...NULLS, sync()))).toBe('2CZ');
    const body = "SELECT set_config('array_nulls', 'off', false)";
    await db.direct.query(`CREATE FUNCTION sets() RETURNS text LANGUAGE sql AS $$ ${body} $$`);
    await expect.poll(() => db.analyzer.mayConcern('SELECT sets()')).toBe(true);
    await ask(query('SELECT sets()'));
    expect(errorOf(await ask(...NULLS, sync()))).toMatchObject(REFUSED);
    await db.direct.query('DROP FUNCTION sets');
  });
});
