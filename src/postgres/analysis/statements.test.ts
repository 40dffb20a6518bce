/** Statements over sealed columns: what is sent upstream, parameter roles, results; shapes after the field's own test names. */
import { describe, expect, test } from 'vitest';
import { refusal, sealedPlan, shown } from '../../../test/support/postgres/analysis.ts';

describe('INSERT', () => {
  test.each([
    [
      "insert into customers (id, ssn) values (1, '123')",
      `insert into "public"."customers" (id, ssn) values (1, {customers.ssn:123})`,
    ],
    [
      "INSERT INTO customers(ssn, id) VALUES ('1', 1), ($1, 2), (NULL, 3), (DEFAULT, 4)",
      `INSERT INTO "public"."customers"(ssn, id) VALUES ({customers.ssn:1}, 1), ($1, 2), (NULL, 3), (DEFAULT, 4) | $1=customers.ssn`,
    ],
    [
      "insert into people values (1, $1, 'bob')",
      `insert into "public"."people" values (1, $1, {people.nick:bob}) | $1=people.ssn`,
    ],
    [
      "insert into customers (ssn) values ('x'::text), (CAST($1 AS text)), (text 'y')",
      `insert into "public"."customers" (ssn) values ({customers.ssn:x}::bytea), (CAST($1 AS bytea)), (bytea {customers.ssn:y}) | $1=customers.ssn`,
    ],
    [
      'insert into customers (ssn) values (($1)), (coalesce($2, $3)) returning *',
      `insert into "public"."customers" (ssn) values (($1)), (coalesce($2, $3)) returning * | $1=customers.ssn | $2=customers.ssn | $3=customers.ssn -> -, -, customers.ssn, customers.email, customers.score, customers.born, customers.note, customers.data`,
    ],
    [
      "insert into customers (id, ssn) values (1, 'a') on conflict (ssn) do update set ssn = excluded.ssn, note = 'n'",
      `insert into "public"."customers" (id, ssn) values (1, {customers.ssn:a}) on conflict (ssn) do update set ssn = excluded.ssn, note = {customers.note:n}`,
    ],
    [
      'insert into customers (id, ssn) values (1, $1) on conflict (id) do update set ssn = $1 where customers.ssn <> $1',
      `insert into "public"."customers" (id, ssn) values (1, $1) on conflict (id) do update set ssn = $1 where customers.ssn <> $1 | $1=customers.ssn`,
    ],
    [
      'insert into people (id, ssn) select id, ssn from customers',
      `insert into "public"."people" (id, ssn) select id, ssn from "public"."customers"`,
    ],
    [
      "insert into customers (id, ssn) select 1, 'x' where not exists (select 1 from customers where ssn = 'x')",
      `insert into "public"."customers" (id, ssn) select 1, {customers.ssn:x} where not exists (select 1 from "public"."customers" where ssn = {customers.ssn:x})`,
    ],
    [
      "insert into customers (id, ssn) values (1, E'a\\nb')",
      `insert into "public"."customers" (id, ssn) values (1, {customers.ssn:a\nb})`,
    ],
    [
      'insert into customers (id, ssn) values (1, $$x$$)',
      `insert into "public"."customers" (id, ssn) values (1, {customers.ssn:x})`,
    ],
    [
      "insert into customers (ssn) values (U&'d!0061t' UESCAPE '!')",
      `insert into "public"."customers" (ssn) values ({customers.ssn:dat})`,
    ],
    [
      'insert into customers (score, ssn) values (-5, 7)',
      `insert into "public"."customers" (score, ssn) values ({customers.score:-5}, {customers.ssn:7})`,
    ],
    ["insert into customers (note) values ('')", `insert into "public"."customers" (note) values ({customers.note:})`],
    [
      "insert into customers as c (ssn) values ('é') returning c.ssn as s",
      `insert into "public"."customers" as c (ssn) values ({customers.ssn:é}) returning c.ssn as s -> customers.ssn`,
    ],
    [
      "/* secret */ insert into customers (ssn) -- more\n values ('x') /* end */",
      `insert into "public"."customers" (ssn)  \n values ({customers.ssn:x})`,
    ],
    [
      'insert into customers (ssn) select ssn from people union all select null',
      `insert into "public"."customers" (ssn) select ssn from "public"."people" union all select NULL::pg_catalog.bytea`,
    ],
    [
      'insert into customers (email) select email from customers union all select null',
      `insert into "public"."customers" (email) select email from "public"."customers" union all select NULL::pg_catalog.bytea`,
    ],
  ])('%s', (sql, expected) => {
    expect(shown(sql)).toBe(expected);
  });

  test.each([
    "insert into customers (ssn) values (lower('X'))",
    'insert into customers (ssn) values ($1 || $2)',
    'insert into customers (note) select name from customers',
    'insert into orders (remark) select ssn from customers',
    'insert into customers (note) select ssn from customers',
    'insert into people (nick) select note from customers',
    'insert into customers (note) select distinct note from customers',
    'insert into customers (ssn) select remark from orders',
    'insert into orders (remark) values ((select note from customers limit 1))',
    'insert into customers (id) values (1) on conflict (note) do nothing',
    'insert into customers (id) values (1) on conflict (lower(ssn)) do nothing',
    'insert into customers (score) values (true)',
    'insert into customers (born) values (20200101)',
    "insert into customers (ssn) values ('x'::int)",
    "insert into customers (ssn) values ('xyz'::char(2))",
    'insert into customers (data) values ($1::text)',
    "with x as (insert into customers (ssn) values (upper('a'))) select 1",
  ])('refuses %s', (sql) => {
    expect(refusal(sql)).toBe('ERR_POSTGRES_SEALED_USE');
  });
});

describe('UPDATE and DELETE', () => {
  test.each([
    [
      "update customers set note = 'x', name = 'y' where ssn = $1",
      `update "public"."customers" set note = {customers.note:x}, name = 'y' where ssn = $1 | $1=customers.ssn`,
    ],
    [
      "update customers c set (note, name) = ('x', 'y') where c.id = 1",
      `update "public"."customers" c set (note, name) = ({customers.note:x}, 'y') where c.id = 1`,
    ],
    [
      'update customers set ssn = p.ssn from people p where p.id = customers.id returning p.nick',
      `update "public"."customers" set ssn = p.ssn from "public"."people" p where p.id = customers.id returning p.nick -> people.nick`,
    ],
    [
      'update customers set note = case when id > 5 then $1 else note end',
      `update "public"."customers" set note = case when id > 5 then $1 else note end | $1=customers.note`,
    ],
    [
      'update customers set note = note, email = default, ssn = null',
      `update "public"."customers" set note = note, email = default, ssn = null`,
    ],
    [
      "delete from customers using people p where p.ssn = customers.ssn and p.ssn in ('a', $1)",
      `delete from "public"."customers" using "public"."people" p where p.ssn = customers.ssn and p.ssn in ({people.ssn:a}, $1) | $1=people.ssn`,
    ],
    [
      'delete from only customers where note is null returning old.note',
      `delete from only "public"."customers" where note is null returning old.note -> customers.note`,
    ],
    [
      'with gone as (delete from people where id = $1 returning *) select nick from gone',
      `with gone as (delete from "public"."people" where id = $1 returning *) select nick from gone -> people.nick`,
    ],
  ])('%s', (sql, expected) => {
    expect(shown(sql)).toBe(expected);
  });

  test.each([
    "update customers set note = note || 'x'",
    'update customers set name = ssn',
    'update customers set note = name',
    'update customers set note = (select remark from orders limit 1)',
    'update customers set score = score + 1',
    "update customers set note = 'x' where note = 'y'",
    "update customers set data['a'] = '1'",
    'delete from customers where note > $1',
    'update customers set (note, name) = (select note, note from customers limit 1)',
  ])('refuses %s', (sql) => {
    expect(refusal(sql)).toBe('ERR_POSTGRES_SEALED_USE');
  });
});

describe('SELECT', () => {
  test.each([
    [
      'select * from customers',
      `select * from "public"."customers" -> -, -, customers.ssn, customers.email, customers.score, customers.born, customers.note, customers.data`,
    ],
    [
      "select c.ssn, o.total from customers c join orders o on o.customer_id = c.id where 'x' = c.ssn",
      `select c.ssn, o.total from "public"."customers" c join "public"."orders" o on o.customer_id = c.id where {customers.ssn:x} = c.ssn -> customers.ssn, -`,
    ],
    [
      'select p.*, o.* from people p, orders o',
      `select p.*, o.* from "public"."people" p, "public"."orders" o -> -, people.ssn, people.nick, -, -, -, -`,
    ],
    [
      'select ssn from customers where ssn = any($1)',
      `select ssn from "public"."customers" where ssn = any($1) | $1=customers.ssn[] -> customers.ssn`,
    ],
    [
      'select id from customers where ssn <> all($1::text[]) and score = any(array[1, $2])',
      `select id from "public"."customers" where ssn <> all($1::bytea[]) and score = any(array[{customers.score:1}, $2]) | $1=customers.ssn[] | $2=customers.score`,
    ],
    [
      "select id from customers where ssn is distinct from 'x' and note is distinct from null and note is not null",
      `select id from "public"."customers" where ssn is distinct from {customers.ssn:x} and note is distinct from null and note is not null`,
    ],
    [
      'select distinct ssn from customers group by ssn having count(*) > 1',
      `select distinct ssn from "public"."customers" group by ssn having count(*) > 1 -> customers.ssn`,
    ],
    [
      'select count(note), count(distinct ssn) from customers',
      `select pg_catalog.count(note), pg_catalog.count(distinct ssn) from "public"."customers"`,
    ],
    [
      'select c.id from customers c join people p using (ssn)',
      `select c.id from "public"."customers" c join "public"."people" p using (ssn)`,
    ],
    [
      'select ssn from customers c natural join people p',
      `select ssn from "public"."customers" c natural join "public"."people" p -> customers.ssn`,
    ],
    [
      'with x as (select ssn s, id from customers) select s from x where s = $1',
      `with x as (select ssn s, id from "public"."customers") select s from x where s = $1 | $1=customers.ssn -> customers.ssn`,
    ],
    [
      'with x(a, b) as materialized (select id, note from customers) select b, a from x',
      `with x(a, b) as materialized (select id, note from "public"."customers") select b, a from x -> customers.note, -`,
    ],
    [
      'select s.note from (select * from customers) s order by s.id limit $1',
      `select s.note from (select * from "public"."customers") s order by s.id limit $1 -> customers.note`,
    ],
    [
      'select (select note from customers c where c.id = o.customer_id) from orders o',
      `select (select note from "public"."customers" c where c.id = o.customer_id) from "public"."orders" o -> customers.note`,
    ],
    [
      'select id from orders o where exists (select 1 from customers where id = o.customer_id and ssn = $1)',
      `select id from "public"."orders" o where exists (select 1 from "public"."customers" where id = o.customer_id and ssn = $1) | $1=customers.ssn`,
    ],
    [
      'select id from customers where ssn in (select ssn from people where nick is null)',
      `select id from "public"."customers" where ssn in (select ssn from "public"."people" where nick is null)`,
    ],
    [
      'select l.note from orders o left join lateral (select note from customers c where c.id = o.customer_id) l on true',
      `select l.note from "public"."orders" o left join lateral (select note from "public"."customers" c where c.id = o.customer_id) l on true -> customers.note`,
    ],
    ['select note from customers union all select nick from people', undefined],
    [
      'select ssn from customers union select ssn from people',
      `select ssn from "public"."customers" union select ssn from "public"."people" -> customers.ssn`,
    ],
    [
      'select null union all select ssn from people',
      `select null union all select ssn from "public"."people" -> people.ssn`,
    ],
    [
      "select coalesce(note, 'none'), case when id = 1 then ssn end, nullif(ssn, '') from customers",
      `select coalesce(note, {customers.note:none}), case when id = 1 then ssn end, nullif(ssn, {customers.ssn:}) from "public"."customers" -> customers.note, customers.ssn, customers.ssn`,
    ],
    [
      'select ssn::text, email::text as e from customers',
      `select ssn::bytea, email::bytea as e from "public"."customers" -> customers.ssn, customers.email`,
    ],
    [
      'select "ssn" from "public"."customers" where "customers"."ssn" = $1',
      `select "ssn" from "public"."customers" where "customers"."ssn" = $1 | $1=customers.ssn -> customers.ssn`,
    ],
    [
      'select public.customers.note from public.customers where 1=1',
      `select public.customers.note from "public"."customers" where 1=1 -> customers.note`,
    ],
    [
      'select secret from customer_names where secret = $1',
      `select secret from "public"."customer_names" where secret = $1 | $1=customers.ssn -> customers.ssn`,
    ],
    ['select id from no_notes', `select id from "public"."no_notes"`],
    [
      'select id, row_number() over (partition by ssn order by id) from customers',
      `select id, row_number() over (partition by ssn order by id) from "public"."customers"`,
    ],
    [
      'select g, note from customers, generate_series(1, 3) g',
      `select g, note from "public"."customers", generate_series(1, 3) g -> -, customers.note`,
    ],
    [
      'select (id, ssn) = (1, $1) from customers where (ssn, score) in (($2, 3))',
      `select (id, ssn) = (1, $1) from "public"."customers" where (ssn, score) in (($2, {customers.score:3})) | $2=customers.ssn | $1=customers.ssn`,
    ],
    [
      'select note from customers for update of customers',
      `select note from "public"."customers" for update of customers -> customers.note`,
    ],
    [
      'with recursive t(i, s) as (select 1, ssn from customers union all select i + 1, s from t where i < 3) select s from t',
      `with recursive t(i, s) as (select 1, ssn from "public"."customers" union all select i + 1, s from t where i < 3) select s from t -> customers.ssn`,
    ],
    [
      "select note from customers where born = date '2020-01-01'",
      `select note from "public"."customers" where born = bytea {customers.born:2020-01-01} -> customers.note`,
    ],
    [
      "explain (analyze, verbose) select note from customers where ssn = 'x'",
      `explain (analyze, verbose) select note from "public"."customers" where ssn = {customers.ssn:x}`,
    ],
    ['table people', `table "public"."people" -> -, people.ssn, people.nick`],
    [
      'with customers as (select 1 as note) select note from customers',
      `with customers as (select 1 as note) select note from customers`,
    ],
    [
      'select note from other.customers c join public.customers d using (id)',
      `select note from "other"."customers" c join "public"."customers" d using (id) -> customers.note`,
    ],
    ['select ssn from other.customers', `select ssn from "other"."customers"`],
  ])('%s', (sql, expected) => {
    if (expected === undefined) expect(refusal(sql)).toBe('ERR_POSTGRES_SEALED_USE');
    else expect(shown(sql)).toBe(expected);
  });

  test.each([
    'select lower(note) from customers',
    "select note from customers where note like 'a%'",
    "select ssn from customers where ssn like 'a%'",
    'select note from customers order by note',
    'select note as n from customers order by n',
    'select id, note from customers order by 2',
    'select ssn from customers order by ssn',
    'select note from customers group by note',
    'select id, note from customers group by 2',
    'select distinct note from customers',
    'select distinct * from customers',
    'select distinct on (note) id from customers',
    'select count(distinct note) from customers',
    'select max(ssn) from customers',
    'select array_agg(distinct note) from customers',
    'select array_agg(note) || array[1] from customers',
    'select array_agg(id order by note) from customers',
    'select string_agg(ssn, ssn) from customers',
    'select row_to_json(customers)->1 from customers',
    "select coalesce(json_agg(note), '[1]') from customers",
    'select coalesce(json_agg(note), $1) from customers',
    'select json_build_object(note, id) from customers',
    'select jsonb_build_object($1, note) from customers',
    "select jsonb_build_object('a', note, 'a', id) from customers",
    'select to_jsonb(x) from customers x (a, b, c, d)',
    'select array[note, ssn] from customers',
    'select distinct to_json(ssn) from customers',
    "select id from customers where array_agg(ssn) = array['x']",
    'select to_json(r) from (select q as r from (select name, note from customers) q union all select q from (select note, name from customers) q) x',
    'insert into orders (remark) select to_json(note) from customers',
    'insert into customers (data) select to_jsonb(note) from customers',
    'select c from customers c order by c',
    'select distinct c from customers c',
    'select md5(c::text) from customers c',
    'select coalesce(c, $1) from customers c',
    'select c = d from customers c, customers d',
    'select row(c.*) < row(d.*) from customers c, customers d',
    'select count(distinct c) from customers c',
    'select to_json(c::text) from customers c',
    'select distinct row(c.*) from customers c',
    'select to_jsonb(s)::text from (select note from customers) s',
    'select note from customers where note = $1',
    'select note from customers where note in ($1)',
    'select note from customers where note = any($1)',
    "select ssn from customers where ssn between 'a' and 'b'",
    'select ssn from customers where ssn > $1',
    'select ssn from customers where ssn = lower($1)',
    'select ssn from customers where ssn = name',
    'select ssn from customers where ssn = email',
    'select ssn from customers where name = ssn',
    'select ssn from customers where ssn = (select remark from orders)',
    'select ssn from customers where ssn in (select remark from orders)',
    'select 1 from orders where remark in (select ssn from customers)',
    'select c.id from customers c join orders o on o.remark = c.ssn',
    'select 1 from customers c join people p on p.nick = c.note',
    'select note from customers union select note from customers',
    'select note from customers except select nick from people',
    'select name from customers union all select ssn from customers',
    'select greatest(score, 1) from customers',
    'select score + 1 from customers',
    'select score::varchar(5) from customers',
    'select (case when id > 1 then score end)::text from customers',
    'select ssn::varchar(3) from customers',
    'select ssn collate "C" from customers',
    "select data->>'a' from customers",
    "select data @> '{}' from customers",
    'select note from customers where note',
    'select array(select note from customers)::varchar[]',
    'select id, rank() over (order by ssn) from customers',
    'select lag(note, 1, name) over (order by id) from customers',
    'select id, sum(id) over (partition by note) from customers',
    'select coalesce(note, name) from customers',
    'select case note when $1 then 1 end from customers',
    'select case when id = 1 then note else ssn end from customers',
    'select * from unnest(array(select ssn from customers)) u',
    'select x from customers, lateral lower(note) x',
    'select 1 from bad_view',
    'select 1 from const_view',
    'select v.column1 from customers c, lateral (values (c.note)) v',
    'select note from customers limit (select score from customers limit 1)',
    'with recursive t(s) as (select note from customers union select s from t) select s from t',
  ])('refuses %s', (sql) => {
    expect(refusal(sql)).toBe('ERR_POSTGRES_SEALED_USE');
  });

  test('an unknown or ambiguous name refuses', () => {
    expect(refusal('select nope from customers')).toBe('ERR_POSTGRES_NAME');
    expect(refusal('select ssn from customers, people')).toBe('ERR_POSTGRES_NAME');
    expect(refusal('select note from customers, nowhere')).toBe('ERR_POSTGRES_NAME');
    expect(
      refusal(
        'select ssn from orders o where exists (select 1 from customers c, jsonb_to_record(null) r where c.id = o.id)',
      ),
    ).toBe('ERR_POSTGRES_NAME');
    expect(
      refusal('select 1 from customers where exists (select 1 from json_populate_record(null::x, $1) r where ssn = 1)'),
    ).toBe('ERR_POSTGRES_NAME');
  });

  test('a WITH RECURSIVE query that names a later one refuses: the server would take that, not a table of the name', () => {
    expect(
      refusal('with recursive a as (select * from orders), orders as (select ssn from customers) select * from a'),
    ).toBe('ERR_POSTGRES_NAME');
  });
});

describe('parameters', () => {
  test.each([
    'select $1 from customers where ssn = $1',
    'insert into customers (ssn, note) values ($1, $1)',
    'update customers set name = $1, ssn = $1',
    'select 1 from customers where ssn = $1 and ssn = any($1)',
  ])('in two roles refuses: %s', (sql) => {
    expect(refusal(sql)).toBe('ERR_POSTGRES_PARAMETER_ROLES');
  });

  test('a value that is stored and compared is sealed for both', () => {
    const plan = sealedPlan('update customers set email = $1 where email = $1');
    expect(plan.parameters.get(1)).toMatchObject({ purpose: 'both', column: { type: { typmod: 24 } } });
  });

  test('ORDER BY of VALUES is read', () => {
    expect(sealedPlan("values (1) order by (select 1 from customers where ssn = 'a')").pieces).toContainEqual(
      expect.objectContaining({ value: 'a' }),
    );
  });

  test('the logical OID is reported, or the declared one of the same class', () => {
    expect([
      ...sealedPlan('insert into customers (ssn, email, score) values ($1, $2, $3)', [0, 25, 20]).parameterOids,
    ]).toEqual([
      [1, 25],
      [2, 25],
      [3, 20],
    ]);
    expect([...sealedPlan('select 1 from customers where email = any($1) and score = $2::int8').parameterOids]).toEqual(
      [
        [1, 1015],
        [2, 20],
      ],
    );
  });

  test('a declared type of another class refuses', () => {
    expect(refusal('insert into customers (ssn) values ($1)', [23])).toBe('ERR_POSTGRES_SEALED_USE');
    expect(refusal('select 1 from customers where ssn = any($1)', [25])).toBe('ERR_POSTGRES_SEALED_USE');
  });
});

describe('what doubles with each level', () => {
  const nested = (levels: number, outer: (inner: string) => string, inner: string): string =>
    levels === 0 ? inner : nested(levels - 1, outer, outer(inner));
  const rows = (levels: number) =>
    nested(levels, (inner) => `select q as a, q as b from (${inner}) q`, 'select note from customers');
  const stars = (levels: number) =>
    nested(levels, (inner) => `select q.*, q.* from (${inner}) q`, 'select note from customers');
  const calls = (levels: number) => nested(levels, (inner) => `coalesce(note, lag(${inner}) over ())`, 'note');

  test('is read', () => {
    expect(refusal(`select to_json(q) from (${rows(8)}) q`)).toBe('draft');
    expect(refusal(`select ${calls(8)} from customers`)).toBe('draft');
    expect(refusal(stars(8))).toBe('draft');
  });

  // Eighteen levels used to take four seconds and 444 MB, thirty minutes: in which nobody else was served.
  test('is refused before it takes long', () => {
    expect(refusal(`select to_json(q) from (${rows(60)}) q`)).toBe('ERR_POSTGRES_SEALED_STATEMENT');
    expect(refusal(`select ${calls(60)} from customers`)).toBe('ERR_POSTGRES_SEALED_STATEMENT');
    expect(refusal(stars(60))).toBe('ERR_POSTGRES_SEALED_STATEMENT');
  });
});
