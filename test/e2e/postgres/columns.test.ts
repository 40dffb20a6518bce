/**
 * Sealed columns on a real server with a real key manager: DEKs, identities, guard, check and rebind.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import type { DataKeys } from '../../../src/keys/uses/data-keys.ts';
import { createKeyFile, createKeyStore, type KeyManager, openKeyManager } from '../../../src/keys/key-manager.ts';
import type { ColumnService, ColumnSession, ValueSettings } from '../../../src/postgres/columns/column-service.ts';
import { escrowOwnerOf } from '../../../src/postgres/columns/dek-table.ts';
import { rebindColumns } from '../../../src/postgres/columns/rebind.ts';
import { checkDatabase, resolveRules } from '../../../src/postgres/columns/resolve.ts';
import { postgresPrincipal } from '../../../src/config/principals.ts';
import { createColumnService } from '../../../src/postgres/columns/sealing-service.ts';
import type { SealedColumn } from '../../../src/postgres/plan.ts';
import { openServiceConnection, type ServiceConnection } from '../../../src/postgres/service/connection.ts';
import type { SealRule } from '../../../src/postgres/service/rules.ts';
import { ensureSchema } from '../../../src/postgres/service/schema.ts';
import { ServerTimeZones } from '../../../src/postgres/service/time-zones.ts';
import { dataKeysWith, testPorts } from '../../support/keys/keys.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';

const SETTINGS: ValueSettings = { timeZone: 'UTC', dateStyle: 'ISO, MDY', clientEncoding: 'UTF8' };
const PRINCIPAL = 'arn:aws:iam::000000000000:user/postgres/columns/app';
const KEY = 'alias/app';

let server: TestPostgres;
let admin: pg.Client;
let service: ServiceConnection;
let keys: KeyManager;
let folder: string;
let database = 0;

beforeAll(async () => {
  server = await startPostgres();
  folder = await mkdtemp(join(tmpdir(), 'sealgate-columns-'));
  keys = await openKeys();
  await keys.createKey({ alias: KEY }, { principal: 'arn:sealgate:cli', via: 'cli', resource: 'test' });
});

afterAll(async () => {
  await admin.end();
  await service.close();
  await keys.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Each test gets a database of its own. */
beforeEach(async () => {
  if (database > 0) {
    await admin.end();
    await service.close();
  }
  const name = `columns_${++database}`;
  const root = await connectTo(server.url());
  await root.query(`CREATE DATABASE ${name}`);
  await root.end();
  admin = await connectTo(server.url(name));
  service = connect();
  await ensureSchema(service, randomBytes);
});

async function openKeys(): Promise<KeyManager> {
  const keyFile = join(folder, 'root.key');
  createKeyFile(keyFile, randomBytes);
  const store = { storePath: join(folder, 'keys.db'), unseal: [{ type: 'key-file', path: keyFile }] } as const;
  await createKeyStore(store, testPorts);
  const audit = { path: join(folder, 'audit.log'), durability: 'write' } as const;
  return openKeyManager({ ...store, region: 'eu-central-1', account: '000000000000', audit }, testPorts);
}

function connect(): ServiceConnection {
  return openServiceConnection({
    host: server.host,
    port: server.port,
    user: server.superuser,
    password: server.password,
    database: `columns_${database}`,
  });
}

function rule(table: string, column: string, more: Partial<SealRule> = {}): SealRule {
  const place = { database: `columns_${database}`, schema: 'public', table, column };
  return { ...place, type: 'text', keyId: KEY, mode: 'randomized', domain: undefined, guard: true, ...more };
}

type Opened = { readonly service: ColumnService; readonly columns: readonly SealedColumn[] };

async function open(rules: readonly SealRule[], using: DataKeys = keys, connection = service): Promise<Opened> {
  const { databaseId } = await ensureSchema(connection, randomBytes);
  const escrowOwner = escrowOwnerOf(connection.database);
  const zones = new ServerTimeZones(connection);
  const principalOf = (role: string): string => postgresPrincipal('000000000000', connection.database, role);
  const sealing = createColumnService({
    connection,
    keys: using,
    random: randomBytes,
    databaseId,
    escrowOwner,
    zones,
    principalOf,
  });
  return { service: sealing, columns: await resolveRules(connection, rules, randomBytes) };
}

async function use(opened: Opened, index = 0): Promise<{ session: ColumnSession; column: SealedColumn }> {
  const column = opened.columns[index];
  if (column === undefined) throw new Error('the rule does not hold');
  return { column, session: await opened.service.open([column], { principal: PRINCIPAL }) };
}

async function put(opened: Opened, table: string, column: string, value: string, index = 0): Promise<void> {
  const { session, column: sealed } = await use(opened, index);
  const bytes = Buffer.from(session.seal(sealed, Buffer.from(value), 'text', SETTINGS, 'scalar'));
  await admin.query(`INSERT INTO ${table} (${column}) VALUES ($1)`, [bytes]);
}

async function get(opened: Opened, table: string, column: string, index = 0): Promise<readonly string[]> {
  const { rows } = await admin.query<{ v: Buffer }>(`SELECT ${column}::bytea AS v FROM ${table}`);
  const { session, column: sealed } = await use(opened, index);
  const values: string[] = [];
  for (const { v } of rows) {
    if (!session.has(sealed, v)) await session.fetch(sealed, v);
    values.push(Buffer.from(session.unseal(sealed, v, 'text', SETTINGS)).toString());
  }
  return values;
}

async function codes(rules: readonly SealRule[]): Promise<readonly string[]> {
  return (await checkDatabase(service, rules, randomBytes)).problems.map(({ code }) => code);
}

describe('data keys', () => {
  test('values go through text, binary and arrays, and equal values look equal only in deterministic mode', async () => {
    await admin.query('CREATE TABLE t (a sealgate.sealed, b sealgate.sealed)');
    const opened = await open([rule('t', 'a'), rule('t', 'b', { mode: 'deterministic', type: 'numeric(10,2)' })]);
    const [a, b] = opened.columns;
    if (a === undefined || b === undefined) throw new Error('rules do not hold');
    const session = await opened.service.open([a, b], { principal: PRINCIPAL });
    const once = session.sealLiteral(a, 'hello', SETTINGS);
    expect(session.sealLiteral(a, 'hello', SETTINGS)).not.toEqual(once);
    expect(Buffer.from(session.unseal(a, once, 'text', SETTINGS)).toString()).toBe('hello');
    const number = session.sealLiteral(b, '1.5', SETTINGS);
    expect(session.seal(b, Buffer.from('1.50'), 'text', SETTINGS, 'scalar')).toEqual(number);
    expect(session.seal(b, Buffer.from('1.499'), 'text', SETTINGS, 'scalar')).toEqual(number);
    expect(session.seal(b, Buffer.from('1.499'), 'text', SETTINGS, 'scalar', { purpose: 'compare' })).not.toEqual(
      number,
    );
    expect(session.seal(b, Buffer.from('0001', 'hex'), 'binary', SETTINGS, 'scalar', { declaredOid: 21 })).toEqual(
      session.sealLiteral(b, '1', SETTINGS),
    );
    expect(Buffer.from(session.unseal(b, number, 'text', SETTINGS)).toString()).toBe('1.50');
    const array = Buffer.from(session.seal(b, Buffer.from('{1.5,NULL}'), 'text', SETTINGS, 'array'));
    expect(array.includes(number)).toBe(true);
  });

  test('without its modifier, a numeric column still prints and compares as its rule says', async () => {
    await admin.query('CREATE TABLE t (b sealgate.sealed)');
    const opened = await open([rule('t', 'b', { mode: 'deterministic', type: 'numeric(10,2)' })]);
    const { session, column } = await use(opened);
    const bare: SealedColumn = { ...column, type: { ...column.type, typmod: -1 } };
    const sealed = session.sealLiteral(column, '1.5', SETTINGS);
    expect(Buffer.from(session.unseal(bare, sealed, 'text', SETTINGS)).toString()).toBe('1.50');
    expect(session.sealLiteral(bare, '1.500', SETTINGS, { purpose: 'compare' })).toEqual(sealed);
  });

  test('proxies that race for the first key agree on one', async () => {
    await admin.query('CREATE TABLE t (a sealgate.sealed)');
    const others = Array.from({ length: 4 }, () => connect());
    const opened = await Promise.all(
      [service, ...others].map((connection) => open([rule('t', 'a')], keys, connection)),
    );
    await Promise.all(opened.map((one, index) => put(one, 't', 'a', `from ${index}`)));
    const { rows } = await admin.query<{ deks: string; columns: string }>(
      'SELECT (SELECT count(*) FROM sealgate.deks) AS deks, (SELECT count(*) FROM sealgate.columns) AS columns',
    );
    expect(rows).toEqual([{ deks: '1', columns: '1' }]);
    for (const one of opened)
      expect([...(await get(one, 't', 'a'))].sort()).toEqual([0, 1, 2, 3, 4].map((n) => `from ${n}`));
    await Promise.all(others.map((connection) => connection.close()));
  });

  test('a proxy that looks while another binds the column takes what that one bound', async () => {
    await admin.query('CREATE TABLE t (a sealgate.sealed)');
    await admin.query('BEGIN; LOCK TABLE sealgate.columns IN SHARE ROW EXCLUSIVE MODE');
    const opening = open([rule('t', 'a')]);
    const waiting = async () =>
      (await admin.query("SELECT 1 FROM pg_locks WHERE relation = 'sealgate.columns'::regclass AND NOT granted"))
        .rowCount;
    await expect.poll(waiting).toBe(1);
    const id = randomBytes(16);
    await admin.query(
      `INSERT INTO sealgate.columns VALUES ($1, 'public', 't', 'a', 't'::regclass, 1, 'text', 'randomized', NULL)`,
      [id],
    );
    // What the other one writes right away.
    await admin.query(`INSERT INTO t VALUES ('\\xf5534756' || decode(repeat('00', 58), 'hex'))`);
    await admin.query('COMMIT');
    expect((await opening).columns.map((column) => column.id)).toEqual([id.toString('hex')]);
  });

  test('a proxy killed between commit and first use leaves a key that the next one uses', async () => {
    await admin.query('CREATE TABLE t (a sealgate.sealed)');
    const dying = dataKeysWith(keys, { escrow: () => Promise.reject(new Error('killed')) });
    await expect(open([rule('t', 'a')], dying).then((opened) => use(opened))).rejects.toThrow('killed');
    const opened = await open([rule('t', 'a')]);
    await put(opened, 't', 'a', 'alive');
    expect(await get(opened, 't', 'a')).toEqual(['alive']);
    const { rows } = await admin.query<{ id: Buffer }>('SELECT id FROM sealgate.deks');
    const escrowed = await keys.escrowed(`postgres/columns_${database}`);
    expect(escrowed.map(({ dekId }) => Buffer.from(dekId))).toEqual(rows.map(({ id }) => id));
  });

  test('a lost row of sealgate.deks comes back from escrow', async () => {
    await admin.query('CREATE TABLE t (a sealgate.sealed)');
    await put(await open([rule('t', 'a')]), 't', 'a', 'kept');
    await admin.query('DELETE FROM sealgate.deks');
    expect(await get(await open([rule('t', 'a')]), 't', 'a')).toEqual(['kept']);
  });

  test('and before anything new is sealed, so that equal values stay equal', async () => {
    const rules = [rule('t', 'a', { mode: 'deterministic' })];
    await admin.query('CREATE TABLE t (a sealgate.sealed)');
    await put(await open(rules), 't', 'a', 'same');
    await admin.query('DELETE FROM sealgate.deks');
    await put(await open(rules), 't', 'a', 'same');
    expect((await admin.query('SELECT DISTINCT a FROM t')).rowCount).toBe(1);
  });

  test('a key that is disabled opens nothing, however often it was used', async () => {
    const { keyId } = await keys.createKey({}, { principal: 'arn:sealgate:cli', via: 'cli', resource: 'test' });
    await admin.query('CREATE TABLE t (a sealgate.sealed)');
    const opened = await open([rule('t', 'a', { keyId })]);
    await put(opened, 't', 'a', 'x');
    await keys.disableKey(keyId, { principal: 'arn:sealgate:cli', via: 'cli', resource: 'test' });
    await expect(use(opened)).rejects.toMatchObject({ code: 'ERR_KEYS_DISABLED' });
  });

  test('after a change of key, randomized columns seal under the new one, deterministic ones are only read', async () => {
    const { keyId } = await keys.createKey({}, { principal: 'arn:sealgate:cli', via: 'cli', resource: 'test' });
    await admin.query('CREATE TABLE t (a sealgate.sealed); CREATE TABLE u (a sealgate.sealed)');
    const deterministic = { mode: 'deterministic' } as const;
    const before = await open([rule('t', 'a'), rule('u', 'a', deterministic)]);
    await put(before, 't', 'a', 'old');
    await put(before, 'u', 'a', 'old', 1);
    const after = await open([rule('t', 'a', { keyId }), rule('u', 'a', { ...deterministic, keyId })]);
    await put(after, 't', 'a', 'new');
    expect(await get(after, 't', 'a')).toEqual(['old', 'new']);
    expect(await get(before, 't', 'a')).toEqual(['old', 'new']);
    await expect(put(after, 'u', 'a', 'new', 1)).rejects.toMatchObject({ code: 'ERR_POSTGRES_COLUMN_RULE_CHANGED' });
    expect(await get(after, 'u', 'a', 1)).toEqual(['old']);
  });

  test('a value pasted from another column does not open', async () => {
    await admin.query('CREATE TABLE t (a sealgate.sealed, b sealgate.sealed)');
    const opened = await open([rule('t', 'a'), rule('t', 'b')]);
    await put(opened, 't', 'a', 'secret');
    await admin.query('UPDATE t SET b = a');
    await expect(get(opened, 't', 'b', 1)).rejects.toMatchObject({ code: 'ERR_ENVELOPE_OPEN_FAILED' });
  });

  test('columns of one domain hold each other’s values', async () => {
    await admin.query('CREATE TABLE t (a sealgate.sealed UNIQUE)');
    await admin.query('CREATE TABLE u (a sealgate.sealed REFERENCES t (a))');
    const shared = { mode: 'deterministic', domain: 'person' } as const;
    const opened = await open([rule('t', 'a', { ...shared, type: 'varchar(20)' }), rule('u', 'a', shared)]);
    await put(opened, 't', 'a', 'ann');
    await put(opened, 'u', 'a', 'ann', 1);
    expect(await get(opened, 'u', 'a', 1)).toEqual(['ann']);
    await expect(put(opened, 'u', 'a', 'bob', 1)).rejects.toMatchObject({ code: '23503' });
    await expect(put(opened, 't', 'a', 'ann')).rejects.toMatchObject({ code: '23505' });
  });
});

describe('identity', () => {
  const both = (): readonly SealRule[] => [rule('t', 'a'), rule('u', 'a')];

  async function filled(): Promise<void> {
    await admin.query('CREATE TABLE t (a sealgate.sealed)');
    await admin.query('CREATE TABLE u (a sealgate.sealed)');
    const opened = await open(both());
    await put(opened, 't', 'a', 'of t');
    await put(opened, 'u', 'a', 'of u', 1);
  }

  const rebind = (rules = both()) =>
    rebindColumns({ connection: service, keys, random: randomBytes, principal: 'arn:sealgate:cli' }, rules);

  test('swapped tables fail closed until they are bound anew, and then read what they hold', async () => {
    await filled();
    await admin.query('ALTER TABLE t RENAME TO x; ALTER TABLE u RENAME TO t; ALTER TABLE x RENAME TO u');
    expect(await codes(both())).toEqual(['ERR_POSTGRES_COLUMN_MOVED', 'ERR_POSTGRES_COLUMN_MOVED']);
    expect((await open(both())).columns).toEqual([]);
    await rebind();
    const opened = await open(both());
    expect([await get(opened, 't', 'a'), await get(opened, 'u', 'a', 1)]).toEqual([['of u'], ['of t']]);
  });

  test('a renamed table and a copied table are not trusted', async () => {
    await filled();
    await admin.query('ALTER TABLE t RENAME TO renamed');
    expect(await codes([rule('renamed', 'a')])).toEqual(['ERR_POSTGRES_COLUMN_MOVED']);
    await admin.query('CREATE TABLE copy AS SELECT a FROM renamed');
    expect(await codes([rule('copy', 'a')])).toEqual(['ERR_POSTGRES_COLUMN_MOVED']);
  });

  test('a dropped schema is rebuilt from escrow, and all values open', async () => {
    await filled();
    const { rows: before } = await admin.query('SELECT database_id FROM sealgate.meta');
    await admin.query(
      'ALTER TABLE t ALTER a TYPE bytea; ALTER TABLE u ALTER a TYPE bytea; DROP SCHEMA sealgate CASCADE',
    );
    await ensureSchema(service, randomBytes);
    await admin.query('ALTER TABLE t ALTER a TYPE sealgate.sealed; ALTER TABLE u ALTER a TYPE sealgate.sealed');
    expect(await codes(both())).toEqual(['ERR_POSTGRES_COLUMN_MOVED', 'ERR_POSTGRES_COLUMN_MOVED']);
    expect(await rebind()).toEqual([
      { column: 'public.t.a', outcome: 'restored' },
      { column: 'public.u.a', outcome: 'restored' },
    ]);
    expect((await admin.query('SELECT database_id FROM sealgate.meta')).rows).toEqual(before);
    const opened = await open(both());
    expect([await get(opened, 't', 'a'), await get(opened, 'u', 'a', 1)]).toEqual([['of t'], ['of u']]);
    expect((await rebind()).map(({ outcome }) => outcome)).toEqual(['unchanged', 'unchanged']);
  });

  test('a domain is rebuilt from escrow too', async () => {
    const rules = [rule('t', 'a', { mode: 'deterministic', domain: 'person' })];
    await admin.query('CREATE TABLE t (a sealgate.sealed)');
    await put(await open(rules), 't', 'a', 'ann');
    await admin.query('DELETE FROM sealgate.deks; DELETE FROM sealgate.columns; DELETE FROM sealgate.domains');
    await rebind(rules);
    expect(await get(await open(rules), 't', 'a')).toEqual(['ann']);
  });

  test('a rule may not change mode, domain or type of a column that holds values', async () => {
    await filled();
    const changed = [rule('t', 'a', { mode: 'deterministic' })];
    expect(await codes(changed)).toEqual(['ERR_POSTGRES_COLUMN_RULE_CHANGED']);
    expect(await codes([rule('t', 'a', { type: 'uuid' })])).toEqual(['ERR_POSTGRES_COLUMN_RULE_CHANGED']);
    expect(await codes([rule('t', 'a', { type: 'varchar(9)' })])).toEqual([]);
    const run = rebindColumns({ connection: service, keys, random: randomBytes, principal: 'arn:sealgate:cli' }, [
      rule('t', 'a', { mode: 'deterministic', domain: 'd' }),
    ]);
    await expect(run).rejects.toMatchObject({ code: 'ERR_POSTGRES_COLUMN_RULE_CHANGED' });
  });

  test.each([
    ['mode', { mode: 'deterministic' }],
    ['type', { type: 'uuid' }],
  ] as const)('neither does binding anew change the %s under values', async (_what, more) => {
    await filled();
    await expect(rebind([rule('t', 'a', more)])).rejects.toMatchObject({ code: 'ERR_POSTGRES_COLUMN_RULE_CHANGED' });
    await admin.query('DELETE FROM t');
    await rebind([rule('t', 'a', more)]);
    expect(await codes([rule('t', 'a', more)])).toEqual([]);
  });

  test('where the binding is lost, the values of a deterministic column prove their mode', async () => {
    const deterministic = [rule('t', 'a', { mode: 'deterministic' })];
    await filled();
    await admin.query('CREATE TABLE d (a sealgate.sealed)');
    await put(await open([rule('d', 'a', { mode: 'deterministic' })]), 'd', 'a', 'same');
    await admin.query('DELETE FROM sealgate.columns');
    await expect(rebind(deterministic)).rejects.toMatchObject({ code: 'ERR_POSTGRES_COLUMN_RULE_CHANGED' });
    const own = [rule('d', 'a', { mode: 'deterministic' })];
    expect(await rebind(own)).toEqual([{ column: 'public.d.a', outcome: 'bound' }]);
    await put(await open(own), 'd', 'a', 'same');
    expect((await admin.query('SELECT DISTINCT a FROM d')).rowCount).toBe(1);
  });
});

describe('guard and check', () => {
  test('the guard refuses plaintext and names no value', async () => {
    await admin.query('CREATE TABLE t (a sealgate.sealed)');
    for (const plain of ['123-45-6789', 'x'.repeat(200), '\\xf5534756']) {
      const error: unknown = await admin
        .query('INSERT INTO t (a) VALUES ($1::text::bytea)', [plain])
        .catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: '23514', detail: undefined });
    }
    await admin.query('INSERT INTO t (a) VALUES (NULL)');
  });

  test('a role without grants can write sealed values and read no keys', async () => {
    await admin.query('CREATE TABLE t (a sealgate.sealed)');
    const opened = await open([rule('t', 'a')]);
    await admin.query('DROP ROLE IF EXISTS app');
    await admin.query('CREATE ROLE app');
    await admin.query('GRANT INSERT ON t TO app');
    await admin.query('SET ROLE app');
    await put(opened, 't', 'a', 'x');
    for (const table of ['deks', 'columns', 'domains', 'meta']) {
      await expect(admin.query(`SELECT * FROM sealgate.${table}`)).rejects.toMatchObject({ code: '42501' });
    }
    await admin.query('RESET ROLE');
    await admin.query('DROP OWNED BY app; DROP ROLE app');
  });

  test('what stands in the way is named, and the DDL mends it', async () => {
    await admin.query(`CREATE TABLE t (id int, a text DEFAULT 'x' CHECK (a <> ''), b text, c bytea, "Odd Name" text)`);
    const rules = ['a', 'b', 'c', 'd', 'Odd Name'].map((column) => rule('t', column));
    const report = await checkDatabase(service, [...rules, rule('nowhere', 'a')], randomBytes);
    expect(report.columns).toEqual([]);
    expect(new Set(report.problems.map(({ code }) => code))).toEqual(
      new Set(['ERR_POSTGRES_COLUMN_GUARD', 'ERR_POSTGRES_COLUMN_UNSEALABLE', 'ERR_POSTGRES_COLUMN_MISSING']),
    );
    await admin.query(report.ddl.join('\n'));
    expect(await codes([...rules, rule('nowhere', 'a')])).toEqual([]);
  });

  test('the DDL never turns plaintext into something that passes for sealed', async () => {
    await admin.query("CREATE TABLE t (a text); INSERT INTO t VALUES ('123-45-6789')");
    const { ddl } = await checkDatabase(service, [rule('t', 'a')], randomBytes);
    await expect(admin.query(ddl.join('\n'))).rejects.toMatchObject({ code: '23514' });
  });

  test.each([
    ['a view', 'CREATE TABLE x (a sealgate.sealed); CREATE VIEW t AS SELECT * FROM x', 'ERR_POSTGRES_COLUMN_MISSING'],
    [
      'a partition',
      'CREATE TABLE x (i int, a sealgate.sealed) PARTITION BY LIST (i); CREATE TABLE t PARTITION OF x FOR VALUES IN (1)',
      'ERR_POSTGRES_COLUMN_MISSING',
    ],
    ['a partition key', 'CREATE TABLE t (a sealgate.sealed) PARTITION BY HASH (a)', 'ERR_POSTGRES_COLUMN_UNSEALABLE'],
    [
      'an expression partition key',
      'CREATE TABLE t (a sealgate.sealed) PARTITION BY LIST (length(a))',
      'ERR_POSTGRES_COLUMN_UNSEALABLE',
    ],
    ['a default', "CREATE TABLE t (a sealgate.sealed DEFAULT '\\x00')", 'ERR_POSTGRES_COLUMN_UNSEALABLE'],
    [
      'a column generated from it',
      'CREATE TABLE t (a sealgate.sealed, n int GENERATED ALWAYS AS (length(a)) STORED)',
      'ERR_POSTGRES_COLUMN_UNSEALABLE',
    ],
    [
      'a policy',
      'CREATE TABLE t (a sealgate.sealed); CREATE POLICY p ON t USING (a IS NOT NULL)',
      'ERR_POSTGRES_COLUMN_UNSEALABLE',
    ],
    ['a table CHECK', 'CREATE TABLE t (a sealgate.sealed, CHECK (length(a) > 1))', 'ERR_POSTGRES_COLUMN_UNSEALABLE'],
    ['a unique randomized column', 'CREATE TABLE t (a sealgate.sealed UNIQUE)', 'ERR_POSTGRES_COLUMN_CONSTRAINT'],
    [
      'a foreign key out of the domain',
      'CREATE TABLE x (a bytea UNIQUE); CREATE TABLE t (a sealgate.sealed REFERENCES x (a))',
      'ERR_POSTGRES_COLUMN_CONSTRAINT',
    ],
    [
      'an expression index',
      'CREATE TABLE t (a sealgate.sealed); CREATE INDEX ON t (length(a))',
      'ERR_POSTGRES_COLUMN_UNSEALABLE',
    ],
  ])('%s is reported', async (_, ddl, code) => {
    await admin.query(ddl);
    expect(await codes([rule('t', 'a')])).toEqual([code]);
  });

  test('a schema of this name that another role owns is not used', async () => {
    await admin.query('DROP SCHEMA sealgate CASCADE; DROP ROLE IF EXISTS mallory');
    await admin.query('CREATE ROLE mallory; CREATE SCHEMA sealgate AUTHORIZATION mallory');
    await expect(ensureSchema(service, randomBytes)).rejects.toMatchObject({ code: 'ERR_POSTGRES_SERVICE_SCHEMA' });
    await admin.query('DROP SCHEMA sealgate CASCADE; DROP ROLE mallory');
  });
});

describe('a service role that is no superuser', () => {
  test('is told what it lacks, each in one round of DDL, and works with that alone', async () => {
    await admin.query(
      'DROP SCHEMA sealgate CASCADE; CREATE TABLE t (id int, a text); CREATE SCHEMA crm CREATE TABLE u (a text)',
    );
    await admin.query("DROP ROLE IF EXISTS keeper; CREATE ROLE keeper LOGIN PASSWORD 'keeper'");
    const name = `columns_${database}`;
    const { host, port } = server;
    const connection = openServiceConnection({ host, port, user: 'keeper', password: 'keeper', database: name });
    const lacking = { code: 'ERR_POSTGRES_SERVICE_RIGHTS', sqlstate: '42501' };
    await expect(ensureSchema(connection, randomBytes)).rejects.toMatchObject(lacking);
    await admin.query(`GRANT CREATE ON DATABASE ${name} TO keeper`);
    await ensureSchema(connection, randomBytes);
    await ensureSchema(connection, randomBytes);
    const rules = [rule('t', 'a'), { ...rule('u', 'a'), schema: 'crm' }];
    const { problems, ddl } = await checkDatabase(connection, rules, randomBytes);
    expect(new Set(problems.map(({ code }) => code))).toEqual(
      new Set(['ERR_POSTGRES_COLUMN_GUARD', 'ERR_POSTGRES_COLUMN_RIGHTS']),
    );
    await admin.query(ddl.join('\n'));
    expect((await checkDatabase(connection, rules, randomBytes)).problems).toEqual([]);
    const opened = await open(rules, keys, connection);
    await put(opened, 't', 'a', 'kept');
    expect(await get(opened, 't', 'a')).toEqual(['kept']);
    // Once bound, a column is not looked through again; its schema is still named in questions to the server.
    await admin.query('REVOKE SELECT ON t, crm.u FROM keeper');
    expect((await checkDatabase(connection, rules, randomBytes)).problems).toEqual([]);
    await admin.query('REVOKE USAGE ON SCHEMA crm FROM keeper');
    const revoked = await checkDatabase(connection, rules, randomBytes);
    expect(revoked.problems.map(({ code, column }) => [code, column])).toEqual([
      ['ERR_POSTGRES_COLUMN_RIGHTS', 'crm.u.a'],
    ]);
    await connection.close();
    await admin.query('DROP OWNED BY keeper CASCADE; DROP ROLE keeper');
  });
});

describe('service connection', () => {
  test('Describe tells parameters and origins without running anything', async () => {
    await admin.query('CREATE TABLE t (i int8, v varchar(7))');
    const { rows } = await admin.query<{ oid: number }>("SELECT 't'::regclass::oid AS oid");
    const described = await service.describe('SELECT v, i + 1 AS n FROM public.t WHERE i = $1 AND v = $2', []);
    // varchar has no operators of its own: the server compares as text.
    expect(described.parameterOids).toEqual([20, 25]);
    expect(described.fields).toEqual([
      { name: 'v', tableOid: rows[0]?.oid, attnum: 2, typeOid: 1043, typlen: -1, typmod: 11 },
      { name: 'n', tableOid: 0, attnum: 0, typeOid: 20, typlen: 8, typmod: -1 },
    ]);
    expect((await service.describe('INSERT INTO public.t VALUES ($1, $2)', [20, 25])).fields).toEqual([]);
    await expect(service.describe('SELECT nonsense')).rejects.toMatchObject({
      code: 'ERR_POSTGRES_SERVICE_QUERY',
      sqlstate: '42703',
    });
    expect(await service.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('a connection the server has closed is replaced', async () => {
    await service.query('SELECT 1');
    await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1', [
      'sealgate',
    ]);
    expect(await service.query('SELECT 2 AS two')).toEqual([{ two: 2 }]);
  });

  test('a server that is not there is a clear error', async () => {
    const nowhere = openServiceConnection({ host: '127.0.0.1', port: 1, user: 'x', database: 'x' });
    await expect(nowhere.query('SELECT 1')).rejects.toMatchObject({ code: 'ERR_POSTGRES_SERVICE_UNREACHABLE' });
    await nowhere.close();
  });
});
