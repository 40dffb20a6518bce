/** Sealed columns end to end: real clients, the proxy with everything real behind it, a real server. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import pg from 'pg';
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { missing } from '../../support/programs.ts';
import { skipBecause } from '../../support/skip.ts';
import { openSearchedDatabase, type SealedDatabase } from '../../support/postgres/sealed-database.ts';

const run = promisify(execFile);

const DDL = `
  CREATE TABLE customers (
    id int PRIMARY KEY, name text NOT NULL,
    email sealgate.sealed UNIQUE, national_id sealgate.sealed, born sealgate.sealed, balance sealgate.sealed, active sealgate.sealed);
  CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers, total numeric);
  CREATE TABLE plain (id int, note text);
  CREATE SCHEMA archive CREATE TABLE customers (id int, name text, email text);`;
const RULES = [
  { table: 'customers', column: 'email', type: 'text', mode: 'deterministic' as const },
  { table: 'customers', column: 'national_id', type: 'varchar(20)' },
  { table: 'customers', column: 'born', type: 'date' },
  { table: 'customers', column: 'balance', type: 'numeric(10,2)' },
  { table: 'customers', column: 'active', type: 'bool' },
];
const ANN = {
  id: 1,
  name: 'Ann',
  email: 'ann@example.org',
  national_id: '123-45-6789',
  born: '1984-02-29',
  balance: '10.50',
  active: true,
};
const CANARIES = [ANN.email, ANN.national_id];

let server: TestPostgres;
let db: SealedDatabase;
let client: pg.Client;

beforeAll(async () => {
  server = await startPostgres();
  db = await openSearchedDatabase(server, 'shop', DDL, RULES);
  client = new pg.Client({
    connectionString: db.url,
    types: {
      // Dates as text, everything else as npm pg reads it.
      getTypeParser: ((oid: number, format?: 'text') =>
        oid === 1082 ? String : (pg.types.getTypeParser(oid, format) as unknown)) as typeof pg.types.getTypeParser, // its overloads
    },
  });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await db.close();
  await server.stop();
});
beforeEach(async () => {
  await db.direct.query('TRUNCATE customers, orders, plain');
  await client.query('INSERT INTO customers VALUES ($1, $2, $3, $4, $5, $6, $7)', Object.values(ANN));
});

describe('npm pg', () => {
  test('what is read equals what was written, and no value lies in the table', async () => {
    expect((await client.query('SELECT * FROM customers')).rows).toEqual([ANN]);
    const stored = await db.direct.query('SELECT * FROM customers');
    const text = JSON.stringify(stored.rows) + stored.rows.map((row) => Object.values(row).map(String).join()).join();
    for (const canary of CANARIES) expect(text).not.toContain(canary);
  });

  test('types are reported as the logical ones', async () => {
    const { fields } = await client.query('SELECT email, national_id, born, balance, active FROM customers');
    expect(fields.map(({ dataTypeID }) => dataTypeID)).toEqual([25, 1043, 1082, 1700, 16]);
  });

  test('a named statement is described in the format that each run asks for', async () => {
    const run = async (format: 'text' | 'binary'): Promise<unknown> => {
      const asked = { name: 'both', text: 'SELECT id, active FROM customers', binary: format === 'binary' };
      const { fields, rows } = await client.query(asked);
      return { fields: fields.map(({ name, dataTypeID, format: sent }) => [name, dataTypeID, sent]), rows };
    };
    for (const format of ['text', 'binary', 'binary', 'text'] as const) {
      const fields = [
        ['id', 23, format],
        ['active', 16, format],
      ];
      expect(await run(format)).toEqual({ fields, rows: [{ id: 1, active: true }] });
    }
  });

  test('literals in the simple protocol, several rows, NULL, no column list', async () => {
    await client.query(
      "INSERT INTO customers VALUES (2, 'Bob', 'bob@example.org', NULL, '2000-01-01', 7, false), (3, 'Eve', 'eve@example.org', '', NULL, NULL, NULL)",
    );
    const { rows } = await client.query('SELECT id, email, national_id, balance FROM customers ORDER BY id');
    expect(rows.slice(1)).toEqual([
      { id: 2, email: 'bob@example.org', national_id: null, balance: '7.00' },
      { id: 3, email: 'eve@example.org', national_id: '', balance: null },
    ]);
  });

  test('equality, IN and = ANY on a deterministic column; joins, aliases, CTEs, subqueries', async () => {
    await client.query('INSERT INTO orders VALUES (10, 1, 99)');
    const id = async (sql: string, values: unknown[] = []) =>
      (await client.query<{ id: number }>(sql, values)).rows.map((row) => row.id);
    expect(await id("SELECT id FROM customers WHERE email = 'ann@example.org'")).toEqual([1]);
    expect(await id('SELECT id FROM customers WHERE email = $1', [ANN.email])).toEqual([1]);
    expect(await id('SELECT id FROM customers WHERE email = $1', ['nobody'])).toEqual([]);
    expect(await id('SELECT id FROM customers WHERE email IN ($1, $2)', ['x', ANN.email])).toEqual([1]);
    expect(await id('SELECT id FROM customers WHERE email = ANY($1)', [['x', ANN.email]])).toEqual([1]);
    const joined = await client.query(
      'SELECT c.email AS mail, o.total FROM orders o JOIN customers c ON c.id = o.customer',
    );
    expect(joined.rows).toEqual([{ mail: ANN.email, total: '99' }]);
    const nested = await client.query(
      'WITH c AS (SELECT id, national_id AS n FROM customers) SELECT x.n FROM (SELECT n FROM c) x',
    );
    expect(nested.rows).toEqual([{ n: ANN.national_id }]);
  });

  test('UPDATE with RETURNING', async () => {
    const updated = await client.query('UPDATE customers SET national_id = $1 WHERE id = 1 RETURNING id, national_id', [
      'new',
    ]);
    expect(updated.rows).toEqual([{ id: 1, national_id: 'new' }]);
  });

  test('ON CONFLICT on a deterministic column', async () => {
    const upsert =
      'INSERT INTO customers (id, name, email) VALUES ($1, $2, $3) ON CONFLICT (email) DO UPDATE SET name = excluded.name RETURNING id, email';
    expect((await client.query(upsert, [9, 'Anne', ANN.email])).rows).toEqual([{ id: 1, email: ANN.email }]);
  });

  test('a refusal says SQLSTATE, place and hint, fails the transaction, and the session goes on', async () => {
    await client.query('BEGIN');
    await expect(client.query("SELECT id FROM customers WHERE national_id LIKE '123%'")).rejects.toMatchObject({
      code: expect.stringMatching(/^\w{5}$/),
      position: expect.stringMatching(/^\d+$/),
    });
    await expect(client.query('SELECT 1')).rejects.toMatchObject({ code: '25P02' });
    await client.query('ROLLBACK');
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  test.each(['simple', 'prepared'])(
    'an error of the server has its place in the text of the client, %s',
    async (way) => {
      const text = `INSERT INTO customers (id, name) VALUES (77, 'x') RETURNING customers.id, coalesce(customers.id, 'y')`;
      const asked = way === 'simple' ? { text } : { text, name: 'placed', values: [] };
      const position = String(text.indexOf("'y'") + 1);
      await expect(client.query(asked)).rejects.toMatchObject({ code: '22P02', position });
    },
  );

  test('a duplicate is refused by the server without showing the value', async () => {
    const error: unknown = await client
      .query('INSERT INTO customers (id, name, email) VALUES (2, $1, $2)', ['x', ANN.email])
      .catch((e: unknown) => e);
    expect(error).toMatchObject({ code: '23505' });
    expect(JSON.stringify(error)).not.toContain('\\x');
  });

  test('a value that is none of the type is refused before it is sent', async () => {
    await expect(client.query('UPDATE customers SET born = $1', ['soon'])).rejects.toMatchObject({ code: '22007' });
    await expect(client.query('UPDATE customers SET national_id = $1', ['x'.repeat(21)])).rejects.toMatchObject({
      code: '22001',
    });
  });

  test('a named statement is used again and again, and planned anew after DDL', async () => {
    const prepared = { name: 'by-mail', text: 'SELECT id FROM customers WHERE email = $1' };
    for (let i = 0; i < 3; i++)
      expect((await client.query({ ...prepared, values: [ANN.email] })).rows).toEqual([{ id: 1 }]);
    await client.query('CREATE TABLE later (x int); DROP TABLE later');
    expect((await client.query({ ...prepared, values: [ANN.email] })).rows).toEqual([{ id: 1 }]);
  });

  test('a named statement with a literal, whose plan was that of a like text, is planned anew after DDL', async () => {
    const text = (email: string) => `SELECT id FROM customers WHERE email = '${email}' AND id = $1`;
    await client.query(text('bob@example.org'), [1]);
    const run = () => client.query({ name: 'of-one', text: text(ANN.email), values: [1] });
    expect((await run()).rows).toEqual([{ id: 1 }]);
    await client.query('CREATE TABLE later (x int)');
    expect((await run()).rows).toEqual([{ id: 1 }]);
    await client.query('DROP TABLE later');
  });

  test('another table of the same name, found first, is not sealed; after the search path is set back, the sealed one is', async () => {
    const prepared = { name: 'insert', text: 'INSERT INTO customers (id, name, email) VALUES ($1, $2, $3)' };
    await client.query({ ...prepared, values: [2, 'x', 'x@example.org'] });
    await client.query('SET search_path = archive, public');
    const bound = await client.query({ ...prepared, values: [3, 'y', 'y@example.org'] }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(bound).toMatchObject({ code: '0A000', routine: 'ERR_POSTGRES_STALE_PLAN' });
    await client.query("INSERT INTO customers (id, name, email) VALUES (4, 'z', 'z@example.org')");
    await client.query('SET search_path = public');
    expect((await db.direct.query('SELECT email FROM archive.customers')).rows).toEqual([{ email: 'z@example.org' }]);
    expect((await client.query('SELECT email FROM customers ORDER BY id')).rows).toEqual([
      { email: ANN.email },
      { email: 'x@example.org' },
    ]);
  });

  test('what a statement on sealed columns sets is known to the next one, in either protocol', async () => {
    // As role archive, the schema of that name is found first ("$user"); no server reports that the role is another.
    await db.direct.query(`
      TRUNCATE archive.customers; CREATE ROLE archive; CREATE ROLE app LOGIN PASSWORD 'app' IN ROLE archive;
      GRANT ALL ON SCHEMA archive TO archive; GRANT ALL ON customers, archive.customers TO app, archive`);
    const app = await connectTo(db.proxy.url('shop', 'app', 'app'));
    const { email } = ANN;
    const role = "SELECT set_config('role', $1, false) FROM public.customers WHERE email = $2";
    for (const ask of [
      () => app.query(role.replace('$1', "'app'").replace('$2', `'${email}'`)),
      () => app.query(role, ['app', email]),
      () => app.query({ name: 'role', text: role, values: ['app', email] }),
      () => app.query({ name: 'role', text: role, values: ['app', email] }),
    ]) {
      await app.query('SET ROLE archive');
      expect((await app.query('SELECT email FROM customers')).rows).toEqual([]);
      await ask();
      expect((await app.query('SELECT email FROM customers')).rows).toEqual([{ email }]);
    }
    const both = `${role.replace('$1', "'archive'").replace('$2', `'${email}'`)}; SELECT email FROM customers`;
    const [, second] = (await app.query(both)) as unknown as pg.QueryResult[]; // one of each statement
    expect(second?.rows).toEqual([]);
    await app.end();
  });
});

describe('postgres (porsager)', () => {
  test('pipelines prepared statements over sealed columns', async () => {
    const sql = postgres(db.url, { max: 1, onnotice: () => undefined });
    await Promise.all(
      Array.from(
        { length: 20 },
        (_, i) =>
          sql`INSERT INTO customers ${sql({ id: 100 + i, name: 'n', email: `${i}@example.org`, balance: `${i}.25` })}`,
      ),
    );
    const rows = await Promise.all(
      Array.from(
        { length: 20 },
        (_, i) =>
          sql<{ id: number; balance: string }[]>`SELECT id, balance FROM customers WHERE email = ${`${i}@example.org`}`,
      ),
    );
    expect(rows.map(([row]) => [row?.id, row?.balance])).toEqual(
      Array.from({ length: 20 }, (_, i) => [100 + i, `${i}.25`]),
    );
    await sql.end();
  });
});

describe('psql', () => {
  skipBecause(missing('psql'));
  const psql = async (...commands: string[]) =>
    (await run('psql', ['-XAt', ...commands.flatMap((command) => ['-c', command]), db.url])).stdout.trim().split('\n');

  test('reads what is sealed, and its own catalog questions pass', async () => {
    expect(await psql('SELECT email, balance FROM customers')).toEqual([`${ANN.email}|${ANN.balance}`]);
    expect((await psql('\\d customers')).join()).toContain('email');
  });

  test('a lookup by a literal', async () => {
    expect(await psql(`SELECT id FROM customers WHERE email = '${ANN.email}'`)).toEqual(['1']);
  });
});
