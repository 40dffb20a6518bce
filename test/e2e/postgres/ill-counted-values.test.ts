/**
 * Values in other numbers than the columns they are for: a column was dropped, a list has a slip. The answer is the server's, and none of them is sent
 * to it: what no column takes might be meant for a sealed one, and an error's statement is logged.
 */
import { serialize } from 'pg-protocol';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { RawClient } from '../../support/postgres/proxy.ts';
import { say, shown } from '../../support/postgres/said.ts';
import { openSealedDatabase, type SealedDatabase, type TestRule } from '../../support/postgres/sealed-database.ts';
import { since } from '../../support/postgres/versions.ts';

const RULES: readonly TestRule[] = [
  { table: 'people', column: 'mail', type: 'varchar(30)', mode: 'deterministic' },
  { table: 'people', column: 'note', type: 'text' },
];

let server: TestPostgres;
let db: SealedDatabase;
let sealed: RawClient;
let twin: RawClient;

beforeAll(async () => {
  server = await startPostgres(['log_statement=all']);
  const ddl = 'CREATE TABLE people (id int PRIMARY KEY, mail sealgate.sealed UNIQUE, note sealgate.sealed)';
  db = await openSealedDatabase(server, 'sealed', ddl, RULES);
  const twinUrl = await db.openTwin();
  const plain = await connectTo(twinUrl);
  await plain.query('CREATE TABLE people (id int PRIMARY KEY, mail varchar(30) UNIQUE, note text)');
  await plain.end();
  [sealed, twin] = [await RawClient.login(db.url), await RawClient.login(twinUrl)];
  for (const on of [sealed, twin]) {
    await say(on, 'PREPARE add (int, text) AS INSERT INTO people (id, mail) VALUES ($1, $2)');
    await say(on, 'PREPARE find AS SELECT id FROM people WHERE mail = $1 OR id = $2');
    await say(on, "PREPARE fixed AS UPDATE people SET note = 'x' WHERE id = 0");
  }
});
afterAll(async () => {
  sealed.end();
  twin.end();
  await db.close();
  await server.stop();
});

const MERGE = 'MERGE INTO people p USING (VALUES (1)) v(id) ON p.id = v.id WHEN NOT MATCHED THEN';

test.each([
  "INSERT INTO people VALUES (1, 'canary-1', 'canary-2', 'canary-3')",
  "INSERT INTO people (id, mail) VALUES (1, 'canary-1', 'canary-2')",
  "INSERT INTO people (id, mail) VALUES (1, 'canary-1', 'canary-2'), (2, 'canary-3', 'canary-4')",
  "INSERT INTO people (id, mail) VALUES (1, 'canary-1'), (2, 'canary-2', 'canary-3')",
  "INSERT INTO people (id, mail, note) SELECT * FROM (VALUES (1, 'canary-1', 'x'), (2, 'canary-2', 'x', 'canary-3')) v",
  "INSERT INTO people (id, mail) SELECT 1, 'canary-1', 'canary-2'",
  "WITH i AS (INSERT INTO people (id, mail) VALUES (1, 'canary-1', 'canary-2') RETURNING id) SELECT id FROM i",
  "UPDATE people SET (mail, note) = ('canary-1', 'canary-2', 'canary-3')",
  "UPDATE people SET (mail, note) = ROW('canary-1')",
  "UPDATE people SET (mail, note) = (SELECT 'canary-1', 'canary-2', 'canary-3')",
  "INSERT INTO people (id, mail) VALUES (1, 'canary-1') ON CONFLICT (id) DO UPDATE SET (mail, note) = ('canary-2', 'canary-3', 'canary-4')",
  "UPDATE people SET note = (SELECT 'canary-1', 'canary-2')",
  "SELECT id FROM people WHERE (id, mail) = (1, 'canary-1', 'canary-2')",
  "SELECT id FROM people WHERE (id, mail) IN ((1, 'canary-1'), (2, 'canary-2', 'canary-3'))",
  "SELECT id FROM people WHERE (id, mail) IN (SELECT 1, 'canary-1', 'canary-2')",
  "SELECT id FROM people WHERE (id, mail) = (SELECT 1, 'canary-1', 'canary-2')",
  "SELECT id FROM people WHERE mail IN (SELECT 'canary-1', 'canary-2')",
  "SELECT id FROM people WHERE mail = (SELECT 'canary-1', 'canary-2')",
  "SELECT mail FROM people UNION SELECT 'canary-1', 'canary-2'",
  "SELECT mail, note FROM people UNION ALL SELECT 'canary-1'",
  "SELECT mail FROM people EXCEPT SELECT 'canary-1', 'canary-2'",
  "EXECUTE find('canary-1', 1, 'canary-2')",
  "EXECUTE add(1, 'canary-1', 'canary-2')",
  "EXECUTE fixed('canary-1')",
  "EXPLAIN (COSTS OFF) EXECUTE fixed('canary-1') -- canary",
  ...since(15, `${MERGE} INSERT (id, mail) VALUES (1, 'canary-1', 'canary-2')`),
])('%s', async (text) => {
  const { parse, bind, execute, sync } = serialize;
  expect(shown(await say(sealed, text))).toEqual(shown(await say(twin, text)));
  const frames = [parse({ text }), bind({}), execute({}), sync()];
  for (const on of [sealed, twin]) on.send(...frames);
  // What EXECUTE is given is looked at as soon as it is read.
  const said = async (on: RawClient) => shown(await on.untilReady()).filter((line) => !/^[12] /u.test(line));
  expect(await said(sealed)).toEqual(await said(twin));
  const log = await readFile(server.logFile ?? '', 'utf8');
  expect(log).toContain('people');
  expect(log.split('\n').filter((line) => line.includes('canary'))).toEqual([]);
});

test('as many as there are parameters are given to EXECUTE, and fewer are the server’s to refuse', async () => {
  for (const text of ["EXECUTE add(7, 'canary-1')", "EXECUTE find('canary-1', 7)", 'EXECUTE fixed', 'EXECUTE find'])
    expect(shown(await say(sealed, text))).toEqual(shown(await say(twin, text)));
});
