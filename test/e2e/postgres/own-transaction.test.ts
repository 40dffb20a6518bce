/**
 * Statements on sealed tables in the transaction that made or changed these tables, as migrations with data steps send them, against the
 * same on plain columns: each statement of a script gives the same rows, types, tags and errors, and so does what is left afterwards.
 */
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { openSearchedDatabase, type SearchedDatabase, type TestRule } from '../../support/postgres/sealed-database.ts';

const RULES: readonly TestRule[] = [
  { table: 'people', column: 'mail', type: 'varchar(60)', mode: 'deterministic', domain: 'mail' },
  { table: 'people', column: 'note', type: 'text' },
  { table: 'people', column: 'born', type: 'date', checks: [{ name: 'sane', expression: "value > '1900-01-01'" }] },
  { table: 'letters', column: 'mail', type: 'varchar(60)', mode: 'deterministic', domain: 'mail' },
  { table: 'letters', column: 'body', type: 'text' },
  { table: 'kept', column: 'secret', type: 'text' },
];
const PEOPLE = 'CREATE TABLE people (id int PRIMARY KEY, mail varchar(60) UNIQUE, note text, city text, born date)';
const LETTERS = 'CREATE TABLE letters (id serial PRIMARY KEY, mail varchar(60) REFERENCES people (mail), body text)';
const FILL =
  "INSERT INTO people VALUES (1, 'canary-ann@x.org', 'canary one', 'Rome'), (2, 'canary-bob@x.org', NULL, 'Oslo')";
const BOTH = `CREATE TABLE kept (id int PRIMARY KEY, secret text);
  DO $$ BEGIN CREATE ROLE app LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$; GRANT ALL ON SCHEMA public TO app; CREATE SCHEMA other; GRANT ALL ON SCHEMA other TO app`;

let log = '';
let server: TestPostgres;
let db: SearchedDatabase;
let twinUrl: string;
let plain: pg.Client;
let sealed: pg.Client;
let twin: pg.Client;

beforeAll(async () => {
  server = await startPostgres(['log_statement=all', 'log_parameter_max_length=-1'], undefined, (bytes) => {
    log += Buffer.from(bytes).toString();
  });
  db = await openSearchedDatabase(server, 'sealed', BOTH.replace('secret text', 'secret sealgate.sealed'), RULES);
  twinUrl = await db.openTwin();
  plain = await connectTo(twinUrl);
  await plain.query(BOTH);
});
afterAll(async () => {
  await plain.end();
  expect(db.canaries.needles.length).toBeGreaterThan(0);
  await db.close();
  await server.stop();
});
beforeEach(async () => {
  for (const on of [db.direct, plain]) {
    await on.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO app');
  }
  await db.direct.query('CREATE TABLE kept (id int PRIMARY KEY, secret sealgate.sealed); GRANT ALL ON kept TO app');
  await plain.query('CREATE TABLE kept (id int PRIMARY KEY, secret text); GRANT ALL ON kept TO app');
  sealed = await connect(db.url);
  twin = await connect(twinUrl);
  for (const on of [sealed, twin]) await on.query("INSERT INTO kept VALUES (1, 'canary kept')");
  log = '';
});
afterEach(async () => {
  await sealed.end();
  await twin.end();
});

async function connect(url: string): Promise<pg.Client> {
  const client = await connectTo(url);
  return client;
}

const AS_TEXT = { getTypeParser: () => (value: unknown) => String(value) } as unknown as pg.CustomTypesConfig; // its overloads

type Mode = 'simple' | 'extended';

async function run(on: pg.Client, text: string, mode: Mode): Promise<unknown> {
  const asked = { text, rowMode: 'array', types: AS_TEXT, queryMode: mode } as const;
  try {
    const result = await on.query(asked as unknown as pg.QueryArrayConfig);
    const all = Array.isArray(result) ? (result as pg.QueryArrayResult[]) : [result];
    return all.map(({ command, rowCount, rows, fields }) => ({
      command,
      rowCount,
      rows,
      fields: fields.map(({ name, dataTypeID, dataTypeModifier }) => [name, dataTypeID, dataTypeModifier]),
    }));
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    return error.code;
  }
}

/** On connections of others too: what is left is what the twin has. */
async function same(script: readonly string[], mode: Mode): Promise<void> {
  for (const statement of script) {
    const answer = await run(sealed, statement, mode);
    expect({ statement, answer }).toEqual({ statement, answer: await run(twin, statement, mode) });
  }
  await sealed.query('ROLLBACK');
  await twin.query('ROLLBACK');
  const others = { sealed: await connect(db.url), twin: await connect(twinUrl) };
  for (const statement of ['SELECT * FROM people ORDER BY 1', 'SELECT * FROM letters ORDER BY 1', 'SELECT * FROM kept'])
    expect(await run(others.sealed, statement, mode)).toEqual(await run(others.twin, statement, mode));
  await others.sealed.end();
  await others.twin.end();
}

/** Nothing of the values has reached the sealed database's server in clear. */
function nothingLeaked(): void {
  expect(log).toContain('sealgate own');
  expect(log.split('\n').filter((line) => line.includes('canary'))).toEqual([]);
}

const SCRIPTS: Readonly<Record<string, readonly string[]>> = {
  'a table that is made, filled, changed and read': [
    'BEGIN',
    PEOPLE.replace(', born date', ''),
    'ALTER TABLE people ADD COLUMN born date',
    FILL,
    "SELECT * FROM people WHERE mail = 'canary-ann@x.org'",
    'ALTER TABLE people ADD COLUMN more int DEFAULT 7',
    "UPDATE people SET born = '1990-02-03' WHERE mail = 'canary-bob@x.org' RETURNING *",
    "INSERT INTO people (id, mail) VALUES (3, 'canary-ann@x.org') ON CONFLICT (mail) DO UPDATE SET note = 'canary again' RETURNING id, note",
    'SELECT id, born, note FROM people ORDER BY id',
    'ALTER TABLE people DROP COLUMN city',
    'SELECT * FROM people ORDER BY id',
    LETTERS,
    'INSERT INTO letters (mail) SELECT mail FROM people WHERE note IS NULL',
    'SELECT p.id, l.body FROM people p JOIN letters l USING (mail) ORDER BY 1',
    'COMMIT',
    "SELECT note FROM people WHERE mail = 'canary-ann@x.org'",
  ],
  // Columns of the enums go before the end: their types have other numbers on the twin.
  'enums that are made with the tables': [
    'BEGIN',
    `CREATE TYPE mood AS ENUM ('glad', 'o''clock "x"')`,
    "CREATE TYPE other.mood AS ENUM ('blue')",
    PEOPLE.replace(/\)$/u, ", mood mood NOT NULL DEFAULT 'glad', moods mood[])"),
    FILL,
    "SELECT note, mood::text FROM people WHERE mail = 'canary-ann@x.org' AND mood = 'glad' AND mood < 'o''clock \"x\"'",
    "UPDATE people SET mood = 'o''clock \"x\"'::mood, moods = ARRAY['glad', NULL]::mood[] WHERE mail = 'canary-bob@x.org' RETURNING mail",
    'ALTER TABLE kept ADD COLUMN mood mood',
    "UPDATE kept SET mood = 'glad', secret = 'canary kept again' WHERE id = 1 RETURNING secret, mood::text",
    'SELECT p.mail, p.moods::text, k.secret FROM people p JOIN kept k USING (mood) ORDER BY p.id',
    'ALTER TABLE kept DROP COLUMN mood',
    'ALTER TABLE people DROP COLUMN moods, DROP COLUMN mood',
    'DROP TYPE other.mood',
    'COMMIT',
  ],
  'what is rolled back has not been': [
    'BEGIN',
    PEOPLE,
    FILL,
    'SELECT count(mail) FROM people',
    'ROLLBACK',
    'BEGIN',
    PEOPLE,
    FILL,
    'COMMIT',
  ],
  'a savepoint that is rolled back takes its changes with it': [
    'BEGIN',
    PEOPLE,
    FILL,
    'SAVEPOINT a',
    'ALTER TABLE people DROP COLUMN city',
    'SELECT * FROM people ORDER BY id',
    'ROLLBACK TO a',
    'SELECT * FROM people ORDER BY id',
    'SAVEPOINT b',
    LETTERS,
    "INSERT INTO letters (mail, body) VALUES ('canary-ann@x.org', 'canary body')",
    'RELEASE b',
    'SELECT mail, body FROM letters',
    'SAVEPOINT c',
    'DROP TABLE letters',
    'SELECT mail, body FROM kept',
    'ROLLBACK TO c',
    'SELECT mail, body FROM letters',
    'COMMIT',
  ],
  'a table that is dropped and made again is another': [
    'BEGIN',
    PEOPLE,
    FILL,
    'SELECT mail FROM people ORDER BY id',
    'DROP TABLE people',
    PEOPLE,
    'SELECT mail FROM people',
    FILL,
    'ALTER TABLE people DROP COLUMN born, ADD COLUMN born date',
    "UPDATE people SET born = '2001-02-03'",
    'SELECT mail, born FROM people ORDER BY id',
    'COMMIT',
  ],
  'errors inside are the server’s, and only a savepoint brings the transaction back': [
    'BEGIN',
    PEOPLE,
    FILL,
    'SAVEPOINT a',
    "INSERT INTO people VALUES (4, 'canary-ann@x.org')",
    'SELECT mail FROM people',
    'ROLLBACK TO a',
    "INSERT INTO people VALUES (4, 'canary-dot@x.org') RETURNING mail",
    'SELECT 1/0',
    "SELECT * FROM people WHERE mail = 'canary-ann@x.org'",
    'COMMIT',
  ],
  'tables made there, temporary ones among them, joined with one that was there': [
    'BEGIN',
    'CREATE TEMP TABLE wanted (id int, city text) ON COMMIT DROP',
    'CREATE TABLE cities (id int, city text)',
    "INSERT INTO wanted VALUES (1, 'Rome')",
    "INSERT INTO cities VALUES (1, 'Oslo')",
    'SELECT k.secret, w.city, c.city FROM kept k JOIN wanted w USING (id) JOIN cities c USING (id)',
    "UPDATE kept SET secret = 'canary new' FROM wanted w WHERE w.id = kept.id RETURNING secret, city",
    'DELETE FROM kept USING cities WHERE cities.id = kept.id RETURNING secret',
    'COMMIT',
  ],
  'a view made there': [
    'BEGIN',
    PEOPLE,
    FILL,
    'CREATE VIEW seen AS SELECT mail, note, city FROM people',
    "SELECT * FROM seen WHERE mail = 'canary-ann@x.org'",
    "INSERT INTO seen VALUES ('canary-x@x.org', 'canary', 'Bonn')",
    'ROLLBACK',
  ],
  'a partitioned table, and a partition of it, made there': [
    'BEGIN',
    'CREATE TABLE people (id int, mail varchar(60), note text, city text, born date) PARTITION BY LIST (city)',
    "CREATE TABLE people_rome PARTITION OF people FOR VALUES IN ('Rome')",
    'CREATE TABLE people_rest PARTITION OF people DEFAULT',
    FILL,
    'SELECT mail FROM people_rome',
    "SELECT id FROM people WHERE mail = 'canary-bob@x.org'",
    "UPDATE people SET city = 'Rome' WHERE mail = 'canary-bob@x.org' RETURNING *",
    'COMMIT',
  ],
  'cursors, and statements prepared by SQL': [
    'BEGIN',
    PEOPLE,
    FILL,
    'DECLARE c CURSOR FOR SELECT id, mail FROM people ORDER BY id',
    'FETCH 1 FROM c',
    'PREPARE p AS INSERT INTO people (id, mail) VALUES ($1, $2) RETURNING mail',
    "EXECUTE p (7, 'canary-seven@x.org')",
    'CREATE TABLE more (a int)',
    'FETCH 1 FROM c',
    "EXECUTE p (8, 'canary-eight@x.org')",
    'COMMIT',
    "EXECUTE p (9, 'canary-nine@x.org')",
  ],
  'whatever the session is set to': [
    'SET quote_all_identifiers = on',
    'SET search_path = other, public',
    'BEGIN',
    'SET LOCAL ROLE app',
    'SET LOCAL statement_timeout = 2000',
    'CREATE TABLE public.people (id int PRIMARY KEY, mail varchar(60) UNIQUE, note text, city text, born date)',
    FILL,
    "SELECT mail FROM people WHERE mail = 'canary-bob@x.org'",
    'SHOW search_path',
    'SHOW statement_timeout',
    'SHOW row_security',
    'COMMIT',
    'SHOW search_path',
    'SET search_path = public',
  ],
  'temporary tables that are named like the server’s own': [
    'BEGIN',
    'CREATE TEMP TABLE pg_class (oid oid, relname name, relnamespace oid, relkind "char")',
    'CREATE TEMP TABLE pg_attribute (attrelid oid, attname name)',
    'CREATE TEMP VIEW pg_namespace AS SELECT 1 AS oid',
    PEOPLE,
    FILL,
    'SELECT mail FROM public.people ORDER BY id',
    'ROLLBACK',
  ],
};

describe.each(['simple', 'extended'] as const)('by the %s protocol', (mode) => {
  test.each(Object.entries(SCRIPTS))('%s', async (_name, script) => {
    await same(script, mode);
    nothingLeaked();
  });
});

describe('a table with values that has made room for another, and may come back with a savepoint,', () => {
  const AGAIN = ['SAVEPOINT a', 'DROP TABLE people', PEOPLE];

  test('is what its name’s identity belongs to: the other one waits for the commit', async () => {
    for (const statement of ['BEGIN', PEOPLE, FILL, ...AGAIN]) await sealed.query(statement);
    await expect(sealed.query(FILL)).rejects.toMatchObject({ code: '0A000' });
    await sealed.query('ROLLBACK TO a');
    expect((await sealed.query('SELECT mail FROM people ORDER BY id')).rows).toEqual([
      { mail: 'canary-ann@x.org' },
      { mail: 'canary-bob@x.org' },
    ]);
    await sealed.query('COMMIT');
    const { rows } = await sealed.query("SELECT note FROM people WHERE mail = 'canary-ann@x.org'");
    expect(rows).toEqual([{ note: 'canary one' }]);
  });

  test('and where it does not, the other takes the identity over once it is committed', async () => {
    for (const statement of ['BEGIN', PEOPLE, FILL, ...AGAIN, 'COMMIT', FILL]) await sealed.query(statement);
    const { rows } = await sealed.query("SELECT note FROM people WHERE mail = 'canary-ann@x.org'");
    expect(rows).toEqual([{ note: 'canary one' }]);
    nothingLeaked();
  });
});
