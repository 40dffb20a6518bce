/**
 * What queries of the catalog show of sealed columns: the same as of a plain twin with those types, asked by psql, information_schema, and
 * as ORMs and drivers ask. Dumps see the guard's domain.
 */
import type pg from 'pg';
import { serialize } from 'pg-protocol';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { RawClient } from '../../support/postgres/proxy.ts';
import { missing } from '../../support/programs.ts';
import { start } from '../../support/run.ts';
import type { TestRule } from '../../support/postgres/sealed-database.ts';
import { openTwinDatabase, type TwinDatabase } from '../../support/postgres/twin-database.ts';

const RULES: readonly TestRule[] = [
  { table: 'customers', column: 'email', type: 'varchar(60)', mode: 'deterministic' },
  { table: 'customers', column: 'born', type: 'date' },
  { table: 'customers', column: 'score', type: 'numeric(10,2)' },
  { table: 'customers', column: 'visits', type: 'bigint' },
  { table: 'customers', column: 'rank', type: 'public.positive' },
  { table: 'loose', column: 'raw', type: 'text', guard: false },
  { table: 'events', column: 'what', type: 'text' },
  { table: 'The "Odd"', column: "it's", type: 'uuid' },
  { table: 'later', column: 'email', type: 'integer' },
];
const ddl = (sealed: boolean): string => {
  const as = (type: string, stored = 'sealgate.sealed'): string => (sealed ? stored : type);
  return `CREATE DOMAIN positive AS int CHECK (VALUE > 0);
    CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE TABLE customers (id serial PRIMARY KEY, name varchar(20) NOT NULL DEFAULT 'x', email ${as('varchar(60)')} NOT NULL UNIQUE,
      born ${as('date')}, score ${as('numeric(10,2)')}, visits ${as('bigint')}, raw bytea, age positive, feels mood, tags text[], price numeric(6,2),
      rank ${as('positive')});
    COMMENT ON COLUMN customers.email IS 'the mail';
    CREATE TABLE loose (id int, raw ${as('text', 'bytea')}, other bytea);
    CREATE TABLE events (id int, what ${as('text')}) PARTITION BY RANGE (id);
    CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (10);
    CREATE TABLE "The ""Odd""" ("it's" ${as('uuid')});
    CREATE VIEW mails AS SELECT id, email AS mail, name, rank FROM customers;
    CREATE TABLE plain (a int, b bytea, c text)`;
};
const TABLES = ['customers', 'loose', 'events', 'events_1', 'The "Odd"', 'mails', 'plain'];

let all: TwinDatabase;
let db: TwinDatabase['db'];
let client: TwinDatabase['client'];
let twin: TwinDatabase['twin'];
let twinUrl: TwinDatabase['twinUrl'];

beforeAll(async () => {
  all = await openTwinDatabase(ddl, RULES);
  ({ db, client, twin, twinUrl } = all);
});
afterAll(() => all.close());

const connect = (options?: pg.ClientConfig): Promise<pg.Client> => connectTo(db.url, options);

/** Both answers, with what differs between databases taken out. */
async function both(sql: string, values: readonly unknown[] = []): Promise<readonly [string, string]> {
  const ask = async (of: pg.Client): Promise<string> => {
    const { rows } = await of.query<unknown[]>({ text: sql, values: [...values], rowMode: 'array' });
    return JSON.stringify(rows).replaceAll(/"twin"|"sealed"/g, '"db"');
  };
  return [await ask(client), await ask(twin)];
}

async function same(sql: string, values: readonly unknown[] = []): Promise<string> {
  const [ours, theirs] = await both(sql, values);
  expect(ours).toBe(theirs);
  expect(ours).not.toBe('[]');
  return ours;
}

async function answer(of: pg.Client, text: string): Promise<unknown> {
  const result = (await of.query({ text, rowMode: 'array' })) as unknown; // one, or one of each statement
  const all = Array.isArray(result) ? (result as pg.QueryArrayResult[]) : [result as pg.QueryArrayResult];
  return all.map(({ command, rows, fields }) => [
    command,
    rows,
    fields.map(({ name, dataTypeID }) => [name, dataTypeID]),
  ]);
}

async function copied(url: string, text: string): Promise<string> {
  const of = await RawClient.login(url);
  of.send(serialize.query(text));
  const said = await of.untilReady();
  of.end();
  return said.flatMap(({ type, body }) => (type === 'd' ? [body.toString()] : [])).join('');
}

const IN = `(${TABLES.map((name) => `'${name.replaceAll("'", "''")}'`).join(', ')})`;

describe('shows logical types', () => {
  test('in pg_attribute, in everything that follows from the type', async () => {
    const shown =
      await same(`SELECT c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.atttypid, a.atttypmod, a.attlen, a.attbyval,
        a.attalign, a.attstorage, a.attcollation, a.attnotnull, t.typname, t.typtype, t.typelem
      FROM pg_catalog.pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
      WHERE c.relname IN ${IN} AND a.attnum > 0 AND t.typname NOT IN ('mood', 'positive') ORDER BY 1, a.attnum`);
    expect(shown).toContain('character varying(60)');
  });

  test('in every view of information_schema that tells types', async () => {
    const shown = await same(
      `SELECT * FROM information_schema.columns WHERE table_name IN ${IN} ORDER BY table_name, ordinal_position`,
    );
    expect(shown).toContain('"numeric"');
    await same(
      `SELECT * FROM information_schema.column_udt_usage WHERE table_name IN ${IN} ORDER BY table_name, column_name`,
    );
    await same(
      `SELECT * FROM information_schema.column_domain_usage WHERE table_name IN ${IN} ORDER BY 1, 2, 3, table_name, column_name`,
    );
    await same(
      `SELECT * FROM information_schema.element_types WHERE object_name IN ${IN} ORDER BY object_name, collection_type_identifier`,
    );
  });

  test('however the query names and joins them', async () => {
    for (const sql of [
      "SELECT attname, atttypid::regtype FROM pg_attribute WHERE attrelid = 'customers'::regclass AND attnum > 0 ORDER BY attnum",
      "SELECT pg_attribute.attname, pg_catalog.format_type(pg_catalog.pg_attribute.atttypid, pg_catalog.pg_attribute.atttypmod) FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_attribute ON pg_catalog.pg_class.oid = pg_catalog.pg_attribute.attrelid WHERE pg_catalog.pg_class.relname = 'customers' AND attnum > 0 ORDER BY attnum",
      "SELECT column_name, udt_name FROM INFORMATION_SCHEMA.Columns WHERE TABLE_NAME = 'customers' ORDER BY ordinal_position",
      "SELECT information_schema.columns.data_type, columns.column_name FROM information_schema.columns WHERE table_name = 'mails' ORDER BY 2",
      "WITH x AS (SELECT * FROM pg_attribute) SELECT attname, format_type(atttypid, atttypmod) FROM x AS y WHERE attrelid = 'events_1'::regclass AND attnum > 0",
      "SELECT (SELECT string_agg(format_type(b.atttypid, b.atttypmod), ',' ORDER BY attnum) FROM pg_attribute b WHERE b.attrelid = c.oid AND attnum > 0) FROM pg_class c WHERE relname = 'customers'",
      "SELECT a.attname FROM pg_attribute AS a (rel, attname, typ) WHERE rel = 'customers'::regclass AND typ = 1043 ORDER BY 1",
      "SELECT count(*) AS how_many_there_are FROM pg_attribute WHERE atttypid = 'date'::regtype AND attrelid = 'customers'::regclass",
      "SELECT row_to_json(a)->>'atttypid', a.attname FROM pg_attribute a WHERE attrelid = 'customers'::regclass AND attnum BETWEEN 1 AND 7 ORDER BY 2",
      "WITH pg_attribute(a) AS (VALUES ('not the catalog')) SELECT a FROM pg_attribute",
      `SELECT a.attname, "t"."typname" /* comment */ FROM "pg_catalog"."pg_attribute" "a", pg_type t WHERE t.oid = atttypid AND attrelid = 'customers'::regclass AND attnum > 0 ORDER BY attnum -- end`,
    ])
      await same(sql);
    await same(
      'SELECT attname, atttypid FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND atttypid = $2 ORDER BY attnum',
      ['customers', 1700],
    );
  });

  test('as pgjdbc, Prisma, Django and Npgsql ask', async () => {
    await same(`SELECT * FROM (SELECT n.nspname, c.relname, a.attname, a.atttypid, a.attnotnull OR (t.typtype = 'd' AND t.typnotnull) AS attnotnull,
        a.atttypmod, a.attlen, t.typtypmod, row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum) AS attnum, nullif(a.attidentity, '') AS attidentity,
        pg_catalog.pg_get_expr(def.adbin, def.adrelid) AS adsrc, dsc.description, t.typbasetype, t.typtype
      FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON (c.relnamespace = n.oid) JOIN pg_catalog.pg_attribute a ON (a.attrelid = c.oid)
      JOIN pg_catalog.pg_type t ON (a.atttypid = t.oid) LEFT JOIN pg_catalog.pg_attrdef def ON (a.attrelid = def.adrelid AND a.attnum = def.adnum)
      LEFT JOIN pg_catalog.pg_description dsc ON (c.oid = dsc.objoid AND a.attnum = dsc.objsubid)
      WHERE c.relkind in ('r','p','v','f','m') and a.attnum > 0 AND NOT a.attisdropped AND c.relname LIKE 'customers') c WHERE attname NOT IN ('age', 'feels', 'rank') ORDER BY nspname, c.relname, attnum`);
    await same(
      `SELECT oid.namespace, info.table_name, info.column_name, format_type(att.atttypid, att.atttypmod) AS formatted_type, info.numeric_precision,
        info.numeric_scale, info.datetime_precision, info.data_type, info.udt_schema AS type_schema_name, info.udt_name AS full_data_type,
        pg_get_expr(attdef.adbin, attdef.adrelid) AS column_default, info.is_nullable, info.is_identity, info.character_maximum_length
      FROM information_schema.columns info JOIN pg_attribute att ON att.attname = info.column_name
      JOIN (SELECT pg_class.oid, relname, pg_namespace.nspname AS namespace FROM pg_class JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace
        AND pg_namespace.nspname = ANY ($1) WHERE reltype > 0) AS oid ON oid.oid = att.attrelid AND relname = info.table_name AND namespace = info.table_schema
      LEFT JOIN pg_attrdef attdef ON attdef.adrelid = att.attrelid AND attdef.adnum = att.attnum AND table_schema = namespace
      WHERE table_schema = ANY ($1) ORDER BY namespace, table_name, ordinal_position`,
      [['public']],
    );
    await same(`SELECT a.attname AS column_name, NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)) AS is_nullable, pg_get_expr(ad.adbin, ad.adrelid) AS column_default,
        CASE WHEN collname = 'default' THEN NULL ELSE collname END AS collation, a.attidentity != '' AS is_autofield, COL_DESCRIPTION(a.attrelid, a.attnum) AS column_comment
      FROM pg_attribute a LEFT JOIN pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum LEFT JOIN pg_collation co ON a.attcollation = co.oid
      JOIN pg_type t ON a.atttypid = t.oid JOIN pg_class c ON a.attrelid = c.oid JOIN pg_namespace n ON c.relnamespace = n.oid
      WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v') AND c.relname = 'customers' AND n.nspname NOT IN ('pg_catalog', 'pg_toast') AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY a.attnum`);
  });

  test('of columns made in the transaction that asks, and after a rollback no more', async () => {
    const ask = async (): Promise<readonly unknown[]> => {
      const text = "SELECT data_type FROM information_schema.columns WHERE table_name = 'later'";
      return (await client.query<{ data_type: string }>(text)).rows;
    };
    await client.query('BEGIN');
    await client.query('CREATE TABLE later (email int)');
    expect(await ask()).toEqual([{ data_type: 'integer' }]);
    await client.query('ROLLBACK');
    expect(await ask()).toEqual([]);
  });

  test('prepared once and run while the catalog changes', async () => {
    const other = await connect();
    onTestFinished(() => other.end());
    const named = {
      name: 'types',
      text: "SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = to_regclass('later') AND attnum > 0 AND NOT attisdropped",
    };
    expect((await client.query(named)).rows).toEqual([]);
    await other.query('CREATE TABLE later (email int, b bytea)');
    onTestFinished(async () => void (await db.direct.query('DROP TABLE later')));
    expect((await client.query(named)).rows).toEqual([{ type: 'integer' }, { type: 'bytea' }]);
    await other.query('ALTER TABLE later DROP COLUMN b');
    expect((await client.query(named)).rows).toEqual([{ type: 'integer' }]);
  });

  const TYPES =
    "SELECT attname, format_type(a.atttypid, atttypmod) FROM pg_attribute a WHERE attrelid = 'customers'::regclass AND attnum > 0 ORDER BY attnum";
  const COLUMNS =
    "SELECT column_name, data_type, character_maximum_length FROM information_schema.columns WHERE table_name = 'customers' ORDER BY ordinal_position";

  test.each([TYPES, COLUMNS])('within other statements: %s', async (query) => {
    const scripts: readonly (readonly string[])[] = [
      ['BEGIN', `DECLARE c CURSOR FOR ${query}`, 'FETCH 3 FROM c', 'FETCH ALL FROM c', 'COMMIT'],
      [`DECLARE c CURSOR WITH HOLD FOR ${query}`, 'FETCH ALL FROM c', 'CLOSE c'],
      [`PREPARE p AS ${query}`, 'EXECUTE p', 'EXECUTE p', 'DEALLOCATE p'],
      [
        `CREATE TEMP TABLE made AS ${query}`,
        'SELECT * FROM made',
        "SELECT attname, atttypid::regtype FROM pg_attribute WHERE attrelid = 'made'::regclass AND attnum > 0",
        'DROP TABLE made',
      ],
      [query.replace(' FROM ', ' INTO TEMP made FROM '), 'SELECT * FROM made', 'DROP TABLE made'],
      [
        'CREATE TEMP TABLE made (a text, b text, c text)',
        `INSERT INTO made ${query}`,
        'SELECT * FROM made',
        'DROP TABLE made',
      ],
      [`SET DateStyle = ISO; ${query}`, `BEGIN; SET LOCAL search_path = public; ${query}; COMMIT`],
    ];
    for (const script of scripts)
      for (const text of script) expect(await answer(client, text)).toEqual(await answer(twin, text));
  });

  test('within statements that take parameters', async () => {
    const where = 'WHERE attrelid = $1::regclass AND attnum > 0 ORDER BY attnum';
    const prepare = `PREPARE p (text) AS SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute ${where}`;
    for (const text of [prepare, "EXECUTE p ('customers')", "EXECUTE p ('events')", 'DEALLOCATE p'])
      expect(await answer(client, text)).toEqual(await answer(twin, text));
  });

  test('as COPY sends them, and not in what EXPLAIN tells of the types', async () => {
    for (const text of [`COPY (${TYPES}) TO STDOUT`, `COPY (${COLUMNS}) TO STDOUT (FORMAT csv, HEADER)`])
      expect(await copied(db.url, text)).toBe(await copied(twinUrl, text));
    expect(await copied(db.url, `COPY (${TYPES}) TO STDOUT`)).toContain('character varying(60)');
    for (const text of [`EXPLAIN VERBOSE ${TYPES}`, `EXPLAIN (VERBOSE) ${COLUMNS}`])
      expect(JSON.stringify(await answer(client, text))).not.toContain('sealgate');
  });

  test('by psql’s \\d and its like', async ({ skip }) => {
    const without = missing('psql');
    if (without !== undefined) return skip(without);
    for (const command of [
      '\\d customers',
      '\\d+ customers',
      '\\d mails',
      '\\d+ events',
      '\\d events_1',
      '\\d "The ""Odd"""',
      '\\dt',
      '\\d+ loose',
      '\\d',
      '\\di',
      '\\dv',
      '\\df',
      '\\dT',
      '\\dD',
      '\\dp',
      '\\dP',
      '\\d *_pkey',
      '\\dd',
    ]) {
      const [ours, theirs] = await Promise.all(
        [db.url, twinUrl].map(async (url) => (await start('psql', ['-X', url, '-c', command]).done).stdout),
      );
      expect(ours, command).toBe(theirs);
      expect(ours?.length).toBeGreaterThan(50);
    }
  });
});

describe('shows the server’s own types', () => {
  const TYPE =
    "SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = 'customers'::regclass AND attname = 'email'";
  const typeTo = async (of: pg.Client): Promise<unknown> => (await of.query<{ type: string }>(TYPE)).rows[0]?.type;

  test('to a session that asks for them', async () => {
    const other = await connect();
    onTestFinished(() => other.end());
    expect(await typeTo(other)).toBe('character varying(60)');
    await other.query("SET sealgate.catalog TO 'physical'");
    expect(await typeTo(other)).toBe('sealgate.sealed');
    await other.query('RESET sealgate.catalog');
    expect(await typeTo(other)).toBe('character varying(60)');
    await other.query('BEGIN');
    await other.query("SET LOCAL sealgate.catalog TO 'physical'");
    expect(await typeTo(other)).toBe('sealgate.sealed');
    await other.query('COMMIT');
    expect(await typeTo(other)).toBe('character varying(60)');
    const started = await connect({ options: '-c sealgate.catalog=physical' });
    onTestFinished(() => started.end());
    expect(await typeTo(started)).toBe('sealgate.sealed');
  });

  test('to pg_dump, whose file makes the same tables again', async ({ skip }) => {
    const without = missing('pg_dump');
    if (without !== undefined) return skip(without);
    const program = await connect({ application_name: 'pg_dump' });
    onTestFinished(() => program.end());
    expect(await typeTo(program)).toBe('sealgate.sealed');
  });
});

test('a query of the catalog is analysed, and one of rows is not', () => {
  expect(db.analyzer.mayConcern('SELECT a FROM plain WHERE b = 1')).toBe(false);
  expect(db.analyzer.mayConcern('select * from Pg_Attribute')).toBe(true);
});
