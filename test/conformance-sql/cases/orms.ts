/** Statements as ORMs write them, over these tables: quoting, aliases, casts, and shapes that a person would not choose. */
import type { Shape } from '../case.ts';

export const ORMS: readonly Shape[] = [
  {
    shape: 'Written by Prisma',
    exact: [
      [
        'SELECT "public"."customers"."id", "public"."customers"."email", "public"."customers"."note" FROM "public"."customers" WHERE ("public"."customers"."ssn" = $1 AND 1=1) LIMIT $2 OFFSET $3',
        'canary-111',
        '1',
        '0',
      ],
      [
        'SELECT "public"."customers"."id", "public"."customers"."email" FROM "public"."customers" WHERE "public"."customers"."email" IN ($1,$2) OFFSET $3',
        'ann@canary.example',
        'bob@canary.example',
        '0',
      ],
      [
        'INSERT INTO "public"."customers" ("id","email","ssn","note") VALUES ($1,$2,$3,$4) RETURNING "public"."customers"."id", "public"."customers"."email", "public"."customers"."note"',
        '10',
        'p@canary.example',
        'canary-p',
        'canary-note',
      ],
      [
        'UPDATE "public"."customers" SET "note" = $1, "email" = $2 WHERE ("public"."customers"."id" = $3 AND 1=1) RETURNING "public"."customers"."id", "public"."customers"."note"',
        'canary-x',
        'q@canary.example',
        '1',
      ],
      [
        'INSERT INTO "public"."customers" ("id","ssn","note") VALUES ($1,$2,$3) ON CONFLICT ("ssn") DO UPDATE SET "note" = $4 WHERE ("public"."customers"."ssn" = $5 AND 1=1) RETURNING "public"."customers"."id", "public"."customers"."note"',
        '10',
        'canary-111',
        'a',
        'canary-b',
        'canary-111',
      ],
      [
        'SELECT COUNT(*) FROM (SELECT "public"."customers"."id" FROM "public"."customers" WHERE "public"."customers"."ssn" IS NOT NULL OFFSET $1) AS "sub"',
        '0',
      ],
      ['DELETE FROM "public"."customers" WHERE ("public"."customers"."email" = $1 AND 1=1)', 'bob@canary.example'],
      [
        'SELECT "t0"."id", "t0"."note" FROM "public"."customers" AS "t0" WHERE ("t0"."id") IN (SELECT "t1"."customer_id" FROM "public"."orders" AS "t1" WHERE ("t1"."total" > $1 AND "t1"."customer_id" IS NOT NULL))',
        '5',
      ],
      'SELECT "t0"."id", "__agg"."data" FROM "public"."orders" AS "t0" LEFT JOIN LATERAL (SELECT COALESCE(JSONB_AGG("__prisma_data__"), \'[]\') AS "data" FROM (SELECT JSONB_BUILD_OBJECT(\'note\', "c"."note") AS "__prisma_data__" FROM "public"."customers" AS "c" WHERE "c"."id" = "t0"."customer_id") AS "t") AS "__agg" ON true',
      'SELECT "t0"."id", "t0"."email", "c_orders"."__prisma_data__" AS "orders" FROM "public"."customers" AS "t0" LEFT JOIN LATERAL (SELECT COALESCE(JSONB_AGG("__prisma_data__"), \'[]\') AS "__prisma_data__" FROM (SELECT "t3"."__prisma_data__" FROM (SELECT JSONB_BUILD_OBJECT(\'id\', "t2"."id", \'people\', "t4"."__prisma_data__") AS "__prisma_data__" FROM (SELECT "t1".* FROM "public"."orders" AS "t1" WHERE "t0"."id" = "t1"."customer_id") AS "t2" LEFT JOIN LATERAL (SELECT JSONB_BUILD_OBJECT(\'nick\', "t5"."nick", \'score\', "t5"."score") AS "__prisma_data__" FROM (SELECT "p".* FROM "public"."people" AS "p" WHERE "p"."id" = "t2"."customer_id" LIMIT 1) AS "t5") AS "t4" ON true) AS "t3") AS "t6") AS "c_orders" ON true',
    ],
    refused: [
      'SELECT "public"."customers"."id" FROM "public"."customers" WHERE "public"."customers"."email"::text ILIKE \'ann%\'',
    ],
  },
  {
    shape: 'Written by Drizzle',
    exact: [
      [
        'select "id", "email", "note" from "customers" where ("customers"."ssn" = $1 and "customers"."id" > $2) limit $3',
        'canary-111',
        '0',
        '5',
      ],
      [
        'select "customers"."id", "people"."nick" from "customers" left join "people" on "customers"."ssn" = "people"."ssn" where "customers"."email" in ($1, $2)',
        'ann@canary.example',
        'x',
      ],
      [
        'insert into "customers" ("id", "name", "email", "ssn", "note") values ($1, $2, $3, default, $4), ($5, default, $6, $7, default) returning "id", "email"',
        '10',
        'N',
        'n@canary.example',
        'canary-n',
        '11',
        'm@canary.example',
        'canary-m',
      ],
      [
        'insert into "customers" ("id", "email", "note") values ($1, $2, $3) on conflict ("id") do update set "email" = excluded."email", "note" = $4 returning "note"',
        '1',
        'd@canary.example',
        'a',
        'canary-d',
      ],
      [
        'update "customers" set "note" = $1 where "customers"."email" = $2 returning "id"',
        'canary-d',
        'ann@canary.example',
      ],
      [
        'with "sq" as (select "id", "ssn" from "customers" where "customers"."score" = $1) select "id", "ssn" from "sq" where "sq"."ssn" is not null',
        '5',
      ],
      ['(select "email" from "customers") union (select "email" from "people") limit $1', '10'],
      [
        'delete from "customers" where exists (select 1 from "people" where "people"."ssn" = "customers"."ssn") returning "note"',
      ],
      'select "id", (select coalesce(json_agg(json_build_array("c"."note")), \'[]\'::json) from "customers" "c" where "c"."id" = "orders"."customer_id") as "customer" from "orders"',
      'select "orders"."id", "orders"."remark", "orders_customer"."data" as "customer" from "orders" left join lateral (select json_build_array("orders_customer"."id", "orders_customer"."email", "orders_customer"."born", "orders_customer"."active") as "data" from (select * from "customers" "orders_customer" where "orders_customer"."id" = "orders"."customer_id" limit 1) "orders_customer") "orders_customer" on true',
      'select "customers"."id", "customers"."note", "customers_orders"."data" as "orders" from "customers" left join lateral (select coalesce(json_agg(json_build_array("customers_orders"."id", "customers_orders_people"."data") order by "customers_orders"."id"), \'[]\'::json) as "data" from "orders" "customers_orders" left join lateral (select json_build_array("p"."nick", "p"."score") as "data" from "people" "p" where "p"."id" = "customers_orders"."customer_id" limit 1) "customers_orders_people" on true where "customers_orders"."customer_id" = "customers"."id") "customers_orders" on true',
    ],
    refused: ['select "id" from "customers" where "customers"."email" ilike \'ann%\''],
  },
  {
    shape: 'Written by Django',
    exact: [
      [
        'SELECT "customers"."id", "customers"."name", "customers"."email" FROM "customers" WHERE ("customers"."email" = $1 AND NOT ("customers"."ssn" = $2 AND "customers"."ssn" IS NOT NULL)) ORDER BY "customers"."id" ASC LIMIT 21',
        'ann@canary.example',
        'canary-111',
      ],
      ['SELECT 1 AS "a" FROM "customers" WHERE "customers"."ssn" = $1 LIMIT 1', 'canary-111'],
      [
        'SELECT COUNT(*) AS "__count" FROM "customers" INNER JOIN "orders" ON ("customers"."id" = "orders"."customer_id") WHERE "customers"."email" IN ($1, $2)',
        'ann@canary.example',
        'bob@canary.example',
      ],
      [
        'UPDATE "customers" SET "note" = (CASE WHEN ("customers"."id" = $1) THEN $2 WHEN ("customers"."id" = $3) THEN $4 ELSE NULL END)::text WHERE "customers"."id" IN ($5, $6)',
        '1',
        'canary-a',
        '2',
        'canary-b',
        '1',
        '2',
      ],
      [
        'UPDATE "customers" SET "email" = (CASE WHEN ("customers"."id" = $1) THEN $2 WHEN ("customers"."id" = $3) THEN $4 ELSE NULL END)::varchar(40) WHERE "customers"."id" IN ($5, $6)',
        '1',
        'canary-a',
        '2',
        `canary-b ${'x'.repeat(40)}`,
        '1',
        '2',
      ],
      `UPDATE "customers" SET "email" = (CASE WHEN ("customers"."id" = 1) THEN 'canary-a' ELSE "customers"."email" END)::varchar(40)`,
      [
        'INSERT INTO "customers" ("id", "email", "note") SELECT * FROM UNNEST(($1)::integer[], ($2)::varchar[], ($3)::text[]) RETURNING "customers"."id"',
        ['10', '11'],
        ['a@canary.example', 'b@canary.example'],
        ['canary-a', null],
      ],
      [
        'INSERT INTO "customers" ("id", "ssn", "note") VALUES ($1, $2, $3), ($4, $5, $6) ON CONFLICT("ssn") DO UPDATE SET "note" = EXCLUDED."note" RETURNING "customers"."id"',
        '10',
        'canary-111',
        'canary-a',
        '11',
        'canary-new',
        'canary-b',
      ],
      [
        'SELECT DISTINCT "customers"."email", "customers"."score" FROM "customers" WHERE "customers"."note" IS NOT NULL',
      ],
      [
        'SELECT "customers"."email" AS "email", COUNT("customers"."id") AS "n" FROM "customers" GROUP BY 1 HAVING COUNT("customers"."id") > $1',
        '1',
      ],
      [
        'SELECT "orders"."id", "orders"."total", "customers"."id", "customers"."note" FROM "orders" INNER JOIN "customers" ON ("orders"."customer_id" = "customers"."id") FOR UPDATE OF "orders"',
      ],
    ],
    refused: [
      ['SELECT "customers"."id" FROM "customers" WHERE UPPER("customers"."email"::text) = UPPER($1)', 'ann'],
      ['SELECT "customers"."id" FROM "customers" WHERE "customers"."email"::text LIKE $1', '%ann%'],
    ],
  },
  {
    shape: 'Written by SQLAlchemy',
    exact: [
      [
        'SELECT customers.id, customers.email AS customers_email FROM customers WHERE customers.ssn = $1::VARCHAR',
        'canary-111',
      ],
      [
        'SELECT anon_1.email, anon_1.n FROM (SELECT customers.email AS email, count(*) AS n FROM customers GROUP BY customers.email) AS anon_1 WHERE anon_1.n > $1::INTEGER',
        '1',
      ],
      [
        'INSERT INTO customers (id, email, score) VALUES ($1::INTEGER, $2::VARCHAR, $3::INTEGER) RETURNING customers.id',
        '10',
        's@canary.example',
        '3',
      ],
      [
        `INSERT INTO customers (id, email, note) SELECT p0::INTEGER, p1::VARCHAR, p2::VARCHAR FROM (VALUES ($1::INTEGER, $2::VARCHAR, $3::VARCHAR, 0), ($4::INTEGER, $5::VARCHAR, $6::VARCHAR, 1))
         AS imp_sen(p0, p1, p2, sen_counter) ORDER BY sen_counter RETURNING customers.id, customers.id AS id__1`,
        '10',
        'a@canary.example',
        'canary-a',
        '11',
        'b@canary.example',
        null,
      ],
      ['UPDATE customers SET note=$1::VARCHAR WHERE customers.id = $2::INTEGER', 'canary-s', '1'],
      [
        'SELECT customers.id FROM customers WHERE customers.email IN ($1::VARCHAR, $2::VARCHAR)',
        'ann@canary.example',
        'x',
      ],
      [
        'SELECT customers.id, people_1.nick FROM customers LEFT OUTER JOIN people AS people_1 ON people_1.ssn = customers.ssn ORDER BY customers.id',
      ],
      [
        'WITH RECURSIVE anon_1(id, label) AS (SELECT tree.id AS id, tree.label AS label FROM tree WHERE tree.parent IS NULL UNION ALL SELECT tree_1.id AS id, tree_1.label AS label FROM tree AS tree_1, anon_1 WHERE tree_1.parent = anon_1.id) SELECT anon_1.id, anon_1.label FROM anon_1',
      ],
    ],
    refused: [['SELECT customers.id FROM customers WHERE lower(customers.email) = lower($1::VARCHAR)', 'ANN']],
  },
  {
    shape: 'Written by Hibernate',
    exact: [
      ['select c1_0.id,c1_0.email,c1_0.name,c1_0.note from customers c1_0 where c1_0.ssn=$1', 'canary-111'],
      [
        'select c1_0.id,o1_0.id,o1_0.total,c1_0.note from customers c1_0 left join orders o1_0 on c1_0.id=o1_0.customer_id where c1_0.email in ($1,$2)',
        'ann@canary.example',
        'x',
      ],
      [
        'insert into customers (email,name,note,ssn,id) values ($1,$2,$3,$4,$5)',
        'h@canary.example',
        'H',
        'canary-h',
        'canary-10',
        '10',
      ],
      ['update customers set email=$1,name=$2,note=$3 where id=$4', 'h@canary.example', 'H', null, '1'],
      ['select c1_0.id,c1_0.note from customers c1_0 where c1_0.id=any ($1) and c1_0.ssn is not null', ['1', '2']],
      ['select count(c1_0.id),count(distinct c1_0.email) from customers c1_0 where c1_0.score=$1', '5'],
      ['select c1_0.id from customers c1_0 where c1_0.ssn=$1 fetch first $2 rows only', 'canary-111', '1'],
      ['delete from customers c1_0 where c1_0.email=$1', 'bob@canary.example'],
      [
        `merge into customers as t using (select cast($1 as int4) id, cast($2 as text) ssn, cast($3 as text) note) as s on (t.id=s.id)
         when not matched then insert (id,ssn,note) values (s.id,s.ssn,s.note) when matched then update set ssn=s.ssn,note=s.note`,
        '10',
        'canary-10',
        'canary-h',
      ],
    ],
    refused: [["select c1_0.id from customers c1_0 where c1_0.email like $1 escape ''", 'ann%']],
  },
];
