/** Schema changes that give other relations sealed columns, or say values of theirs by way of another relation. */
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  openLoggedDatabase,
  refusalOf,
  rowsOf,
  type LoggedDatabase,
  type Refusal,
} from '../../support/postgres/logged-database.ts';
import type { SearchedDatabase, TestRule } from '../../support/postgres/sealed-database.ts';

const CHECKS = [{ name: 'sane', expression: "VALUE > -10 AND value <> '3.33'" }];
const RULES: readonly TestRule[] = [
  { table: 'customers', column: 'email', type: 'varchar(60)', mode: 'deterministic', domain: 'mail' },
  { table: 'events', column: 'what', type: 'text' },
  { table: 'orders', column: 'total', type: 'numeric(10,2)', checks: CHECKS },
  { table: 'bare', column: 'x', type: 'text', guard: false },
];

let all: LoggedDatabase;
let db: SearchedDatabase;
let client: pg.Client;

beforeAll(async () => {
  all = await openLoggedDatabase('', RULES);
  ({ db, client } = all);
});
afterAll(async () => {
  expect(db.canaries.needles.length).toBeGreaterThan(0);
  await all.close();
  expect(all.server.log()).toContain('CREATE TABLE');
  expect(all.server.log()).not.toContain('canary');
});
afterEach(async () => {
  await client.query('ROLLBACK');
  await db.direct.query('DROP TABLE IF EXISTS customers, events, orders, bare CASCADE');
});

const rows = (sql: string): Promise<readonly unknown[]> => rowsOf(client, sql);
/** The refusal of a statement, which must leave nothing behind. */
const refusal = (sql: string): Promise<Refusal> => refusalOf(client, sql);

test('a CHECK of a plain column named value is no CHECK that a rule declares of VALUE', async () => {
  await client.query(
    "CREATE TABLE orders (total numeric(10,2) CHECK (/* first */ total > -10 AND total <> '3.33'), value int CHECK (value > -10 AND value <> '3'))",
  );
  expect(await refusal('INSERT INTO orders VALUES (1, -11)')).toMatchObject({ code: '23514' });
  await client.query('DROP TABLE orders');
  await client.query(
    "CREATE TABLE orders (total numeric(10,2), value numeric CHECK (value > -10 AND value <> '3.33'))",
  );
  expect(await refusal('INSERT INTO orders VALUES (1, 3.33)')).toMatchObject({ code: '23514' });
});

test('what holds sealed columns by another name is known to do so from the statement on that makes it', async () => {
  await client.query('CREATE TABLE customers (id int PRIMARY KEY, email varchar(60))');
  const makes = [
    ['CREATE TABLE made () INHERITS (customers)', "INSERT INTO made (id, email) VALUES (1, 'canary mail')"],
    ['CREATE TABLE made () INHERITS (customers)', "ALTER TABLE made ALTER COLUMN email SET DEFAULT 'canary mail'"],
    ['CREATE TABLE made () INHERITS (customers)', "ALTER TABLE made ADD CHECK (email <> 'canary mail')"],
    ['CREATE VIEW made AS SELECT id, email AS mail FROM customers', "SELECT id FROM made WHERE mail = 'canary mail'"],
    ['CREATE VIEW made AS SELECT email FROM customers', "ALTER VIEW made ALTER COLUMN email SET DEFAULT 'canary mail'"],
  ] as const;
  for (const [made, use] of makes) {
    await client.query(`BEGIN; ${made}`);
    // What it means the transaction itself is asked; that no constant goes up in clear is seen in the server's log.
    if (use.startsWith('ALTER')) expect(await refusal(use), use).toMatchObject({ code: '0A000' });
    else await client.query(use);
    await client.query('ROLLBACK');
    if (use.startsWith('ALTER')) {
      expect(await refusal(`${made}; ${use}`), use).toMatchObject({ code: '0A000' });
    } else {
      await client.query(`${made}; ${use}`);
      await client.query(`DROP ${made.split(' ')[1] ?? ''} made`);
    }
    expect(await refusal('SELECT * FROM made')).toMatchObject({ code: '42P01' });
    await client.query(`BEGIN; ${made}; COMMIT`);
    const other = await all.another();
    await client.query(use).catch(() => undefined);
    await other.query(use).catch(() => undefined);
    await client.query(`DROP ${made.split(' ')[1] ?? ''} made`);
  }
  await client.query('CREATE VIEW made AS SELECT id, email FROM customers');
  await client.query('ALTER VIEW made RENAME TO named');
  expect(await rows("SELECT id FROM named WHERE email = 'canary mail'")).toEqual([]);
  await client.query('DROP VIEW named');
  // The name alone means nothing any more.
  await client.query("CREATE TABLE made (email text DEFAULT 'plain'); INSERT INTO made DEFAULT VALUES");
  await client.query('CREATE INDEX ON made (lower(email))');
  expect(await rows("SELECT email FROM made WHERE email LIKE 'pl%'")).toEqual([['plain']]);
  await client.query('DROP TABLE made');
});

test('in a transaction a new partition takes what its columns allow', async () => {
  await client.query('CREATE TABLE events (id int, what text) PARTITION BY RANGE (id)');
  await client.query('BEGIN');
  await client.query('CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (10)');
  await client.query('CREATE INDEX ON events_1 (id)');
  await client.query('ALTER TABLE events_1 ADD CHECK (id > 0)');
  await client.query('COMMIT');
  await client.query("INSERT INTO events VALUES (1, 'canary mail')");
  expect(await rows('SELECT * FROM events')).toEqual([[1, 'canary mail']]);
});

test('nothing is said of a column without a guard by way of a view or child', async () => {
  await client.query('CREATE TABLE bare (id int, x text)');
  await client.query('CREATE VIEW seen AS SELECT id, x AS y FROM bare');
  await client.query('CREATE TABLE bare_more () INHERITS (bare)');
  for (const sql of [
    "ALTER VIEW seen ALTER COLUMN y SET DEFAULT 'canary mail'",
    "ALTER TABLE bare_more ALTER COLUMN x SET DEFAULT 'canary mail'",
    "ALTER TABLE bare_more ADD CHECK (x <> 'canary mail')",
  ])
    expect(await refusal(sql), sql).toMatchObject({ code: '0A000' });
  await db.direct.query('DROP TABLE bare CASCADE');
});

test('what is made in a transaction still changes hands there', async () => {
  await client.query('CREATE TABLE customers (id int PRIMARY KEY, email varchar(60))');
  await client.query('BEGIN; CREATE VIEW made AS SELECT id, email FROM customers');
  await client.query('ALTER VIEW made OWNER TO CURRENT_USER; GRANT SELECT ON made TO PUBLIC');
  await client.query('CREATE SCHEMA apart; ALTER VIEW made SET SCHEMA apart');
  expect(await refusal("ALTER VIEW apart.made ALTER COLUMN email SET DEFAULT 'canary mail'")).toMatchObject({
    code: '0A000',
  });
  await client.query('ROLLBACK');
  await client.query('BEGIN; CREATE TEMP VIEW brief AS SELECT email FROM customers');
  await client.query('ALTER VIEW brief OWNER TO CURRENT_USER');
  expect(await refusal("ALTER VIEW brief ALTER COLUMN email SET DEFAULT 'canary mail'")).toMatchObject({
    code: '0A000',
  });
});

test('the condition of a trigger takes no whole row', async () => {
  await client.query('CREATE TABLE customers (id int PRIMARY KEY, email varchar(60))');
  const condition = "NEW::text LIKE '%canary%'";
  expect(
    await refusal(
      `CREATE TRIGGER u BEFORE UPDATE ON customers FOR EACH ROW WHEN (${condition}) EXECUTE FUNCTION suppress_redundant_updates_trigger()`,
    ),
  ).toMatchObject({ code: '0A000' });
});
