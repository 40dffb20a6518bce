/**
 * Both analyses on a real server, and a plaintext twin: each supported statement gives through the proxy, on sealed columns, what it gives
 * on plain ones.
 */
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import type { SealedPlan, StatementPlan } from '../../../src/postgres/plan.ts';
import { createAnalyzer } from '../../../src/postgres/analysis/analyzer.ts';
import { openServiceConnection } from '../../../src/postgres/service/connection.ts';
import { initialSettings } from '../../../src/postgres/session/settings.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { openSearchedDatabase, type SearchedDatabase } from '../../support/postgres/sealed-database.ts';

const tables = (sealed: string, text: string, varchar: string, int: string, date: string): string => `
CREATE TABLE customers (id int PRIMARY KEY, name text, ssn ${text} UNIQUE, email ${varchar}, score ${int}, born ${date}, note ${sealed});
CREATE TABLE people (id int PRIMARY KEY, ssn ${text}, nick ${sealed});
CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers ON DELETE CASCADE, total numeric(10,2));
CREATE VIEW customer_view AS SELECT c.id, c.ssn AS secret, c.name, count(o.id) AS orders FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY c.id;
CREATE VIEW over_view AS SELECT secret, id + 1 AS next FROM customer_view WHERE secret IS NOT NULL;
`;
const GUARD = 'sealgate.sealed';
const RULES = [
  { table: 'customers', column: 'ssn', type: 'text', mode: 'deterministic', domain: 'person' },
  { table: 'customers', column: 'email', type: 'varchar(20)', mode: 'deterministic' },
  { table: 'customers', column: 'score', type: 'int4', mode: 'deterministic' },
  { table: 'customers', column: 'born', type: 'date', mode: 'deterministic' },
  { table: 'customers', column: 'note', type: 'text' },
  { table: 'people', column: 'ssn', type: 'text', mode: 'deterministic', domain: 'person' },
  { table: 'people', column: 'nick', type: 'text' },
] as const;
const MORE = `
CREATE TABLE plain (id int, what text);
CREATE TABLE logged (id int);
CREATE FUNCTION log_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'SELECT 1'; RETURN NEW; END $$;
CREATE TRIGGER log_it BEFORE INSERT ON logged FOR EACH ROW EXECUTE FUNCTION log_it();
CREATE FUNCTION count_customers() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM customers';
CREATE FUNCTION doubled(x int) RETURNS int LANGUAGE sql AS 'SELECT x * 2';
CREATE MATERIALIZED VIEW copied AS SELECT note FROM customers;
CREATE SCHEMA other;
CREATE TABLE other.customers (id int, ssn text);
`;

let server: TestPostgres;
let db: SearchedDatabase;
let client: pg.Client;
let twin: pg.Client;

beforeAll(async () => {
  server = await startPostgres();
  db = await openSearchedDatabase(server, 'sealed', tables(GUARD, GUARD, GUARD, GUARD, GUARD) + MORE, RULES);
  client = await connectTo(db.url);
  twin = await connectTo(await db.openTwin());
  await twin.query(tables('text', 'text', 'varchar(20)', 'int', 'date'));
});

afterAll(async () => {
  await client.end();
  await twin.end();
  await db.close();
  await server.stop();
});

type Row = Record<string, unknown>;

const settings = initialSettings('postgres', 'sealed');
const plan = async (
  sql: string,
  oids: readonly number[] = [],
  session = settings,
): Promise<StatementPlan | undefined> => (await db.analyzer.plan(sql, oids, session))[0];
const sealed = async (sql: string): Promise<SealedPlan> => {
  const made = await plan(sql);
  if (made?.type !== 'sealed') throw new Error(JSON.stringify(made));
  return made;
};
const codeOf = async (sql: string): Promise<string> => {
  const made = await plan(sql);
  return made?.type === 'refuse' ? made.refusal.code : (made?.type ?? 'nothing');
};

describe('a plaintext twin', () => {
  const FILL = [
    "INSERT INTO customers VALUES (1, 'Ann', '111', 'ann@example.org', 7, '1990-02-28', 'first'), (2, 'Bob', '222', 'bob@example.org', -3, '1985-12-31', NULL), (3, 'Cid', NULL, '', 0, NULL, '')",
    "INSERT INTO people VALUES (1, '111', 'a'), (2, '999', 'b')",
    'INSERT INTO orders VALUES (1, 1, 10.50), (2, 1, 3), (3, 2, 7)',
  ];
  beforeEach(async () => {
    for (const on of [client, twin]) {
      await on.query('TRUNCATE customers, people, orders');
      for (const sql of FILL) await on.query(sql);
    }
  });

  const CASES: readonly (readonly [sql: string, values?: readonly unknown[]])[] = [
    ['SELECT * FROM customers ORDER BY id'],
    ['SELECT ssn, c.note FROM customers c WHERE ssn = $1', ['111']],
    ["SELECT id FROM customers WHERE 'bob@example.org' = email"],
    ['SELECT id FROM customers WHERE score IN (7, 0, $1) ORDER BY id', [-3]],
    ['SELECT id FROM customers WHERE ssn = ANY($1) ORDER BY id', [['111', '222', 'none']]],
    ['SELECT id FROM customers WHERE ssn = ANY($1::text[]) ORDER BY id', [['222']]],
    ["SELECT id FROM customers WHERE ssn <> ALL(ARRAY['111', $1]) ORDER BY id", ['zzz']],
    ["SELECT id FROM customers WHERE ssn NOT IN ('111', NULL)"],
    ['SELECT id FROM customers WHERE ssn IS DISTINCT FROM $1 ORDER BY id', ['111']],
    ["SELECT id FROM customers WHERE born = '1985-12-31' AND note IS NULL"],
    ["SELECT id FROM customers WHERE born = date '1990-02-28'"],
    ['SELECT id FROM customers WHERE born = CAST($1 AS date)', ['1990-02-28']],
    ['SELECT c.name, p.nick FROM customers c JOIN people p ON p.ssn = c.ssn'],
    ['SELECT ssn, c.name, nick FROM customers c JOIN people p USING (ssn)'],
    ['SELECT ssn, name, nick FROM customers FULL JOIN people USING (ssn) ORDER BY name, nick IS NULL'],
    ['SELECT p.*, o.total FROM people p, orders o WHERE o.id = p.id ORDER BY o.id'],
    ['SELECT (SELECT note FROM customers c WHERE c.id = o.customer_id), total FROM orders o ORDER BY o.id'],
    [
      'SELECT total FROM orders o WHERE EXISTS (SELECT 1 FROM customers WHERE id = o.customer_id AND ssn = $1) ORDER BY total',
      ['111'],
    ],
    ['SELECT name FROM customers WHERE ssn IN (SELECT ssn FROM people)'],
    ['SELECT name FROM customers WHERE (ssn, score) IN (($1, 7), ($2, 8))', ['111', '222']],
    ['WITH x AS (SELECT ssn AS s, id FROM customers) SELECT s FROM x WHERE s = $1', ['222']],
    ['WITH x(a, b) AS MATERIALIZED (SELECT id, note FROM customers) SELECT b, a FROM x ORDER BY a'],
    [
      'SELECT o.id, l.note FROM orders o LEFT JOIN LATERAL (SELECT note FROM customers c WHERE c.id = o.customer_id) l ON true ORDER BY o.id',
    ],
    ['SELECT s.email FROM (SELECT * FROM customers) s ORDER BY s.id LIMIT $1', [2]],
    ['SELECT count(*) FROM (SELECT ssn FROM customers UNION SELECT ssn FROM people) u'],
    ["SELECT ssn FROM customers WHERE id = 1 UNION SELECT ssn FROM people WHERE ssn = '111'"],
    ['SELECT ssn FROM customers WHERE id = 1 UNION ALL SELECT NULL'],
    ['SELECT count(*), count(note), count(DISTINCT ssn) FROM customers'],
    ['SELECT DISTINCT ssn FROM customers'],
    ['SELECT ssn, count(*) FROM customers GROUP BY ssn HAVING count(*) = 1'],
    [
      "SELECT id, coalesce(note, 'none') AS n, CASE WHEN id = 1 THEN ssn ELSE 'hidden' END AS s, nullif(ssn, '111') FROM customers ORDER BY id",
    ],
    ['SELECT ssn::text, email::text FROM customers WHERE id = 1'],
    ['SELECT * FROM customer_view ORDER BY id'],
    ['SELECT next FROM over_view WHERE secret = $1', ['111']],
    ['SELECT g, note FROM customers, generate_series(1, 2) g ORDER BY id, g'],
    [
      "INSERT INTO customers (ssn, id, email) VALUES ('333', 4, 'x'), ($1, 5, $2), (NULL, 6, DEFAULT) RETURNING *",
      ['444', 'y'],
    ],
    ["INSERT INTO customers VALUES (7, 'Eve', $1) RETURNING ssn, id", ['777']],
    ["INSERT INTO customers (id, ssn, score) VALUES (8, U&'d\\0061t', -5) RETURNING ssn, score"],
    [
      "INSERT INTO customers (id, ssn, note) VALUES (9, '111', 'dup') ON CONFLICT (ssn) DO UPDATE SET note = excluded.note, ssn = excluded.ssn RETURNING id, ssn, note",
    ],
    [
      'INSERT INTO customers (id, note) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET note = $1 WHERE customers.note IS NOT NULL RETURNING note',
      ['again'],
    ],
    [
      "INSERT INTO customers (id, ssn) VALUES (10, '111') ON CONFLICT ON CONSTRAINT customers_ssn_key DO NOTHING RETURNING id",
    ],
    [
      "INSERT INTO customers (id, ssn) SELECT 11, 'new' WHERE NOT EXISTS (SELECT 1 FROM customers WHERE ssn = 'new') RETURNING ssn",
    ],
    ['INSERT INTO people (id, ssn) SELECT id + 100, ssn FROM customers WHERE ssn IS NOT NULL RETURNING *'],
    ["UPDATE customers SET note = 'n', name = 'y' WHERE ssn = $1 RETURNING *", ['222']],
    ["UPDATE customers c SET (note, name) = ('x', 'y') WHERE c.id = 1 RETURNING c.note"],
    [
      'UPDATE customers SET ssn = p.ssn FROM people p WHERE p.id = 2 AND customers.id = 2 RETURNING customers.ssn, p.nick',
    ],
    ['UPDATE customers SET note = CASE WHEN id > 1 THEN $1 ELSE note END RETURNING id, note', ['big']],
    ['UPDATE customers SET note = NULL, email = DEFAULT, score = 5 WHERE id = 1 RETURNING note, email, score'],
    ['DELETE FROM customers USING people p WHERE p.ssn = customers.ssn AND p.nick IS NOT NULL RETURNING customers.ssn'],
    ['WITH gone AS (DELETE FROM people WHERE id = $1 RETURNING *) SELECT nick FROM gone', [1]],
    [
      "WITH added AS (INSERT INTO people (id, nick) VALUES (5, 'e') RETURNING id, nick) SELECT a.nick FROM added a JOIN orders o ON true WHERE o.id = 1",
    ],
    [
      'WITH RECURSIVE t(i, s) AS (SELECT 1, ssn FROM customers WHERE id = 1 UNION ALL SELECT i + 1, s FROM t WHERE i < 3) SELECT * FROM t',
    ],
  ];

  test.each(CASES.map(([sql, values]) => ({ sql, values })))('$sql', async ({ sql, values }) => {
    const run = (on: pg.Client): Promise<pg.QueryResult<Row>> =>
      values === undefined ? on.query<Row>(sql) : on.query<Row>(sql, [...values]);
    const [ours, theirs] = [await run(client), await run(twin)];
    const shape = ({ rows, fields, command, rowCount }: pg.QueryResult<Row>) => ({
      // Hashes of ciphertext order rows otherwise where the statement does not.
      rows: /order by/i.test(sql) ? rows : rows.map((row) => JSON.stringify(row)).sort(),
      fields: fields.map(({ name, dataTypeID }) => [name, dataTypeID]),
      command,
      rowCount,
    });
    expect(shape(ours)).toEqual(shape(theirs));
    const after = 'SELECT * FROM customers ORDER BY id';
    expect((await client.query(after)).rows).toEqual((await twin.query(after)).rows);
  });
});

describe('the hot set', () => {
  test.each([
    ['SELECT * FROM copied', 'ERR_POSTGRES_RULE_UNRESOLVED'],
    ['INSERT INTO logged VALUES (1)', 'ERR_POSTGRES_SEALED_STATEMENT'],
    ['SELECT count_customers()', 'ERR_POSTGRES_SEALED_STATEMENT'],
    ['SELECT doubled(2)', 'pass'],
    ['SELECT * FROM sealgate.deks', 'ERR_POSTGRES_SEALED_STATEMENT'],
  ])('%s: %s', async (sql, code) => {
    expect(await codeOf(sql)).toBe(code);
  });

  test('a view made by another client is known within the bound', async () => {
    await db.direct.query('CREATE VIEW late AS SELECT note AS hidden FROM customers');
    const column = async (): Promise<string | undefined> => {
      const made = await plan('SELECT hidden FROM late');
      return made?.type === 'sealed' ? made.results?.[0]?.column : undefined;
    };
    await expect.poll(column).toBe('note');
    await db.direct.query('DROP VIEW late');
  });
});

describe('plans', () => {
  test('are not current after another client has changed the catalog', async () => {
    const made = await sealed('SELECT ssn FROM customers');
    expect(db.analyzer.isCurrent(made, settings)).toBe(true);
    await db.direct.query('ALTER TABLE customers ADD COLUMN extra int');
    await expect
      .poll(
        async () => (await plan('SELECT note FROM customers WHERE id = 4711'), db.analyzer.isCurrent(made, settings)),
      )
      .toBe(false);
    expect((await sealed('SELECT * FROM customers')).results).toHaveLength(8);
    await db.direct.query('ALTER TABLE customers DROP COLUMN extra');
  });

  test('are not current under another search path', async () => {
    const made = await sealed('SELECT ssn FROM customers');
    const elsewhere = { ...settings, searchPath: ['pg_catalog', 'other', 'public'] };
    expect(db.analyzer.isCurrent(made, elsewhere)).toBe(false);
    const other = await plan('SELECT ssn FROM customers', [], elsewhere);
    expect(other).toMatchObject({ type: 'sealed', columns: [] });
  });

  test('of texts that differ in literals only are made from one', async () => {
    const one = await sealed("SELECT ssn FROM customers WHERE ssn = 'a' AND id = 1");
    const other = await sealed("SELECT ssn FROM customers WHERE ssn = 'b''s' AND id = 22");
    expect(other.parameters).toBe(one.parameters);
    expect(other.pieces.map((piece) => (typeof piece === 'string' ? piece : piece.value))).toEqual([
      'SELECT ssn FROM ',
      '"public"."customers"',
      ' WHERE ssn = ',
      "b's",
      ' AND id = 22',
    ]);
  });

  test('are refused while the transaction has changed the catalog, and under settings that change lexing', async () => {
    for (const session of [
      { ...settings, uncommittedCatalog: true },
      { ...settings, standardConformingStrings: false },
      { ...settings, clientEncoding: 'LATIN1' },
      { ...settings, searchPath: ['public', 'pg_catalog'] },
    ]) {
      expect(await plan('SELECT ssn FROM customers', [], session)).toMatchObject({ type: 'refuse' });
    }
  });

  test('a statement after one that may change its meaning is refused; after BEGIN it is not', async () => {
    expect((await db.analyzer.plan('BEGIN; SELECT ssn FROM customers', [], settings)).map(({ type }) => type)).toEqual([
      'track',
      'sealed',
    ]);
    for (const before of [
      'SET search_path = other',
      'CREATE TABLE t (id int)',
      'ROLLBACK',
      'DISCARD ALL',
      "SELECT set_config('a.b', 'c', false)",
    ]) {
      expect((await db.analyzer.plan(`${before}; SELECT ssn FROM customers`, [], settings)).at(-1)).toMatchObject({
        type: 'refuse',
        refusal: { code: 'ERR_POSTGRES_SEQUENCE' },
      });
    }
  });

  test('what the server does not accept is refused with its SQLSTATE and without its text', async () => {
    const made = await plan("SELECT no_such_function(id), ssn FROM customers WHERE ssn = 'canary'");
    expect(made).toMatchObject({ type: 'refuse', refusal: { sqlstate: '42883', code: 'ERR_POSTGRES_DISAGREEMENT' } });
    expect(JSON.stringify(made)).not.toContain('canary');
  });
});

test('without the service connection hot statements are refused, and others go on', async () => {
  const service = openServiceConnection({
    host: server.host,
    port: server.port,
    user: 'postgres',
    password: server.password,
    database: 'sealed',
  });
  let now = 0;
  const analyzer = await createAnalyzer({
    database: 'sealed',
    service,
    rules: RULES.map((rule) => ({ schema: 'public', mode: 'randomized', domain: undefined, guard: true, ...rule })),
    resolveColumns: async () => [],
    now: () => now,
  });
  await service.close();
  now = 60_000;
  expect(await analyzer.plan('BEGIN', [], settings)).toMatchObject([{ type: 'track' }]);
  const refused = await analyzer.plan('SELECT ssn FROM customers', [], settings);
  expect(refused).toMatchObject([{ type: 'refuse' }]);
  analyzer.close();
});

test('the shadow holds structure, and no row', async () => {
  const { rows } = await db.direct.query<{ name: string; tuples: string }>(
    "SELECT c.oid::regclass::text AS name, pg_relation_size(c.oid) AS tuples FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname LIKE 'sealgate\\_shadow%' AND c.relkind = 'r'",
  );
  expect(rows.length).toBeGreaterThanOrEqual(2);
  for (const { tuples } of rows) expect(Number(tuples)).toBe(0);
  const functions = await db.direct.query("SELECT 1 FROM pg_proc WHERE proname = 'second_analysis'");
  expect(functions.rows).toEqual([]);
});
