/**
 * Defaults and CHECK constraints that the proxy applies, against the server's own on plain columns: the same rows, and the same errors with
 * the constraint's name.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadGrammar } from '../../../src/postgres/analysis/text/syntax.ts';
import { evaluate } from '../../../src/postgres/checks/condition.ts';
import { CheckNotEvaluated, parseCheck } from '../../../src/postgres/checks/parse-check.ts';
import { checkDatabase } from '../../../src/postgres/columns/resolve.ts';
import { openServiceConnection } from '../../../src/postgres/service/connection.ts';
import { STANDARD_SETTINGS, type ValueContext } from '../../../src/postgres/types/codec.ts';
import { parseLogicalType } from '../../../src/postgres/types/type-text.ts';
import { readValue } from '../../../src/postgres/types/values.ts';
import { since } from '../../support/postgres/versions.ts';
import type { TestRule } from '../../support/postgres/sealed-database.ts';
import { openTwinDatabase, type TwinDatabase } from '../../support/postgres/twin-database.ts';

/** Column, type, default, checks by name. */
const COLUMNS: readonly (readonly [string, string, string | undefined, Readonly<Record<string, string>>])[] = [
  ['state', 'text', 'open', { t_state_check: "state IN ('open', 'paid', 'gone')" }],
  ['amount', 'numeric(10,2)', '1.5', { t_amount_check: 'amount >= 0 AND amount < 1000', t_even: 'amount <> 13' }],
  ['code', 'varchar(8)', undefined, { t_code_check: "code ~ '^[A-Z]{2}\\d+$' AND char_length(code) > 3" }],
  ['born', 'date', '2000-02-29', { t_born_check: "born > '1900-01-01'::date" }],
];
const table = (sealed: boolean): string =>
  `CREATE TABLE t (id int PRIMARY KEY, ${COLUMNS.map(([name, type, value, checks]) =>
    sealed
      ? `${name} sealgate.sealed`
      : `${name} ${type}${value === undefined ? '' : ` DEFAULT '${value}'`}${Object.entries(checks)
          .map(([check, expression]) => ` CONSTRAINT ${check} CHECK (${expression})`)
          .join('')}`,
  ).join(', ')}, plain text DEFAULT 'p');
  CREATE TABLE g (s ${sealed ? 'sealgate.sealed' : "text DEFAULT 'x'"}, n int GENERATED ALWAYS AS (1) STORED, d ${sealed ? 'sealgate.sealed' : "int DEFAULT '7'"}, i int GENERATED ALWAYS AS IDENTITY);
  CREATE TABLE n (c ${sealed ? 'sealgate.sealed' : 'varchar(3)'} NOT NULL)`;
const RULES: readonly TestRule[] = [
  ...COLUMNS.map(([column, type, value, checks]): TestRule => ({
    table: 't',
    column,
    type,
    mode: column === 'state' ? 'deterministic' : 'randomized',
    checks: Object.entries(checks).map(([name, expression]) => ({ name, expression })),
    ...(value !== undefined && { default: value }),
  })),
  { table: 'g', column: 's', type: 'text', default: 'x' },
  { table: 'g', column: 'd', type: 'int', default: '7' },
  { table: 'n', column: 'c', type: 'varchar(3)' },
];

let all: TwinDatabase;
let server: TwinDatabase['server'];
let db: TwinDatabase['db'];
let client: TwinDatabase['client'];
let twin: TwinDatabase['twin'];

beforeAll(async () => {
  all = await openTwinDatabase(table, RULES);
  ({ server, db, client, twin } = all);
});
afterAll(() => all.close());
beforeEach(async () => {
  for (const on of [client, twin]) await on.query('TRUNCATE t; TRUNCATE g RESTART IDENTITY');
});

const connectTo = () => ({
  host: server.host,
  port: server.port,
  user: server.superuser,
  password: server.password,
});
const contextOf = (name: string): ValueContext => ({
  type: parseLogicalType(name),
  purpose: 'store',
  settings: STANDARD_SETTINGS,
  zones: { zone: () => undefined },
});

async function outcome(on: pg.Client, sql: string, values: readonly unknown[] = []): Promise<unknown> {
  try {
    const { rows, command, rowCount } = await on.query<Record<string, unknown>>({ text: sql, values: [...values] });
    return { rows, command, rowCount };
  } catch (error) {
    const { code, message, constraint, table: of, schema } = error as pg.DatabaseError; // pg throws no other
    return { code, message, constraint, of, schema };
  }
}

type Statement = { readonly sql: string; readonly values: readonly unknown[] | undefined };
const statements = (list: readonly (readonly [sql: string, values?: readonly unknown[]])[]): readonly Statement[] =>
  list.map(([sql, values]) => ({ sql, values }));

const contents = async (on: pg.Client): Promise<unknown> => [
  await outcome(on, 'SELECT * FROM t ORDER BY id'),
  await outcome(on, 'SELECT * FROM g ORDER BY i'),
];

async function expectSame(sql: string, values?: readonly unknown[]): Promise<void> {
  expect(await outcome(client, sql, values)).toEqual(await outcome(twin, sql, values));
  expect(await contents(client)).toEqual(await contents(twin));
}

describe('defaults', () => {
  test.each(
    statements([
      ['INSERT INTO t (id) VALUES (1), (2) RETURNING *'],
      ['INSERT INTO t VALUES (1) RETURNING *'],
      ["INSERT INTO t VALUES (1, 'paid'), (2, DEFAULT) RETURNING *"],
      ["INSERT INTO t (id, born, state) VALUES (1, DEFAULT, 'gone'), (2, '2001-01-01', DEFAULT)"],
      ['INSERT INTO t (id, state) VALUES ($1, NULL), ($2, $3)', [1, 2, 'paid']],
      ['INSERT INTO public.t AS x (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET state = DEFAULT', [5]],
      ["INSERT INTO t (id, plain) VALUES (1, (SELECT ('a')::text)), (2, upper('b')) ON CONFLICT DO NOTHING"],
      ['WITH n AS (INSERT INTO t (id) VALUES (7) RETURNING id, state) SELECT * FROM n'],
      ['INSERT INTO t (id) WITH v AS (VALUES (1)) VALUES (3), (4) ORDER BY 1 LIMIT 1'],
      ['INSERT INTO g DEFAULT VALUES RETURNING *'],
      ["INSERT INTO g (s) VALUES ('y') RETURNING *"],
      ["INSERT INTO g VALUES ('y') RETURNING *"],
      ['INSERT INTO g (i) OVERRIDING SYSTEM VALUE VALUES (70)'],
    ]),
  )('$sql', async ({ sql, values }) => {
    await expectSame(sql, values);
    // The same text once more, from the cache; and with other literals.
    await expectSame('TRUNCATE t');
    await expectSame(sql, values);
  });

  test('of an UPDATE', async () => {
    for (const on of [client, twin]) await on.query("INSERT INTO t VALUES (1, 'paid', 5, 'AB12', '2020-01-01')");
    await expectSame('UPDATE t SET state = DEFAULT, (amount, born) = (DEFAULT, DEFAULT), code = DEFAULT RETURNING *');
  });

  test('a query that leaves a column with a default out is refused, and so is the option DEFAULT of COPY', async () => {
    expect(await outcome(client, 'INSERT INTO t (id) SELECT 1')).toMatchObject({ code: '0A000' });
    expect(await outcome(client, "COPY t FROM STDIN (DEFAULT '*')")).toMatchObject({ code: '0A000' });
  });

  test('rows that are left out of a randomized column hold values that look different', async () => {
    await client.query('INSERT INTO g (i) OVERRIDING SYSTEM VALUE VALUES (1), (2)');
    await client.query('INSERT INTO g (i) OVERRIDING SYSTEM VALUE VALUES (3)');
    const { rows } = await db.direct.query('SELECT count(DISTINCT s::bytea) AS n FROM g');
    expect(rows).toEqual([{ n: '3' }]);
  });

  test.each([
    ['text', 'COPY t (id, plain) FROM STDIN', '1\ta\n2\t\\N\n'],
    ['csv', 'COPY t (plain, id) FROM STDIN (FORMAT csv, HEADER)', 'plain,id\n"a,b",1\n,2\n'],
    ...since(15, [
      'csv with a header that must match',
      'COPY t (plain, id) FROM STDIN (FORMAT csv, HEADER MATCH)',
      'plain,id\na,1\n',
    ]),
  ])('of a COPY in %s', async (_name, sql, data) => {
    for (const on of [client, twin]) {
      const stream = on.query(copyFrom(sql));
      stream.end(data);
      await once(stream, 'finish');
    }
    expect(await contents(client)).toEqual(await contents(twin));
  });

  test('of a binary COPY', async () => {
    await twin.query("INSERT INTO t (id, plain, code) VALUES (1, 'a', 'AB12'), (2, NULL, NULL)");
    const out = twin.query(copyTo('COPY t (id, code, plain) TO STDOUT (FORMAT binary)'));
    const chunks: Buffer[] = [];
    for await (const chunk of out) chunks.push(chunk as Buffer);
    const stream = client.query(copyFrom('COPY t (id, code, plain) FROM STDIN (FORMAT binary)'));
    stream.end(Buffer.concat(chunks));
    await once(stream, 'finish');
    expect(await contents(client)).toEqual(await contents(twin));
  });
});

describe('CHECK constraints', () => {
  test.each(
    statements([
      ["INSERT INTO t VALUES (1, 'open', 5, 'AB12', '2020-01-01')"],
      ["INSERT INTO t VALUES (1, 'shut')"],
      ['INSERT INTO t (id, state) VALUES (1, $1)', ['Open']],
      ['INSERT INTO t (id, amount) VALUES (1, -0.001)'],
      ['INSERT INTO t (id, amount) VALUES (1, -0.01)'],
      ['INSERT INTO t (id, amount) VALUES (1, 999.994)'],
      ['INSERT INTO t (id, amount) VALUES (1, 999.995)'],
      ["INSERT INTO t (id, amount) VALUES (1, 'NaN')"],
      ['INSERT INTO t (id, amount) VALUES (1, 13.00)'],
      ['INSERT INTO t (id, amount) VALUES (1, NULL)'],
      ["INSERT INTO t (id, code) VALUES (1, 'AB1')"],
      ["INSERT INTO t (id, code) VALUES (1, 'AB12 ')"],
      ["INSERT INTO t (id, code) VALUES (1, 'ab12')"],
      ["INSERT INTO t (id, born) VALUES (1, '1900-01-01')"],
      ["INSERT INTO t (id, born) VALUES (1, 'infinity')"],
      ["INSERT INTO t (id, born) VALUES (1, '-infinity')"],
    ]),
  )('$sql', ({ sql, values }) => expectSame(sql, values));

  test('of an UPDATE and of a COPY', async () => {
    for (const on of [client, twin]) await on.query('INSERT INTO t VALUES (1)');
    await expectSame('UPDATE t SET amount = 13');
    for (const on of [client, twin]) {
      const stream = on.query(copyFrom('COPY t (id, state) FROM STDIN'));
      stream.end('4\tpaid\n5\tshut\n');
      await expect(once(stream, 'finish')).rejects.toMatchObject({ code: '23514', constraint: 't_state_check' });
    }
    expect(await contents(client)).toEqual(await contents(twin));
  });

  test('comparing with a value that the constraint forbids finds nothing, and is no error', async () => {
    await expectSame("SELECT id FROM t WHERE state = 'shut'");
  });

  test('a value of a column without the constraint is not taken over', async () => {
    expect(await outcome(client, 'UPDATE t SET state = state')).toMatchObject({ command: 'UPDATE' });
    expect(await outcome(client, 'INSERT INTO t (id, state) SELECT 1, s FROM g')).toMatchObject({ code: '0A000' });
  });
});

describe('NOT NULL and lengths', () => {
  test.each(
    statements([
      ['INSERT INTO n VALUES (NULL)'],
      ['INSERT INTO n VALUES ($1)', [null]],
      ['INSERT INTO n DEFAULT VALUES'],
      ["INSERT INTO n VALUES ('abc'), ('abcd')"],
      ["INSERT INTO n VALUES ('abc   ')"],
      ['INSERT INTO n VALUES ($1)', ['abcd']],
      ['INSERT INTO n (c) SELECT * FROM unnest($1::text[])', [['abc  ', 'x']]],
      ['INSERT INTO n (c) SELECT * FROM unnest($1::text[])', [['abcd']]],
      [
        'INSERT INTO t (id, state, amount, born) SELECT * FROM unnest($1::int[], $2::text[], $3::numeric[], $4::date[])',
        [[1], ['shut'], [5], ['2020-01-01']],
      ],
    ]),
  )('$sql', ({ sql, values }) => expectSame(sql, values));
});

describe('expressions', () => {
  const VALUES: Readonly<Record<string, readonly string[]>> = {
    text: [
      '',
      'a',
      'ab',
      'abc',
      'A',
      'a\nb',
      '  ',
      'x-y-z',
      '12345',
      'a%b',
      'a_b',
      'a\\b',
      'foo@bar.org',
      '[x]',
      'aaaaaaaaaa',
    ],
    int4: ['0', '-1', '5', '100', '2147483647'],
    numeric: ['0', '0.10', '-5.5', 'NaN', ...since(14, 'Infinity'), '100'],
    date: ['2000-01-01', '1999-12-31', 'infinity', '0044-03-15 BC'],
    bool: ['t', 'f'],
  };
  const EXPRESSIONS: Readonly<Record<string, readonly string[]>> = {
    text: [
      "VALUE = 'a'",
      "VALUE <> ALL (ARRAY['a'::text, 'ab'])",
      "'ab' = VALUE OR NOT (VALUE IN ('a', '12345'))",
      'length(VALUE) BETWEEN 1 AND 3',
      '3 > octet_length(VALUE)',
      "VALUE LIKE 'a%'",
      "VALUE NOT LIKE '%\\%%'",
      "VALUE LIKE '_' OR VALUE LIKE 'a\\_b'",
      "VALUE ILIKE 'A%'",
      "VALUE ~ '^a.*b$'",
      "VALUE ~ 'b'",
      "VALUE !~ '[^a-z]'",
      "VALUE ~ '^[^@[:space:]]+@[^@\\s]+\\.[a-z]{2,}$'",
      "VALUE ~* '^A'",
      "VALUE ~ '^(a|ab)(c|bcd)*?$'",
      "VALUE ~ '^(\\w+-)*\\w+$'",
      "VALUE ~ '^\\d{5}$|^$'",
      "VALUE ~ '^[]x[]+$'",
      "VALUE ~ '^[a-]+$' AND VALUE ~ '\\[?'",
      "VALUE ~ '^a{2,}$' AND (VALUE)::varchar <> ''",
    ],
    int4: [
      'VALUE > 0',
      'VALUE <= 4.5',
      '(VALUE)::numeric >= (5)::numeric',
      'VALUE NOT BETWEEN -1 AND 5',
      "VALUE <> '100'",
    ],
    numeric: ['VALUE > 0', "VALUE = 'NaN'", 'VALUE < 0.1 OR VALUE >= 1e2', 'VALUE IN (0.1, -5.50)'],
    date: ["VALUE >= '2000-01-01'", "VALUE < '2000-01-01'::date", "VALUE <> 'infinity'"],
    bool: ['VALUE = true', 'VALUE <> false', 'VALUE >= true'],
  };
  test.each(Object.entries(EXPRESSIONS))('over %s say what the server says', async (name, expressions) => {
    for (const [index, expression] of expressions.entries()) {
      const domain = `d_${name}_${index}`;
      await twin.query(`CREATE DOMAIN ${domain} AS ${name} CHECK (${expression})`);
      const { rows: printed } = await twin.query<{ text: string }>(
        `SELECT pg_get_expr(conbin, 0) AS text FROM pg_constraint WHERE contypid = '${domain}'::regtype`,
      );
      await client.query('SELECT 1');
      for (const value of VALUES[name] ?? []) {
        const serverSays = await outcome(twin, `SELECT $1::${domain} IS NULL AS n`, [value]);
        const passes = !('code' in (serverSays as object));
        for (const text of [expression, printed[0]?.text ?? '']) {
          const condition = parseCheck(text, { name: 'c', type: parseLogicalType(name) });
          const canonical = readValue(Buffer.from(value), 'text', contextOf(name));
          expect({ text, value, passes: evaluate(condition, canonical) }).toEqual({ text, value, passes });
        }
      }
    }
  });

  test.each([
    ['text', "lower(VALUE) = 'a'"],
    ['text', "VALUE > 'a'"],
    ['text', 'VALUE IS NOT NULL'],
    ['text', 'other = VALUE'],
    ['text', "VALUE ~ '(a)\\1'"],
    ['text', "VALUE ~ '(?=a)'"],
    ['text', "VALUE ~ '(?i)a'"],
    ['text', "VALUE ~ '***=a'"],
    ['text', "VALUE ~ '\\ma'"],
    ['text', "VALUE LIKE 'a\\'"],
    ['text', "VALUE SIMILAR TO 'a'"],
    ['text', "VALUE = ANY (SELECT 'a')"],
    ['text', "VALUE = 'a') OR (true"],
    ['text', "VALUE = 'a'; DROP TABLE t"],
    ['text', 'VALUE = $1'],
    ['int4', 'VALUE % 2 = 0'],
    ['int4', 'VALUE > now()'],
    ['int4', 'true'],
    ['jsonb', "VALUE = '{}'"],
    ['timestamptz', "VALUE > '2000-01-01 00:00'"],
    ['timestamptz', "VALUE > 'now'"],
  ])('over %s that would be half a constraint are refused: %s', async (name, expression) => {
    await loadGrammar();
    expect(() => parseCheck(expression, { name: 'c', type: parseLogicalType(name) })).toThrow(CheckNotEvaluated);
  });

  test('a pattern cannot stall the proxy, and one of the locale’s is not guessed', async () => {
    await loadGrammar();
    const type = parseLogicalType('text');
    const slow = parseCheck("VALUE ~ '^(a|a|aa)*(a*)*b$'", { name: 'c', type });
    expect(evaluate(slow, Buffer.from('a'.repeat(100_000)))).toBe(false);
    const letters = parseCheck("VALUE ~ '^[[:alpha:]]+$'", { name: 'c', type });
    expect(evaluate(letters, Buffer.from('abc'))).toBe(true);
    expect(() => evaluate(letters, Buffer.from('äbc'))).toThrow(expect.objectContaining({ sqlstate: '0A000' }));
  });
});

test('a prepared statement on checked columns goes on when the catalog has changed elsewhere, and is checked', async () => {
  const insert = (id: number, amount: string): Promise<unknown> =>
    client.query({ name: 'checked', text: 'INSERT INTO t (id, amount) VALUES ($1, $2)', values: [id, amount] });
  await insert(1, '5');
  await db.direct.query('ALTER TABLE t ADD COLUMN later int');
  try {
    await expect.poll(() => outcome(client, 'SELECT later FROM t')).toMatchObject({ rowCount: 1 });
    await insert(2, '6');
    await expect(insert(3, '-1')).rejects.toMatchObject({ code: '23514', constraint: 't_amount_check' });
    expect(await outcome(client, 'SELECT id, amount FROM t ORDER BY id')).toMatchObject({
      rows: [
        { id: 1, amount: '5.00' },
        { id: 2, amount: '6.00' },
      ],
    });
  } finally {
    await db.direct.query('ALTER TABLE t DROP COLUMN later');
  }
});

test.each<readonly [Partial<TestRule>, RegExp]>([
  [{ type: 'int', default: 'x' }, /default/],
  [{ type: 'int', default: '99999999999' }, /default/],
  [{ type: 'timestamptz', default: '2000-01-01 00:00' }, /default/],
  [{ type: 'int', default: '5', checks: [{ name: 'c', expression: 'VALUE > 5' }] }, /constraint c/],
  [{ type: 'int', checks: [{ name: 'c', expression: 'VALUE > other' }] }, /constraint c/],
])('a rule whose declarations cannot be held is said before anything is sealed: %j', async (rule, message) => {
  const connection = openServiceConnection({ ...connectTo(), database: 'sealed' });
  try {
    await db.direct.query('CREATE TABLE IF NOT EXISTS broken (c sealgate.sealed)');
    const full = { database: 'sealed', schema: 'public', table: 'broken', column: 'c', keyId: 'alias/test' } as const;
    const { problems, columns } = await checkDatabase(
      connection,
      [{ ...full, type: 'text', mode: 'randomized', domain: undefined, guard: true, ...rule }],
      randomBytes,
    );
    expect(columns).toEqual([]);
    expect(problems).toEqual([
      expect.objectContaining({ code: 'ERR_POSTGRES_COLUMN_CHECK', message: expect.stringMatching(message) as string }),
    ]);
  } finally {
    await connection.close();
    await db.direct.query('DROP TABLE broken');
  }
});

test.each([
  ['its table is not there', 'CREATE TABLE other ()'],
  ['its column is not there', 'CREATE TABLE awaited ()'],
  ['its column is still plain', 'CREATE TABLE awaited (c int)'],
])('what a rule declares wrongly is said while %s', async (_, ddl) => {
  const connection = openServiceConnection({ ...connectTo(), database: 'sealed' });
  const place = { database: 'sealed', schema: 'public', table: 'awaited', column: 'c', keyId: 'alias/test' } as const;
  const rule = { ...place, mode: 'randomized', domain: undefined, guard: true, default: 'x' } as const;
  try {
    await db.direct.query(ddl);
    const codes = async (type: string): Promise<readonly string[]> =>
      (await checkDatabase(connection, [{ ...rule, type }], randomBytes)).problems.map(({ code }) => code);
    expect(await codes('int')).toContain('ERR_POSTGRES_COLUMN_CHECK');
    expect(await codes('text')).not.toContain('ERR_POSTGRES_COLUMN_CHECK');
    // A migration makes it together with the column.
    expect(await codes('public.not_yet')).toEqual(await codes('text'));
  } finally {
    await connection.close();
    await db.direct.query('DROP TABLE IF EXISTS awaited, other');
  }
});
