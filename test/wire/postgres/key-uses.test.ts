/** Which uses of a column's key are on record for statements that come in pieces, in one write or in several. */
import { serialize } from 'pg-protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { errorOf, RawClient, types, type RawMessage } from '../../support/postgres/proxy.ts';
import { openSearchedDatabase, type SearchedDatabase } from '../../support/postgres/sealed-database.ts';

const { parse, bind, execute, sync, query } = serialize;
const OPERATOR = { principal: 'arn:sealgate:cli', via: 'cli', resource: 'test' } as const;
const INSERT = "INSERT INTO people VALUES ($1, 'Some Name', 'someone@example.org')";
const LOOKUP = "SELECT id, name FROM people WHERE mail = 'someone@example.org'";

let server: TestPostgres;
let db: SearchedDatabase;
let client: RawClient;

beforeAll(async () => {
  server = await startPostgres();
  const ddl = 'CREATE TABLE people (id int, name sealgate.sealed, mail sealgate.sealed)';
  db = await openSearchedDatabase(server, 'uses', ddl, [
    { table: 'people', column: 'name', type: 'text' },
    { table: 'people', column: 'mail', type: 'text', mode: 'deterministic' },
  ]);
  client = await RawClient.login(db.url);
  // Keys are made and settings asked for by the first statements.
  for (const text of [INSERT, LOOKUP])
    await run([parse({ text }), bind({ values: text === INSERT ? ['0'] : [] }), execute({})]);
});
afterAll(async () => {
  client.end();
  await db.close();
  await server.stop();
});

/** Sent in one write, with Sync; the answers. */
async function run(frames: readonly Uint8Array[]): Promise<readonly RawMessage[]> {
  client.send(...frames, sync());
  return client.untilReady();
}

type Line = { readonly action: string; readonly resource: string; readonly result: string };

/** Of which columns a use was recorded meanwhile, in order. */
async function usesOf(work: () => Promise<unknown>): Promise<readonly string[]> {
  const lines = async (): Promise<readonly string[]> => (await db.auditText()).trimEnd().split('\n');
  const before = (await lines()).length;
  await work();
  const said = (await lines()).slice(before).map((line) => JSON.parse(line) as Line);
  expect(said.every(({ action, result }) => action === 'Decrypt' && result === 'success')).toBe(true);
  return said.map(({ resource }) => resource.replace('uses.public.people.', ''));
}

const both = ['name', 'mail'];
const insert = [bind({ values: ['1'] }), execute({})];

test('a statement that comes whole is one use of each column, in either protocol', async () => {
  expect(await usesOf(() => run([parse({ text: INSERT }), ...insert]))).toEqual(both);
  expect(await usesOf(() => run([parse({ text: LOOKUP }), bind({}), execute({})]))).toHaveLength(2);
  client.send(query(INSERT.replace('$1', '1')));
  expect(await usesOf(() => client.untilReady())).toEqual(both);
});

test('each further Bind is another use, and so is one that comes later than its Parse', async () => {
  const again = [parse({ text: INSERT }), ...insert, ...insert, ...insert];
  expect(await usesOf(() => run(again))).toEqual([...both, ...both, ...both]);
  expect(await usesOf(() => run([parse({ name: 's', text: INSERT })]))).toEqual(both);
  for (let times = 0; times < 2; times++) {
    const late = [bind({ statement: 's', values: ['1'] }), execute({})];
    expect(await usesOf(() => run(late))).toEqual(both);
  }
  // The unnamed statement is another one by then.
  const replaced = [parse({ text: INSERT }), parse({ text: LOOKUP }), bind({}), execute({})];
  expect(await usesOf(() => run(replaced))).toHaveLength(4);
});

test('a Bind that comes later than its Parse is refused once its key is disabled; so is one together with it', async () => {
  const { keyId } = await db.keys.describeKey('alias/test', OPERATOR);
  await run([parse({ name: 'kept', text: INSERT })]);
  await db.keys.disableKey(keyId, OPERATOR);
  const count = async (): Promise<unknown> => (await db.direct.query('SELECT count(*) FROM people')).rows;
  const rows = await count();
  for (const frames of [
    [bind({ statement: 'kept', values: ['2'] }), execute({})],
    [parse({ text: INSERT }), ...insert],
    [parse({ text: LOOKUP }), bind({}), execute({})],
  ]) {
    const answers = await run(frames);
    expect(types(answers)).toBe('EZ');
    expect(errorOf(answers)).toMatchObject({ C: '58000' });
  }
  expect(await count()).toEqual(rows);
  await db.keys.enableKey(keyId, OPERATOR);
  expect(types(await run([bind({ statement: 'kept', values: ['2'] }), execute({})]))).toBe('2CZ');
});
