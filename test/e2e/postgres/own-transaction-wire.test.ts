/**
 * What the proxy asks in a client's own transaction, seen from the wire: the client is told nothing of it, replies keep their order, and
 * whatever becomes of a question the transaction is as it was.
 */
import { serialize } from 'pg-protocol';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startLoggedPostgres, type LoggedPostgres } from '../../support/postgres/logged-postgres.ts';
import { errorOf, RawClient, statusOf, types, type RawMessage } from '../../support/postgres/proxy.ts';
import { openSearchedDatabase, type SearchedDatabase } from '../../support/postgres/sealed-database.ts';

const { parse, bind, execute, sync, query, describe: describeOf } = serialize;
const MADE = 'CREATE TABLE made (id int PRIMARY KEY, mail text)';
const INSERT = 'INSERT INTO made (id, mail) VALUES ($1, $2)';
const READ = 'SELECT id, mail FROM made ORDER BY id';

let server: LoggedPostgres;
let db: SearchedDatabase;
let client: RawClient;

beforeAll(async () => {
  server = await startLoggedPostgres();
  const ddl = 'CREATE TABLE kept (id int, mail sealgate.sealed); CREATE VIEW seen AS SELECT id FROM kept';
  db = await openSearchedDatabase(server, 'sealed', ddl, [
    { table: 'made', column: 'mail', type: 'text', mode: 'deterministic' },
    { table: 'kept', column: 'mail', type: 'text' },
  ]);
});
afterAll(async () => {
  await db.close();
  await server.stop();
  expect(server.log()).toContain('sealgate own');
  expect(server.log()).not.toContain('canary');
});
beforeEach(async () => {
  client = await RawClient.login(db.url);
});
afterEach(async () => {
  client.end();
  await db.direct.query('ROLLBACK; DROP TABLE IF EXISTS made; TRUNCATE kept');
});

/** All frames at once; what comes up to as many ReadyForQuery. */
async function say(...frames: readonly Uint8Array[]): Promise<RawMessage[]> {
  const ends = frames.filter((frame) => frame[0] === 0x51 || frame[0] === 0x53).length;
  client.send(...frames);
  return client.untilReady(ends);
}

const shown = (messages: readonly RawMessage[]): string =>
  messages.map(({ body }) => body.toString('latin1')).join('\n');
const insert = (id: string, mail: string): readonly Uint8Array[] => [
  parse({ text: INSERT }),
  bind({ values: [id, mail] }),
  execute({}),
];
const run = (text: string): readonly Uint8Array[] => [parse({ text }), bind({}), execute({})];

test('in one go: everything is answered in order, and nothing besides', async () => {
  const said = await say(
    query('BEGIN'),
    query(MADE),
    query("INSERT INTO made VALUES (1, 'canary-one')"),
    query(READ),
    query('ALTER TABLE made ADD COLUMN more int'),
    query(READ),
    query('COMMIT'),
  );
  // PostgreSQL 18 would tell of search_path.
  expect(types(said), shown(said)).toBe('CZCZCZTDCZCZTDCZCZ');
  expect(shown(said)).toContain('canary-one');
});

test('a sequence in one transaction block, with no Sync before its end', async () => {
  await say(query('BEGIN'));
  const said = await say(
    ...run(MADE),
    ...insert('1', 'canary-one'),
    ...insert('2', 'canary-two'),
    ...run('ALTER TABLE made ADD COLUMN more int'),
    parse({ text: READ }),
    bind({}),
    describeOf({ type: 'P' }),
    execute({}),
    ...run('COMMIT'),
    sync(),
  );
  expect(types(said), shown(said)).toBe('12C12C12C12C12TDDC12CZ');
  expect(shown(await say(query("SELECT id FROM made WHERE mail = 'canary-two'")))).toContain('2');
});

test('without a transaction block nothing can be asked: the sequence is refused as a whole', async () => {
  const said = await say(...run(MADE), ...insert('1', 'canary-one'), ...run('SELECT 1'), sync());
  expect(types(said), shown(said)).toBe('12CEZ');
  expect(errorOf(said)).toMatchObject({ C: '0A000' });
  expect(statusOf(said)).toBe('I');
  expect(errorOf(await say(query(READ)))).toMatchObject({ C: '42P01' });
});

test('a block that ends within a sequence is none any more', async () => {
  await say(query('BEGIN'), query('CREATE TABLE another (a int)'));
  const said = await say(...run('COMMIT'), ...run(MADE), ...insert('1', 'canary-one'), sync());
  expect(types(said), shown(said)).toBe('12C12CEZ');
  await say(query('DROP TABLE another'));
  expect(errorOf(await say(query(READ)))).toMatchObject({ C: '42P01' });
});

test('what a transaction has made is not left to COMMIT PREPARED, at which others would not know of it', async () => {
  const elsewhere = await say(query('BEGIN'), query('CREATE TABLE another (a int)'), query("PREPARE TRANSACTION 'x'"));
  // The server takes none by default.
  expect(errorOf(elsewhere)).toMatchObject({ C: '55000' });
  const view = query('CREATE VIEW left_over AS SELECT * FROM kept');
  const said = await say(query('BEGIN'), view, query("PREPARE TRANSACTION 'x'"), query('ROLLBACK'));
  expect(types(said), shown(said)).toBe('CZCZEZCZ');
  expect(errorOf(said)).toMatchObject({ C: '0A000' });
  const inOne = query("BEGIN; CREATE VIEW left_over AS SELECT * FROM kept; PREPARE TRANSACTION 'x'");
  const atOnce = await say(inOne, query('ROLLBACK'));
  expect(errorOf(atOnce)).toMatchObject({ C: '0A000' });
  await say(parse({ name: 'p', text: "PREPARE TRANSACTION 'x'" }), sync());
  const before = [bind({ statement: 'p' }), execute({}), sync()];
  expect(errorOf(await say(query('BEGIN'), ...before, query('ROLLBACK')))).toMatchObject({ C: '55000' });
  expect(errorOf(await say(query('BEGIN'), view, ...before, query('ROLLBACK')))).toMatchObject({ C: '0A000' });
  const pipelined = [...run('BEGIN'), ...run('CREATE VIEW left_over AS SELECT * FROM kept'), ...before];
  expect(errorOf(await say(...pipelined, query('ROLLBACK')))).toMatchObject({ C: '0A000' });
});

test('an error ahead in the pipeline is the answer, and what follows is skipped', async () => {
  await say(query('BEGIN'), query(MADE));
  const failed = await say(...run('SELECT 1/0'), ...insert('1', 'canary-one'), sync(), query(READ), query('ROLLBACK'));
  expect(types(failed), shown(failed)).toBe('1EZEZCZ');
  await say(query('BEGIN'), query(MADE));
  const simple = await say(query('SELECT 1/0'), query("INSERT INTO made VALUES (1, 'canary')"), query('ROLLBACK'));
  expect(simple.filter(({ type }) => type === 'E').map((message) => errorOf([message])['C'])).toEqual([
    '22012',
    '25P02',
  ]);
  expect(statusOf(simple)).toBe('I');
});

test('what was prepared before the change, unnamed too, is run after it, also by who does not ask for a description', async () => {
  await say(query(MADE));
  await say(parse({ name: 'i', text: INSERT }), parse({ name: 'r', text: READ }), sync());
  await say(query('BEGIN'), query('ALTER TABLE made ADD COLUMN more int'));
  const said = await say(
    parse({ text: READ }),
    sync(),
    ...[bind({ statement: 'i', values: ['1', 'canary-one'] }), execute({})],
    ...[bind({ statement: 'r' }), execute({})],
    ...run('ALTER TABLE made ADD COLUMN most int'),
    ...[bind({ statement: 'i', values: ['2', 'canary-two'] }), execute({})],
    ...[bind({ statement: 'r' }), execute({})],
    sync(),
  );
  expect(types(said), shown(said)).toBe('1Z2C2DC12C2C2DDCZ');
  await say(query('COMMIT'));
  const after = await say(bind({ statement: 'r' }), execute({}), sync());
  expect(types(after), shown(after)).toBe('2DDCZ');
});

test('the client’s unnamed statement and portal outlive a question', async () => {
  await say(query('BEGIN'), query(MADE));
  await say(parse({ text: INSERT }), sync());
  await say(query('SAVEPOINT a'), parse({ text: INSERT }), sync());
  const said = await say(bind({ values: ['1', 'canary-one'] }), execute({}), sync());
  expect(types(said), shown(said)).toBe('2CZ');
});

test('prepared in the transaction, it is stale once that has been rolled back', async () => {
  await say(query('BEGIN'), query(MADE), parse({ name: 'i', text: INSERT }), sync());
  await say(query('ROLLBACK'));
  const said = await say(bind({ statement: 'i', values: ['1', 'canary-one'] }), execute({}), sync());
  expect(types(said)).toBe('EZ');
  await say(query(MADE));
  const again = await say(bind({ statement: 'i', values: ['1', 'canary-one'] }), execute({}), sync());
  expect(types(again)).toMatch(/^(EZ|2CZ)$/);
});

test('a question that has to wait too long fails, the statement with it, and not the transaction’s way back', async () => {
  await say(query('BEGIN'), query(MADE), query('SAVEPOINT a'));
  // Only who reads the whole catalog asks it.
  await db.direct.query('BEGIN; LOCK TABLE pg_catalog.pg_language IN ACCESS EXCLUSIVE MODE');
  const said = await say(query("INSERT INTO made VALUES (1, 'canary-one')"));
  expect(errorOf(said)).toMatchObject({ C: '55P03' });
  expect(statusOf(said)).toBe('E');
  await db.direct.query('ROLLBACK');
  const after = await say(query('ROLLBACK TO a'), query("INSERT INTO made VALUES (1, 'canary-one')"), query('COMMIT'));
  expect(types(after), shown(after)).toBe('CZCZCZ');
  expect(shown(await say(query(READ)))).toContain('canary-one');
});

test('under a snapshot older than the catalog nothing is asked', async () => {
  await say(query('BEGIN ISOLATION LEVEL REPEATABLE READ'), query(MADE));
  const said = await say(query("INSERT INTO made VALUES (1, 'canary-one')"));
  expect(errorOf(said)).toMatchObject({ C: '0A000' });
  expect(statusOf(said)).toBe('E');
  const after = await say(query('ROLLBACK'), query('SELECT 1'));
  expect(types(after)).toBe('CZTDCZ');
});

test('another session’s change beside it is seen', async () => {
  await say(query("INSERT INTO kept VALUES (1, 'canary-kept')"));
  await say(query('BEGIN'), query(MADE), query("INSERT INTO made VALUES (1, 'canary-one')"));
  await db.direct.query('ALTER TABLE kept ADD COLUMN extra text');
  await say(query("INSERT INTO made VALUES (2, 'canary-two')"));
  const said = await say(query('SELECT k.*, m.mail FROM kept k JOIN made m USING (id)'), query('COMMIT'));
  expect(types(said), shown(said)).toBe('TDCZCZ');
  expect(shown(said)).toContain('extra');
});

test('a statement of some size is read, a larger one refused', async () => {
  await say(query('BEGIN'), query(MADE));
  const values = (count: number): string =>
    Array.from({ length: count }, (_, index) => `(${index}, 'canary-${'x'.repeat(90)}-${index}')`).join();
  expect(types(await say(query(`INSERT INTO made VALUES ${values(1000)}`)))).toBe('CZ');
  const said = await say(query(`INSERT INTO made VALUES ${values(3000)}`));
  expect(errorOf(said)).toMatchObject({ C: '54000' });
});

test('COPY into a table that the transaction has made', async () => {
  await say(query('BEGIN'), query(MADE));
  client.send(query('COPY made FROM STDIN'));
  expect((await client.message())?.type).toBe('G');
  client.send(serialize.copyData(Buffer.from('1\tcanary-one\n2\tcanary-two\n')), serialize.copyDone());
  expect(types(await client.untilReady())).toBe('CZ');
  expect(types(await say(query(READ), query('COMMIT')))).toBe('TDDCZCZ');
});

test('what an earlier question left behind does not stand in the way of the next', async () => {
  await say(query('PREPARE "sealgate settings" AS SELECT \'left\''));
  const messages = await say(...run('SET search_path TO public'), ...run('SELECT mail FROM kept'), sync());
  expect(types(messages).replaceAll('S', '')).toBe('12C12CZ');
});
