/** Messages of many statements: the server is asked once about those that differ in literals alone, and each is still what it would be by itself. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAnalyzer, type StatementAnalyzer } from '../../../src/postgres/analysis/analyzer.ts';
import { resolveRules } from '../../../src/postgres/columns/resolve.ts';
import { openServiceConnection, type ServiceConnection } from '../../../src/postgres/service/connection.ts';
import type { SealRule } from '../../../src/postgres/service/rules.ts';
import { initialSettings } from '../../../src/postgres/session/settings.ts';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { openSealedDatabase, type SealedDatabase } from '../../support/postgres/sealed-database.ts';

const RULES = [
  { table: 'people', column: 'mail', type: 'text', mode: 'deterministic' },
  { table: 'people', column: 'age', type: 'int4' },
] as const;
const TABLES = `CREATE TABLE people (id numeric, mail sealgate.sealed, age sealgate.sealed, note text);
  CREATE SCHEMA other; CREATE TABLE other.people (id int, mail text, age int, note text)`;
const settings = initialSettings('postgres', 'sealed');

let server: TestPostgres;
let db: SealedDatabase;
let service: ServiceConnection;
let analyzer: StatementAnalyzer;
let asked = 0;

beforeAll(async () => {
  server = await startPostgres();
  db = await openSealedDatabase(server, 'sealed', TABLES, RULES);
  const { host, port, superuser: user, password } = server;
  service = openServiceConnection({ host, port, user, password, database: 'sealed' });
  const counted = new Proxy(service, {
    get: (target, name) => {
      if (name === 'dryRun') asked += 1;
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
  const rules = RULES.map((rule): SealRule => ({
    ...{ database: 'sealed', schema: 'public', keyId: 'alias/test', domain: undefined, guard: true },
    mode: 'randomized',
    ...rule,
  }));
  analyzer = await createAnalyzer({
    ...{ database: 'sealed', service: counted, rules },
    resolveColumns: () => resolveRules(service, rules, randomBytes),
  });
  await analyzer.plan("SELECT id FROM people WHERE mail = 'first'", [], settings);
});
afterAll(async () => {
  analyzer.close();
  await service.close();
  await db.close();
  await server.stop();
});

async function askedFor(sql: string): Promise<{ asked: number; types: readonly string[] }> {
  const before = asked;
  const plans = await analyzer.plan(sql, [], settings);
  return { asked: asked - before, types: plans.map(({ type }) => type) };
}

test('of statements that differ in literals alone it is asked once, of others for each', async () => {
  const insert = (index: number): string =>
    `INSERT INTO people VALUES (${index}, 'mail ${index}', ${index}, 'note ${index}')`;
  const many = Array.from({ length: 50 }, (_, index) => insert(index));
  expect(await askedFor(many.join('; '))).toEqual({ asked: 1, types: many.map(() => 'sealed') });
  const others = [
    insert(1),
    "INSERT INTO people (id, mail) VALUES (1, 'x')",
    "UPDATE people SET mail = 'x' WHERE id = 1",
    "UPDATE people SET mail = 'y' WHERE id = 2",
    'UPDATE people SET age = 1 WHERE id = 2',
    "SELECT id FROM people WHERE mail = 'x'",
    // The same to the server as the one ahead of it.
    "SELECT id FROM public.people WHERE mail = 'x'",
    "SELECT id FROM other.people WHERE mail = 'x'",
  ];
  expect(await askedFor(others.join('; '))).toEqual({ asked: 5, types: others.map(() => 'sealed') });
});

test('a literal of another type makes another statement', async () => {
  const where = (id: string): string => `SELECT mail FROM people WHERE id = ${id}`;
  expect((await askedFor([where('1'), where('2'), where('3000000000'), where('1.5')].join('; '))).asked).toBe(3);
});

test('what the server refuses of one is told of that one, behind others like it', async () => {
  const fine = "INSERT INTO people (id, mail) VALUES (1, 'a')";
  const { types } = await askedFor([fine, fine, 'INSERT INTO people (id, mail) VALUES (nofunction(1), $1)'].join('; '));
  expect(types).toEqual(['sealed', 'sealed', 'refuse']);
});

test('each is carried out with its own values', async () => {
  const client = await connectTo(db.url);
  const rows = Array.from({ length: 300 }, (_, index) => [String(index), `it''s ${index}`, index + 1] as const);
  await client.query(
    rows.map(([id, mail, age]) => `INSERT INTO people VALUES (${id}, '${mail}', ${age}, 'n')`).join('; '),
  );
  const read = await client.query<{ id: string; mail: string; age: number }>(
    'SELECT id, mail, age FROM people ORDER BY id',
  );
  expect(read.rows.map(({ id, mail, age }) => [id, mail.replace("'", "''"), age])).toEqual(rows);
  const some = rows.slice(0, 50).map(([, mail]) => `SELECT age FROM people WHERE mail = '${mail}'`);
  const found = (await client.query(some.join('; '))) as unknown as readonly { rows: readonly { age: number }[] }[];
  expect(found.map(({ rows: [row] }) => row?.age)).toEqual(rows.slice(0, 50).map(([, , age]) => age));
  await client.end();
});
