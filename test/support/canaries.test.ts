/** The search itself: whatever is planted on a server is found, in each place and form, and nothing is where nothing was. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectTo } from './postgres/connect.ts';
import { Canaries, findCanaries } from './canaries.ts';
import { startPostgres, type TestPostgres } from './postgres/postgres.ts';
import { openSearchedDatabase, type SearchedDatabase, type TestRule } from './postgres/sealed-database.ts';

const RULES: readonly TestRule[] = [
  { table: 'people', column: 'mail', type: 'text', mode: 'deterministic' },
  { table: 'people', column: 'ref', type: 'uuid' },
];

let server: TestPostgres;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

let databases = 0;
/** A new database with two sealed columns, through whose proxy `work` has run. */
async function opened(work: (client: pg.Client, db: SearchedDatabase) => Promise<unknown>): Promise<SearchedDatabase> {
  const ddl =
    'CREATE TABLE people (mail sealgate.sealed, ref sealgate.sealed); CREATE TABLE plain (what text, ref uuid)';
  const db = await openSearchedDatabase(server, `searched_${++databases}`, ddl, RULES);
  const client = await connectTo(db.url);
  try {
    await work(client, db);
  } finally {
    await client.end();
  }
  return db;
}

const found = async (...values: readonly (string | Uint8Array)[]): Promise<readonly string[]> => {
  const canaries = new Canaries();
  for (const value of values) canaries.add(value);
  return findCanaries(server, canaries);
};
const direct = async (sql: string, values: readonly unknown[] = []): Promise<void> => {
  const client = await connectTo(server.url());
  try {
    await client.query(sql, [...values]);
  } finally {
    await client.end();
  }
};

test('what is sealed alone is found nowhere', async () => {
  const db = await opened(async (client) => {
    await client.query("INSERT INTO people VALUES ('sealed-literal@x.org', NULL)");
    await client.query('INSERT INTO people VALUES ($1, $2)', [
      'sealed-parameter@x.org',
      'c2eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    ]);
    const asked = [['sealed-parameter@x.org', 'sealed-element@x.org']];
    expect((await client.query('SELECT FROM people WHERE mail = ANY($1)', asked)).rowCount).toBe(1);
  });
  const texts = db.canaries.needles.map((needle) => Buffer.from(needle).toString('latin1'));
  for (const value of [
    'sealed-literal@x.org',
    'sealed-parameter@x.org',
    'sealed-element@x.org',
    'c2eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
  ])
    expect(texts).toContain(value);
  // As PostgreSQL stores a uuid.
  expect(texts).toContain(Buffer.from('c2eebc999c0b4ef8bb6d6bb9bd380a11', 'hex').toString('latin1'));
  await db.close();
});

test.each([
  [
    'in a plain column, of which the log says nothing',
    'planted-row@x.org',
    "SET log_statement = 'none'; INSERT INTO plain VALUES ('planted-' || 'row@x.org')",
  ],
  [
    'in a row that is gone again',
    'planted-gone@x.org',
    "INSERT INTO plain VALUES ('planted-gone@x.org'); TRUNCATE plain",
  ],
  ['in a statement alone', 'planted-said@x.org', "SELECT 'planted-said@x.org'"],
])('a value that was sealed and stands %s fails the suite', async (_where, value, sql) => {
  const db = await opened(async (client, { direct: past }) => {
    await client.query('INSERT INTO people (mail) VALUES ($1)', [value]);
    await past.query(sql);
  });
  await expect(db.close()).rejects.toThrow(value);
});

test('as a value of another type it is found in its binary form', async () => {
  const ref = 'd3eebc99-9c0b-4ef8-bb6d-6bb9bd380a12';
  const db = await opened(async (client, { direct: past }) => {
    await client.query('INSERT INTO people (ref) VALUES ($1)', [ref]);
    await past.query("SET log_statement = 'none'");
    await past.query('INSERT INTO plain (ref) VALUES ($1)', [ref]);
  });
  await expect(db.close()).rejects.toThrow(ref.replaceAll('-', ''));
});

test('what the suite says it also writes in clear is no canary, and nothing else is let through', async () => {
  const db = await opened(async (client, { direct: past, canaries }) => {
    await client.query("INSERT INTO people VALUES ('allowed-one@x.org'), ('planted-two@x.org')");
    await past.query("INSERT INTO plain VALUES ('allowed-one@x.org'), ('planted-two@x.org')");
    canaries.alsoPlain('allowed-one@x.org');
  });
  await expect(db.close()).rejects.toThrow(/^(?!.*allowed-one).*planted-two/su);
});

test('each place is searched', async () => {
  const where = async (value: string): Promise<string> => (await found(value)).join('\n');
  await direct(
    "CREATE TABLE kept (what text); SET log_statement = 'none'; INSERT INTO kept VALUES ('planted-' || 'page@x.org')",
  );
  const rows = await where('planted-page@x.org');
  expect(rows).toMatch(/base\//u);
  expect(rows).toMatch(/pg_wal\//u);
  await direct('SELECT $1::text', ['planted-parameter@x.org']);
  expect(await where('planted-parameter@x.org')).toMatch(/server\.log/u);
  await direct('CREATE TABLE planted_name_of_a_table ()');
  expect(await where('planted_name_of_a_table')).toMatch(/pg_stat_statements/u);
  await writeFile(join(server.dataDirectory, 'dropped'), 'planted-file@x.org');
  expect(await where('planted-file@x.org')).toMatch(/dropped at 0$/u);
});

describe('a value is found', () => {
  const FORMS: readonly (readonly [form: string, value: string | Uint8Array, sql: string])[] = [
    ['with its quotes doubled', "planted o'hara one", "SELECT 'planted o''hara one'"],
    ['with its backslashes doubled', String.raw`planted\back two`, String.raw`SELECT E'planted\\back two'`],
    ['in JSON', 'planted "json" three', String.raw`SELECT '{"a": "planted \"json\" three"}'`],
    ['over lines of the log', 'planted\nline four', "SELECT 'planted\nline four'"],
    ['in hex', 'planted hex five', `SELECT '\\x${Buffer.from('planted hex five').toString('hex')}'::bytea`],
    [
      'in escapes of bytea',
      Buffer.from('planted\u0000\u00ff esc six', 'latin1'),
      String.raw`SELECT 'planted\000\377 esc six'::bytea`,
    ],
  ];
  beforeAll(async () => {
    expect(await found(...FORMS.map(([, value]) => value))).toEqual([]);
    for (const [, , sql] of FORMS) await direct(sql);
  });
  test.each(FORMS)('%s', async (_form, value) => {
    expect(await found(value)).not.toEqual([]);
  });
});

test('the ends and the middle of a long value are looked for, and values that any page has are not', async () => {
  const long = Array.from({ length: 50_000 }, (_, index) => `${index},`).join('');
  const canaries = new Canaries();
  canaries.add(long);
  expect(canaries.needles.some((needle) => long.endsWith(Buffer.from(needle).toString()))).toBe(true);
  const none = new Canaries();
  for (const value of ['short', '00000000000000000000', Buffer.alloc(5000)]) none.add(value);
  expect(none.needles).toEqual([]);
});
