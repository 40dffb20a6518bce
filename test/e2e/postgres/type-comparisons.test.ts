/** What a value is compared as: between types that the server compares by rules of their own, as it does on a plain table, or not at all. */
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestRule } from '../../support/postgres/sealed-database.ts';
import { openTwinDatabase, type TwinDatabase } from '../../support/postgres/twin-database.ts';

const TYPES = `CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN posint AS int CHECK (VALUE > 0);`;
const COLUMNS: readonly (readonly [name: string, type: string, domain?: string])[] = [
  ['c_char', 'char(5)', 'words'],
  ['c_varchar', 'varchar(10)', 'words'],
  ['c_text', 'text', 'words'],
  ['c_cidr', 'cidr'],
  ['c_numeric', 'numeric(10,2)'],
  ['c_stamp', 'timestamptz'],
  ['c_domain', 'public.posint'],
  ['c_enum', 'public.mood'],
];
const tableDdl = (sealed: boolean): string =>
  `${TYPES} CREATE TABLE t (id int PRIMARY KEY, ${COLUMNS.map(([name, type]) => `${name} ${sealed ? 'sealgate.sealed' : type}`).join(', ')})`;
const RULES = COLUMNS.map(([column, type, domain]): TestRule => ({
  table: 't',
  column,
  type,
  mode: 'deterministic',
  ...(domain !== undefined && { domain }),
  ...(column === 'c_enum' && { force: true as const }),
}));
const ROWS = `INSERT INTO t (id, c_char, c_varchar, c_text, c_cidr, c_numeric, c_stamp, c_domain, c_enum) VALUES
  (1, 'abc', 'abc', 'abc', '10.0.0.0/8', 1.10, '2024-01-01 00:00+00', 1, 'sad'), (2, 'x', 'abc  ', 'x ', '10.1.2.3/32', 2, '2024-01-02 00:00+00', 2, 'glad')`;

let all: TwinDatabase;
let client: TwinDatabase['client'];
let twin: TwinDatabase['twin'];

beforeAll(async () => {
  all = await openTwinDatabase(tableDdl, RULES);
  ({ client, twin } = all);
  for (const on of [client, twin]) await on.query(ROWS);
});
afterAll(() => all.close());

async function ask(on: pg.Client, text: string, values: readonly unknown[]): Promise<unknown> {
  try {
    return (await on.query({ text, values: [...values], rowMode: 'array' })).rows;
  } catch (error) {
    return { code: (error as pg.DatabaseError).code }; // pg throws no other
  }
}

type Case = readonly [text: string, values: readonly unknown[]];
const just = (text: string): Case => [text, []];
const where = (condition: string, ...values: readonly unknown[]): Case => [
  `SELECT id FROM t WHERE ${condition} ORDER BY id`,
  values,
];
const REFUSED = { code: '0A000' };

test.each<Case>([
  where("c_char = 'abc  '"),
  where("c_char = 'abc  '::varchar"),
  where('c_char = $1::varchar', 'abc  '),
  where('c_char <> $1::varchar', 'abc  '),
  where("c_char = 'abc  '::text"),
  where("c_char IN ('abc '::varchar, 'x '::varchar)"),
  where("c_char IN ('abc ', 'x '::bpchar)"),
  where('c_char = ANY ($1)', '{"abc  "}'),
  where('c_char = ANY ($1::varchar[])', '{"abc  "}'),
  where('c_char = ANY ($1::text[])', '{"abc  "}'),
  where("c_char = ANY (ARRAY['abc '::varchar, 'x'::varchar])"),
  where("c_char = ANY (ARRAY['abc ', 'x']::bpchar[])"),
  where('c_char IN (SELECT unnest FROM unnest($1::varchar[]))', '{"abc  ",x}'),
  where('c_char IN (SELECT unnest FROM unnest($1::text[]))', '{"abc  ",x}'),
  where("c_text = 'abc  '::bpchar"),
  just('SELECT a.id, b.id FROM t a JOIN t b ON a.c_char = b.c_text ORDER BY 1, 2'),
  where("c_cidr = '10.0.0.0/8' OR c_cidr IS NOT DISTINCT FROM '::/0'"),
  where("c_cidr = '10'"),
  where('c_cidr = $1', '10'),
  where("c_cidr = ANY ('{10,10.0.0.0/8}')"),
  where("c_cidr = '10'::cidr OR c_cidr = CAST('10' AS cidr)"),
  where("c_cidr = '10.1.2.3/8'::inet OR c_cidr = '10.1.2.3/8'::cidr"),
  where('c_cidr = $1::cidr', '10'),
  where('c_cidr = $1::inet', '10.1.2.3/8'),
  where('c_cidr = $1', '10.1.2.3/8'),
  where("c_cidr IN ('10'::cidr, '10.0.0.0/8')"),
  where("c_cidr = ANY ('{10,10.0.0.0/8}'::cidr[])"),
  where("c_cidr = ANY ('{10.1.2.3/8,10.0.0.0/8}'::inet[])"),
  where('c_numeric = 1.101::numeric(10,2)'),
  where('c_numeric = 1.104::numeric(12,2) OR c_numeric = 2.4::numeric(5)'),
  where('c_numeric = 1.104::numeric(12,3)'),
  where('c_numeric = $1::numeric(12,2)', '1.104'),
  where('c_numeric = 123456::numeric(5,2)'),
  where('c_domain = 2.4::numeric(2)'),
  where("c_varchar = 'abcdef'::varchar(3)"),
  where("c_text = 'x yz'::character varying(2)"),
  where('c_text IN ($1::varchar(2), $2::text)', 'x yz', 'abc'),
  where("c_varchar::varchar(10) = 'abc'"),
  where("c_stamp = '2024-01-01 00:00:00.4+00'::timestamptz(0)"),
  where("c_stamp = timestamp(0) with time zone '2024-01-01 00:00:00.4+00'"),
  where('c_stamp = $1::timestamp(0) with time zone', '2024-01-01 23:59:59.6+00'),
  where("c_stamp = '2024-01-01 00:00:00.4+00'::timestamptz(1)"),
  where('c_domain = +2 OR c_domain = - -1'),
  where('c_domain IN (-(-2), +(1))'),
  where('c_domain = CAST(+2 AS bigint) AND c_numeric = +2.0'),
  where('c_domain = 0::posint'),
  where('c_domain = $1::posint', 0),
  where('c_domain = $1::posint', 2),
  where('c_domain = 0'),
])('%s %j is as on a plain table', async (text, values) => {
  expect(await ask(client, text, values)).toEqual(await ask(twin, text, values));
});

test.each<Case>([
  // Among varchars, blanks at the end are part of what is stored.
  where("c_varchar = 'abc'::bpchar"),
  where('c_varchar = $1::bpchar', 'abc'),
  where('c_varchar IN (SELECT c_char FROM t)'),
  where('c_char IN (SELECT c_varchar FROM t)'),
  just('SELECT a.id FROM t a JOIN t b ON a.c_char = b.c_varchar'),
  // An inet beside =, a cidr in a list of several: these two read it otherwise, or one of them not at all.
  where("c_cidr = '10.1.2.3/8'"),
  where("c_cidr = ANY ('{10.1.2.3/8,10.0.0.0/8}')"),
  where("c_cidr IN ('10.1.2.3/8', '10.0.0.0/8')"),
  // Text, where the server settles it; beside several others it becomes a char.
  where("c_char = ANY (ARRAY['abc '])"),
  where("c_char = ANY (ARRAY['abc ']::text[])"),
  where("c_char IN (VALUES ('abc '), ('x'))"),
  where("c_char IN (SELECT 'abc ')"),
  where("c_char = coalesce('abc ', 'x')"),
  where("c_char = CASE WHEN id > 0 THEN 'abc ' ELSE 'x' END"),
  where("c_char IN ('abc '::text, 'x '::text)"),
  just("SELECT t.id FROM t JOIN (VALUES ('abc  ')) v(x) ON t.c_char = v.x"),
  just("SELECT t.id FROM t JOIN unnest(ARRAY['abc  ', 'x']) v(x) ON t.c_char = v.x"),
  // A timestamp to the server, which reads no zone.
  where("c_stamp = ANY (ARRAY['2024-01-02'::timestamp, '2024-01-01 05:00+05'])"),
  // A char, whose blanks do not count, and a timestamp, which has no zone.
  where("c_char = 'abc'::varchar(3)"),
  where("c_stamp = '2024-01-01'::timestamp(0)"),
  // Another modifier would cut what is stored; the decimals of a number would not come out.
  where("c_varchar::varchar(9) = 'abc'"),
  just('SELECT coalesce(c_numeric, 1.5::numeric(12,1)) FROM t'),
  // Rounded by the cast, and no longer by the column.
  where('coalesce(c_numeric, 1.00) = 1.101::numeric(10,2)'),
  just('SELECT coalesce(c_domain, 0::posint) FROM t'),
])('%s %j is refused', async (text, values) => {
  expect(await ask(client, text, values)).toEqual(REFUSED);
});

test('a label that sealed values hold is not renamed', async () => {
  expect(await ask(client, "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'", [])).toEqual(REFUSED);
  expect(await ask(client, "ALTER TYPE public.mood ADD VALUE 'blue'", [])).toEqual([]);
  expect(await ask(client, 'SELECT c_enum FROM t ORDER BY id', [])).toEqual([['sad'], ['glad']]);
});
