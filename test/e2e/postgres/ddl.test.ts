/**
 * Schema changes through the proxy, as migrations send them: what comes out at the server, what is refused, and that nothing of a sealed
 * column's values goes up in clear. The same statements run on a plain twin, whose catalog says what the logical columns would be.
 */
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  openLoggedDatabase,
  refusalOf,
  rowsOf,
  type LoggedDatabase,
  type Refusal,
} from '../../support/postgres/logged-database.ts';
import { testedVersion } from '../../support/postgres/versions.ts';
import type { SearchedDatabase, TestRule } from '../../support/postgres/sealed-database.ts';

const RULES: readonly TestRule[] = [
  { table: 'customers', column: 'email', type: 'varchar(60)', mode: 'deterministic', domain: 'mail' },
  { table: 'customers', column: 'born', type: 'date' },
  { table: 'customers', column: 'note', type: 'text' },
  { table: 'letters', column: 'email', type: 'varchar(60)', mode: 'deterministic', domain: 'mail' },
  { table: 'events', column: 'what', type: 'text' },
  {
    table: 'orders',
    column: 'total',
    type: 'numeric(10,2)',
    default: '-1.50',
    checks: [{ name: 'sane', expression: "VALUE > -10 AND value <> '3.33'" }],
  },
  { table: 'copies', column: 'email', type: 'varchar(60)', mode: 'deterministic', domain: 'mail' },
  { table: 'moods', column: 'past', type: 'public.mood[]' },
  { table: 'Odd "Name"', column: 'The Mail', type: 'integer', mode: 'deterministic', domain: 'number' },
];
const TABLES = 'customers, letters, events, copies, "Odd ""Name""", plain, orders, moods';
const CREATE = `CREATE TABLE customers (
  id int PRIMARY KEY, -- the key
  email character varying(60) NOT NULL UNIQUE, born date DEFAULT NULL, note text CONSTRAINT noted NOT NULL, city text DEFAULT 'Rome')`;
const SETUP = "CREATE SCHEMA other; CREATE TYPE mood AS ENUM ('sad', 'ok')";

let all: LoggedDatabase;
let db: SearchedDatabase;
let client: pg.Client;

beforeAll(async () => {
  all = await openLoggedDatabase(SETUP, RULES);
  ({ db, client } = all);
});
afterAll(async () => {
  await all.close();
  expect(all.server.log()).toContain('CREATE TABLE');
  expect(all.server.log()).not.toContain('canary');
});
afterEach(async () => {
  await client.query('ROLLBACK');
  await db.direct.query(`DROP TABLE IF EXISTS ${TABLES} CASCADE; DROP SCHEMA other CASCADE; CREATE SCHEMA other`);
  await client.query('SET search_path TO public');
});

/** `name type` of a table's columns, as the server has them; NOT NULL as `!`. */
async function columns(table: string): Promise<string> {
  const { rows } = await db.direct.query<{ shown: string }>(
    `SELECT attname || ' ' || format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN '!' ELSE '' END AS shown
     FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    [table],
  );
  return rows.map(({ shown }) => shown).join(', ');
}

const rows = (sql: string, of: pg.Client = client): Promise<readonly unknown[]> => rowsOf(of, sql);
/** The refusal of a statement, which must leave nothing behind. */
const refusal = (sql: string): Promise<Refusal> => refusalOf(client, sql);

describe('CREATE TABLE', () => {
  test('takes types of the database by their names and along the search path', async () => {
    await client.query('CREATE TABLE moods (id int, past mood[])');
    await client.query("INSERT INTO moods VALUES (1, '{sad,ok}')");
    expect(await rows('SELECT past FROM moods')).toEqual([['{sad,ok}']]);
    await client.query('DROP TABLE moods; SET search_path TO other');
    expect(await refusal('CREATE TABLE public.moods (past mood[])')).toMatchObject({ code: '0A000' });
  });

  test('gives sealed columns the guard’s type, and keeps NOT NULL, UNIQUE and the rest', async () => {
    await client.query(CREATE);
    expect(await columns('customers')).toBe(
      'id integer!, email sealgate.sealed!, born sealgate.sealed, note sealgate.sealed!, city text',
    );
    await client.query("INSERT INTO customers VALUES (1, 'canary@x.org', '1990-02-03', 'canary note')");
    expect(await rows("SELECT * FROM customers WHERE email = 'canary@x.org'")).toEqual([
      [1, 'canary@x.org', new Date(1990, 1, 3), 'canary note', 'Rome'],
    ]);
    expect(await refusal("INSERT INTO customers VALUES (2, 'canary@x.org', NULL, '')")).toMatchObject({
      code: '23505',
    });
    expect(await refusal("INSERT INTO customers VALUES (2, NULL, NULL, '')")).toMatchObject({ code: '23502' });
    expect(await refusal(`INSERT INTO customers VALUES (2, '${'long'.repeat(20)}', NULL, '')`)).toMatchObject({
      code: '22001',
    });
  });

  test('is seen by other connections, and after a rollback it is as if it had not been', async () => {
    const other = await all.another();
    await client.query('BEGIN');
    await client.query(CREATE);
    await client.query('CREATE INDEX ON customers (email)');
    await client.query('ALTER TABLE customers DROP COLUMN city');
    await client.query('ROLLBACK');
    expect(await refusal('SELECT * FROM customers')).toMatchObject({ code: '42P01' });
    await client.query('BEGIN');
    await client.query('SAVEPOINT s');
    await client.query(CREATE);
    await client.query('ROLLBACK TO s');
    await client.query(CREATE.replace(', city', ', town'));
    await client.query('COMMIT');
    await other.query("INSERT INTO customers VALUES (1, 'canary@x.org', NULL, '')");
    expect(await rows('SELECT email, town FROM customers')).toEqual([['canary@x.org', 'Rome']]);
  });

  test('in the extended protocol, prepared before the transaction that runs it, and twice', async () => {
    await client.query({ text: CREATE.replace('TABLE', 'TABLE IF NOT EXISTS'), values: [], name: 'create' });
    await client.query('BEGIN');
    await client.query({ text: CREATE.replace('TABLE', 'TABLE IF NOT EXISTS'), values: [], name: 'create' });
    await client.query('COMMIT');
    expect(await columns('customers')).toContain('email sealgate.sealed!');
  });

  test('together with indexes and foreign keys in one message, as Prisma and migration files send them', async () => {
    await client.query(`-- CreateTable
      ${CREATE};
      -- CreateTable
      CREATE TABLE "letters" ("id" SERIAL NOT NULL, "email" VARCHAR(60), "customer" INTEGER, CONSTRAINT "letters_pkey" PRIMARY KEY ("id"));
      -- CreateIndex
      CREATE UNIQUE INDEX "letters_email_key" ON "letters"("email");
      -- AddForeignKey
      ALTER TABLE "letters" ADD CONSTRAINT "by_mail" FOREIGN KEY ("email") REFERENCES "customers"("email") ON DELETE CASCADE ON UPDATE CASCADE;
      ALTER TABLE "letters" ADD CONSTRAINT "by_id" FOREIGN KEY ("customer") REFERENCES "customers"("id") ON DELETE SET NULL;`);
    await client.query("INSERT INTO customers VALUES (1, 'canary@x.org', NULL, '')");
    await client.query("INSERT INTO letters (email, customer) VALUES ('canary@x.org', 1)");
    expect(await refusal("INSERT INTO letters (email) VALUES ('canary2@x.org')")).toMatchObject({ code: '23503' });
    expect(await rows('SELECT l.email FROM letters l JOIN customers c ON c.email = l.email')).toEqual([
      ['canary@x.org'],
    ]);
    await client.query("CREATE TABLE plain (id int); INSERT INTO customers VALUES (2, 'canary', NULL, '')");
    expect(await rows("SELECT id FROM customers WHERE email = 'canary'")).toEqual([[2]]);
  });

  test('under names that need quotes, in any spelling of a type, with a schema or without', async () => {
    await client.query(
      `CREATE TABLE "Odd ""Name""" ("The Mail" /* a comment */ INT4 UNIQUE, b numeric(3, 1)[] DEFAULT '{}')`,
    );
    expect(await columns('"Odd ""Name"""')).toBe('The Mail sealgate.sealed, b numeric(3,1)[]');
    const storage = testedVersion() < 16 ? '' : 'STORAGE EXTENDED';
    await client.query(`CREATE TABLE public.events (id int, what pg_catalog.text ${storage} NOT NULL)`);
    expect(await columns('events')).toBe('id integer, what sealgate.sealed!');
    await client.query('CREATE TABLE letters (email sealgate.sealed UNIQUE)');
    expect(await columns('letters')).toBe('email sealgate.sealed');
  });

  test('of the same name in another schema is not concerned', async () => {
    await client.query("CREATE TABLE other.customers (email text DEFAULT 'x')");
    await client.query('SET search_path TO other, public');
    await client.query('CREATE TABLE events (what text)');
    expect([await columns('other.customers'), await columns('other.events')]).toEqual(['email text', 'what text']);
    expect(await rows("INSERT INTO events VALUES ('plain') RETURNING what")).toEqual([['plain']]);
  });

  test('of partitions and children has the parent’s sealed columns, of which it can say little more', async () => {
    await client.query('CREATE TABLE events (id int, what text) PARTITION BY RANGE (id)');
    await client.query('CREATE TABLE events_1 PARTITION OF events (what NOT NULL) FOR VALUES FROM (1) TO (10)');
    await client.query('CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (10) TO (20)');
    await client.query("INSERT INTO events VALUES (1, 'canary 1'), (11, 'canary 2')");
    await client.query('ALTER TABLE events DETACH PARTITION events_2');
    expect(await rows('SELECT what FROM events')).toEqual([['canary 1']]);
    expect(await refusal('SELECT * FROM events_2')).toMatchObject({ code: '0A000' });
    await client.query('ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM (10) TO (20)');
    expect(await rows('SELECT what FROM events ORDER BY id')).toEqual([['canary 1'], ['canary 2']]);
    await db.direct.query('DROP TABLE events');
    await client.query('CREATE TABLE events (id int, what text)');
    await client.query('CREATE TABLE events_more (what text, extra int) INHERITS (events)');
    expect(await columns('events_more')).toBe('id integer, what sealgate.sealed, extra integer');
    await db.direct.query('DROP TABLE events CASCADE');
  });

  test.each([
    ['another type', 'CREATE TABLE customers (email text)', 'its rule says'],
    ['a length that is not the rule’s', 'CREATE TABLE customers (email varchar(61))', 'character varying(61)'],
    ['an array', 'CREATE TABLE customers (born date[])', 'its rule says'],
    ['a default', "CREATE TABLE customers (note text DEFAULT 'canary')", 'default'],
    ['a CHECK', "CREATE TABLE customers (note text CHECK (note <> 'canary'))", 'CHECK'],
    ['a table CHECK', 'CREATE TABLE customers (note text, CHECK (length(note) < 1))', 'CHECK'],
    ['a row CHECK', 'CREATE TABLE customers (note text, CHECK (customers IS NOT NULL))', 'whole rows'],
    [
      'generation from it',
      "CREATE TABLE customers (note text, up text GENERATED ALWAYS AS (note || 'canary') STORED)",
      'generated',
    ],
    ['a collation', 'CREATE TABLE customers (email varchar(60) COLLATE "C")', 'collation'],
    ['uniqueness of a randomized column', 'CREATE TABLE customers (note text UNIQUE)', 'randomized'],
    ['a primary key of a randomized column', 'CREATE TABLE customers (note text, PRIMARY KEY (note))', 'randomized'],
    ['a foreign key out of its domain', 'CREATE TABLE customers (email varchar(60) REFERENCES plain (a))', 'domain'],
    ['a foreign key to nothing named', 'CREATE TABLE customers (email varchar(60) REFERENCES plain)', 'which column'],
    ['an exclusion', 'CREATE TABLE customers (note text, EXCLUDE (note WITH =))', 'exclusion'],
    ['a partition key', 'CREATE TABLE customers (born date) PARTITION BY RANGE (born)', 'partition key'],
    ['a temporary table', 'CREATE TEMP TABLE customers (email text)', 'temporary'],
    ['columns of a query', "CREATE TABLE customers AS SELECT 'canary' AS email", 'not supported'],
    ['columns of a query into it', "SELECT 'canary' AS email INTO customers", ''],
    ['another table’s columns', 'CREATE TABLE customers (LIKE plain)', 'LIKE'],
    ['its columns in another table', 'CREATE TABLE plain (LIKE letters)', 'LIKE'],
    ['a foreign key to a sealed column', 'CREATE TABLE plain (a text REFERENCES letters (email))', 'domain'],
    ['the guard’s type without a rule', 'CREATE TABLE customers (phone sealgate.sealed)', 'no rule'],
  ])('with %s is refused by name, and nothing of it sent', async (_what, sql, words) => {
    await db.direct.query('CREATE TABLE letters (email sealgate.sealed UNIQUE)');
    const refused = await refusal(sql);
    expect(refused).toMatchObject({ code: '0A000', message: expect.stringContaining(words), hint: expect.any(String) });
  });

  test('with the defaults and CHECKs that the rule declares: the proxy applies them, the server is not told', async () => {
    await client.query(
      `CREATE TABLE orders (id int, total numeric(10,2) DEFAULT -1.5::numeric NOT NULL CONSTRAINT sane CHECK ((total > -10) AND total <> '3.33'), CHECK (id > 0))`,
    );
    await client.query("ALTER TABLE orders ALTER total SET DEFAULT '-1.50'");
    await client.query('INSERT INTO orders (id) VALUES (1)');
    expect(await rows('SELECT total FROM orders')).toEqual([['-1.50']]);
    expect(await refusal('INSERT INTO orders VALUES (2, 3.33)')).toMatchObject({ code: '23514', constraint: 'sane' });
    const { rows: made } = await db.direct.query(
      "SELECT conname, pg_get_constraintdef(oid) AS def FROM pg_constraint WHERE conrelid = 'orders'::regclass AND contype = 'c' ORDER BY 1",
    );
    expect(made).toEqual([
      { conname: 'orders_id_check', def: 'CHECK ((id > 0))' },
      { conname: 'sane', def: 'CHECK (true)' },
    ]);
    for (const sql of [
      "ALTER TABLE orders ALTER total SET DEFAULT '-1.51'",
      'ALTER TABLE orders ADD CONSTRAINT c CHECK (total > -10)',
      'ALTER TABLE orders DROP total, ADD total numeric(10,2) DEFAULT -1.5',
    ])
      expect(await refusal(sql), sql).toMatchObject({ code: '0A000' });
  });

  test('LIKE between tables whose rules are the same copies sealed columns', async () => {
    await client.query('CREATE TABLE letters (email varchar(60) UNIQUE, n int)');
    await client.query('CREATE TABLE copies (LIKE letters INCLUDING ALL, extra int)');
    expect(await columns('copies')).toBe('email sealgate.sealed, n integer, extra integer');
    await client.query("INSERT INTO copies VALUES ('canary@x.org', 1, 2)");
    expect(await rows('SELECT email FROM copies')).toEqual([['canary@x.org']]);
  });
});

describe('ALTER TABLE', () => {
  const BARE = 'CREATE TABLE customers (id int PRIMARY KEY, city text)';

  test('adds, changes and drops sealed columns', async () => {
    await client.query(BARE);
    expect(await refusal('SELECT * FROM customers')).toMatchObject({ code: '0A000' });
    await client.query(
      'ALTER TABLE "customers" ADD COLUMN "email" varchar(60) NULL, ADD COLUMN born date, ADD note text NOT NULL',
    );
    expect(await columns('customers')).toBe(
      'id integer!, city text, email sealgate.sealed, born sealgate.sealed, note sealgate.sealed!',
    );
    await client.query("INSERT INTO customers VALUES (1, 'Rome', 'canary@x.org', '2000-01-01', 'canary')");
    for (const change of [
      'ALTER COLUMN email SET NOT NULL',
      'ALTER COLUMN note DROP NOT NULL',
      'ALTER COLUMN email TYPE varchar(60) USING "email"::varchar(60)',
      'ALTER COLUMN email SET DATA TYPE character varying(60), ALTER city TYPE varchar(9) USING left(city, 9)',
      'ALTER COLUMN note DROP DEFAULT, ALTER note SET DEFAULT NULL',
      'ADD CONSTRAINT one_mail UNIQUE (email)',
      'DROP CONSTRAINT one_mail',
      "ADD CONSTRAINT some_city CHECK (city <> '')",
      "ALTER city SET DEFAULT 'x'",
      'RENAME COLUMN city TO town',
      'ENABLE ROW LEVEL SECURITY',
      'ALTER COLUMN email SET STATISTICS 10',
    ])
      await client.query(`ALTER TABLE customers ${change}`);
    expect(await rows('SELECT * FROM customers')).toEqual([
      [1, 'Rome', 'canary@x.org', new Date(2000, 0, 1), 'canary'],
    ]);
    expect(await columns('customers')).toBe(
      'id integer!, town character varying(9), email sealgate.sealed!, born sealgate.sealed, note sealgate.sealed',
    );
  });

  test.each([
    ["ADD COLUMN note text DEFAULT 'canary' NOT NULL", 'default'],
    ['ADD COLUMN note varchar(5)', 'its rule says'],
    ["ALTER COLUMN email SET DEFAULT 'canary'", 'default'],
    ['ALTER COLUMN email TYPE text', 'its rule says'],
    ["ALTER COLUMN email TYPE varchar(60) USING 'canary' || email", 'USING'],
    ["ADD CONSTRAINT c CHECK (email <> 'canary')", 'CHECK'],
    ['ADD CONSTRAINT c UNIQUE (born)', 'randomized'],
    ['ADD COLUMN x int GENERATED ALWAYS AS (length(email)) STORED', 'generated'],
    ['ADD CONSTRAINT c FOREIGN KEY (id) REFERENCES letters (email)', 'domain'],
    ['ALTER COLUMN city TYPE text USING email', 'USING'],
    ['RENAME TO clients', 'renamed'],
    ['RENAME COLUMN email TO mail', 'renamed'],
    ['RENAME COLUMN city TO note', 'rule'],
    ['SET SCHEMA other', 'renamed'],
    ['INHERIT letters', 'rules of their own'],
  ])('%s is refused by name', async (change, words) => {
    await client.query('CREATE TABLE customers (id int PRIMARY KEY, email varchar(60), born date, city text)');
    await client.query('CREATE TABLE letters (email varchar(60) UNIQUE)');
    const before = await columns('customers');
    const refused = await refusal(`ALTER TABLE customers ${change}`);
    expect(refused).toMatchObject({ code: '0A000', message: expect.stringContaining(words), hint: expect.any(String) });
    expect(await columns('customers')).toBe(before);
  });

  test('takes no other table’s or schema’s name that a rule has', async () => {
    await client.query('CREATE TABLE plain (email text)');
    for (const sql of [
      'ALTER TABLE plain RENAME TO customers',
      'ALTER SCHEMA public RENAME TO old',
      'ALTER SCHEMA other RENAME TO public',
    ])
      expect(await refusal(sql)).toMatchObject({ code: '0A000' });
    await client.query('CREATE TABLE other.customers (email text)');
    expect(await refusal('ALTER TABLE other.customers SET SCHEMA public')).toMatchObject({ code: '0A000' });
    await client.query('ALTER SCHEMA other RENAME TO another');
    await client.query('ALTER SCHEMA another RENAME TO other');
  });

  test('a transaction that made a table of that name elsewhere must say which it means', async () => {
    await client.query(BARE);
    await client.query('SET search_path TO other, public');
    await client.query('BEGIN');
    await client.query('CREATE TABLE other.customers (email text)');
    expect(await refusal("ALTER TABLE customers ALTER email SET DEFAULT 'canary'")).toMatchObject({ code: '0A000' });
    await client.query('ROLLBACK');
    await client.query('BEGIN');
    await client.query('CREATE TABLE other.customers (email text)');
    await client.query("ALTER TABLE other.customers ALTER email SET DEFAULT 'x'");
    await client.query('ALTER TABLE public.customers ADD COLUMN note text');
    await client.query('COMMIT');
    expect(await columns('public.customers')).toContain('note sealgate.sealed');
  });

  test('in a transaction that has changed only other things, statements on sealed columns go on', async () => {
    await client.query(CREATE);
    await client.query('CREATE TABLE plain (email text, n int)');
    await client.query("INSERT INTO plain VALUES ('of the table', 1)");
    await client.query('BEGIN');
    await client.query('CREATE TABLE more (a int)');
    await client.query('CREATE TEMP TABLE plain (email text, n int)');
    await client.query('CREATE INDEX ON more (a)');
    await client.query("INSERT INTO customers VALUES (1, 'canary@x.org', NULL, '')");
    const lookup = {
      name: 'in-between',
      text: 'SELECT email FROM customers WHERE email = $1',
      values: ['canary@x.org'],
    };
    expect((await client.query(lookup)).rows).toEqual([{ email: 'canary@x.org' }]);
    // Which table `plain` is, nobody else knows yet.
    await client.query("INSERT INTO plain VALUES ('of this transaction', 1)");
    expect(await rows('SELECT c.email, p.email FROM customers c JOIN plain p ON p.n = c.id')).toEqual([
      ['canary@x.org', 'of this transaction'],
    ]);
    await client.query('ROLLBACK');
    await client.query('CREATE TEMP TABLE plain (email text, n int)');
    await client.query("INSERT INTO plain VALUES ('of the temporary table', 1)");
    await client.query("INSERT INTO customers VALUES (1, 'canary@x.org', NULL, '')");
    expect(await rows('SELECT p.email, c.email FROM customers c JOIN plain p ON p.n = c.id')).toEqual([
      ['of the temporary table', 'canary@x.org'],
    ]);
    await client.query('DROP TABLE pg_temp.plain');
    expect(await rows('SELECT p.email, c.email FROM customers c JOIN plain p ON p.n = c.id')).toEqual([
      ['of the table', 'canary@x.org'],
    ]);
  });

  test('comments anywhere are left out', async () => {
    await client.query(
      'CREATE TABLE /* a */ customers /* b */ (/* c */ email /* d */ varchar /* e */ (60) /* f */ DEFAULT /* g */ NULL /* h */ UNIQUE -- i\n)'.replace(
        '\\n',
        '\n',
      ),
    );
    await client.query(
      'ALTER TABLE customers ALTER /* a */ email /* b */ TYPE /* c */ varchar/* d */(60) /* e */ USING /* f */ email::/* g */varchar(60)',
    );
    expect(await columns('customers')).toBe('email sealgate.sealed');
    expect(
      await rows(
        "SELECT attname FROM pg_catalog /* a */ . /* b */ pg_attribute /* c */ a WHERE attrelid = 'customers'::regclass AND attnum > 0",
      ),
    ).toEqual([['email']]);
  });

  test('a table dropped and made again is the same for values yet to come', async () => {
    for (const value of ['canary one', 'canary two']) {
      await client.query(CREATE);
      await client.query('INSERT INTO customers VALUES (1, $1, NULL, $2)', [value, value]);
      expect(await rows(`SELECT email FROM customers WHERE email = '${value}'`)).toEqual([[value]]);
      await client.query('ALTER TABLE customers DROP COLUMN note');
      await client.query('ALTER TABLE customers ADD COLUMN note text');
      await client.query('UPDATE customers SET note = $1', [value]);
      expect(await rows('SELECT email, note FROM customers')).toEqual([[value, value]]);
      await client.query('DROP TABLE customers');
    }
  });
});

describe('the identity of a column', () => {
  const idOf = async (): Promise<unknown> =>
    (await db.direct.query("SELECT encode(id, 'hex') AS id FROM sealgate.columns WHERE table_name = 'letters'")).rows;
  const remade = async (): Promise<unknown> => {
    await client.query('DROP TABLE IF EXISTS letters');
    await client.query('CREATE TABLE letters (email varchar(60))');
    await client.query("INSERT INTO letters VALUES ('canary@x.org')");
    expect(await rows("SELECT email FROM letters WHERE email = 'canary@x.org'")).toEqual([['canary@x.org']]);
    return idOf();
  };

  test('stays when it is dropped and made again without values', async () => {
    const before = await remade();
    expect(await remade()).toEqual(before);
  });

  test('is another where it was sealed in another mode before', async () => {
    const before = await remade();
    await db.direct.query(
      "UPDATE sealgate.columns SET mode = 'randomized', domain_name = NULL WHERE table_name = 'letters'",
    );
    expect(await remade()).not.toEqual(before);
  });

  test('stays with a table that was renamed, and the new one of its name fails closed', async () => {
    const before = await remade();
    await db.direct.query('ALTER TABLE letters RENAME TO plain');
    await client.query('CREATE TABLE letters (email varchar(60))');
    expect(await refusal("INSERT INTO letters VALUES ('canary')")).toMatchObject({ code: '0A000' });
    expect(await idOf()).toEqual(before);
  });

  test('is not given to a column that holds values from elsewhere', async () => {
    await remade();
    await db.direct.query(
      'CREATE TABLE plain AS SELECT * FROM letters; DROP TABLE letters; ALTER TABLE plain RENAME TO letters',
    );
    expect(await refusal('SELECT * FROM letters')).toMatchObject({ code: '0A000' });
  });
});

describe('indexes, views, triggers and the like', () => {
  test('an index over a deterministic column, in every form that helps equality', async () => {
    await client.query(CREATE);
    for (const sql of [
      'CREATE INDEX i1 ON customers (email)',
      'CREATE INDEX i2 ON customers USING hash (email)',
      'CREATE INDEX "i3_like" ON "customers" ("email" varchar_pattern_ops)',
      'CREATE UNIQUE INDEX i4 ON public.customers USING btree (city, "email" pg_catalog.text_pattern_ops DESC) INCLUDE (note) WHERE email IS NOT NULL',
    ])
      await client.query(sql);
    const { rows: made } = await db.direct.query(
      "SELECT indexname FROM pg_indexes WHERE tablename = 'customers' AND indexname LIKE 'i%' ORDER BY 1",
    );
    expect(made).toHaveLength(4);
    for (const sql of [
      'CREATE INDEX ON customers (note)',
      'CREATE INDEX ON customers (lower(email))',
      "CREATE INDEX ON customers (id) WHERE email = 'canary'",
      'CREATE INDEX ON customers USING gin (email)',
      'CREATE INDEX ON customers (email COLLATE "C")',
      'CREATE INDEX ON customers (city, email gin_trgm_ops)',
    ])
      expect(await refusal(sql), sql).toMatchObject({ code: '0A000', hint: expect.any(String) });
  });

  test('a view over sealed columns shows them', async () => {
    await client.query(CREATE);
    await client.query("INSERT INTO customers VALUES (1, 'canary@x.org', NULL, 'canary')");
    await client.query('CREATE VIEW mails AS SELECT id, email AS mail FROM customers WHERE note IS NOT NULL');
    await client.query('CREATE OR REPLACE VIEW mails AS SELECT id, email AS mail, city FROM public.customers');
    expect(await rows("SELECT mail, city FROM mails WHERE mail = 'canary@x.org'")).toEqual([['canary@x.org', 'Rome']]);
    expect(await refusal("CREATE VIEW v AS SELECT id FROM customers WHERE email = 'canary'")).toMatchObject({
      code: '0A000',
    });
    expect(await refusal('CREATE VIEW v AS SELECT lower(note) FROM customers')).toMatchObject({ code: '0A000' });
    expect(await refusal('CREATE VIEW events AS SELECT 1 AS what')).toMatchObject({ code: '0A000' });
    expect(await refusal('CREATE MATERIALIZED VIEW v AS SELECT * FROM customers')).toMatchObject({ code: '0A000' });
    await client.query('DROP VIEW mails');
  });

  test('triggers and policies that read no sealed column', async () => {
    await client.query(CREATE);
    await client.query(
      'CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.city := upper(NEW.city); RETURN NEW; END $$',
    );
    onTestFinished(async () => void (await db.direct.query('DROP FUNCTION touch CASCADE')));
    await client.query(
      "CREATE TRIGGER t BEFORE INSERT OR UPDATE OF email ON customers FOR EACH ROW WHEN (NEW.city <> '') EXECUTE FUNCTION touch()",
    );
    await client.query('CREATE POLICY p ON customers USING (id > 0)');
    await client.query("INSERT INTO customers VALUES (1, 'canary@x.org', NULL, 'canary')");
    expect(await rows('SELECT email, city FROM customers')).toEqual([['canary@x.org', 'ROME']]);
    for (const sql of [
      "CREATE TRIGGER u BEFORE INSERT ON customers FOR EACH ROW WHEN (NEW.email = 'canary') EXECUTE FUNCTION touch()",
      "CREATE POLICY q ON customers USING (email = 'canary')",
      'CREATE RULE r AS ON INSERT TO customers DO INSTEAD NOTHING',
      'CREATE PUBLICATION pub FOR TABLE customers WHERE (email IS NOT NULL)',
    ])
      expect(await refusal(sql), sql).toMatchObject({ code: '0A000' });
    await client.query("COMMENT ON COLUMN customers.email IS 'the mail'");
    await client.query('TRUNCATE customers');
  });

  test('what belongs to the proxy is not changed through it', async () => {
    for (const sql of [
      'DROP DOMAIN sealgate.sealed CASCADE',
      'DROP SCHEMA sealgate CASCADE',
      'DROP TABLE other.x, sealgate.columns',
      'ALTER DOMAIN sealgate.sealed DROP CONSTRAINT sealed_by_sealgate',
      'ALTER SCHEMA sealgate RENAME TO x',
      'ALTER SCHEMA sealgate OWNER TO postgres',
      'ALTER TABLE sealgate.columns ADD COLUMN x int',
      'CREATE TABLE sealgate.x (a int)',
      'CREATE DOMAIN loose AS sealgate.sealed',
      'GRANT ALL ON ALL TABLES IN SCHEMA sealgate TO PUBLIC',
      'DO $$ BEGIN ALTER DOMAIN sealgate.sealed DROP NOT NULL; END $$',
    ])
      expect(await refusal(sql), sql).toMatchObject({ code: '0A000' });
  });
});
