/** `sealgate postgres explain` as an operator uses it, before and after columns are sealed. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requireSecret, watchServer } from '../../support/canaries.ts';
import { installShop, type InstalledShop } from '../../support/postgres/installed-shop.ts';
import type { Installation } from '../../support/installation.ts';

type Verdict = {
  readonly type: string;
  readonly to?: string;
  readonly parameters?: readonly unknown[];
  readonly opened?: readonly unknown[];
  readonly needsIndex?: readonly { readonly column: string; readonly ddl: string }[];
  readonly refusal?: {
    readonly code: string;
    readonly sqlstate: string;
    readonly place?: { readonly position: number };
  };
};
type Explained = { readonly sql: string; readonly calls?: number; readonly verdict: Verdict };

const RULES = [
  '{ column: shop.public.customers.ssn, type: text, key: alias/shop, mode: deterministic }',
  '{ column: shop.public.customers.note, type: text, key: alias/shop }',
];

let all: InstalledShop;
let installation: Installation;
let direct: pg.Client;

beforeAll(async () => {
  all = await installShop(
    `
    CREATE TABLE customers (id int PRIMARY KEY, ssn text, note text, city text);
    CREATE TABLE other (id int);
    GRANT SELECT ON customers TO sealgate;
    INSERT INTO customers VALUES (1, '078-05-1120', 'likes tea', 'Bern')`,
    RULES,
  );
  ({ installation, direct } = all);
  await watchServer(all.server);
  await direct.query('CREATE EXTENSION pg_stat_statements; GRANT pg_read_all_stats TO sealgate');
});
afterAll(async () => {
  // What is asked about is not told the server, although the column is plain so far.
  await requireSecret(all.server, ['219-09-9999', 'a secret', 'to be deleted', 'to be written']);
  await all.close();
});

async function explain(
  ...words: readonly string[]
): Promise<{ code: number | null; statements: readonly Explained[] }> {
  const { code, stdout, stderr } = await installation.run('postgres', 'explain', '--json', ...words);
  if (stdout === '') throw new Error(stderr);
  // What the command documents.
  return { code, statements: (JSON.parse(stdout) as { statements: readonly Explained[] }).statements };
}

async function verdictOf(sql: string): Promise<Verdict> {
  const { statements } = await explain(sql);
  const [first] = statements;
  if (first === undefined) throw new Error('no statement was explained');
  return first.verdict;
}

test('a column that is still plain is explained as if it were sealed, and nothing of that stays in the database', async () => {
  const verdict = await verdictOf("SELECT id, note FROM customers WHERE ssn = '219-09-9999'");
  expect(verdict.type).toBe('rewritten');
  expect(verdict.to).toBe(
    `SELECT id, note FROM "public"."customers" WHERE ssn = '<sealed for public.customers.ssn>'::pg_catalog.bytea`,
  );
  expect(verdict.opened).toEqual([{ position: 2, column: 'public.customers.note' }]);
  const { rows } = await direct.query(
    "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'sealgate_shadow%' UNION ALL SELECT column_name FROM sealgate.columns",
  );
  expect(rows).toEqual([]);
  const { stdout } = await installation.run('postgres', 'explain', 'SELECT note FROM customers');
  expect(stdout).toContain('explained as if these rules held already');
});

test('equality without an index says which index it needs, until there is one', async () => {
  for (const sql of [
    "SELECT id FROM customers WHERE ssn = '1'",
    "SELECT id FROM customers WHERE ssn IN ('é', '219-09-9999')",
    'SELECT id FROM customers WHERE ssn = ANY($1)',
    "DELETE FROM customers WHERE ssn = 'to be deleted' AND city = $1",
  ]) {
    const { needsIndex } = await verdictOf(sql);
    expect(needsIndex, sql).toEqual([
      { column: 'public.customers.ssn', ddl: 'CREATE INDEX CONCURRENTLY ON public.customers (ssn);' },
    ]);
  }
  for (const sql of [
    "SELECT id FROM customers WHERE ssn <> '1'",
    "SELECT nullif(ssn, '1') FROM customers",
    "INSERT INTO customers (id, ssn) VALUES (2, 'to be written')",
  ])
    expect((await verdictOf(sql)).needsIndex, sql).toEqual([]);
  await direct.query('CREATE INDEX customers_ssn ON customers (ssn)');
  expect((await verdictOf("SELECT id FROM customers WHERE ssn = '1'")).needsIndex).toEqual([]);
  await direct.query('DROP INDEX customers_ssn');
});

test('what is refused says why and where, and the exit code tells', async () => {
  const refused = await explain("SELECT id FROM customers WHERE note LIKE 'a secret%'");
  expect(refused.code).toBe(1);
  expect(refused.statements[0]?.verdict).toMatchObject({
    type: 'refused',
    refusal: { code: 'ERR_POSTGRES_SEALED_USE', sqlstate: '0A000', place: { position: 32 } },
  });
  expect((await explain('SELECT id FROM customers WHERE id = 1')).code).toBe(0);
  expect((await verdictOf('SELECT * FROM other')).type).toBe('passes');
  const { stdout } = await installation.run('postgres', 'explain', 'SELECT upper(note) FROM customers');
  expect(stdout).toContain('refused because: ');
  expect(stdout).toContain('at character 14: note) FROM customers');
});

test('a file is explained statement by statement, also where one of them does not parse', async () => {
  const file = join(installation.folder, 'queries.sql');
  await writeFile(
    file,
    `SELECT 1; -- one; with a semicolon
     SELECT note FROM customers; SELEC oops customers;
     SELECT 'a;b', id FROM customers WHERE ssn = $1;`,
  );
  const { code, statements } = await explain('--file', file);
  expect(statements.map(({ verdict }) => verdict.type)).toEqual(['passes', 'rewritten', 'refused', 'rewritten']);
  expect(statements[3]?.verdict.parameters).toEqual([{ number: 1, column: 'public.customers.ssn', array: false }]);
  expect(code).toBe(1);
});

test('recorded statements come most often run first, with every literal masked', async () => {
  await direct.query('SELECT pg_stat_statements_reset()');
  for (let run = 0; run < 3; run += 1) await direct.query(`SELECT city FROM customers WHERE ssn = '078-05-112${run}'`);
  await direct.query("SELECT id FROM customers WHERE note = 'CANARY-one'");
  await direct.query("SET application_name = 'CANARY-two'");
  await direct.query("DO $$ BEGIN PERFORM 'CANARY-three'; END $$");
  const { stdout } = await installation.run('postgres', 'explain', '--recorded', '--json');
  expect(stdout).not.toContain('CANARY');
  const { code, statements } = await explain('--recorded');
  expect(code).toBe(1);
  expect(statements[0]).toMatchObject({ calls: 3, verdict: { type: 'rewritten' } });
  expect(statements[0]?.sql).toBe('SELECT city FROM customers WHERE ssn = $1');
  const onNote = statements.find(({ sql }) => sql.includes('note ='));
  expect(onNote?.verdict.type).toBe('refused');
  // The service's own catalog questions are nobody's statements.
  expect(statements.filter(({ sql }) => sql.includes('pg_catalog.current_schemas'))).toEqual([]);
  expect((await explain('--recorded', '--limit', '1')).statements).toHaveLength(1);
});

test('the command line says what it needs', async () => {
  const words = [[], ['SELECT 1', '--recorded'], ['SELECT 1', '--limit', '3'], ['SELECT 1', '--database', 'none']];
  for (const given of words)
    expect((await installation.run('postgres', 'explain', ...given)).code, given.join()).toBe(2);
  const { stdout } = await installation.run('postgres', 'explain', '--help');
  expect(stdout).toContain('Example:');
});

test('names are looked up as a new connection would, or in the schemas that are told', async () => {
  await direct.query(
    'CREATE SCHEMA app; CREATE TABLE app.customers (id int, note text); GRANT USAGE ON SCHEMA app TO sealgate',
  );
  expect((await verdictOf('SELECT note FROM customers')).opened).toHaveLength(1);
  const { statements } = await explain('SELECT note FROM customers', '--search-path', 'app, public');
  expect(statements[0]?.verdict.opened ?? []).toEqual([]);
});
