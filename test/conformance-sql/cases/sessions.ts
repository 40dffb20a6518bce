/** What depends on the session: settings, transactions, prepared statements, cursors, COPY, temporary tables; and statements that are no queries. */
import type { Shape } from '../case.ts';

const TYPES =
  "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'people'::regclass AND attnum > 0 ORDER BY attnum";

export const SESSIONS: readonly Shape[] = [
  {
    shape: 'EXPLAIN',
    exact: [],
    refused: [
      "EXPLAIN SELECT id FROM customers WHERE note = 'x'",
      'EXPLAIN (COSTS OFF) SELECT lower(note) FROM customers',
    ],
  },
  {
    shape: 'Locking and transactions',
    exact: [
      'SELECT id, note FROM customers WHERE id = 1 FOR UPDATE',
      [
        'SELECT c.id, c.email FROM customers c JOIN people p ON p.ssn = c.ssn WHERE c.ssn = $1 FOR NO KEY UPDATE OF c SKIP LOCKED',
        'canary-111',
      ],
      'SELECT note FROM customers FOR SHARE NOWAIT',
      {
        before: ['SAVEPOINT s', "UPDATE customers SET note = 'canary-s' WHERE id = 1", 'ROLLBACK TO SAVEPOINT s'],
        sql: 'SELECT note FROM customers WHERE id = 1',
      },
      { before: ['SET TRANSACTION ISOLATION LEVEL REPEATABLE READ'], sql: 'SELECT note FROM customers' },
      { before: ['LOCK TABLE customers IN SHARE MODE'], sql: "SELECT id FROM customers WHERE ssn = 'canary-111'" },
      {
        before: [],
        sql: "BEGIN; UPDATE customers SET note = 'canary-b' WHERE id = 1; SELECT note FROM customers; COMMIT",
        alone: true,
      },
      "SELECT note FROM customers WHERE id = 1; SELECT nick FROM people WHERE ssn = 'canary-111'; SELECT 1",
      "INSERT INTO people (id, nick) VALUES (90, 'canary-p'); UPDATE people SET nick = 'canary-q' WHERE id = 90; DELETE FROM people WHERE id = 90",
    ],
    refused: [
      "SELECT 1; SELECT id FROM customers WHERE note = 'canary-x'",
      "INSERT INTO people (id, nick) VALUES (90, 'canary-p'); SELECT lower(nick) FROM people",
    ],
  },
  {
    shape: 'Schema changes and data in one message',
    exact: [
      'CREATE TEMP TABLE wanted (id int) ON COMMIT DROP; INSERT INTO wanted VALUES (1), (4); SELECT c.email FROM customers c JOIN wanted USING (id) ORDER BY c.id',
      "ALTER TABLE customers ADD COLUMN more int DEFAULT 7; UPDATE customers SET note = 'canary-om' WHERE id = 1; SELECT note, more FROM customers ORDER BY id; ALTER TABLE customers DROP COLUMN more",
      "ALTER TABLE people ADD COLUMN more int; INSERT INTO people (id, nick) VALUES (1, 'canary-om'); SELECT 1",
    ],
    refused: [],
  },
  {
    shape: 'search_path',
    exact: [
      { before: ['SET search_path TO other'], sql: 'SELECT * FROM customers', alone: true },
      {
        before: ['SET search_path TO other, public'],
        sql: "INSERT INTO customers VALUES (2, 'plain', 'plain')",
        alone: true,
      },
      {
        before: ['SET search_path TO other'],
        sql: "INSERT INTO public.customers (id, note) VALUES (91, 'canary-sp')",
        alone: true,
      },
      {
        before: ['BEGIN', 'SET LOCAL search_path TO other', 'COMMIT'],
        sql: 'SELECT ssn, note FROM customers',
        alone: true,
      },
      {
        before: ['BEGIN', 'SET search_path TO other', 'ROLLBACK'],
        sql: "UPDATE customers SET note = 'canary-rb' WHERE id = 1",
        alone: true,
      },
      {
        before: ['BEGIN', 'SAVEPOINT s', 'SET search_path TO other', 'ROLLBACK TO s'],
        sql: 'SELECT note FROM customers',
        alone: true,
      },
      { before: ["SELECT set_config('search_path', 'other', false)"], sql: 'SELECT note FROM customers', alone: true },
      { before: [], sql: 'SET search_path TO other; SELECT note FROM public.customers', alone: true },
      {
        before: [],
        sql: 'SET search_path TO other; SELECT note FROM customers; RESET search_path; SELECT note FROM customers',
        alone: true,
      },
    ],
    refused: [],
  },
  {
    shape: 'Temporary tables',
    exact: [
      {
        before: ['CREATE TEMP TABLE scratch (id int, what text)'],
        sql: "INSERT INTO scratch SELECT id, name FROM customers WHERE email = 'ann@canary.example'",
        alone: true,
      },
      {
        before: ['CREATE TEMP TABLE wanted (id int)', 'INSERT INTO wanted VALUES (1), (2)'],
        sql: 'SELECT c.note FROM customers c JOIN wanted USING (id)',
        alone: true,
      },
    ],
    refused: [
      {
        before: ['CREATE TEMP TABLE scratch (id int, what text)'],
        sql: 'INSERT INTO scratch SELECT id, note FROM customers',
        alone: true,
      },
      'CREATE TEMP TABLE customers (id int, note text)',
      'CREATE TEMP TABLE copied AS SELECT * FROM customers',
      'SELECT id, note INTO TEMP copied FROM customers',
    ],
  },
  {
    shape: 'PREPARE and cursors',
    exact: [
      {
        before: ['PREPARE p AS SELECT id, note FROM customers WHERE ssn = $1'],
        sql: "EXECUTE p('canary-111')",
        alone: true,
      },
      {
        before: ['PREPARE p (int, text) AS INSERT INTO customers (id, note) VALUES ($1, $2) RETURNING note'],
        sql: "EXECUTE p(92, 'canary-e')",
        alone: true,
      },
      {
        before: ['DECLARE c CURSOR FOR SELECT id, note FROM customers ORDER BY id', 'FETCH 1 FROM c'],
        sql: 'FETCH ALL FROM c',
      },
      {
        before: ['DECLARE c SCROLL CURSOR FOR SELECT email FROM customers ORDER BY id', 'MOVE 2 FROM c'],
        sql: 'FETCH BACKWARD 1 FROM c',
      },
      {
        before: [
          "DECLARE c CURSOR WITH HOLD FOR SELECT note FROM customers WHERE email = 'ann@canary.example' ORDER BY id",
        ],
        sql: 'FETCH 2 FROM c',
        alone: true,
      },
    ],
    refused: [
      "DECLARE c CURSOR FOR SELECT id FROM customers WHERE note = 'x'",
      'PREPARE p AS SELECT id FROM customers WHERE note = $1',
    ],
  },
  {
    shape: 'The catalog within other statements',
    exact: [
      {
        before: [`DECLARE c CURSOR FOR ${TYPES}`],
        sql: 'FETCH ALL FROM c',
      },
      { before: [`PREPARE types_of AS ${TYPES}`], sql: 'EXECUTE types_of', alone: true },
      { before: [`CREATE TEMP TABLE types AS ${TYPES}`], sql: 'SELECT * FROM types', alone: true },
      `COPY (${TYPES}) TO STDOUT`,
    ],
    refused: [],
  },
  {
    shape: 'Routines and other statements',
    exact: [
      'DO $$ BEGIN PERFORM 1; END $$',
      'DO $$ BEGIN ALTER TABLE customers ADD CONSTRAINT more UNIQUE (id, email); EXCEPTION WHEN duplicate_object THEN NULL; END $$',
      'VALUES (1), (2)',
      'LOCK TABLE customers',
      'ANALYZE customers',
      "COMMENT ON TABLE customers IS 'x'",
    ],
    refused: [
      'DO $$ BEGIN PERFORM note FROM customers; END $$',
      "DO $$ BEGIN EXECUTE 'SELECT 1'; END $$",
      'DO $$ BEGIN ALTER TABLE customers ADD CONSTRAINT more UNIQUE (id, email); END $$',
      'SELECT count_customers(), 1',
      "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT note FROM customers LIMIT 1'",
      'CREATE TABLE copied AS SELECT note FROM customers',
      'CREATE MATERIALIZED VIEW copied AS SELECT note FROM customers',
      "SELECT query_to_xml('SELECT note FROM customers', true, true, '')",
      'CREATE INDEX ON customers (lower(email))',
    ],
  },
];
