/**
 * CHECKs that rules declare, as queries of the catalog show them: what a plain twin with the same CHECKs shows, asked by psql,
 * information_schema, and as ORMs and drivers ask. The server itself is not told them.
 */
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { missing } from '../../support/programs.ts';
import { start } from '../../support/run.ts';
import { openSearchedDatabase, type SearchedDatabase, type TestRule } from '../../support/postgres/sealed-database.ts';

/** Column, type, and its CHECKs. */
const COLUMNS: readonly (readonly [name: string, type: string, checks: readonly string[]])[] = [
  [
    'state',
    'text',
    [
      "state IN ('open-as-can', 'paid in full', 'it''s gone')",
      "state <> ''",
      "state NOT IN ('gone away', 'away gone')",
      "state IN ('just this one')",
      "state = ANY (ARRAY['open as can', 'b'])",
      "state LIKE 'open-%' OR state NOT LIKE 'paid_' OR state ~ '^open\\d+$' OR state !~ 'x'",
      'length(state) > 3 AND char_length(state) <= 4000 AND 2 < octet_length(state)',
      "NOT (state = 'not this' OR (state = 'nor this' AND state <> 'x'))",
      "state = 'a text'::text OR state = ANY (ARRAY['x'::varchar, 'y'::varchar]::text[])",
    ],
  ],
  [
    'code',
    'varchar(12)',
    [
      "code <> 'unset-code'",
      "code IN ('first code', 'second code')",
      "(code)::text = ANY ((ARRAY['third code'::character varying, 'fourth code'::character varying])::text[])",
      "code ~ '^[a-z]+$' AND length(code) >= 2 AND code LIKE '%a'",
      "code = ANY (ARRAY['fifth code', 'sixth code'])",
    ],
  ],
  [
    'level',
    'smallint',
    ['level > 0 AND level < 4017', 'level IN (1, 2)', 'level <> -4017', "level <> '4018'", 'level < 4.5'],
  ],
  ['count', 'int', ['count BETWEEN -4017 AND 4017', 'count NOT BETWEEN 3 AND 4', 'count IN (1, 2.5)', '0 <= "count"']],
  [
    'visits',
    'bigint',
    ['visits > 5000000017', 'visits IN (1, 2)', 'visits <> ALL (ARRAY[1, 5000000017])', 'value > 0'],
  ],
  [
    'amount',
    'numeric(10,2)',
    [
      'amount >= 0 AND amount < 1000.50',
      "amount <> '3.33'",
      'amount > -10.5',
      'amount IN (1, 2.50)',
      'amount > (0)::numeric',
    ],
  ],
  ['active', 'boolean', ['active = true']],
  ['born', 'date', ["born > '1900-01-01'", "born <> '2000-2-3'::date", "born IN ('2001-02-03', '2002-02-03')"]],
  ['seen', 'timestamptz', ["seen > '2001-02-03 04:05:06+02'"]],
  ['token', 'uuid', ["token <> '12345678-1234-1234-1234-123456789ABC'"]],
  ['raw', 'bytea', ["raw <> '\\x0a0b'", 'octet_length(raw) > 2']],
  ['rank', 'public.positive', ['rank < 1000', 'rank IN (3, 4)']],
  ['user', 'public.short', [`"user" <> 'nobody-at-all'`, `"user" IN ('aa-bb', 'cc-dd')`]],
  ['Mixed Case', 'text', [`"Mixed Case" <> 'something'`]],
];
const nameOf = (column: string, index: number): string => `orders_${column}_${index}`;
const RULES: readonly TestRule[] = [
  ...COLUMNS.map(([column, type, checks]) => ({
    table: 'orders',
    column,
    type,
    checks: checks.map((expression, index) => ({ name: nameOf(column, index), expression })),
  })),
  {
    table: 'events',
    column: 'what',
    type: 'text',
    checks: [{ name: 'events_what_check', expression: "VALUE <> 'nothing'" }],
  },
  {
    table: 'later',
    column: 'what',
    type: 'text',
    checks: [{ name: 'later_what_check', expression: "what <> 'nothing'" }],
  },
];
const TYPES = `CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE DOMAIN short AS varchar(20)`;
const quoted = (name: string): string => `"${name}"`;
const TABLES = `CREATE TABLE orders (id int CHECK (id > 0), ${COLUMNS.map(
  ([name, type, checks]) =>
    `${quoted(name)} ${type}${checks.map((check, index) => ` CONSTRAINT ${quoted(nameOf(name, index))} CHECK (${check.replace('value', name)})`).join('')}`,
).join(', ')}, plain text CHECK (plain <> 'p'), CHECK (true));
  CREATE TABLE events (id int, what text CHECK (what <> 'nothing')) PARTITION BY RANGE (id);
  CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (10);
  CREATE TABLE later (id int, CHECK (what <> 'nothing'), what text, UNIQUE (id));
  CREATE TABLE unruled (a int CHECK (a > 0))`;

let server: TestPostgres;
let db: SearchedDatabase;
let twinUrl: string;
let client: pg.Client;
let twin: pg.Client;

beforeAll(async () => {
  server = await startPostgres();
  db = await openSearchedDatabase(server, 'shop', TYPES, RULES);
  twinUrl = await db.openTwin();
  [client, twin] = [new pg.Client({ connectionString: db.url }), new pg.Client({ connectionString: twinUrl })];
  for (const on of [client, twin]) await on.connect();
  await twin.query(TYPES);
  for (const on of [client, twin]) await on.query("SET TimeZone = 'UTC'");
  for (const on of [client, twin]) for (const sql of TABLES.split(/;\s*/)) await on.query(sql);
  for (const [, , checks] of COLUMNS)
    for (const [, constant = ''] of checks.join().matchAll(/'([^']{6,})'/g)) db.canaries.add(Buffer.from(constant));
});
afterAll(async () => {
  await client.end();
  await twin.end();
  await db.close();
  await server.stop();
});

async function same(sql: string, values: readonly unknown[] = [], binary = false): Promise<string> {
  const ask = async (of: pg.Client): Promise<unknown> => {
    const query = { text: sql, values: [...values], rowMode: 'array', ...(binary && { binary }) } as const;
    const { rows, fields } = await of.query<unknown[]>(query);
    return rows.length === 0 ? [] : [fields.map(({ name }) => name), ...rows];
  };
  const [ours, theirs] = [await ask(client), await ask(twin)];
  expect(ours).toEqual(theirs);
  expect(ours).not.toEqual([]);
  return JSON.stringify(ours);
}

test('pg_get_constraintdef prints what the server would', async () => {
  const shown = await same(
    "SELECT conname, pg_get_constraintdef(oid), pg_get_constraintdef(oid, true) FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace ORDER BY conrelid::regclass::text, conname",
  );
  expect(shown).toContain('open-as-can');
});

test('however it is asked', async () => {
  for (const sql of [
    "SELECT r.conname, pg_catalog.pg_get_constraintdef(r.oid, true) /* why */ FROM pg_catalog.pg_constraint r WHERE r.conrelid = 'events_1'::regclass AND r.contype = 'c' ORDER BY 1",
    "SELECT pg_get_expr(conbin, conrelid), conkey FROM pg_constraint WHERE conrelid = 'orders'::regclass AND contype = 'c' ORDER BY conname",
    "SELECT pg_catalog.pg_get_expr(k.conbin, k.conrelid, true), k.conkey FROM pg_catalog.pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE c.relname IN ('later', 'events') AND k.contype = 'c' ORDER BY k.conname",
    "SELECT pg_catalog.pg_constraint.conname, pg_catalog.pg_get_constraintdef(pg_catalog.pg_constraint.oid, true) FROM pg_catalog.pg_constraint WHERE pg_catalog.pg_constraint.conrelid = 'later'::regclass ORDER BY 1",
    "SELECT pg_get_constraintdef((SELECT oid FROM pg_constraint WHERE conname = 'later_what_check'))",
    "SELECT json_agg(json_build_object('n', conname, 'd', pg_get_constraintdef(oid)) ORDER BY conname), array_agg(pg_get_constraintdef(oid) ORDER BY conname) FROM pg_constraint WHERE conrelid = 'orders'::regclass AND contype = 'c'",
    "SELECT c.conname, array(SELECT attname FROM unnest(c.conkey) WITH ORDINALITY cols(colid, arridx) JOIN pg_attribute AS ca ON cols.colid = ca.attnum WHERE ca.attrelid = c.conrelid ORDER BY cols.arridx), c.contype FROM pg_constraint AS c JOIN pg_class AS cl ON c.conrelid = cl.oid WHERE cl.relname = 'orders' AND pg_catalog.pg_table_is_visible(cl.oid) AND contype = 'c' ORDER BY 1",
    "SELECT constraint_name, check_clause FROM information_schema.check_constraints WHERE constraint_schema = 'public' AND constraint_name NOT LIKE '%not_null' ORDER BY 1, 2",
    "SELECT tc.constraint_name, tc.constraint_type, pg_get_constraintdef(con.oid) AS d FROM information_schema.table_constraints tc JOIN pg_namespace nsp ON nsp.nspname = tc.constraint_schema JOIN pg_constraint con ON con.conname = tc.constraint_name AND con.connamespace = nsp.oid WHERE tc.constraint_type = 'CHECK' AND con.contype = 'c' AND tc.table_name = 'orders' ORDER BY 1",
    "SELECT pg_get_constraintdef(oid), count(*) FROM pg_constraint WHERE contype = 'c' AND conname LIKE 'events%' GROUP BY pg_get_constraintdef(oid) ORDER BY 2",
  ])
    await same(sql);
  await same(
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'c' ORDER BY 1",
    ['orders'],
    true,
  );
  const { rows } = await client.query("SELECT oid FROM pg_constraint WHERE conname = 'later_what_check'");
  const text = { text: 'SELECT pg_get_constraintdef($1) AS d', values: [rows[0].oid] };
  expect((await client.query(text)).rows).toEqual([{ d: "CHECK ((what <> 'nothing'::text))" }]);
});

test('functions in FROM show them, under the names that they have there', async () => {
  const [text, condition] = ['pg_get_constraintdef(c.oid)', 'pg_get_expr(c.conbin, c.conrelid)'];
  for (const [from, shown] of [
    [`, LATERAL ${text} d`, 'd, d.*'],
    [', pg_get_constraintdef(c.oid, true) AS d(x)', 'x, d'],
    [', pg_catalog.pg_get_constraintdef(c.oid) /* why */', 'pg_get_constraintdef, pg_get_constraintdef.*'],
    [`, LATERAL ${condition} d`, 'd, d.*'],
    [`LEFT JOIN LATERAL ${condition} ON ${text} <> pg_get_expr`, 'pg_get_expr.*'],
    [`, ${text} WITH ORDINALITY`, 'pg_get_constraintdef.*'],
    [`, ROWS FROM (${text})`, 'pg_get_constraintdef'],
    [`, ROWS FROM (${text}, ${condition}, generate_series(7, 7)) WITH ORDINALITY`, 'pg_get_constraintdef.*'],
    [
      `, ROWS FROM (pg_options_to_table('{a=1}'), ${condition}, ${text}) d`,
      'd.option_name, pg_get_expr, pg_get_constraintdef',
    ],
    [`, unnest(ARRAY[${text}]) d`, 'd'],
    [`, LATERAL (VALUES (${text}, ${condition})) v`, 'v.*'],
  ])
    await same(
      `SELECT conname, ${shown} FROM pg_constraint c ${from} WHERE contype = 'c' AND connamespace = 'public'::regnamespace ORDER BY conrelid::regclass::text, conname`,
    );
  await same(
    "SELECT conname, d FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid AND pg_get_constraintdef(c.oid) IN (pg_get_constraintdef(c.oid)), pg_get_constraintdef(c.oid) d WHERE relname = 'later' AND contype = 'c'",
  );
});

test('psql’s \\d shows them', async ({ skip }) => {
  const without = missing('psql');
  if (without !== undefined) return skip(without);
  for (const table of ['orders', 'events', 'events_1', 'later', 'unruled']) {
    const [ours, theirs] = await Promise.all(
      [db.url, twinUrl].map(
        async (url) =>
          (await start('psql', ['-X', url, '-c', `\\d ${table}`], { env: { ...process.env, PGTZ: 'UTC' } }).done)
            .stdout,
      ),
    );
    expect(ours, table).toBe(theirs);
  }
});

test('what is violated has the name that is shown', async () => {
  for (const on of [client, twin])
    await expect(on.query("INSERT INTO later (what) VALUES ('nothing')")).rejects.toMatchObject({
      code: '23514',
      constraint: 'later_what_check',
    });
});

test('the server’s own catalog says true, and copies of it are refused', async () => {
  const other = new pg.Client({ connectionString: db.url, options: '-c sealgate.catalog=physical' });
  await other.connect();
  onTestFinished(() => other.end());
  const sql = "SELECT pg_get_constraintdef(oid) AS d FROM pg_constraint WHERE conname = 'later_what_check'";
  expect((await other.query(sql)).rows).toEqual([{ d: 'CHECK (true)' }]);
  await expect(client.query(`CREATE TEMP TABLE kept AS ${sql}`)).rejects.toMatchObject({ code: '0A000' });
  await client.query('CREATE TEMP TABLE kept AS SELECT attname FROM pg_attribute; DROP TABLE kept');
});

test('one that only the rule has is enforced and not shown, and is shown once the server has it by its name', async () => {
  const sql = "SELECT pg_get_constraintdef(oid) AS d FROM pg_constraint WHERE conname = 'later_what_check'";
  const violating = "INSERT INTO later (what) VALUES ('nothing')";
  await db.direct.query('ALTER TABLE later DROP CONSTRAINT later_what_check');
  expect((await client.query(sql)).rows).toEqual([]);
  await expect(client.query(violating)).rejects.toMatchObject({ code: '23514', constraint: 'later_what_check' });
  await db.direct.query('ALTER TABLE later ADD CONSTRAINT later_what_check CHECK (true)');
  await same(sql);
});
