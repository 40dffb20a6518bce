/** `sealgate postgres seal` and `unseal` as an operator uses them, on real tables with values in them. */
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AS_OWNER, installShop, type InstalledShop } from '../../support/postgres/installed-shop.ts';
import type { Installation } from '../../support/installation.ts';
import type { TestPostgres } from '../../support/postgres/postgres.ts';
import { testedVersion } from '../../support/postgres/versions.ts';
import { sealgate, type Program, type Ran } from '../../support/run.ts';

const VERSION = testedVersion();

/** Column, type, mode, values as SQL. */
const TYPES = [
  ['c_text', 'text', 'deterministic', ["'CANARY-text'", "''", "'O''Neil \\ \" é 😀'", 'NULL']],
  ['c_varchar', 'character varying(30)', 'deterministic', ["'CANARY-varchar  '", "'x'", 'NULL', "'y'"]],
  ['c_int2', 'smallint', 'deterministic', ['-32768', '32767', '0', 'NULL']],
  ['c_int4', 'integer', 'deterministic', ['-2147483648', '2147483647', '1', 'NULL']],
  ['c_int8', 'bigint', 'randomized', ['-9223372036854775808', '9223372036854775807', 'NULL', '1']],
  ['c_numeric', 'numeric(12,3)', 'deterministic', ['1.5', '-999999999.999', '0', 'NULL']],
  ['c_free', 'numeric', 'randomized', ["'1.500'", "'NaN'", "'1e-30'", VERSION < 14 ? 'NULL' : "'Infinity'"]],
  ['c_bool', 'boolean', 'randomized', ['true', 'false', 'NULL', 'true']],
  ['c_date', 'date', 'deterministic', ["'2024-02-29'", "'infinity'", "'4713-01-01 BC'", 'NULL']],
  [
    'c_tstz',
    'timestamp with time zone',
    'deterministic',
    ["'2024-02-29 12:00:00.123456+02'", "'-infinity'", "'0044-03-15 BC'", 'NULL'],
  ],
  ['c_uuid', 'uuid', 'deterministic', ["'F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6'", 'NULL', 'NULL', 'NULL']],
  ['c_jsonb', 'jsonb', 'randomized', [`'{"b": [1, 2.50, null], "a": "CANARY-jsonb"}'`, "'null'", 'NULL', '\'"x"\'']],
  ['c_bytea', 'bytea', 'randomized', ["'\\xdeadbeef00'", "''", "convert_to('CANARY-bytea', 'UTF8')", 'NULL']],
] as const;
const COLUMNS = TYPES.map(([name]) => name);

let all: InstalledShop;
let server: TestPostgres;
let installation: Installation;
let direct: pg.Client;

const rule = (column: string, type: string, mode: string, more = ''): string =>
  `{ column: shop.public.${column}, type: '${type}', key: alias/shop, mode: ${mode}${more} }`;
const RULES = [
  ...TYPES.map(([name, type, mode]) => rule(`everything.${name}`, type, mode)),
  rule('people.ssn', 'text', 'deterministic', ', domain: ssn'),
  rule('orders.ssn', 'text', 'deterministic', ', domain: ssn'),
  rule('many.note', 'text', 'randomized'),
  rule('parts.note', 'text', 'deterministic'),
  ...['a', 'b', 'c', 'd', 'e', 'g'].map((name) => rule(`odd.${name}`, 'text', 'randomized')),
  rule('odd.f', 'varchar(6)', 'randomized'),
  rule('odd.h', 'text', 'randomized', ', default: x'),
  rule('odd.i', 'text', 'randomized', `, check: [{ name: odd_i_check, expression: "i <> 'x'" }]`),
  rule('few.flavour', 'text', 'deterministic'),
];

beforeAll(async () => {
  all = await installShop(
    `
    CREATE TABLE everything (id int PRIMARY KEY, ${TYPES.map(([name, type]) => `${name} ${type}`).join(', ')});
    CREATE TABLE people (ssn text PRIMARY KEY, name text);
    CREATE TABLE orders (id int, ssn text REFERENCES people ON UPDATE CASCADE DEFERRABLE, UNIQUE (id, ssn));
    CREATE TABLE many (id int, note text NOT NULL, touched int DEFAULT 0);
    CREATE TABLE parts (id int, note text) PARTITION BY RANGE (id);
    CREATE TABLE part1 (note text, gone int, id int); ALTER TABLE part1 DROP COLUMN gone;
    ALTER TABLE parts ATTACH PARTITION part1 FOR VALUES FROM (0) TO (10);
    CREATE TABLE part2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
    CREATE TABLE odd (id int, a text DEFAULT 'x', b text CHECK (b <> 'x'), c text, d text, e text, f varchar(5), g text, h text DEFAULT 'x', i text CHECK (i <> 'x'));
    CREATE TABLE few (flavour text)`,
    RULES,
  );
  ({ server, installation, direct } = all);
  await direct
    .query("CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
    .catch(() => undefined);
});
afterAll(() => all.close());

const move = (direction: 'seal' | 'unseal', ...words: readonly string[]): Promise<Ran> =>
  installation.run('postgres', direction, ...words, ...AS_OWNER);

async function must(ran: Promise<Ran>): Promise<Ran> {
  const done = await ran;
  expect(done.code, done.stderr).toBe(0);
  return done;
}

/** Resolves when standard error holds the text, or the program ended. */
function untilTells({ child, done }: Program, text: string): Promise<unknown> {
  let told = '';
  const said = new Promise<void>((resolve) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      told += chunk.toString();
      if (told.includes(text)) resolve();
    });
  });
  return Promise.race([said, done]);
}

/** What the server or the proxy sends, as text. */
async function texts(client: pg.Client, sql: string): Promise<readonly unknown[]> {
  const raw = { getTypeParser: () => (value: unknown) => value };
  return (await client.query<unknown[]>({ text: sql, rowMode: 'array', types: raw })).rows;
}

/** With the rules of these tables alone: `up` takes no rule that does not hold. */
async function throughProxy<Result>(
  tables: readonly string[],
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const file = join(installation.folder, 'sealgate.yaml');
  const config = await readFile(file, 'utf8');
  const isOther = (line: string): boolean =>
    line.includes('{ column: ') && !tables.some((table) => line.includes(`public.${table}.`));
  await writeFile(
    file,
    config
      .split('\n')
      .filter((line) => !isOther(line))
      .join('\n'),
  );
  const { program, ports } = await installation.up().finally(() => writeFile(file, config));
  const client = new pg.Client({
    host: server.host,
    port: Number(ports['postgres']),
    user: server.superuser,
    password: server.password,
    database: 'shop',
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
    program.child.kill('SIGTERM');
    await program.done;
  }
}

const columnsOf = async (table: string): Promise<unknown> =>
  (
    await direct.query(
      `SELECT attname, attnum, format_type(atttypid, atttypmod) AS type, attnotnull FROM pg_attribute
       WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
      [table],
    )
  ).rows;
const keysOf = async (table: string): Promise<unknown> =>
  (
    await direct.query(
      `SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = $1::regclass UNION ALL
       SELECT indexrelid::regclass::name, pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = $1::regclass ORDER BY 1, 2`,
      [table],
    )
  ).rows;

/** Files of the server that hold a text: tables, indexes, TOAST and catalogs; not the WAL. */
async function filesWith(text: string): Promise<readonly string[]> {
  const folder = join(server.dataDirectory, 'base');
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && (await readFile(path)).includes(text)) found.push(path);
  }
  return found;
}

test('columns of every type are sealed, read the same through the proxy, and come back as they were', async () => {
  for (let row = 0; row < 4; row += 1) {
    await direct.query(
      `INSERT INTO everything VALUES (${[String(row), ...TYPES.map(([, , , values]) => values[row])].join(', ')})`,
    );
  }
  await direct.query(
    'CREATE INDEX everything_text ON everything (c_text); CREATE UNIQUE INDEX ON everything (c_uuid, id); ANALYZE everything',
  );
  const sql = 'SELECT * FROM everything ORDER BY id';
  const before = {
    rows: await texts(direct, sql),
    columns: await columnsOf('everything'),
    keys: await keysOf('everything'),
  };
  expect(await filesWith('CANARY-text')).not.toEqual([]);

  const plan = await must(move('seal', 'public.everything', '--dry-run'));
  expect(plan.stdout).toContain('everything.c_text: 3 values, 3 different ones in 4 rows');
  expect(await columnsOf('everything')).toEqual(before.columns);

  const { stdout } = await must(move('seal', 'public.everything'));
  expect(stdout).toContain('4 rows read back and found equal');
  expect((await installation.run('check')).stdout).not.toContain('everything');
  await throughProxy(['everything'], async (client) => {
    expect(await texts(client, sql)).toEqual(before.rows);
    expect(await texts(client, "SELECT id FROM everything WHERE c_text = 'CANARY-text' AND c_int2 = -32768")).toEqual([
      ['0'],
    ]);
    expect(
      await texts(client, "SELECT id FROM everything WHERE c_numeric IN (0.000) AND c_date = '4713-01-01 BC'"),
    ).toEqual([['2']]);
  });
  expect(await keysOf('everything')).toEqual(before.keys);

  for (const sql of ['VACUUM FULL pg_catalog.pg_statistic', 'CHECKPOINT']) await direct.query(sql);
  for (const canary of ['CANARY-text', 'CANARY-varchar', 'CANARY-jsonb', 'CANARY-bytea'])
    expect(await filesWith(canary), canary).toEqual([]);

  expect((await must(move('seal', 'public.everything'))).stdout).toContain(
    'public.everything.c_text is sealed already',
  );
  await must(move('unseal', 'public.everything'));
  expect(await texts(direct, sql)).toEqual(before.rows);
  expect(await columnsOf('everything')).toEqual(before.columns);
  expect(await keysOf('everything')).toEqual(before.keys);
  expect(COLUMNS.length).toBe(13);
});

test('columns that a foreign key ties are moved in one run, keys and all', async () => {
  await direct.query(
    "INSERT INTO people VALUES ('1', 'Ann'), ('2', 'Bob'); INSERT INTO orders VALUES (1, '1'), (2, '1'), (3, NULL)",
  );
  const keys = [await keysOf('people'), await keysOf('orders')];
  const alone = await move('seal', 'shop.public.orders.ssn');
  expect([alone.code, alone.stderr]).toEqual([
    1,
    expect.stringContaining('foreign key orders_ssn_fkey ties it to public.people.ssn'),
  ]);
  const { stderr } = await must(move('seal', 'shop.public.orders.ssn', 'shop.public.people.ssn'));
  for (const read of ['"public"."people": 100 % read back, 2 rows', '"public"."orders": 100 % read back, 3 rows'])
    expect(stderr.split('\n')).toContain(read);
  expect([await keysOf('people'), await keysOf('orders')]).toEqual(keys);
  await throughProxy(['people', 'orders'], async (client) => {
    expect(await texts(client, 'SELECT o.id, p.name FROM orders o JOIN people p ON p.ssn = o.ssn ORDER BY 1')).toEqual([
      ['1', 'Ann'],
      ['2', 'Ann'],
    ]);
    await expect(client.query("INSERT INTO people VALUES ('2', 'Bob again')")).rejects.toMatchObject({ code: '23505' });
    await expect(client.query("INSERT INTO orders VALUES (4, '9')")).rejects.toMatchObject({ code: '23503' });
  });
  await must(move('unseal', 'public.people', 'public.orders'));
  expect(await texts(direct, 'SELECT * FROM orders ORDER BY id')).toEqual([
    ['1', '1'],
    ['2', '1'],
    ['3', null],
  ]);
  expect([await keysOf('people'), await keysOf('orders')]).toEqual(keys);
});

test('partitions are moved with their parent, also those whose columns stand in another order', async () => {
  await direct.query("INSERT INTO parts SELECT i, 'note ' || i FROM generate_series(1, 19) i");
  const before = await texts(direct, 'SELECT id, note FROM parts ORDER BY id');
  await must(move('seal', 'public.parts.note'));
  await throughProxy(['parts'], async (client) => {
    expect(await texts(client, 'SELECT id, note FROM parts ORDER BY id')).toEqual(before);
    expect(await texts(client, "SELECT id FROM parts WHERE note = 'note 7'")).toEqual([['7']]);
  });
  await must(move('unseal', 'public.parts.note'));
  expect(await texts(direct, 'SELECT id, note FROM parts ORDER BY id')).toEqual(before);
});

/** Rows with their notes. */
const manyRows = (client: pg.Client): Promise<readonly unknown[]> =>
  texts(client, 'SELECT id, note FROM many ORDER BY id');

const sealMany = (): Program =>
  sealgate(['postgres', 'seal', 'public.many.note', ...AS_OWNER], { cwd: installation.folder });

test('a run that is killed anywhere is gone on with, and nothing is lost or sealed twice', async () => {
  await direct.query("INSERT INTO many SELECT i, repeat('CANARY-many ' || i, 5) FROM generate_series(1, 40000) i");
  const before = await manyRows(direct);
  // Within a batch: the row that is written then waits for us, by a CHECK on another column.
  await direct.query(`
    CREATE FUNCTION gate(id int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN IF id = 30000 THEN PERFORM pg_advisory_xact_lock_shared(7); END IF; RETURN true; END';
    ALTER TABLE many ADD CONSTRAINT gate CHECK (gate(id)); SELECT pg_advisory_lock(7)`);
  const first = sealMany();
  const waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
  await expect.poll(() => texts(direct, waiting)).toEqual([['1']]);
  first.child.kill('SIGKILL');
  await first.done;
  await direct.query('SELECT pg_advisory_unlock(7); ALTER TABLE many DROP CONSTRAINT gate; DROP FUNCTION gate');
  // Anywhere: while somebody reads the table, no run comes to its end.
  await direct.query('BEGIN; LOCK TABLE many IN ACCESS SHARE MODE');
  for (let kills = 0; kills < 9; kills += 1) {
    const program = sealMany();
    await untilTells(program, kills % 3 === 2 ? ' % read back' : ' % converted');
    await new Promise((resolve) => setTimeout(resolve, 40 * kills));
    program.child.kill('SIGKILL');
    expect((await program.done).code).not.toBe(0);
  }
  await direct.query('ROLLBACK');
  const { stdout } = await must(move('seal', 'public.many.note'));
  expect(stdout).toContain('40000 rows read back and found equal');
  await throughProxy(['many'], async (client) => expect(await manyRows(client)).toEqual(before));
  await direct.query('CHECKPOINT');
  expect(await filesWith('CANARY-many')).toEqual([]);
  await must(move('unseal', 'public.many.note'));
  expect(await manyRows(direct)).toEqual(before);
});

test('what others write while it is sealed is not lost, and triggers do not see the sealing', async () => {
  await direct.query(`
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.touched := NEW.touched + 1; RETURN NEW; END';
    CREATE TRIGGER touch BEFORE UPDATE ON many FOR EACH ROW EXECUTE FUNCTION touch();
    CREATE TRIGGER never BEFORE UPDATE ON many FOR EACH ROW EXECUTE FUNCTION touch();
    ALTER TABLE many DISABLE TRIGGER never; ALTER TABLE many ENABLE ALWAYS TRIGGER touch`);
  const states = 'SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1';
  const triggers = await texts(direct, states);
  const writer = new pg.Client({ connectionString: server.url('shop') });
  writer.on('error', () => undefined);
  await writer.connect();
  const program = sealMany();
  let ended = false;
  void program.done.then(() => (ended = true));
  let written = 0;
  const failures: unknown[] = [];
  const write = async (): Promise<void> => {
    written += 1;
    await writer
      .query(
        written % 2 === 0
          ? `INSERT INTO many VALUES (${100_000 + written}, 'late ${written}')`
          : `UPDATE many SET note = 'changed ${written}' WHERE id = ${written}`,
      )
      .catch((error: unknown) => failures.push(error));
  };
  while (!ended && failures.length === 0) await write();
  // The run may end while no write is under way.
  if (failures.length === 0) await write();
  const { code, stderr, stdout } = await program.done;
  await writer.end();
  expect(code, stderr).toBe(0);
  // Once swapped, the server takes no plaintext: the guard.
  expect(failures).toEqual([expect.objectContaining({ code: expect.stringMatching(/23514|42804/) })]);
  expect(stdout).toContain('written by others meanwhile');
  expect(await texts(direct, states)).toEqual(triggers);
  await throughProxy(['many'], async (client) => {
    const rows = new Map((await manyRows(client)).map((row) => row as [string, string]));
    expect(rows.size).toBe(40_000 + Math.floor((written - 1) / 2));
    for (let nth = 1; nth < written; nth += 1) {
      if (nth % 2 === 0) expect(rows.get(String(100_000 + nth))).toBe(`late ${nth}`);
      else expect(rows.get(String(nth))).toBe(`changed ${nth}`);
    }
    expect(await texts(client, `SELECT count(*) FROM many WHERE touched > 1`)).toEqual([['0']]);
  });
});

test('a table that is in use is left alone, with the sessions named', async () => {
  await direct.query('BEGIN; LOCK TABLE few IN ROW EXCLUSIVE MODE');
  const { code, stderr } = await move('seal', 'public.few.flavour', '--lock-timeout', '1');
  await direct.query('ROLLBACK');
  expect([code, stderr]).toEqual([1, expect.stringContaining('ERR_POSTGRES_MOVE_LOCKED')]);
  expect(stderr).toMatch(/used by process \d+ \(postgres/);
});

test('what stands in the way is refused by name, all of it, before anything is changed', async () => {
  await direct.query(`
    SET ROLE owner;
    CREATE VIEW shown AS SELECT c FROM odd;
    CREATE INDEX odd_lower ON odd (lower(d));
    CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER watch BEFORE UPDATE OF e ON odd FOR EACH ROW EXECUTE FUNCTION nothing();
    ${VERSION < 14 ? '' : 'CREATE STATISTICS odd_statistics ON lower(g), id FROM odd'};
    RESET ROLE`);
  const before = await columnsOf('odd');
  const refusal = async (column: string): Promise<string> => {
    const { code, stderr } = await move('seal', `public.odd.${column}`);
    expect(code).toBe(1);
    return stderr;
  };
  expect(await refusal('a')).toContain('public.odd.a: it has a default');
  expect(await refusal('b')).toContain('CHECK constraint odd_b_check reads it');
  expect(await refusal('h')).toContain('drop it there (ALTER TABLE "public"."odd" ALTER COLUMN "h" DROP DEFAULT;)');
  expect(await refusal('i')).toContain('drop it there (ALTER TABLE "public"."odd" DROP CONSTRAINT "odd_i_check";)');
  expect(await refusal('c')).toMatch(/public\.odd\.c: .*view (?:public\.)?shown depends on it/);
  expect(await refusal('d')).toContain('index public.odd_lower computes with it');
  expect(await refusal('e')).toMatch(/trigger watch on table (?:public\.)?odd depends on it/);
  expect(await refusal('f')).toContain('its type is character varying(5), but its rule says character varying(6)');
  if (VERSION >= 14) expect(await refusal('g')).toContain('the server would not take it: ');
  expect((await move('seal', 'public.odd', '--dry-run')).code).toBe(1);
  const stranger = await installation.run(
    'postgres',
    'seal',
    'public.few',
    '--user',
    'sealgate',
    '--password-file',
    'owner.password',
  );
  expect(stranger.code).toBe(4);
  expect(await columnsOf('odd')).toEqual(before);
});

test('few values in many rows are not sealed deterministically unless it is forced; an unfinished run can be taken back', async () => {
  await direct.query("INSERT INTO few SELECT 'flavour ' || i % 5 FROM generate_series(1, 2000) i");
  const before = await columnsOf('few');
  const { code, stderr } = await move('seal', 'public.few');
  expect([code, stderr]).toEqual([1, expect.stringContaining('only 5 different values in 2000')]);
  await direct.query(
    "ALTER TABLE few ADD CONSTRAINT slow CHECK (flavour <> 'x') NOT VALID; ALTER TABLE few DROP CONSTRAINT slow",
  );
  const program = sealgate(['postgres', 'seal', 'public.few', '--force', ...AS_OWNER], { cwd: installation.folder });
  await untilTells(program, 'ADD COLUMN');
  program.child.kill('SIGKILL');
  await program.done;
  const taken = await installation.run('postgres', 'seal', 'public.few', '--abandon', ...AS_OWNER);
  expect(taken.code, taken.stderr).toBe(0);
  if (!taken.stdout.includes('already')) expect(await columnsOf('few')).toEqual(before);
});

test('the command line says what it needs', async () => {
  const words = [
    ['seal'],
    ['seal', 'public.none', ...AS_OWNER],
    ['seal', 'public.few'],
    ['seal', 'public.few', '--lock-timeout', 'x', ...AS_OWNER],
  ];
  for (const given of words) expect((await installation.run('postgres', ...given)).code, given.join(' ')).toBe(2);
  const near = await move('seal', 'shop.public.few.flavor');
  expect(near.stderr).toContain('did you mean shop.public.few.flavour');
});
