/**
 * Another client changes tables directly at the server, between the time a statement was planned or prepared and the time it is run: whatever
 * comes of it, no value goes up in clear, and none is read as what it is not.
 */
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startLoggedPostgres, type LoggedPostgres } from '../../support/postgres/logged-postgres.ts';
import { openSearchedDatabase, type SealedDatabase, type TestRule } from '../../support/postgres/sealed-database.ts';

const RULES: readonly TestRule[] = [
  { table: 'people', column: 'email', type: 'varchar(30)', mode: 'deterministic' },
  { table: 'people', column: 'note', type: 'text' },
];
const TABLE = 'CREATE TABLE people (id serial, email sealgate.sealed, note sealgate.sealed, city text)';

/** What the other client does, all in one message. */
const CHANGES: Readonly<Record<string, string>> = {
  'takes the guard away': 'ALTER TABLE people ALTER email TYPE bytea, ALTER note TYPE bytea',
  'puts a plain column in the place of a sealed one':
    'ALTER TABLE people DROP email; ALTER TABLE people ADD email text',
  'puts a plain table in the place of the sealed one':
    'DROP TABLE people; CREATE TABLE people (id serial, email text, note text, city text)',
  'puts a table of bytea in its place':
    'DROP TABLE people; CREATE TABLE people (id serial, email bytea, note bytea, city text)',
  'puts a sealed table with its columns in another order in its place':
    'DROP TABLE people; CREATE TABLE people (city text, note sealgate.sealed, id serial, email sealgate.sealed)',
  'lets two sealed columns change names':
    'ALTER TABLE people RENAME email TO x; ALTER TABLE people RENAME note TO email; ALTER TABLE people RENAME x TO note',
  'lets a sealed and a plain column change names':
    'ALTER TABLE people RENAME email TO x; ALTER TABLE people RENAME city TO email; ALTER TABLE people RENAME x TO city',
  'renames the table, and makes a plain one':
    'ALTER TABLE people RENAME TO people_before; CREATE TABLE people (id serial, email text, note text, city text)',
  'puts a view in its place':
    'ALTER TABLE people RENAME TO people_before; CREATE VIEW people AS SELECT id, note AS email, email AS note, city FROM people_before',
  'puts a view of texts in its place':
    "ALTER TABLE people RENAME TO people_before; CREATE VIEW people AS SELECT id, encode(email, 'hex') AS email, note, city FROM people_before",
  'has a rule write elsewhere':
    'CREATE RULE r AS ON INSERT TO people DO INSTEAD INSERT INTO copies VALUES (NEW.note, NEW.email)',
  'makes it the child of another table':
    'CREATE TABLE parent (email sealgate.sealed); ALTER TABLE people INHERIT parent',
  'drops a column': 'ALTER TABLE people DROP note',
  'adds a column': 'ALTER TABLE people ADD more text',
  'drops it': 'DROP TABLE people',
};

let server: LoggedPostgres;
let db: SealedDatabase;

beforeAll(async () => {
  server = await startLoggedPostgres();
  db = await openSearchedDatabase(server, 'sealed', TABLE, RULES);
});
afterAll(async () => {
  await db.close();
  await server.stop();
  expect(server.log()).toContain('INSERT INTO');
  expect(server.log()).not.toContain('canary');
});

let count = 0;
type Read = { readonly email?: string | null; readonly note?: string | null; readonly city?: string | null };

/** Each way to run a statement: what it read, or the SQLSTATE of its error. A value says which column it was given for. */
const USES: Readonly<Record<string, (client: pg.Client) => Promise<readonly Read[]>>> = {
  insert: async (client) => {
    const text = `INSERT INTO people (email, note, city) VALUES ('canary-email-${++count}', 'canary-note-${count}', 'city') RETURNING email, note, city`;
    return (await client.query<Read>(text)).rows;
  },
  'insert without a list': async (client) => {
    await client.query(
      `INSERT INTO people VALUES (${++count}, 'canary-email-${count}', 'canary-note-${count}', 'city')`,
    );
    return [];
  },
  'prepared insert': async (client) => {
    const values = [`canary-email-${++count}`, `canary-note-${count}`];
    await client.query({ name: 'i', text: 'INSERT INTO people (email, note) VALUES ($1, $2)', values });
    return [];
  },
  'prepared update': async (client) => {
    const values = [`canary-email-${++count}`];
    await client.query({ name: 'u', text: 'UPDATE people SET email = $1', values });
    return [];
  },
  select: async (client) => (await client.query<Read>('SELECT email, note, city FROM people')).rows,
  star: async (client) => (await client.query<Read>('SELECT * FROM people')).rows,
  'prepared select': async (client) =>
    (await client.query<Read>({ name: 's', text: 'SELECT note, email FROM people', values: [] })).rows,
  lookup: async (client) =>
    (
      await client.query<Read>({
        name: 'l',
        text: 'SELECT email, city FROM people WHERE email = $1',
        values: ['canary-email-1'],
      })
    ).rows,
};

/** Every value must have been given for the column it is read as. */
function requireRight(use: string, rows: readonly Read[]): void {
  for (const { email, note, city } of rows) {
    expect([use, email ?? 'canary-email-']).toEqual([use, expect.stringMatching(/^canary-email-/)]);
    expect([use, note ?? 'canary-note-']).toEqual([use, expect.stringMatching(/^canary-note-/)]);
    expect([use, city ?? 'city']).toEqual([use, 'city']);
  }
}

async function runAll(client: pg.Client): Promise<Record<string, string>> {
  const outcomes: Record<string, string> = {};
  for (const [name, use] of Object.entries(USES)) {
    outcomes[name] = await use(client).then(
      (rows) => {
        requireRight(name, rows);
        return 'done';
      },
      (error: unknown) => (error instanceof pg.DatabaseError ? (error.code ?? 'no code') : `closed: ${String(error)}`),
    );
  }
  return outcomes;
}

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: db.url });
  client.on('error', () => undefined);
  await client.connect();
  onTestFinished(() => client.end().catch(() => undefined));
  return client;
}

/** Everything stored anywhere, as text. */
async function stored(): Promise<string> {
  const found: string[] = [];
  for (const table of ['people', 'people_before', 'copies', 'parent']) {
    const { rows } = await db.direct.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [table]);
    if (rows[0]?.there !== true) continue;
    const all = await db.direct.query<{ row: string }>(`SELECT row_to_json(t)::text AS row FROM ${table} t`);
    found.push(...all.rows.map(({ row }) => row));
  }
  return found.join('\n');
}

test.each(Object.entries(CHANGES))('another client %s', async (_what, change) => {
  await db.direct
    .query(`DROP VIEW IF EXISTS people_view; DROP TABLE IF EXISTS people_before, people, parent, copies CASCADE;
    ${TABLE}; CREATE TABLE copies (a bytea, b bytea)`);
  db.analyzer.catalogChanged();
  const [one, two, three] = [await connect(), await connect(), await connect()];
  for (const client of [one, two, three])
    expect(new Set(Object.values(await runAll(client)))).toEqual(new Set(['done']));
  await db.direct.query(change);
  // At once, under plans of before; then while it is found out; then when it is known.
  await runAll(one);
  await Promise.all([runAll(one), runAll(two)]);
  db.analyzer.catalogChanged();
  const known = await runAll(three);
  expect(Object.values(known).filter((outcome) => outcome.startsWith('closed') || outcome === 'no code')).toEqual([]);
  requireRight('a new connection', (await USES['select']?.(await connect()).catch(() => [])) ?? []);
  expect(await stored()).not.toContain('canary');
  await db.direct.query('DROP VIEW IF EXISTS people CASCADE').catch(() => undefined);
});

test('what SQL prepared goes on when another client changes what it does not name', async () => {
  await db.direct.query(`DROP TABLE IF EXISTS people CASCADE; ${TABLE}`);
  db.analyzer.catalogChanged();
  const client = await connect();
  // The server takes the parameter for text; of other types of columns it is one of the column's own.
  await client.query('PREPARE found AS SELECT city FROM people WHERE email = $1');
  await client.query('PREPARE added (text, text) AS INSERT INTO people (email, note) VALUES ($1, $2) RETURNING email');
  await client.query('PREPARE changed AS UPDATE people SET city = $1 WHERE email = ANY ($2) RETURNING note');
  for (const change of [
    'SELECT',
    'CREATE TABLE beside (id int)',
    'ALTER TABLE beside ADD x int',
    'DROP TABLE beside',
  ]) {
    await db.direct.query(change);
    db.analyzer.catalogChanged();
    const run = async (text: string) => (await client.query<Read>(text)).rows;
    expect(await run("EXECUTE added('canary-email-x', 'canary-note-x')")).toEqual([{ email: 'canary-email-x' }]);
    expect(await run("EXECUTE changed('city', '{canary-email-x}')")).toEqual([{ note: 'canary-note-x' }]);
    expect(await run("EXECUTE found('canary-email-x')")).toEqual([{ city: 'city' }]);
    await client.query('DELETE FROM people');
  }
});
