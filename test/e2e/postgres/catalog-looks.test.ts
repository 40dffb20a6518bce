/** When the catalog of a real server is read anew: after whatever may change what statements mean or which rules hold, and not after less. */
import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CatalogSource } from '../../../src/postgres/analysis/catalog/source.ts';
import { resolveRules } from '../../../src/postgres/columns/resolve.ts';
import type { ServiceConnection } from '../../../src/postgres/service/connection.ts';
import type { SealRule } from '../../../src/postgres/service/rules.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { openServiceDatabase, type ServiceDatabase } from '../../support/postgres/service-database.ts';

const rule = (table: string): SealRule => ({
  ...{ database: 'looks', schema: 'public', table, column: 'email', type: 'text', keyId: 'alias/a' },
  ...{ mode: 'randomized', domain: undefined, guard: true },
});

let server: TestPostgres;
let database: ServiceDatabase;
let admin: pg.Client;
let service: ServiceConnection;

beforeAll(async () => {
  server = await startPostgres();
  database = await openServiceDatabase(server, 'looks');
  ({ admin, service } = database);
  await admin.query(`CREATE TABLE people (id int, email sealgate.sealed);
    CREATE TABLE orders (id int PRIMARY KEY, who int);
    INSERT INTO orders SELECT n, n FROM generate_series(1, 100) n`);
});
afterAll(async () => {
  await database.close();
  await server.stop();
});

/** A catalog that was read, and how often the rules were held against the database since. */
async function watched(rules: readonly SealRule[]) {
  let reads = 0;
  const source = new CatalogSource({
    service,
    rules,
    resolveColumns: () => {
      reads += 1;
      return resolveRules(service, rules, randomBytes);
    },
    allowRoutines: new Set(),
    now: () => performance.now(),
  });
  await source.refresh();
  reads = 0;
  const after = async (sql: string): Promise<number> => {
    const before = reads;
    await admin.query(sql);
    source.distrust();
    await source.refresh();
    return reads - before;
  };
  return { source, after };
}

test.each([
  'SELECT 1',
  'INSERT INTO orders VALUES (1000, 1)',
  'TRUNCATE people',
  'TRUNCATE people, orders',
  'VACUUM FULL people',
  'CLUSTER orders USING orders_pkey',
  'REINDEX TABLE orders',
  'ANALYZE',
  'ALTER TABLE people RENAME TO persons; ALTER TABLE persons RENAME TO people',
])('While all rules hold the catalog is kept after %s', async (sql) => {
  const { source, after } = await watched([rule('people')]);
  const { meaning, epoch } = source;
  expect(await after(sql)).toBe(0);
  expect([source.meaning, source.epoch]).toEqual([meaning, epoch]);
});

test.each([
  ['ALTER TABLE orders RENAME TO bills', 'ALTER TABLE bills RENAME TO orders'],
  ['CREATE SCHEMA s; ALTER TABLE orders SET SCHEMA s', 'ALTER TABLE s.orders SET SCHEMA public; DROP SCHEMA s'],
  [
    'CREATE ROLE looker; ALTER TABLE orders OWNER TO looker',
    'ALTER TABLE orders OWNER TO CURRENT_USER; DROP ROLE looker',
  ],
  ['GRANT SELECT ON people TO PUBLIC', 'REVOKE SELECT ON people FROM PUBLIC'],
  ['ALTER TABLE people ENABLE ROW LEVEL SECURITY', 'ALTER TABLE people DISABLE ROW LEVEL SECURITY'],
  ['ALTER TABLE people FORCE ROW LEVEL SECURITY', 'ALTER TABLE people NO FORCE ROW LEVEL SECURITY'],
  ['ALTER TABLE people ADD note text', 'ALTER TABLE people DROP note'],
  ['CREATE VIEW v AS SELECT * FROM people', 'ALTER VIEW v SET (security_barrier)', 'DROP VIEW v'],
  ['CREATE TABLE child () INHERITS (people)', 'DROP TABLE child'],
  ['DROP TABLE orders', 'CREATE TABLE orders (id int PRIMARY KEY, who int)'],
])('and read anew after %s', async (...statements) => {
  const { source, after } = await watched([rule('people')]);
  for (const sql of statements) {
    const { meaning } = source;
    expect(await after(sql)).toBe(1);
    expect(source.meaning).not.toBe(meaning);
  }
});

test('A rule that does not hold is asked again when a table is emptied: it may hold then', async () => {
  await admin.query('CREATE TABLE full_one (id int, email bytea); INSERT INTO full_one VALUES (1, $$x$$)');
  const rules = [{ ...rule('full_one'), guard: false }];
  const { after } = await watched(rules);
  expect(await resolveRules(service, rules, randomBytes)).toEqual([]);
  // Its column is bound while it is read, which is a change as well.
  expect(await after('TRUNCATE full_one')).toBeGreaterThan(0);
  expect(await resolveRules(service, rules, randomBytes)).toHaveLength(1);
});
