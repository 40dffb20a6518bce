/** Rows that travel inside a statement, as ORMs write many at once: VALUES and unnest() in FROM, and casts around what is stored. */
import { describe, expect, test } from 'vitest';
import { refusal, sealedPlan, shown } from '../../../../test/support/postgres/analysis.ts';

describe('VALUES in FROM', () => {
  test.each([
    [
      "insert into customers (id, ssn, score) select p0::integer, p1::varchar, p2::integer from (values ($1, $2::varchar, 5, 0), (2, 'b', NULL, 1)) as sent(p0, p1, p2, n) order by n returning id",
      `insert into "public"."customers" (id, ssn, score) select p0::integer, p1::bytea, p2::bytea from (values ($1, $2::bytea, {customers.score:5}, 0), (2, {customers.ssn:b}, NULL::pg_catalog.bytea, 1)) as sent(p0, p1, p2, n) order by n returning id | $2=customers.ssn`,
    ],
    [
      "insert into customers (id, email) select v.id, v.email from (values (1, 'a@x.org')) v(id, email)",
      `insert into "public"."customers" (id, email) select v.id, v.email from (values (1, {customers.email:a@x.org})) v(id, email)`,
    ],
    [
      "insert into customers (id, ssn) select * from (values (1, 'a'), (2, $1)) v",
      `insert into "public"."customers" (id, ssn) select * from (values (1, {customers.ssn:a}), (2, $1)) v | $1=customers.ssn`,
    ],
    [
      'update customers c set note = v.note, score = v.n::int4 from (values ($1::int, $2, $3::int4)) v(id, note, n) where c.id = v.id',
      `update "public"."customers" c set note = v.note, score = v.n::bytea from (values ($1::int, $2, $3::bytea)) v(id, note, n) where c.id = v.id | $2=customers.note | $3=customers.score`,
    ],
    [
      "update customers c set note = 'x' from (values ($1, $2)) v(id, ssn) where c.id = v.id and c.name = v.ssn",
      `update "public"."customers" c set note = {customers.note:x} from (values ($1, $2)) v(id, ssn) where c.id = v.id and c.name = v.ssn`,
    ],
    [
      'insert into customers (id, ssn) select v.id, v.s from (values (1, $1)) v(id, s) where not exists (select 1 from customers where ssn = v.s)',
      `insert into "public"."customers" (id, ssn) select v.id, v.s from (values (1, $1)) v(id, s) where not exists (select 1 from "public"."customers" where ssn = v.s) | $1=customers.ssn`,
    ],
  ])('%s', (sql, expected) => {
    expect(shown(sql)).toBe(expected);
  });

  test.each([
    // It is one thing where it is stored and another elsewhere.
    "insert into customers (id, ssn, name) select v.id, v.s, v.s from (values (1, 'a')) v(id, s)",
    "update customers c set note = v.s from (values (1, 'a')) v(id, s) where c.name = v.s",
    "insert into customers (id, ssn) select 1, v.s || 'x' from (values (1, 'a')) v(id, s)",
    "insert into customers (id, note, ssn) select v.id, v.s, v.s from (values (1, 'a')) v(id, s)",
    // A value that is compared with plain ones is not sealed.
    "insert into customers (id, email) select v.id, v.e from (values (1, 'a')) v(id, e) where v.e = 'b'",
    "insert into customers (id, ssn) select v.id, v.s from (values (1, lower('a'))) v(id, s)",
    // Ciphertext has another order.
    "insert into customers (id, ssn) select v.id, v.s from (values (1, 'b'), (2, 'a')) v(id, s) order by v.s limit 1",
    "insert into customers (id, ssn) values (1, 'b'), (2, 'a') order by 2 limit 1",
    "insert into customers (id, ssn) select v.id, v.s from (values (1, 'b'), (2, 'a') order by 2 limit 1) v(id, s)",
  ])('refuses %s', (sql) => {
    expect(refusal(sql)).toBe('ERR_POSTGRES_SEALED_USE');
  });
});

test.each([
  ["insert into customers (id, email) select distinct v.id, v.e from (values (1, 'a')) v(id, e)", 'both'],
  ["update customers c set email = v.e from (values (1, 'a')) v(id, e) where c.id = v.id returning v.e", 'both'],
  ["update customers c set email = v.e from (values (1, 'a')) v(id, e) where c.id = v.id returning *", 'both'],
  ["update customers c set email = v.e from (values (1, 'a')) v(id, e) where c.id = v.id", 'store'],
])('%s: its value is sealed to %s', (sql, purpose) => {
  expect(sealedPlan(sql).pieces).toContainEqual(expect.objectContaining({ value: 'a', purpose }));
});

describe('unnest() in FROM', () => {
  test.each([
    [
      'insert into customers (id, ssn, score) select * from unnest($1::int[], ($2)::varchar[], ($3)::integer[]) returning id',
      `insert into "public"."customers" (id, ssn, score) select * from unnest($1::int[], ($2)::bytea[], ($3)::bytea[]) returning id | $2=customers.ssn[] | $3=customers.score[]`,
    ],
    [
      "insert into customers (id, ssn) select * from unnest('{1,2}'::int[], ('{a,b}'::text[])::text[])",
      `insert into "public"."customers" (id, ssn) select * from unnest('{1,2}'::int[], ({customers.ssn:{a,b}}::bytea[])::bytea[])`,
    ],
    [
      "insert into customers (note) select n from unnest(array['a', $1]) n",
      `insert into "public"."customers" (note) select n from pg_catalog.unnest(array[{customers.note:a}, $1]) n | $1=customers.note`,
    ],
    [
      'update customers c set email = u.mail from unnest($1::int[], $2::text[]) as u(id, mail) where c.id = u.id',
      `update "public"."customers" c set email = u.mail from unnest($1::int[], $2::bytea[]) as u(id, mail) where c.id = u.id | $2=customers.email[]`,
    ],
  ])('%s', (sql, expected) => {
    expect(shown(sql)).toBe(expected);
  });

  test.each([
    // Rows in an array would give more columns than there are arrays.
    'insert into customers (id, ssn) select * from unnest($1::some_row[], $2::text[])',
    'insert into customers (id, ssn) select * from unnest($1, $2::text[])',
    'insert into customers (id, ssn) select * from unnest($1::int[], string_to_array($2, $3))',
    'insert into customers (id, ssn) select id, s from unnest($1::int[], $2::text[]) with ordinality u(id, s, n)',
    'insert into customers (id, ssn) select id, upper(s) from unnest($1::int[], $2::text[]) u(id, s)',
    'insert into customers (id, score) select * from unnest($1::int[], $2::text[])',
  ])('refuses %s', (sql) => {
    expect(refusal(sql)).toBe('ERR_POSTGRES_SEALED_USE');
  });
});

test('a parameter that the client declares as a narrower type than a cast names', () => {
  const INT2 = 21;
  const NUMERIC = 1700;
  const { parameters } = sealedPlan('insert into customers (score) values ($1::integer)', [INT2]);
  expect(parameters.get(1)).toMatchObject({ declaredOid: INT2, shape: 'scalar' });
  expect(refusal('insert into customers (score) values ($1::integer)', [NUMERIC])).toBe('ERR_POSTGRES_SEALED_USE');
});

describe('Casts around what is stored', () => {
  test.each([
    [
      "update customers set ssn = (case when id = 1 then 'a' when id = 2 then $1 else null end)::text",
      `update "public"."customers" set ssn = (case when id = 1 then {customers.ssn:a} when id = 2 then $1 else null end)::bytea | $1=customers.ssn`,
    ],
    [
      'update customers set born = coalesce($1, $2)::date, score = (case when name is null then 1 else score end)::integer',
      `update "public"."customers" set born = coalesce($1, $2)::bytea, score = (case when name is null then {customers.score:1} else score end)::bytea | $1=customers.born | $2=customers.born`,
    ],
    [
      "update customers set born = '1984-02-29'::date::date, ssn = 'x'::varchar::text",
      `update "public"."customers" set born = {customers.born:1984-02-29}::bytea::bytea, ssn = {customers.ssn:x}::bytea::bytea`,
    ],
  ])('%s', (sql, expected) => {
    expect(shown(sql)).toBe(expected);
  });

  test.each([
    "update customers set ssn = (case when id = 1 then 'a' end)::char(3)",
    'update customers set ssn = (case when id = 1 then 1 else 2 end)::numeric',
    "update customers set score = '1.5'::numeric::int4",
    'update customers set ssn = name::text',
    'update customers set ssn = (case when id = 1 then name end)::text',
  ])('refuses %s', (sql) => {
    expect(refusal(sql)).toBe('ERR_POSTGRES_SEALED_USE');
  });
});
