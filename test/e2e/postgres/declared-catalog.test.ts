/**
 * Defaults that rules declare, as queries of the catalog show them: what a plain twin with the same defaults shows, asked by psql,
 * information_schema, and as ORMs and drivers ask. The server itself is not told them.
 */
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { missing } from '../../support/programs.ts';
import { start } from '../../support/run.ts';
import type { TestRule } from '../../support/postgres/sealed-database.ts';
import { openTwinDatabase, type TwinDatabase } from '../../support/postgres/twin-database.ts';

/** Column, type, the default as the rule says it, and as DDL writes it. */
const COLUMNS: readonly (readonly [name: string, type: string, rule: string, ddl: string])[] = [
  ['state', 'text', 'it\'s "open" \\ über', "'it''s \"open\" \\ über'"],
  ['code', 'varchar(12)', 'unset-code-1', "'unset-code-1'"],
  ['kind', 'char(14)', 'kind-of-thing', "'kind-of-thing'"],
  ['level', 'smallint', '7', '7'],
  ['visits', 'bigint', '-4', '-4'],
  ['large', 'bigint', '5000000017', '5000000017'],
  ['amount', 'numeric(10,2)', '1.50', '1.50'],
  ['debt', 'numeric', '-271.5', '-271.5'],
  ['ratio', 'double precision', '0.25', '0.25'],
  ['active', 'boolean', 'true', 'true'],
  ['born', 'date', '2000-02-29', "'2000-02-29'"],
  ['seen', 'timestamptz', '2001-02-03 04:05:06+00', "'2001-02-03 04:05:06+00'"],
  ['alarm', 'time', '04:05', "'04:05'"],
  ['due', 'interval', '1 day', "'1 day'"],
  ['token', 'uuid', '12345678-1234-1234-1234-123456789abc', "'12345678-1234-1234-1234-123456789abc'"],
  ['doc', 'jsonb', '{"a": [1, 2]}', `'{"a": [1, 2]}'`],
  ['tags', 'text[]', '{one-tag,"two tags"}', `'{one-tag,"two tags"}'`],
  ['bits', 'bit(3)', '101', "'101'"],
  ['host', 'inet', '192.0.2.77', "'192.0.2.77'"],
  ['feels', 'public.mood', 'good', "'good'"],
  ['rank', 'public.positive', '5', '5'],
];
const RULES: readonly TestRule[] = [
  ...COLUMNS.map(([column, type, value]) => ({ table: 'orders', column, type, default: value })),
  { table: 'orders', column: 'none', type: 'text' },
  { table: 'events', column: 'what', type: 'text', default: 'nothing-happened' },
  { table: 'loose', column: 'raw', type: 'text', guard: false, default: 'raw-default' },
  {
    table: 'cards',
    column: 'pan',
    type: 'varchar(20)',
    mode: 'deterministic',
    guard: false,
    default: '4000001234567899',
    format: { alphabet: 'digits', keepFirst: 0, keepLast: 0, generation: 1 },
  },
];
const ddl = (sealed: boolean): string => {
  const as = (type: string, value: string, stored = 'sealgate.sealed'): string =>
    sealed ? stored : `${type} DEFAULT ${value}`;
  return `CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE DOMAIN positive AS int CHECK (VALUE > 0);
    CREATE TABLE orders (id serial PRIMARY KEY, ${COLUMNS.map(([name, type, , value]) => `${name} ${as(type, value)}`).join(', ')},
      none ${sealed ? 'sealgate.sealed' : 'text'}, plain text DEFAULT 'p', made timestamptz DEFAULT now(), twice int GENERATED ALWAYS AS (2) STORED);
    CREATE INDEX by_token ON orders (token);
    CREATE INDEX by_more ON orders (id, token) INCLUDE (born, tags);
    CREATE TABLE events (id int, what ${as('text', "'nothing-happened'")}) PARTITION BY RANGE (id);
    CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (10);
    CREATE TABLE loose (raw ${as('text', "'raw-default'", 'bytea')}, other bytea);
    CREATE TABLE cards (pan ${as('varchar(20)', "'4000001234567899'", 'varchar(20)')});
    CREATE VIEW opened AS SELECT id, state, plain FROM orders;
    CREATE TABLE unruled (a int DEFAULT 3, b text)`;
};
const IN = "('orders', 'events', 'events_1', 'loose', 'cards', 'opened', 'unruled')";

let all: TwinDatabase;
let db: TwinDatabase['db'];
let client: TwinDatabase['client'];
let twin: TwinDatabase['twin'];
let twinUrl: TwinDatabase['twinUrl'];

beforeAll(async () => {
  all = await openTwinDatabase(ddl, RULES);
  ({ db, client, twin, twinUrl } = all);
  for (const on of [client, twin]) await on.query("SET TimeZone = 'UTC'");
  // What the rules say is sealed by it, and then looked for on the server.
  await client.query(
    'INSERT INTO orders DEFAULT VALUES; INSERT INTO events (id) VALUES (3); INSERT INTO loose DEFAULT VALUES',
  );
});
afterAll(() => all.close());

async function same(sql: string, values: readonly unknown[] = [], binary = false): Promise<string> {
  const ask = async (of: pg.Client): Promise<string> => {
    const { rows, fields } = await of.query<unknown[]>({
      text: sql,
      values: [...values],
      rowMode: 'array',
      ...(binary && { binary }),
    });
    return JSON.stringify([fields.map(({ name }) => name), ...rows]).replaceAll(/"twin"|"sealed"/g, '"db"');
  };
  const [ours, theirs] = [await ask(client), await ask(twin)];
  expect(ours).toBe(theirs);
  expect(ours).toContain('],[');
  return ours;
}

test('information_schema.columns shows them', async () => {
  const shown = await same(
    `SELECT table_name, column_name, column_default, is_generated, generation_expression FROM information_schema.columns WHERE table_schema = 'public' AND table_name IN ${IN} ORDER BY 1, ordinal_position`,
  );
  expect(shown).toContain('::jsonb');
  await same(
    `SELECT * FROM information_schema.columns WHERE table_schema = 'public' AND table_name IN ${IN} ORDER BY table_name, ordinal_position`,
  );
  await same(
    "SELECT column_default, data_type FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1 AND column_default LIKE '%::%' ORDER BY column_name",
    ['orders'],
  );
});

test('pg_attrdef and pg_attribute show them, however they are asked', async () => {
  for (const sql of [
    `SELECT c.relname, a.attname, a.atthasdef, pg_get_expr(d.adbin, d.adrelid) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid LEFT JOIN pg_attrdef d ON (a.attrelid, a.attnum) = (d.adrelid, d.adnum) WHERE c.relnamespace = 'public'::regnamespace AND c.relname IN ${IN} AND a.attnum > 0 ORDER BY 1, a.attnum`,
    "SELECT adnum, pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'orders'::regclass ORDER BY adnum",
    "SELECT attname, attndims FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attnum > 0 AND attname <> 'none' ORDER BY 1",
    "SELECT attname, format_type(atttypid, atttypmod), attlen, attndims FROM pg_attribute WHERE attrelid IN ('by_token'::regclass, 'by_more'::regclass) ORDER BY 1",
    "SELECT pg_catalog.pg_attrdef.adnum, pg_catalog.pg_get_expr(pg_catalog.pg_attrdef.adbin, pg_catalog.pg_attrdef.adrelid) /* why */ AS x FROM pg_catalog.pg_attrdef WHERE pg_catalog.pg_attrdef.adrelid = 'orders'::regclass ORDER BY 1",
    `SELECT "D".adnum, PG_GET_EXPR("D".adbin, "D".adrelid, true) FROM pg_attrdef "D" WHERE "D".adrelid = 'events_1'::regclass`,
    "SELECT count(*) FROM pg_attrdef WHERE adrelid = 'orders'::regclass",
    "SELECT attname FROM pg_attribute WHERE attrelid = 'cards'::regclass AND atthasdef",
    "SELECT json_agg(json_build_object('n', a.attname, 'd', pg_get_expr(d.adbin, d.adrelid)) ORDER BY a.attnum), array_agg(pg_get_expr(d.adbin, d.adrelid) ORDER BY a.attnum) FROM pg_attribute a JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE attrelid = 'orders'::regclass AND a.attname <> 'id'",
    "SELECT coalesce(pg_get_expr(d.adbin, d.adrelid)::varchar, '-'), a.attname, (pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval%') FROM pg_attribute a LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE a.attrelid = 'orders'::regclass AND attnum > 0 GROUP BY 1, 2, 3 ORDER BY 2",
  ])
    await same(sql);
  await same(
    'SELECT adnum, pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = $1::regclass AND adnum <> $2 ORDER BY adnum',
    ['orders', 1],
    true,
  );
});

test('functions in FROM show them, under the names that they have there', async () => {
  const call = 'pg_get_expr(d.adbin, d.adrelid)';
  for (const [from, shown] of [
    [`CROSS JOIN LATERAL ${call} e`, 'e, e.*'],
    [`, ${call} AS e(x)`, 'e.x, e'],
    [', pg_catalog.PG_GET_EXPR(d.adbin, d.adrelid, true) /* why */', 'pg_get_expr, pg_get_expr.*'],
    [`, ${call} WITH ORDINALITY`, 'pg_get_expr.*, pg_get_expr.pg_get_expr'],
    [`, ${call} WITH ORDINALITY AS e(x, n)`, 'x, n'],
    [`JOIN LATERAL ${call} e ON e = ${call}`, 'e'],
    [`, ROWS FROM (${call})`, 'pg_get_expr.*'],
    [`, ROWS FROM (${call}) e`, 'e'],
    [`, ROWS FROM (${call}, generate_series(7, 7)) WITH ORDINALITY`, 'pg_get_expr.*, generate_series, ordinality'],
    [`, ROWS FROM (json_to_record('{"a": 1}') AS (a int, b text), ${call}, /* why */ ${call}) e`, 'e.*'],
    [`, ROWS FROM (generate_series(7, 7), ${call})`, 'generate_series.*'],
    [`, ROWS FROM (${call}, pg_options_to_table('{a=1}'), ${call}) AS e(x)`, 'e.*'],
    [`, concat(${call})`, 'concat'],
    [`, unnest(ARRAY[${call}]) WITH ORDINALITY x`, 'x.*'],
    [`, ROWS FROM (json_to_record(json_build_object('a', ${call})) AS (a text), coalesce(${call}, '-')) e`, 'e.*'],
    [`, CAST(${call} AS text)`, 'pg_get_expr'],
    [`, LATERAL (VALUES (1, ${call})) v`, 'v.*'],
    [`, LATERAL (SELECT ${call}) v`, 'v.*'],
  ])
    await same(
      `SELECT d.adnum, ${shown} FROM pg_attrdef d ${from} WHERE d.adrelid = 'orders'::regclass ORDER BY adnum`,
    );
  await expect(client.query(`SELECT FROM pg_attrdef d, ${call} AS e(x text)`)).rejects.toThrow(
    'a column definition list is only allowed for functions returning "record"',
  );
});

test('as Prisma, Django, pgjdbc and Hibernate ask', async () => {
  await same(
    `SELECT oid.namespace, info.table_name, info.column_name, format_type(att.atttypid, att.atttypmod), info.data_type, info.udt_name,
      pg_get_expr(attdef.adbin, attdef.adrelid) AS column_default, info.is_nullable, info.is_identity
    FROM information_schema.columns info JOIN pg_attribute att ON att.attname = info.column_name
    JOIN (SELECT pg_class.oid, relname, pg_namespace.nspname AS namespace FROM pg_class JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace
      AND pg_namespace.nspname = ANY ($1) WHERE reltype > 0) AS oid ON oid.oid = att.attrelid AND relname = info.table_name AND namespace = info.table_schema
    LEFT JOIN pg_attrdef attdef ON attdef.adrelid = att.attrelid AND attdef.adnum = att.attnum AND table_schema = namespace
    WHERE table_schema = ANY ($1) ORDER BY namespace, table_name, ordinal_position`,
    [['public']],
  );
  await same(`SELECT a.attname AS column_name, NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)) AS is_nullable, pg_get_expr(ad.adbin, ad.adrelid) AS column_default,
      CASE WHEN collname = 'default' THEN NULL ELSE collname END AS collation, a.attidentity != '' AS is_autofield
    FROM pg_attribute a LEFT JOIN pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum LEFT JOIN pg_collation co ON a.attcollation = co.oid
    JOIN pg_type t ON a.atttypid = t.oid JOIN pg_class c ON a.attrelid = c.oid JOIN pg_namespace n ON c.relnamespace = n.oid
    WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v') AND c.relname = 'orders' AND n.nspname NOT IN ('pg_catalog', 'pg_toast') AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY a.attnum`);
  await same(`SELECT * FROM (SELECT n.nspname, c.relname, a.attname, a.atttypid::regtype, a.atttypmod, row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum) AS attnum,
      pg_catalog.pg_get_expr(def.adbin, def.adrelid) AS adsrc, nullif(a.attgenerated, '') AS attgenerated
    FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON (c.relnamespace = n.oid) JOIN pg_catalog.pg_attribute a ON (a.attrelid = c.oid)
    JOIN pg_catalog.pg_type t ON (a.atttypid = t.oid) LEFT JOIN pg_catalog.pg_attrdef def ON (a.attrelid = def.adrelid AND a.attnum = def.adnum)
    WHERE c.relkind in ('r','p','v','f','m') and a.attnum > 0 AND NOT a.attisdropped AND n.nspname = 'public' AND c.relname LIKE 'orders') c WHERE true ORDER BY nspname, c.relname, attnum`);
});

test('psql’s \\d and \\d+ show them', async ({ skip }) => {
  const without = missing('psql');
  if (without !== undefined) return skip(without);
  for (const table of ['orders', 'events', 'events_1', 'loose', 'cards', 'opened', 'unruled'])
    for (const command of [`\\d ${table}`, `\\d+ ${table}`]) {
      const [ours, theirs] = await Promise.all(
        [db.url, twinUrl].map(
          async (url) =>
            (await start('psql', ['-X', url, '-c', command], { env: { ...process.env, PGTZ: 'UTC' } }).done).stdout,
        ),
      );
      expect(ours, command).toBe(theirs);
    }
});

test('a session that sees the server’s own catalog sees none', async () => {
  const other = new pg.Client({ connectionString: db.url, options: '-c sealgate.catalog=physical' });
  await other.connect();
  onTestFinished(() => other.end());
  const sql = "SELECT count(*)::int AS n FROM pg_attrdef WHERE adrelid = 'orders'::regclass";
  expect((await other.query(sql)).rows).toEqual([{ n: 4 }]);
});

test('a cursor and a prepared statement show them too; where the server would keep the rows it is refused', async () => {
  const query =
    "SELECT column_name, column_default FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'orders' ORDER BY ordinal_position";
  for (const script of [
    ['BEGIN', `DECLARE c CURSOR FOR ${query}`, 'FETCH ALL FROM c', 'COMMIT'],
    [`PREPARE p AS ${query}`, 'EXECUTE p', 'DEALLOCATE p'],
  ])
    for (const text of script) expect((await client.query(text)).rows).toEqual((await twin.query(text)).rows);
  for (const text of [
    `CREATE TEMP TABLE kept AS ${query}`,
    `COPY (${query}) TO STDOUT`,
    query.replace(' FROM ', ' INTO TEMP kept FROM '),
    `PREPARE p AS INSERT INTO unruled (b) SELECT column_default FROM information_schema.columns`,
  ])
    await expect(client.query(text), text).rejects.toMatchObject({ code: '0A000' });
});
