/**
 * COPY in and out of sealed columns, against the same COPY on plain columns: rows, data, tags and errors are the same, or the statement is
 * refused; and no value is anywhere at the server.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { serialize } from 'pg-protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { copyFail, copyIn, copyOut, type CopyAnswer, type CopyInWays } from '../../support/postgres/copy.ts';
import { startLoggedPostgres, type LoggedPostgres } from '../../support/postgres/logged-postgres.ts';
import { RawClient } from '../../support/postgres/proxy.ts';
import { since } from '../../support/postgres/versions.ts';
import { openSearchedDatabase, type SealedDatabase } from '../../support/postgres/sealed-database.ts';

const COLUMNS = [
  ['email', 'text', 'deterministic'],
  ['ssn', 'varchar(12)', 'randomized'],
  ['score', 'int4', 'deterministic'],
  ['amount', 'numeric(10,2)', 'randomized'],
  ['born', 'date', 'randomized'],
  ['seen', 'timestamptz', 'randomized'],
  ['raw', 'bytea', 'randomized'],
  ['doc', 'jsonb', 'randomized'],
  ['active', 'bool', 'randomized'],
] as const;
const RULES = COLUMNS.map(([column, type, mode]) => ({ table: 'people', column, type, mode }));
const ddl = (sealed: boolean): string =>
  `CREATE TABLE people (id int PRIMARY KEY, name text DEFAULT 'nobody',
     ${COLUMNS.map(([name, type]) => `${name} ${sealed ? 'sealgate.sealed' : type}`).join(', ')},
     twice int GENERATED ALWAYS AS (id * 2) STORED);
   CREATE TABLE plain (id int, note text)`;
const ALL = 'id, name, email, ssn, score, amount, born, seen, raw, doc, active';

let server: LoggedPostgres;
let db: SealedDatabase;
let twinUrl: string;
let clients: { readonly sealed: RawClient; readonly twin: RawClient };
let direct: { readonly sealed: pg.Client; readonly twin: pg.Client };

beforeAll(async () => {
  server = await startLoggedPostgres(['log_min_error_statement=info']);
  db = await openSearchedDatabase(server, 'sealed', ddl(true), RULES);
  twinUrl = await db.openTwin();
  const [sealed, twin] = [db.url, twinUrl].map((url) => new pg.Client({ connectionString: url }));
  if (sealed === undefined || twin === undefined) throw new Error('no clients');
  await sealed.connect();
  await twin.connect();
  await twin.query(ddl(false));
  direct = { sealed, twin };
  clients = { sealed: await RawClient.login(db.url), twin: await RawClient.login(twinUrl) };
});
afterAll(async () => {
  clients.sealed.end();
  clients.twin.end();
  await direct.sealed.end();
  await direct.twin.end();
  await db.close();
  await server.stop();
});
beforeEach(async () => {
  for (const on of [direct.sealed, direct.twin]) await on.query('TRUNCATE people, plain');
});

const AS_TEXT = { getTypeParser: () => (text: unknown) => text } as unknown as pg.CustomTypesConfig; // its overloads
const rowsOf = async (on: pg.Client): Promise<string[]> => {
  const { rows } = await on.query<unknown[]>({ text: 'SELECT * FROM people', rowMode: 'array', types: AS_TEXT });
  return rows.map((row) => JSON.stringify(row)).sort();
};

/** Without what quotes values, and what only the server says of errors. */
const comparable = ({ error, ...answer }: CopyAnswer): unknown => ({
  ...answer,
  error: error && {
    code: error.code,
    message: error.message.replace(/: ".*"$/s, ''),
    context: error.context?.replace(/: ".*"$/s, '').replace(/: null input$/, ''),
  },
});

async function bothIn(sql: string, data: Uint8Array | string, ways: CopyInWays = {}): Promise<CopyAnswer> {
  const sealed = await copyIn(clients.sealed, sql, data, ways);
  const twin = await copyIn(clients.twin, sql, data, ways);
  expect(comparable(sealed)).toEqual(comparable(twin));
  expect(await rowsOf(direct.sealed)).toEqual(await rowsOf(direct.twin));
  return sealed;
}

async function bothOut(sql: string): Promise<CopyAnswer> {
  const twin = await copyOut(clients.twin, sql);
  for (const protocol of ['simple', 'extended'] as const) {
    const sealed = await copyOut(clients.sealed, sql, protocol);
    expect({ ...sealed, data: sealed.data.toString('latin1') }).toEqual({
      ...twin,
      data: twin.data.toString('latin1'),
    });
  }
  return twin;
}

const ROWS = [
  '1\tAnn\tann@x.org\t123-45-6789\t7\t10.5\t1984-02-29\t2024-02-29 12:00:00+00\t\\\\x00ff\t{"a": 1}\tt',
  '2\tTab\\tand\\\\back\ta\\tb\\\\c\\nd\t\t-7\t0.005\t0001-01-01 BC\t1999-12-31 23:59:59.5-08\t\\\\x\tnull\tf',
  '3\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N',
  '4\tå\t日本\\x41\\101\tä\t0\t-1\t2000-01-01\t2000-01-01\t\\\\xabcdef\t[1, "zwei"]\tyes',
];
const TEXT = `${ROWS.join('\n')}\n`;
const CSV = `1,Ann,ann@x.org,"123",7,10.5,1984-02-29,2024-02-29 12:00:00+00,\\x00ff,"{""a"": 1}",t
2,"quote "" and, comma","a,""b""
c",,-7,1,,,,,
3,,,,,,,,,,
4,"","","","5","1","2000-01-01","2000-01-01","","[]","no"
`;

describe('COPY FROM STDIN stores what it stores in plain columns', () => {
  test.each([
    ['text', `COPY people (${ALL}) FROM STDIN`, TEXT],
    ['text without a list of columns', 'COPY people FROM STDIN', TEXT],
    ['lines that end in CRLF', `COPY public.people (${ALL}) FROM STDIN`, TEXT.replaceAll('\n', '\r\n')],
    ['lines that end in CR', `COPY people (${ALL}) FROM STDIN`, TEXT.replaceAll('\n', '\r')],
    ['a last line without end', `COPY people (${ALL}) FROM STDIN`, TEXT.slice(0, -1)],
    ['the end-of-copy marker', `COPY people (${ALL}) FROM STDIN`, `${TEXT}\\.\nnot\tread\n`],
    ['some columns, in another order', 'COPY people (score, id) FROM STDIN', '5\t1\n\\N\t2\n'],
    ['none that is sealed', 'COPY people (id, name) FROM STDIN', '1\ta\n2\tb\n'],
    ['another delimiter and NULL', "COPY people (id, email) FROM STDIN DELIMITER '|' NULL 'nil'", '1|a\\|b\n2|nil\n'],
    ...since(
      15,
      ['a header to leave out', 'COPY people (id, email) FROM STDIN (HEADER)', 'secret@header\tx\n1\ta\n'],
      ['a header that matches', 'COPY people (id, email) FROM STDIN (HEADER match)', 'id\temail\n1\ta\n'],
      [
        'csv with a header',
        `COPY people (${ALL}) FROM STDIN (FORMAT csv, HEADER match)`,
        `${ALL.replaceAll(' ', '')}\n${CSV}`,
      ],
    ),
    ...since(
      17,
      ['defaults', "COPY people (id, name, email) FROM STDIN (DEFAULT '\\D')", '1\t\\D\ta\n2\tb\t\\\\D\n'],
      [
        'csv FORCE_NULL *, FORCE_NOT_NULL *',
        "COPY people (id, email, ssn) FROM STDIN (FORMAT csv, NULL 'NIL', FORCE_NULL *)",
        '1,"NIL",NIL\n2,,"nil"\n',
      ],
    ),
    ['csv', `COPY people (${ALL}) FROM STDIN CSV`, CSV],
    ['csv in CRLF', `COPY people (${ALL}) FROM STDIN (FORMAT csv)`, CSV.replaceAll('\n', '\r\n')],
    [
      'csv with options that hexadecimal digits are in',
      "COPY people (id, email) FROM STDIN (FORMAT csv, DELIMITER 'x', QUOTE 'f', ESCAPE '5', NULL 'n')",
      '1xffoof5f\n2xn\n3xfn5f5555f\n',
    ],
    [
      'csv with an escape of its own',
      "COPY people (id, email) FROM STDIN (FORMAT csv, ESCAPE '\\')",
      '1,"a\\"b\\\\c\\d"\n2,"x""y"\n3,a"b,c"d\n',
    ],
    [
      'csv FORCE_NULL and FORCE_NOT_NULL',
      'COPY people (id, name, email, ssn) FROM STDIN (FORMAT csv, FORCE_NULL (email), FORCE_NOT_NULL (ssn))',
      '1,"","",\n2,,x,"y"\n',
    ],
    [
      'csv with a header that ends within quotes',
      'COPY people (id, email) FROM STDIN (FORMAT csv, HEADER)',
      'id,"e\n1,a\n',
    ],
    ['csv with a marker that is a value', 'COPY people (email, id) FROM STDIN CSV', '\\.x,1\n"\\.",2\n'],
    ['WHERE on columns that are not sealed', 'COPY people (id, email) FROM STDIN WHERE id > 1', '1\ta\n2\tb\n'],
    ['nothing', 'COPY people (id, email) FROM STDIN', ''],
    ['ENCODING and FREEZE off', "COPY people (id, email) FROM STDIN (ENCODING 'utf8', FREEZE off)", '1\tü\n'],
  ])('%s', async (_what, sql, data) => {
    for (const ways of [{}, { pieceBytes: 1, protocol: 'extended' }] as const) {
      expect(await bothIn(sql, data, ways)).toMatchObject({ error: undefined, status: 'I' });
      await beforeEachRow();
    }
  });

  test('binary, as the server wrote it', async () => {
    await bothIn(`COPY people (${ALL}) FROM STDIN`, TEXT);
    const { data } = await copyOut(clients.twin, `COPY people (${ALL}) TO STDOUT BINARY`);
    for (const ways of [{ pieceBytes: 1 }, { pieceBytes: 5, protocol: 'extended' }] as const) {
      await beforeEachRow();
      await bothIn(`COPY people (${ALL}) FROM STDIN (FORMAT binary)`, data, ways);
      await beforeEachRow();
      // Without its trailer.
      await bothIn(`COPY BINARY people (${ALL}) FROM STDIN`, data.subarray(0, -2), ways);
    }
  });
});

const beforeEachRow = async (): Promise<void> => {
  for (const on of [direct.sealed, direct.twin]) await on.query('TRUNCATE people');
};

describe('COPY FROM STDIN fails as it fails on plain columns, and keeps nothing', () => {
  test.each([
    ['a value of a wrong type', 'COPY people (id, score) FROM STDIN', '1\t1\n2\tLEAK-x\n3\t3\n'],
    ['one out of range', 'COPY people (id, score) FROM STDIN', '1\t99999999999\n'],
    ['one too long', 'COPY people (id, ssn) FROM STDIN', '1\tok\n2\tLEAK-1234567890\n'],
    ['a plain value of a wrong type', 'COPY people (id, score) FROM STDIN', '1\t1\nx\t2\n'],
    ['a duplicate key', 'COPY people (id, email) FROM STDIN', '1\ta\n1\tb\n'],
    ['too few columns', 'COPY people (id, email) FROM STDIN', '1\ta\n2\n'],
    ['too many columns', 'COPY people (id, email) FROM STDIN', '1\tLEAK-Doe\tLEAK-John\n'],
    ['too many columns in csv', 'COPY people (id, email) FROM STDIN CSV', '1,LEAK-Doe,LEAK-John\n'],
    ['an unterminated quote', 'COPY people (id, email) FROM STDIN CSV', '1,"LEAK-a\nb\n'],
    ['a bare CR', 'COPY people (id, email) FROM STDIN', '1\ta\n2\tLEAK-b\rc\n'],
    ['a bare newline', 'COPY people (id, email) FROM STDIN CSV', '1,a\r\n2,LEAK-b\n'],
    ['no UTF-8', 'COPY people (id, email) FROM STDIN', Buffer.from('1\tLEAK\xff\n', 'latin1')],
    ['a NUL', 'COPY people (id, email) FROM STDIN', '1\tLEAK\0\n'],
    ['a header that does not match', 'COPY people (id, email) FROM STDIN (HEADER match)', '1\tLEAK\n'],
    ['a header of another number of names', 'COPY people (id, email) FROM STDIN (HEADER match)', 'LEAK\n'],
    ['no COPY file', 'COPY people (id, email) FROM STDIN BINARY', 'LEAK is no signature at all\n'],
    ['no column of that name', 'COPY people (id, nothing) FROM STDIN', '1\tLEAK\n'],
    ['no table of that name', 'COPY nobody (id, nothing) FROM STDIN', '1\tLEAK\n'],
    ['a column named twice', 'COPY people (id, email, email) FROM STDIN', '1\tLEAK\tLEAK\n'],
    ['a generated column', 'COPY people (id, email, twice) FROM STDIN', '1\tLEAK\t2\n'],
    ['a client that gives up', 'COPY people (id, email) FROM STDIN', '1\tLEAK\n', 'LEAK in its reason'],
  ])('%s', async (_what, sql, data, reason?: string) => {
    const end = reason === undefined ? {} : { end: copyFail(reason) };
    for (const ways of [{}, { pieceBytes: 3, protocol: 'extended' }] as const) {
      const sealed = await copyIn(clients.sealed, sql, data, { ...ways, ...end });
      const twin = await copyIn(clients.twin, sql, data, { ...ways, ...end });
      expect({ ...sealed, error: sealed.error?.code }).toEqual({ ...twin, error: twin.error?.code });
      expect(sealed.error?.code).toMatch(/^\w{5}$/);
      if (sealed.error?.context !== undefined)
        expect(sealed.error.context).toBe(twin.error?.context?.replace(/: (".*"|null input)$/s, ''));
      expect(await rowsOf(direct.sealed)).toEqual([]);
      expect(await copyIn(clients.sealed, 'COPY people (id) FROM STDIN', '1\n')).toMatchObject({ tag: 'COPY 1' });
      await direct.sealed.query('TRUNCATE people');
    }
    const log = server.log();
    expect(log.replaceAll(/.*LEAK.*database "?twin.*/g, '')).toBe(log);
  });

  test('within a transaction, which then has failed', async () => {
    for (const client of [clients.sealed, clients.twin]) {
      client.send(serialize.query('BEGIN'));
      await client.untilReady();
      expect(await copyIn(client, 'COPY people (id, email) FROM STDIN', '1\ta\n')).toMatchObject({ status: 'T' });
      expect(await copyIn(client, 'COPY people (id, score) FROM STDIN', '2\tx\n')).toMatchObject({ status: 'E' });
      client.send(serialize.query('ROLLBACK'));
      await client.untilReady();
    }
    expect(await rowsOf(direct.sealed)).toEqual([]);
  });
});

describe('COPY TO STDOUT gives what it gives of plain columns', () => {
  beforeEach(async () => {
    await bothIn(`COPY people (${ALL}) FROM STDIN`, TEXT);
    await bothIn('COPY people (id, email, name) FROM STDIN CSV', '5,"a,b""c\nd",x\n6,\\.,\n7,"",y\n8,NULL,z\n');
  });

  test.each([
    'COPY people TO STDOUT',
    `COPY people (${ALL}) TO STDOUT`,
    'COPY people (email) TO STDOUT',
    'COPY people (id, name) TO STDOUT',
    "COPY people TO STDOUT DELIMITER '|' NULL 'NULL'",
    ...since(
      15,
      'COPY people TO STDOUT (HEADER)',
      'COPY (SELECT id, email AS mail, upper(name) FROM people ORDER BY id) TO STDOUT (HEADER)',
    ),
    'COPY people TO STDOUT CSV HEADER',
    'COPY people (email) TO STDOUT CSV',
    "COPY people (email, id) TO STDOUT (FORMAT csv, NULL 'NULL', FORCE_QUOTE (email))",
    "COPY people TO STDOUT (FORMAT csv, FORCE_QUOTE *, QUOTE '''', ESCAPE '\\', DELIMITER ';')",
    "COPY people (id, email) TO STDOUT (FORMAT csv, DELIMITER 'x', QUOTE 'f', ESCAPE '5')",
    'COPY people TO STDOUT BINARY',
    'COPY people (email, raw) TO STDOUT (FORMAT binary)',
    "COPY (SELECT email, count(*) FROM people WHERE email = 'ann@x.org' AND score = 7 GROUP BY email ORDER BY 2) TO STDOUT CSV",
    'COPY (SELECT p.ssn, q.doc FROM people p JOIN people q USING (email) ORDER BY p.id) TO STDOUT BINARY',
    'COPY (SELECT 1 AS a) TO STDOUT',
    "COPY (UPDATE people SET ssn = 'new' WHERE id = 1 RETURNING id, ssn) TO STDOUT",
    'COPY (SELECT email FROM people WHERE id > 100) TO STDOUT CSV HEADER',
  ])('%s', async (sql) => {
    const { messages, tag } = await bothOut(sql);
    expect(tag).toMatch(/^COPY \d+$/);
    expect(messages).toBeGreaterThanOrEqual(0);
  });

  test('whatever bytea_output is', async () => {
    clients.sealed.send(serialize.query('SET bytea_output = escape'));
    await clients.sealed.untilReady();
    await bothOut('COPY people (id, email, ssn) TO STDOUT');
    await bothOut('COPY people (id, email, ssn) TO STDOUT CSV');
    clients.sealed.send(serialize.query('RESET bytea_output'));
    await clients.sealed.untilReady();
  });
});

describe('refused by name', () => {
  test.each([
    ["COPY people FROM '/tmp/people.txt'", 'ERR_POSTGRES_SEALED_STATEMENT'],
    ["COPY people TO '/tmp/people.txt'", 'ERR_POSTGRES_SEALED_STATEMENT'],
    ["COPY people FROM PROGRAM 'true'", 'ERR_POSTGRES_SEALED_STATEMENT'],
    ["COPY (SELECT email FROM people) TO PROGRAM 'cat'", 'ERR_POSTGRES_SEALED_STATEMENT'],
    ['COPY people FROM STDIN (ON_ERROR ignore)', 'ERR_POSTGRES_SEALED_STATEMENT'],
    ["COPY people FROM STDIN (ENCODING 'LATIN1')", 'ERR_POSTGRES_SEALED_STATEMENT'],
    ["COPY people FROM STDIN (FORMAT 'json')", 'ERR_POSTGRES_COPY_OPTION'],
    ["COPY people FROM STDIN (DELIMITER 'ab')", 'ERR_POSTGRES_COPY_OPTION'],
    ["COPY people (id, email) FROM STDIN WHERE email = 'x'", 'ERR_POSTGRES_SEALED_USE'],
    ['COPY people FROM STDIN WHERE people IS NOT NULL', 'ERR_POSTGRES_SEALED_USE'],
    ['COPY (SELECT lower(email) FROM people) TO STDOUT', 'ERR_POSTGRES_SEALED_USE'],
  ])('%s', async (sql, code) => {
    await expect(direct.sealed.query(sql)).rejects.toMatchObject({ routine: code });
  });
});

test.each([
  'COPY people TO STDOUT (FORMAT csv, HEADER maybe)',
  "COPY people TO STDOUT (DELIMITER 'ab')",
  "COPY people TO STDOUT (DELIMITER E'\\n')",
  "COPY people TO STDOUT (FORMAT csv, QUOTE 'ab')",
  'COPY people FROM STDIN (NULL)',
  'COPY people FROM STDIN (FORMAT csv, FORMAT csv)',
  "COPY people FROM STDIN (FORMAT 'json')",
])('an option that COPY does not take has the server’s SQLSTATE: %s', async (sql) => {
  const codeOf = (error: { code?: string }): string | undefined => error.code;
  const plain = await direct.twin.query(sql).then(() => 'none', codeOf);
  expect(await direct.sealed.query(sql).then(() => 'none', codeOf)).toBe(plain);
  expect(plain).toMatch(/^(?:0A000|22023|42601)$/u);
});

test('no value is in the server’s log or among its files', async () => {
  const canary = 'CANARY-d41d8cd98f';
  await copyIn(
    clients.sealed,
    'COPY people (id, email, ssn, doc) FROM STDIN',
    `1\t${canary}-1\ts\t{"a": "${canary}"}\n`,
  );
  await copyIn(clients.sealed, 'COPY people (id, score) FROM STDIN', `1\t${canary}-2\n`);
  await copyIn(clients.sealed, 'COPY people (id, email) FROM STDIN', `2\t${canary}-3\textra\n`);
  await copyIn(clients.sealed, 'COPY people (id, email) FROM STDIN', `3\t${canary}\n`, { end: copyFail(canary) });
  await copyIn(clients.sealed, 'COPY people (id, email) FROM STDIN', `x\t${canary}\n4\t${canary}\n`, { pieceBytes: 5 });
  await copyIn(clients.sealed, 'COPY people (id, email) FROM STDIN (HEADER match)', `${canary}\t${canary}\n`);
  await copyOut(clients.sealed, `COPY (SELECT id FROM people WHERE email = '${canary}-1') TO STDOUT`);
  await db.direct.query('CHECKPOINT');
  expect(server.log()).not.toContain(canary);
  const files = await readdir(server.dataDirectory, { recursive: true, withFileTypes: true });
  const wanted = [canary, Buffer.from(canary).toString('hex')];
  for (const file of files.filter((entry) => entry.isFile())) {
    const bytes = await readFile(join(file.parentPath, file.name)).catch(() => Buffer.alloc(0));
    for (const text of wanted)
      expect({ file: file.name, found: bytes.includes(text) }).toEqual({ file: file.name, found: false });
  }
});
