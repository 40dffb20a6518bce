/**
 * `(composite).*` and `ROW(t.*)` are as many columns as the server knows. What such a star may shift is never taken for another column's, and
 * nothing else is refused for it.
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
  { table: 'people', column: 'mail', type: 'text', mode: 'deterministic' },
  { table: 'people', column: 'note', type: 'text' },
];
const OTHERS = `
  CREATE TABLE plain (a int, b text);
  INSERT INTO plain VALUES (1, 'one'), (2, 'two');
  CREATE TYPE pair AS (x int, y int);
  CREATE TYPE single AS (x int);
  CREATE FUNCTION getpair(int) RETURNS pair LANGUAGE sql IMMUTABLE AS 'SELECT $1, 7';
  CREATE FUNCTION getone(int) RETURNS single LANGUAGE sql IMMUTABLE AS 'SELECT ROW($1)::single';
  CREATE FUNCTION getplain(int) RETURNS plain LANGUAGE sql IMMUTABLE AS 'SELECT ROW($1, ''got'')::plain';
`;

let server: TestPostgres;
let db: SealedDatabase;
let sealed: RawClient;
let twin: RawClient;

beforeAll(async () => {
  server = await startPostgres(['log_statement=all']);
  const table = (type: string) =>
    `CREATE TABLE people (id int PRIMARY KEY, n int, mail ${type} UNIQUE, note ${type}, word text); ${OTHERS}`;
  db = await openSealedDatabase(server, 'sealed', table('sealgate.sealed'), RULES);
  const twinUrl = await db.openTwin();
  const plain = await connectTo(twinUrl);
  await plain.query(table('text'));
  await plain.end();
  [sealed, twin] = [await RawClient.login(db.url), await RawClient.login(twinUrl)];
  for (const on of [sealed, twin])
    await say(on, "INSERT INTO people (id, n, mail, word) VALUES (1, 1, 'first', 'w'), (2, 2, 'second', 'w')");
});
afterAll(async () => {
  sealed.end();
  twin.end();
  await db.close();
  await server.stop();
});

const MERGE = 'MERGE INTO people p USING (SELECT 50 AS id, 5 AS n) s ON p.id = s.id WHEN NOT MATCHED THEN INSERT';

/** Each changes nothing that the others read: it is rolled back. */
test.each([
  'SELECT id, n::text FROM people UNION ALL SELECT (p).* FROM plain p',
  'SELECT id, word FROM people UNION ALL SELECT (getplain(p.a)).* FROM plain p',
  'SELECT id FROM people WHERE id IN (SELECT a FROM (SELECT a, b FROM plain UNION SELECT (pp.p).* FROM (SELECT p FROM plain p) pp) z)',
  'WITH z AS (SELECT a, b FROM plain UNION SELECT (getplain(3)).*) SELECT mail FROM people, z WHERE z.a = id',
  "WITH z(c, d) AS (SELECT (getplain(1)).* UNION ALL SELECT 9, 'x') SELECT mail, d FROM people, z WHERE c = id",
  "INSERT INTO people (id, n) SELECT a, 1 FROM (SELECT (p).* FROM plain p WHERE a > 2 UNION ALL SELECT 300, 'x') z(a, b)",
  "INSERT INTO people (id, word) SELECT a, b FROM (SELECT (getplain(301)).* UNION ALL SELECT 300, 'x') z(a, b)",
  'INSERT INTO people (id, n) SELECT (getpair(302)).*',
  'INSERT INTO people (id, n) VALUES ((getpair(303)).*), (304, 4)',
  "INSERT INTO people (mail, id, n) SELECT 'canary', (getpair(305)).*",
  "INSERT INTO people (mail, id, n) VALUES ('canary', (getpair(306)).*), ('canary-2', 307, 7)",
  "UPDATE people SET (n, word) = ROW(v.*) FROM (VALUES (1, 'changed')) v(a, b) WHERE id = v.a",
  "UPDATE people SET (n, mail) = ROW(v.*) FROM (VALUES (1, 'canary')) v(a, b) WHERE id = v.a",
  'UPDATE plain SET (a, b) = ROW(v.*) FROM (SELECT id, n::text FROM people) v WHERE plain.a = v.id',
  "UPDATE people SET (mail, n, id) = ROW('canary', (getpair(308)).*) WHERE id = 1",
  'UPDATE plain SET (a, b) = (SELECT (getplain(p.id)).* FROM people p WHERE p.id = 1)',
  "UPDATE people SET (mail, id, n) = (SELECT 'canary', (getpair(309)).*) WHERE id = 1",
  "SELECT p.id FROM people p, (VALUES (1, 'q')) q(a, b) WHERE ROW(q.*) IN (SELECT 1, 'q'::text)",
  "SELECT p.id FROM people p, (SELECT pl FROM plain pl) q WHERE ROW((q.pl).*) IN (SELECT 1, 'one'::text)",
  "SELECT p.id FROM people p, (VALUES (1, 'q')) q(a, b) WHERE ROW(q.*) = ROW(1, 'q')",
  "SELECT p.id FROM people p, (VALUES (1, 'q')) q(a, b) WHERE ROW(q.*) IN (ROW(1, 'q'), ROW(2, 'r'))",
  "SELECT p.id FROM people p, (SELECT id, mail FROM people) q WHERE ROW(q.*) = ROW(1, 'first')",
  "SELECT p.id FROM people p, (SELECT id, mail FROM people) q WHERE ROW(q.*) IN (SELECT 1, 'first')",
  "SELECT p.id FROM people p, plain q WHERE ROW((q).*) IN ((1, 'one'))",
  'SELECT p.id FROM people p WHERE ROW((getpair(p.id)).*) = ROW(1, 7)',
  'SELECT p.id FROM people p WHERE p.id = (SELECT (getone(1)).*)',
  'SELECT (getone(p.id)).*, mail FROM people p ORDER BY id',
  'SELECT mail, (getpair(p.id)).* FROM people p ORDER BY id',
  'SELECT (getpair(p.id)).*, mail FROM people p ORDER BY id',
  'SELECT * FROM (SELECT (getone(p.id)).* FROM people p) z(a) ORDER BY a',
  'SELECT * FROM (SELECT (getpair(p.id)).* FROM people p) z ORDER BY x',
  'SELECT y, mail FROM (SELECT (getpair(p.id)).*, mail FROM people p) z ORDER BY x',
  'SELECT (p).* FROM people p ORDER BY id',
  'SELECT p.*, q.* FROM people p, plain q WHERE q.a = p.id ORDER BY id',
  'SELECT count(p.*) FROM people p',
  'COPY (SELECT (getpair(p.id)).*, mail FROM people p ORDER BY id) TO STDOUT',
  'COPY (SELECT (getpair(p.id)).*, mail FROM people p ORDER BY id) TO STDOUT (FORMAT csv, HEADER, FORCE_QUOTE *)',
  'COPY (SELECT mail, (p).* FROM people p ORDER BY id) TO STDOUT (FORMAT csv)',
  "WITH i AS (INSERT INTO people (id, mail) VALUES (310, 'canary') RETURNING mail, (getpair(id)).*) SELECT * FROM i",
  'SELECT id FROM people p WHERE EXISTS (SELECT (getpair(p.id)).*)',
  'SELECT (getpair(p.id)).*, (getone(p.id)).* FROM people p ORDER BY id',
  'SELECT mail, (getpair(p.id)).*, (getone(p.id)).* FROM people p ORDER BY 1 + id',
  'SELECT mail, j.* FROM people p, (plain q JOIN (VALUES (1, 2)) v(c, d) ON true) AS j (k) WHERE k = id ORDER BY id',
  'SELECT (getpair(p.id)).*, id FROM people p ORDER BY 3',
  'SELECT k, m, x FROM (people JOIN getpair(1) g ON true) AS j (k, l, m) ORDER BY k',
  'SELECT k, mail, y FROM (people p JOIN (SELECT (getpair(1)).*) g ON true) AS j (k) ORDER BY k',
  'SELECT to_jsonb(q.*), mail FROM people, plain q WHERE a = id ORDER BY a',
  'SELECT to_jsonb(p.*) FROM people p ORDER BY id',
  'SELECT to_json(p), p::text FROM people p, getpair(1) g ORDER BY id',
  'SELECT z.to_jsonb, z.x FROM getpair(1) z',
  "SELECT v, 1 FROM (VALUES (1, 'first')) v(i, s), getpair(1) z",
  'SELECT (p).* FROM people p, getpair(1) g ORDER BY id',
  'SELECT id FROM people p WHERE ROW(p.*) IS NOT NULL',
  'SELECT id FROM people p, (SELECT (getpair(1)).*) g WHERE p IS NULL',
  'UPDATE people SET (id, n, mail, note, word) = ROW(people.*) WHERE id = 1',
  'SELECT mail, (getpair(id)).* FROM people UNION ALL SELECT mail, id, n FROM people ORDER BY 2, 3',
  'WITH RECURSIVE r(m, a, b) AS (SELECT mail, (getpair(id)).* FROM people UNION ALL SELECT m, a + 5, b FROM r WHERE a < 4) SELECT m, a, b FROM r ORDER BY a',
  'SELECT ROW(p.*) FROM people p ORDER BY id',
  'SELECT ROW(q.*), mail FROM people, plain q WHERE a = id ORDER BY a',
  'SELECT ROW((getpair(id)).*) FROM people ORDER BY id',
  "UPDATE people SET (mail, note) = ROW('canary', 'canary-2', 'canary-3', (getpair(1)).*)",
  ...since(15, `${MERGE} (id, n) VALUES (s.*)`, `${MERGE} (mail, id, n) VALUES ('canary', s.*)`),
  ...since(15, `${MERGE} (id, n, mail) VALUES (s.*, 'canary')`),
])('as the server does: %s', async (text) => {
  const [one, other] = [await rolledBack(sealed, text), await rolledBack(twin, text)];
  expect(one).toEqual(other);
  expect(await canaries()).toEqual([]);
});

const SHORT = "INSERT INTO people (id, n, mail) (TABLE plain) UNION ALL SELECT (getpair(1)).*, 'canary'";
const ROWS = [
  'SELECT z FROM (SELECT (getpair(id)).*, mail FROM people) z',
  'SELECT to_json(z) FROM (SELECT (getpair(id)).*, mail FROM people) z',
  'SELECT ROW((getpair(id)).*, mail) FROM people',
];
/** A row that looks like a column of what is not known. */
const NAMED = [
  "SELECT 1 FROM (SELECT mail, (getpair(id)).* FROM people) q WHERE q.row_to_json::text LIKE '%canary%'",
  'SELECT q.to_jsonb FROM (SELECT mail, (getpair(id)).* FROM people) q',
  'SELECT j.to_jsonb FROM (people JOIN getpair(1) g ON true) AS j',
  "SELECT (SELECT q = ROW('canary') FROM (SELECT mail FROM people) q LIMIT 1) FROM getpair(1) z",
  "SELECT v, mail FROM people p, (VALUES (1, 'first')) v(i, s), getpair(1) z WHERE v.s = mail",
];
const SHIFTED = "SELECT k FROM (getpair(1) g JOIN people p ON true) AS j (k, l, m, n, o) WHERE o = 'canary'";
const NAMING = 'COPY (SELECT (getpair(id)).*, mail FROM people) TO STDOUT (FORMAT csv, FORCE_QUOTE (mail))';
const PARAMETERS = [
  'UPDATE people SET (n, mail) = ROW((getone(1)).*, $1)',
  'INSERT INTO people (id, n, mail) SELECT (getpair(1)).*, $1',
];

const REFUSED = [
  "INSERT INTO people (id, n, mail) SELECT (getpair(1)).*, 'canary'",
  "INSERT INTO people (id, n, mail) VALUES ((getpair(401)).*, 'canary')",
  "INSERT INTO people (id, n, mail) VALUES (3, 3, 'canary'), ((getpair(401)).*, 'canary')",
  "INSERT INTO people (id, note, mail) SELECT (getpair(400)).*, 'canary'",
  "INSERT INTO people (id, n, mail) SELECT * FROM (SELECT (getpair(1)).*, 'canary') z",
  "INSERT INTO people (id, n, mail) SELECT z.* FROM (VALUES ((getpair(1)).*, 'canary')) z",
  "INSERT INTO people (id, n, mail) SELECT a, b, c FROM (SELECT (getpair(1)).*, 'canary', 'x') z(a, b, c, d)",
  "INSERT INTO people (id, n, mail) SELECT a, b, c FROM (VALUES ((getpair(1)).*, 'canary', 'x')) z(a, b, c, d)",
  "WITH z(a, b, c) AS (SELECT (getpair(1)).*, 'canary') INSERT INTO people (id, n, mail) SELECT a, b, c FROM z",
  "INSERT INTO people (id, n, mail) SELECT j.*, 'canary' FROM (plain JOIN getpair(1) g ON true) AS j",
  "INSERT INTO people (id, n, mail) SELECT 1, 2, 'canary' UNION ALL SELECT (getpair(1)).*, 'canary'",
  "INSERT INTO people (id, n, mail) SELECT (getpair(1)).*, 'canary' UNION ALL SELECT 1, 2, 'canary'",
  "UPDATE people SET (id, n, mail) = ROW((getpair(1)).*, 'canary')",
  "UPDATE people SET (id, n, mail) = (SELECT (getpair(1)).*, 'canary')",
  "UPDATE people SET mail = (SELECT (getone(1)).*, 'canary')",
  "INSERT INTO people (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET (id, n, mail) = ROW((getpair(1)).*, 'canary')",
  "SELECT id, n, mail FROM people UNION ALL SELECT (getpair(1)).*, 'canary'",
  "SELECT (getpair(1)).*, 'canary' UNION ALL SELECT id, n, mail FROM people",
  "SELECT id FROM people WHERE (id, n, mail) = ROW((getpair(1)).*, 'canary')",
  "SELECT id FROM people WHERE (id, n, mail) IN (SELECT (getpair(1)).*, 'canary')",
  "SELECT id FROM people WHERE (id, n, mail) = (SELECT (getpair(1)).*, 'canary')",
  "SELECT id FROM people p WHERE ROW((getpair(1)).*, p.mail) IN (SELECT 1, 7, 'canary')",
  "SELECT id FROM people WHERE 'canary' = (SELECT (getone(1)).*, mail FROM people)",
  "COPY (SELECT id, n, mail FROM people UNION ALL SELECT (getpair(1)).*, 'canary') TO STDOUT",
  ...since(15, `${MERGE} (id, n, mail) VALUES ((getpair(1)).*, 'canary')`),
];

test.each([...REFUSED, ...ROWS, ...NAMED, SHORT, SHIFTED, NAMING, ...PARAMETERS])(
  'refused before it is sent: %s',
  async (text) => {
    const { parse, describe, sync } = serialize;
    const isCopy = text.startsWith('COPY');
    for (const form of isCopy ? [text] : [text, `EXPLAIN ${text}`, `PREPARE p AS ${text}`]) {
      if (form.includes('$1') && !form.startsWith('PREPARE')) continue;
      expect(errorsIn(await say(sealed, form))).toEqual([expect.stringContaining('0A000')]);
    }
    sealed.send(parse({ text }), describe({ type: 'S' }), sync());
    expect(errorsIn(await sealed.untilReady())).toEqual([expect.stringContaining(' 0A000 ')]);
    expect(await canaries()).toEqual([]);
  },
);

test('what is prepared has its columns where the server counts them', async () => {
  const text = 'SELECT (getpair(id)).*, mail FROM people WHERE mail = $1';
  const { parse, bind, describe, execute, sync } = serialize;
  for (const on of [sealed, twin]) await say(on, `PREPARE wide AS ${text}`);
  for (const run of ["EXECUTE wide('first')", 'EXPLAIN (COSTS OFF) SELECT (getpair(id)).*, mail FROM people'])
    expect(shown(await say(sealed, run))).toEqual(shown(await say(twin, run)));
  const fetched = ['BEGIN', 'DECLARE c CURSOR FOR SELECT (getpair(id)).*, mail FROM people', 'FETCH ALL c', 'ROLLBACK'];
  expect(shown(await say(sealed, ...fetched))).toEqual(shown(await say(twin, ...fetched)));
  const frames = [parse({ text }), describe({ type: 'S' }), bind({ values: ['second'] }), execute({}), sync()];
  for (const on of [sealed, twin]) on.send(...frames);
  expect(shown(await sealed.untilReady())).toEqual(shown(await twin.untilReady()));
});

async function rolledBack(on: RawClient, text: string): Promise<readonly string[]> {
  await say(on, 'BEGIN');
  const said = shown(await say(on, text)).filter((line) => !line.startsWith('Z'));
  const rows = shown(await say(on, 'SELECT id, n, mail, word FROM people')).toSorted();
  await say(on, 'ROLLBACK');
  return [...said, ...rows];
}

const errorsIn = (messages: Parameters<typeof shown>[0]): readonly string[] =>
  shown(messages).filter((line) => line.startsWith('E'));

/** Of the sealed database: the twin's statements hold them. */
async function canaries(): Promise<readonly string[]> {
  const log = await readFile(server.logFile ?? '', 'utf8');
  expect(log).toContain('people');
  return log.split('\n').filter((line) => line.includes('canary'));
}
