/** Domains over domains: what a value breaks, in whichever of them, is told as the server tells it. */
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { rawTwins } from '../../support/postgres/raw-twins.ts';

const TYPES = `
  CREATE SCHEMA app;
  CREATE DOMAIN base AS varchar(8) CONSTRAINT has_at CHECK (VALUE LIKE '%@%');
  CREATE DOMAIN middle AS base CONSTRAINT short CHECK (length(VALUE) < 6);
  CREATE DOMAIN app.outer_one AS middle CONSTRAINT no_dot CHECK (VALUE NOT LIKE '%.%');`;
const on = rawTwins(
  {
    sealed: `${TYPES} CREATE TABLE t (id int, v sealgate.sealed, w sealgate.sealed)`,
    plain: `${TYPES} CREATE TABLE t (id int, v app.outer_one, w middle)`,
  },
  [
    { table: 't', column: 'v', type: 'app.outer_one' },
    { table: 't', column: 'w', type: 'public.middle', mode: 'deterministic' },
  ],
);

let clients: readonly pg.Client[];
beforeAll(async () => {
  clients = await Promise.all([connectTo(on.db.url), connectTo(on.twinUrl)]);
});
afterAll(() => Promise.all(clients.map((client) => client.end())));

async function outcome(client: pg.Client, sql: string, values: readonly unknown[]): Promise<unknown> {
  return client.query(sql, [...values]).then(
    ({ rows }): unknown => rows,
    ({ code, message, constraint, dataType, schema }: pg.DatabaseError) => ({
      ...{ code, constraint, dataType, schema },
      ...(code === '23514' && { message }),
    }),
  );
}

test.each(['a@b', 'ab', 'abcde@f', 'a@.b', 'abcdefghij', 'ab@      ', 'ab      ', null])('%j', async (value) => {
  for (const [sql, values] of [
    ['INSERT INTO t (id, v) VALUES (1, $1) RETURNING v', [value]],
    ['INSERT INTO t (id, w) VALUES (1, $1) RETURNING w', [value]],
    ['SELECT id FROM t WHERE w = $1', [value]],
    [`INSERT INTO t (id, v) VALUES (1, ${value === null ? 'NULL' : `'${value}'`}) RETURNING v`, []],
  ] as const) {
    const [sealed, plain] = await Promise.all(clients.map((client) => outcome(client, sql, values)));
    expect({ sql, said: sealed }).toEqual({ sql, said: plain });
  }
});
