/**
 * What comes out of expressions over sealed columns, against the same statements on plain columns: names, types, modifiers and values.
 * Where that cannot be the same, the statement is refused, and nothing has changed.
 */
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openTwinDatabase, type TwinDatabase } from '../../support/postgres/twin-database.ts';

/** Column, type, mode or domain. */
const COLUMNS = {
  customers: [
    ['email', 'text', 'mail'],
    ['ssn', 'varchar(20)', 'deterministic'],
    ['note', 'text', 'randomized'],
    ['memo', 'text', 'randomized'],
    ['score', 'int4', 'deterministic'],
    ['small', 'int2', 'amounts'],
    ['big', 'int8', 'amounts'],
    ['amount', 'numeric(10,2)', 'amounts'],
    ['free', 'numeric', 'randomized'],
    ['raw', 'bytea', 'deterministic'],
  ],
  people: [
    ['email', 'varchar(40)', 'mail'],
    ['amount', 'numeric(12,4)', 'amounts'],
  ],
} as const;
type Table = keyof typeof COLUMNS;
const TABLES: readonly Table[] = ['customers', 'people'];

const RULES = TABLES.flatMap((table) =>
  COLUMNS[table].map(([column, type, how]) => {
    if (how === 'randomized') return { table, column, type, mode: how };
    return { table, column, type, mode: 'deterministic' as const, domain: how === 'deterministic' ? undefined : how };
  }),
);

const ddl = (sealed: boolean): string =>
  TABLES.map((table) => {
    const columns = COLUMNS[table].map(([name, type]) => `${name} ${sealed ? 'sealgate.sealed' : type}`);
    return `CREATE TABLE ${table} (id int PRIMARY KEY, name text, ${columns.join(', ')});`;
  }).join('\n') + 'CREATE TABLE plain (id int, note text, raw bytea);';

const FILL = [
  `INSERT INTO customers VALUES
     (1, 'Ann', 'ann@x.org', '111', 'n1', 'm1', 5, 5, 100, '1.50', '1.0', '\\x00ff'),
     (2, 'Bob', 'bob@x.org', '222', 'n2', 'm2', -5, 100, 5, '5', '1.00', '\\x'),
     (3, 'Cid', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`,
  "INSERT INTO people VALUES (1, 'A', 'ann@x.org', 1.5), (2, 'Z', 'zoe@x.org', 5.25)",
  "INSERT INTO plain VALUES (1, 'a', '\\x00ff')",
];

let all: TwinDatabase;
let client: TwinDatabase['client'];
let twin: TwinDatabase['twin'];

beforeAll(async () => {
  all = await openTwinDatabase(ddl, RULES);
  ({ client, twin } = all);
});
afterAll(() => all.close());
beforeEach(async () => {
  for (const on of [client, twin]) {
    await on.query('TRUNCATE customers, people, plain');
    for (const sql of FILL) await on.query(sql);
  }
});

type Result = { readonly fields: readonly string[]; readonly rows: readonly string[] };

/** Values as the server's text. */
const AS_TEXT = { getTypeParser: () => (text: unknown) => text } as unknown as pg.CustomTypesConfig; // its overloads

async function ask(on: pg.Client, sql: string, values: readonly unknown[] = []): Promise<Result> {
  const { rows, fields } = await on.query<unknown[]>({
    text: sql,
    values: [...values],
    rowMode: 'array',
    types: AS_TEXT,
  });
  return {
    fields: fields.map(({ name, dataTypeID, dataTypeModifier }) => `${name} ${dataTypeID} ${dataTypeModifier}`),
    rows: rows.map((row) => JSON.stringify(row)).sort(),
  };
}

async function everything(on: pg.Client): Promise<readonly Result[]> {
  return Promise.all([...TABLES, 'plain'].map((table) => ask(on, `SELECT * FROM ${table}`)));
}

const SAME: readonly (readonly [sql: string, values?: readonly unknown[]])[] = [
  // Constants whose place in the text is not one token.
  ['SELECT id FROM customers WHERE score = -(5)'],
  ['SELECT id FROM customers WHERE score = - -5'],
  // Types and modifiers of what expressions give.
  ['SELECT coalesce(ssn, ssn), coalesce(amount, amount) FROM customers'],
  ["SELECT coalesce(ssn, 'x'), coalesce(ssn, 'x'::text), coalesce(note, $1) FROM customers", ['y']],
  [
    "SELECT CASE WHEN id = 1 THEN ssn END, CASE WHEN id = 1 THEN ssn ELSE ssn END, CASE WHEN id = 1 THEN email ELSE 'x'::varchar END FROM customers",
  ],
  ["SELECT nullif(ssn, '111'), nullif(amount, 5), nullif(email, $1) FROM customers", ['bob@x.org']],
  ['SELECT (SELECT ssn FROM customers WHERE id = 1), (SELECT amount FROM customers WHERE id = 2)'],
  ['SELECT ssn, amount FROM customers UNION ALL SELECT ssn, amount FROM customers'],
  ["SELECT ssn FROM customers UNION ALL SELECT 'x'"],
  ["SELECT 'x' AS mail UNION SELECT email FROM customers"],
  ["SELECT email FROM customers EXCEPT SELECT 'ann@x.org'"],
  ["SELECT coalesce(amount, 7.00), coalesce(amount, $1), coalesce(amount, '7.10') FROM customers", ['3.25']],
  ['SELECT coalesce(free, 1.000), coalesce(free, $1) FROM customers', ['2.0']],
  ['SELECT coalesce(small, 7::int2), coalesce(score, 7), coalesce(big, 7) FROM customers'],
  ['SELECT score FROM customers UNION ALL VALUES (7)'],
  ['SELECT id FROM customers WHERE coalesce(score, 7) = 7'],
  // Numbers compare by value, whatever their form; across the types of a domain too.
  ["SELECT id FROM customers WHERE amount = 1.5 OR amount = '5.000' OR score = -5.0"],
  ['SELECT id FROM customers WHERE amount = 1.505 OR score = 5.5 OR small = 99999'],
  ['SELECT c.id, p.id FROM customers c JOIN people p ON p.amount = c.amount'],
  ['SELECT a.id, b.id FROM customers a JOIN customers b ON a.big = b.small'],
  // NULL.
  ['SELECT id FROM customers WHERE note IS NOT DISTINCT FROM NULL::text OR email IS DISTINCT FROM NULL'],
  ["SELECT id FROM customers WHERE email NOT IN ('ann@x.org', NULL)"],
  ['SELECT id FROM customers WHERE email = ANY($1)', [['ann@x.org', null]]],
  ['SELECT id FROM customers WHERE email <> ALL($1)', [['ann@x.org', null]]],
  // Names.
  [
    'SELECT public.customers.email, "public"."customers".ssn FROM public.customers WHERE public.customers.email = $1',
    ['ann@x.org'],
  ],
  [
    'SELECT public.customers.*, public.people.email FROM public.customers JOIN public.people ON public.people.email = public.customers.email',
  ],
  ["UPDATE public.customers SET note = 'z' WHERE public.customers.id = 1 RETURNING public.customers.note"],
  // Rows of other shapes into sealed columns.
  ["INSERT INTO customers (id, ssn, amount, score) SELECT 9, 'a', 1.005, 7.5 UNION ALL SELECT 8, 'b', 2, 8"],
  ['INSERT INTO customers (id, ssn) VALUES (9, (SELECT ssn FROM customers WHERE id = 1))'],
  ["UPDATE customers SET (note, name) = (SELECT 'a', 'b' UNION ALL SELECT 'c', 'd' LIMIT 1) WHERE id = 1"],
  [
    'UPDATE customers SET (name, note) = (SELECT * FROM (SELECT c.name, c.note FROM customers c WHERE c.id = 2) x) WHERE id = 1',
  ],
  ['UPDATE customers SET amount = coalesce(amount, 3.333), score = coalesce(score, 7.5)'],
  // Rows that are told apart, of values that storing them does not change.
  ['INSERT INTO customers (id, amount) SELECT 9, 1.50 UNION SELECT 9, 1.5 UNION SELECT 8, 1.6'],
  ['INSERT INTO customers (id, amount) SELECT 9, $1::numeric EXCEPT SELECT 9, amount FROM customers', ['5.000']],
  ['INSERT INTO customers (id, amount) (SELECT 8, 5 UNION SELECT 8, 5.0) UNION ALL SELECT 9, 1.255'],
  ['SELECT count(DISTINCT (ssn, score)), count(DISTINCT ROW(amount)), count(DISTINCT (email, id)) FROM customers'],
  ['SELECT count(DISTINCT (c.ssn, (p.email, p.id))) FROM customers c LEFT JOIN people p ON p.email = c.email'],
  // unnest() as a result column.
  [
    'INSERT INTO customers (id, ssn, note, score, amount, raw) SELECT unnest($1::int[]), unnest($2::text[]), unnest($3::text[]), unnest($4::int8[]), unnest($5::numeric[]), unnest($6::bytea[]) RETURNING *',
    [
      [8, 9],
      ['a', 'b'],
      ['n', null],
      [1, 2],
      ['1.255', '2'],
      ['\\x01', '\\x'],
    ],
  ],
  ['INSERT INTO customers (id, ssn) SELECT unnest($1::int[]), unnest($2::text[])', [[7, 8, 9], ['a']]],
  ["INSERT INTO customers (id, note) SELECT 9, unnest(ARRAY['a', 'b']) LIMIT 1"],
  [
    'WITH x AS (SELECT unnest($1::int[]) AS id, unnest($2::text[]) AS s) UPDATE customers c SET note = x.s FROM x WHERE x.id = c.id RETURNING c.*',
    [
      [1, 2],
      ['new', null],
    ],
  ],
  ['SELECT id FROM customers WHERE ssn IN (SELECT unnest($1::text[]))', [['111', 'x']]],
  ['SELECT id FROM customers WHERE ssn NOT IN (SELECT unnest($1::text[]))', [['111', null]]],
  ['SELECT id FROM customers WHERE (ssn, score) IN (SELECT unnest($1::text[]), unnest($2::int[]))', [['111'], [5]]],
  ['SELECT id FROM customers WHERE amount IN (SELECT unnest($1::numeric[]))', [['1.500', '5.001']]],
  ["SELECT id FROM customers WHERE email IN (SELECT unnest('{ann@x.org}'::text[]))"],
  ['SELECT unnest($1::text[]) UNION ALL SELECT ssn FROM customers', [['a', null]]],
  ['SELECT unnest($1::text[]), ssn FROM customers', [['a', 'b']]],
  // Constants with their type in front.
  ["INSERT INTO customers (id, amount) SELECT 9, numeric '1.5' UNION SELECT 9, numeric '1.50'"],
  ["SELECT id FROM customers WHERE (raw, ssn) = (bytea '\\x00ff', varchar '111')"],
];

describe('gives what plain columns give', () => {
  test.each(SAME.map(([sql, values]) => ({ sql, values })))('$sql', async ({ sql, values }) => {
    expect(await ask(client, sql, values)).toEqual(await ask(twin, sql, values));
    expect(await everything(client)).toEqual(await everything(twin));
  });
});

const REFUSED: readonly (readonly [sql: string, code: string, values?: readonly unknown[]])[] = [
  // A sealed value must not land in another column, nor a plain one in a sealed column.
  [
    'UPDATE customers SET (memo, name) = (SELECT x.* FROM (SELECT note, name FROM customers WHERE id = 2) x) WHERE id = 1',
    'ERR_POSTGRES_SEALED_USE',
  ],
  [
    'UPDATE customers SET (raw, name) = (SELECT x.* FROM (SELECT raw, note FROM plain) x) WHERE id = 1',
    'ERR_POSTGRES_SEALED_USE',
  ],
  // The result would be of another type, or print with other decimals, than the column's.
  ['SELECT coalesce(score, 7.5) FROM customers', 'ERR_POSTGRES_DISAGREEMENT'],
  ['SELECT coalesce(score, 99999999999) FROM customers', 'ERR_POSTGRES_DISAGREEMENT'],
  ['SELECT coalesce(small, 7) FROM customers', 'ERR_POSTGRES_DISAGREEMENT'],
  ['SELECT score FROM customers UNION ALL SELECT 7.5', 'ERR_POSTGRES_DISAGREEMENT'],
  ['SELECT coalesce(amount, 7.125) FROM customers', 'ERR_POSTGRES_VALUE_UNSUPPORTED'],
  ['SELECT CASE WHEN id = 1 THEN amount ELSE $1 END FROM customers', 'ERR_POSTGRES_VALUE_UNSUPPORTED', ['7.5']],
  ['SELECT amount FROM customers UNION ALL SELECT amount FROM people', 'ERR_POSTGRES_SEALED_USE'],
  ['SELECT amount FROM customers JOIN people USING (amount)', 'ERR_POSTGRES_SEALED_USE'],
  ["SELECT nullif('ann@x.org', email) FROM customers", 'ERR_POSTGRES_SEALED_USE'],
  // The client would see another column name.
  ["SELECT 'x' UNION SELECT email FROM customers", 'ERR_POSTGRES_SEALED_USE'],
  // Storing would make one of what a set operation tells apart.
  ['INSERT INTO customers (id, amount) SELECT 9, 1.251 UNION SELECT 9, 1.252', 'ERR_POSTGRES_VALUE_UNSUPPORTED'],
  [
    'INSERT INTO customers (id, amount) SELECT 9, $1::numeric EXCEPT SELECT 9, amount FROM customers',
    'ERR_POSTGRES_VALUE_UNSUPPORTED',
    ['5.001'],
  ],
  [
    'INSERT INTO customers (id, amount) SELECT 9, u FROM unnest($1::numeric[]) u UNION SELECT 9, 1.25',
    'ERR_POSTGRES_VALUE_UNSUPPORTED',
    [['1.251', '1.252']],
  ],
  [
    'INSERT INTO customers (id, amount) SELECT 9, unnest($1::numeric[]) UNION SELECT 9, 1.25',
    'ERR_POSTGRES_VALUE_UNSUPPORTED',
    [['1.251', '1.252']],
  ],
  ["INSERT INTO customers (id, note) SELECT 9, unnest(ARRAY['a', 'a']) UNION SELECT 9, 'a'", 'ERR_POSTGRES_SEALED_USE'],
  ['SELECT count(DISTINCT (ssn, note)) FROM customers', 'ERR_POSTGRES_SEALED_USE'],
  ['SELECT DISTINCT json_build_array(ssn) FROM customers', 'ERR_POSTGRES_SEALED_USE'],
  // Inside, r.x would have been taken for plain.
  [
    "WITH RECURSIVE r(x, n) AS (SELECT 'x' AS x, 1 UNION ALL SELECT email, n + length(r.x) FROM customers, r WHERE n < 3) SELECT n FROM r",
    'ERR_POSTGRES_SEALED_STATEMENT',
  ],
];

describe('more parameters than the service connection can be told of', () => {
  const many = Array.from({ length: 33_000 }, (_, index) => index);

  test.each([
    ['constants', `SELECT id FROM customers WHERE email IN (${many.map((n) => `'v${n}'`).join(',')})`, []],
    [
      'parameters',
      `SELECT id FROM customers WHERE email IN (${many.map((n) => `$${n + 1}`).join(',')})`,
      many.map(String),
    ],
  ])('%s: refused, and the proxy goes on', async (_what, sql, values) => {
    await expect(client.query(sql, values)).rejects.toMatchObject({ code: '54000', severity: 'ERROR' });
    expect(await everything(client)).toEqual(await everything(twin));
  });
});

describe('is refused, and changes nothing', () => {
  test.each(REFUSED.map(([sql, code, values]) => ({ sql, code, values })))('$sql', async ({ sql, code, values }) => {
    await expect(ask(client, sql, values)).rejects.toMatchObject({ routine: code, severity: 'ERROR' });
    expect(await everything(client)).toEqual(await everything(twin));
  });
});
