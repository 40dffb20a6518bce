/**
 * In a failed transaction every statement is answered as the server answers it, also one that would be refused otherwise: clients and
 * their drivers tell by 25P02 that they have to roll back.
 */
import { serialize } from 'pg-protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { encodeBind } from '../../../src/postgres/messages/bind.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { errorOf, RawClient, statusOf, type RawMessage } from '../../support/postgres/proxy.ts';
import { shown } from '../../support/postgres/said.ts';
import { openSearchedDatabase, type SearchedDatabase, type TestRule } from '../../support/postgres/sealed-database.ts';

const RULES: readonly TestRule[] = [
  { table: 't', column: 'email', type: 'varchar(12)', mode: 'deterministic' },
  { table: 't', column: 'age', type: 'int' },
];
const ddl = (sealed: boolean): string =>
  `CREATE TABLE t (id int, email ${sealed ? 'sealgate.sealed' : 'varchar(12)'}, age ${sealed ? 'sealgate.sealed' : 'int'})`;

let server: TestPostgres;
let db: SearchedDatabase;
let ours: RawClient;
let theirs: RawClient;

beforeAll(async () => {
  server = await startPostgres();
  db = await openSearchedDatabase(server, 'shop', ddl(true), RULES);
  const twinUrl = await db.openTwin();
  const twin = await connectTo(twinUrl);
  await twin.query(ddl(false));
  await twin.end();
  ours = await RawClient.login(db.url);
  theirs = await RawClient.login(twinUrl);
});
afterAll(async () => {
  ours.end();
  theirs.end();
  await db.close();
  await server.stop();
});

const { query, parse, describe: describeMessage, execute, sync } = serialize;
const bind = (statement: string, values: readonly string[]): Buffer =>
  Buffer.from(
    encodeBind({
      portal: '',
      statement,
      formats: [],
      resultFormats: [],
      values: values.map((value) => Buffer.from(value)),
    }),
  );

type Answer = { readonly types: string; readonly code: string | undefined; readonly status: string | undefined };
async function ask(on: RawClient, ...messages: readonly Buffer[]): Promise<Answer> {
  on.send(...messages);
  const answer: readonly RawMessage[] = await on.untilReady();
  const types = answer.map(({ type }) => type).filter((type) => type !== 'N' && type !== 'S');
  return { types: types.join(''), code: errorOf(answer)['C'], status: statusOf(answer) };
}
async function same(...messages: readonly Buffer[]): Promise<Answer> {
  const answer = await ask(ours, ...messages);
  expect(answer).toEqual(await ask(theirs, ...messages));
  return answer;
}
beforeEach(async () => {
  await same(query('ROLLBACK'));
  await same(query('BEGIN'));
});
const fail = (): Promise<Answer> => same(query('SELECT 1 / 0'));

/** Refused by the proxy where the transaction has not failed. */
const REFUSED = [
  'SELECT age + 1 FROM t',
  "SELECT * FROM t WHERE email LIKE 'a%'",
  'SELECT * FROM t ORDER BY email',
  "INSERT INTO t (id, email) SELECT 1, 'x' || id FROM t",
  "INSERT INTO t (email) VALUES ('far too long a text')",
  "INSERT INTO t (age) VALUES ('x')",
  'SELECT nothing FROM t',
  'CREATE TABLE u AS SELECT * FROM t',
  'ALTER TABLE t ADD CHECK (age > 0)',
  'DO $$ BEGIN PERFORM age FROM t; END $$',
  'SELECT t FROM t GROUP BY t',
  'SELECT count(*) FROM t; SELECT * FROM t WHERE age = 1',
];

describe.each(REFUSED)('%s', (sql) => {
  test('is refused while the transaction is well', async () => {
    expect((await ask(ours, query(sql))).code).not.toBe('25P02');
  });
  test('gets the server’s own answer once it has failed', async () => {
    await fail();
    expect(await same(query(sql))).toMatchObject({ code: '25P02', status: 'E' });
    if (!sql.includes(';') || sql.startsWith('DO'))
      expect(await same(parse({ text: sql }), describeMessage({ type: 'S' }), sync())).toMatchObject({
        types: 'EZ',
        code: '25P02',
      });
    expect((await same(query('ROLLBACK'))).status).toBe('I');
  });
});

test('a Bind whose values do not fit gets it as well, and its statement stays', async () => {
  await same(parse({ name: 's', text: 'INSERT INTO t (email, age) VALUES ($1, $2)' }), sync());
  await same(query('COMMIT'));
  await same(query('BEGIN'));
  await fail();
  const wrong = ['far too long a text', '7'];
  expect(await same(bind('s', wrong), execute({}), sync())).toMatchObject({ types: 'EZ', code: '25P02' });
  expect(await same(bind('s', ['fits', '7']), execute({}), sync())).toMatchObject({ types: 'EZ', code: '25P02' });
  await same(query('ROLLBACK'));
  expect(await same(bind('s', wrong), execute({}), sync())).toMatchObject({ code: '22001' });
  expect(await same(bind('s', ['fits', '7']), execute({}), sync())).toMatchObject({ types: '2CZ' });
});

test('the unnamed statement stays too', async () => {
  await same(query('SAVEPOINT a'));
  await same(parse({ text: 'INSERT INTO t (email, age) VALUES ($1, $2)' }), sync());
  await same(parse({ name: 'broken', text: 'SELECT 1 / $1::int' }), bind('broken', ['0']), execute({}), sync());
  expect(await same(bind('', ['far too long a text', 'x']), execute({}), sync())).toMatchObject({ code: '25P02' });
  await same(query('ROLLBACK TO a'));
});

test('what does not read as SQL is a syntax error in either case', async () => {
  expect((await same(query('SELEKT age FROM t'))).code).toBe('42601');
  expect(await same(query('SELECT age FRM t WHERE'))).toMatchObject({ code: '42601', status: 'E' });
});

test('a savepoint brings the transaction back', async () => {
  await same(query('SAVEPOINT a'));
  await fail();
  expect((await same(query('SELECT age + 1 FROM t'))).code).toBe('25P02');
  expect((await same(query('ROLLBACK TO a'))).status).toBe('T');
  expect(await same(query("INSERT INTO t (email, age) VALUES ('fits', 7)"))).toMatchObject({
    types: 'CZ',
    status: 'T',
  });
});

describe('what ends the failure in the same sequence', () => {
  const run = (text: string, ...values: readonly string[]): Buffer[] => [
    parse({ text }),
    bind('', values),
    execute({}),
  ];
  beforeEach(async () => {
    await same(query("DELETE FROM t; INSERT INTO t VALUES (1, 'canary-1', 7); SAVEPOINT x"));
  });

  test.each(['ROLLBACK TO x', 'ROLLBACK', 'COMMIT', 'ROLLBACK AND CHAIN'])(
    '%s: statements behind it are sealed and opened',
    async (end) => {
      await same(query('COMMIT; BEGIN; SAVEPOINT x'));
      await fail();
      await sameRows(...run(end), ...run('SELECT email, age FROM t WHERE email = $1', 'canary-1'), sync());
      await same(query('ROLLBACK; BEGIN; SAVEPOINT x'));
      await fail();
      await same(...run(end), ...run('UPDATE t SET email = $1, age = $2', 'canary-2', '8'), ...run('COMMIT'), sync());
      await sameRows(query('SELECT email, age FROM t'));
    },
  );

  test.each(['ROLLBACK TO x', 'ROLLBACK'])(
    '%s: as well where settings had changed, and what was prepared before is run',
    async (end) => {
      await same(query('COMMIT'));
      await same(parse({ name: 'before', text: 'SELECT email, age FROM t WHERE email = $1' }), sync());
      await same(query('BEGIN'));
      await same(query("SET LOCAL bytea_output = 'escape'"));
      await same(query('SAVEPOINT x'));
      await same(
        parse({ name: 'all', text: 'SELECT email FROM t' }),
        encodePortal('kept', 'all'),
        execute({ portal: 'kept', rows: 1 }),
        sync(),
      );
      await fail();
      await sameRows(...run(end), bind('before', ['canary-1']), execute({}), sync());
      await same(query('ROLLBACK'));
    },
  );

  test('an empty statement does not, nor what fails', async () => {
    await fail();
    await same(...run(''), ...run('SELECT email FROM t'), sync());
    await same(...run('ROLLBACK TO none'), ...run('SELECT email FROM t'), sync());
    await same(...run('SELECT email FROM t WHERE email = lower(email)'), sync());
    expect(await same(query('SELECT email FROM t'))).toMatchObject({ code: '25P02' });
  });

  test('a portal of before the savepoint gives its rows', async () => {
    await same(query("INSERT INTO t VALUES (2, 'canary-3', 8)"));
    await same(
      parse({ name: 'rows', text: 'SELECT email, age FROM t ORDER BY id' }),
      encodePortal('kept', 'rows'),
      execute({ portal: 'kept', rows: 1 }),
      sync(),
    );
    await same(query('SAVEPOINT y'));
    await same(query("SET LOCAL bytea_output = 'escape'"));
    await fail();
    await sameRows(...run('ROLLBACK TO y'), execute({ portal: 'kept' }), sync());
  });

  const encodePortal = (portal: string, statement: string): Buffer =>
    Buffer.from(encodeBind({ portal, statement, formats: [], resultFormats: [], values: [] }));
  async function sameRows(...messages: readonly Buffer[]): Promise<void> {
    const answers: (readonly string[])[] = [];
    for (const on of [ours, theirs]) {
      on.send(...messages);
      answers.push(shown(await on.untilReady()));
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[1]?.some((line) => line.startsWith('D '))).toBe(true);
  }
});
