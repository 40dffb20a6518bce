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
    'CREATE TABLE people (id int PRIMARY KEY, mail sealgate.sealed, note sealgate.sealed)',
    [
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

  test('a plain statement of such a name is as before', async () => {
    await ask(query(LATIN1));
    expect(types(await ask(frame('P', e, 'SELECT $1::text\0', [0, 0]), bindOf('plain'), execute({}), sync()))).toBe(
      '12DCZ',
    );
  });
});
