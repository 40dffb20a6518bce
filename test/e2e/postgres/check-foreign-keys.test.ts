/** What `check` makes of foreign keys on columns that are to be sealed, on a real server. */
import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { checkDatabase } from '../../../src/postgres/columns/resolve.ts';
import { openServiceConnection, type ServiceConnection } from '../../../src/postgres/service/connection.ts';
import type { SealRule } from '../../../src/postgres/service/rules.ts';
import { ensureSchema } from '../../../src/postgres/service/schema.ts';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';

let server: TestPostgres;
let admin: pg.Client;
let service: ServiceConnection;

beforeAll(async () => {
  server = await startPostgres();
  admin = await connectTo(server.url());
  const { host, port, superuser: user, password } = server;
  service = openServiceConnection({ host, port, user, password, database: 'postgres' });
  await ensureSchema(service, randomBytes);
});
afterAll(async () => {
  await service.close();
  await admin.end();
  await server.stop();
});
beforeEach(() => admin.query('CREATE SCHEMA "My App"'));
afterEach(() => admin.query('DROP SCHEMA "My App" CASCADE'));

const rule = (table: string, column: string, domain?: string): SealRule => ({
  database: 'postgres',
  schema: 'My App',
  table,
  column,
  type: 'text',
  keyId: 'alias/app',
  mode: 'deterministic',
  domain,
  guard: true,
});

/** The errors that remain after the DDL was run, and the foreign keys. */
async function mended(
  rules: readonly SealRule[],
): Promise<readonly [codes: readonly string[], keys: readonly string[]]> {
  const { ddl } = await checkDatabase(service, rules, randomBytes);
  await admin.query(`BEGIN; ${ddl.join('\n')} COMMIT`);
  const { problems } = await checkDatabase(service, rules, randomBytes);
  const { rows } = await admin.query<{ def: string }>(
    `SELECT pg_get_constraintdef(oid) AS def FROM pg_constraint
     WHERE contype = 'f' AND connamespace = '"My App"'::regnamespace ORDER BY 1`,
  );
  return [problems.map(({ code }) => code), rows.map(({ def }) => def)];
}

const PEOPLE = `CREATE TABLE "My App".people (mail text PRIMARY KEY, boss text REFERENCES "My App".people);
  CREATE TABLE "My App"."Order" (id int, mail text DEFAULT 'x' REFERENCES "My App".people ON DELETE CASCADE DEFERRABLE)`;

test.each([
  ['the referenced column first', ['people', 'Order']],
  ['the referring column first', ['Order', 'people']],
])('the DDL keeps foreign keys within a domain: %s', async (_, tables) => {
  await admin.query(PEOPLE);
  const rules = [...tables.map((table) => rule(table, 'mail', 'm')), rule('people', 'boss', 'm')];
  expect(await mended(rules)).toEqual([
    [],
    [
      'FOREIGN KEY (boss) REFERENCES "My App".people(mail)',
      'FOREIGN KEY (mail) REFERENCES "My App".people(mail) ON DELETE CASCADE DEFERRABLE',
    ],
  ]);
});

test('one over several columns comes back once, when the last of them is sealed', async () => {
  await admin.query(`CREATE TABLE "My App".a (x text, y text, PRIMARY KEY (x, y));
    CREATE TABLE "My App".b (x text, y text, FOREIGN KEY (x, y) REFERENCES "My App".a)`);
  const rules = ['a', 'b'].flatMap((table) => ['x', 'y'].map((column) => rule(table, column, column)));
  expect(await mended(rules)).toEqual([[], ['FOREIGN KEY (x, y) REFERENCES "My App".a(x, y)']]);
});

const OF_TWO = `CREATE TABLE "My App".a (x text, y text, PRIMARY KEY (x, y));
  CREATE TABLE "My App".b (x text, y text, CONSTRAINT two FOREIGN KEY (x, y) REFERENCES "My App".a)`;
const KEPT = 'FOREIGN KEY (x, y) REFERENCES "My App".a(x, y)';
const X = [rule('a', 'x', 'x'), rule('b', 'x', 'x')];
const Y = [rule('a', 'y', 'y'), rule('b', 'y', 'y')];

test.each([
  ['last', [...Y, ...X]],
  ['first', [...X, ...Y]],
])('one comes back whose other columns are sealed already: their rules %s', async (_, rules) => {
  await admin.query(OF_TWO);
  expect(await mended(X)).toEqual([[], [KEPT]]);
  expect(await mended(rules)).toEqual([[], [KEPT]]);
});

/** In the type that it has, or in another. */
const formatted = (type: string): SealRule[] =>
  Y.map((each) => ({
    ...each,
    type,
    guard: false,
    format: { alphabet: 'digits', keepFirst: 0, keepLast: 0, generation: 1 },
  }));

test.each([
  ['of the type they have, last', [...X, ...formatted('text')]],
  ['of the type they have, first', [...formatted('text'), ...X]],
  ['of another type, last', [...X, ...formatted('varchar(10)')]],
  ['of another type, alone', formatted('varchar(10)')],
])('one comes back that ties columns which keep their form: %s', async (_, rules) => {
  await admin.query(OF_TWO);
  expect(await mended(rules)).toEqual([[], [KEPT]]);
});

test('columns that keep their form change their type under a foreign key', async () => {
  await admin.query(OF_TWO.replaceAll('y text', 'y int'));
  expect(await mended(formatted('varchar(10)'))).toEqual([[], [KEPT]]);
});

test.each([
  ['one side alone, last', [...X, rule('b', 'y', 'y')]],
  ['one side alone, first', [rule('a', 'y', 'y'), ...X]],
  ['two domains', [...X, rule('a', 'y', 'y'), rule('b', 'y', 'z')]],
])('one that cannot be kept is dropped, and each finding that drops it says so: %s', async (_, rules) => {
  await admin.query(OF_TWO);
  const { problems } = await checkDatabase(service, rules, randomBytes);
  const dropping = problems.filter(({ ddl }) => ddl.some((sql) => sql.includes('DROP CONSTRAINT')));
  for (const { message } of dropping) expect(message).toMatch(/foreign key two .*not in the same domain/u);
  expect(new Set(dropping.map(({ column }) => column))).toEqual(
    new Set(rules.map(({ table, column }) => `"My App".${table}.${column}`)),
  );
  expect(await mended(rules)).toEqual([[], []]);
});

test('one that refers to its own column stays without a domain', async () => {
  await admin.query('CREATE TABLE "My App".t (a text PRIMARY KEY, FOREIGN KEY (a) REFERENCES "My App".t)');
  expect(await mended([rule('t', 'a')])).toEqual([[], ['FOREIGN KEY (a) REFERENCES "My App".t(a)']]);
});

test.each([
  ['the referenced column alone', 'people'],
  ['the referring column alone', 'Order'],
])('the DDL drops one that leaves its domain, where it lies, before the type is changed: %s', async (_, table) => {
  await admin.query(PEOPLE.replace(', boss text REFERENCES "My App".people', ''));
  expect(await mended([rule(table, 'mail')])).toEqual([[], []]);
});
