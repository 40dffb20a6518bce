/**
 * Every type in a sealed column, against a plain one: written and read by text and binary, by the simple and the extended protocol, as
 * constants, parameters, casts and COPY; described alike; with the session's settings as they change.
 */
import { once } from 'node:events';
import type pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { openTwinDatabase, type TwinDatabase } from '../../support/postgres/twin-database.ts';
import { RULES, tableDdl, TYPES } from './type-values.ts';

let all: TwinDatabase;
let db: TwinDatabase['db'];
let client: TwinDatabase['client'];
let twin: TwinDatabase['twin'];
let twinUrl: TwinDatabase['twinUrl'];

beforeAll(async () => {
  all = await openTwinDatabase(tableDdl, RULES);
  ({ db, client, twin, twinUrl } = all);
});
afterAll(() => all.close());
beforeEach(async () => {
  for (const on of [client, twin]) await on.query('TRUNCATE t; RESET ALL');
});

/** Values as they come. */
const RAW = { getTypeParser: () => (value: unknown) => value } as unknown as pg.CustomTypesConfig; // its overloads

type Result = { readonly fields: readonly string[]; readonly rows: readonly unknown[] };

async function ask(on: pg.Client, text: string, values: readonly unknown[] = [], binary = false): Promise<unknown> {
  try {
    const query = { text, values: [...values], rowMode: 'array' as const, types: RAW, binary };
    const { rows, fields } = await on.query<unknown[]>(query);
    const described = fields.map(
      (field) => `${field.name} ${logicalOid(on, field.dataTypeID)} ${field.dataTypeModifier} ${field.dataTypeSize}`,
    );
    return { fields: described, rows: rows.map((row) => row.map(shown)) } satisfies Result;
  } catch (error) {
    const { code, constraint, dataType } = error as pg.DatabaseError; // pg throws no other
    return { code, constraint, dataType };
  }
}

/** Where both databases have OIDs of their own, by what they stand for. */
const own = new Map<pg.Client, ReadonlyMap<number, string>>();
const logicalOid = (on: pg.Client, oid: number): string => own.get(on)?.get(oid) ?? String(oid);
const shown = (value: unknown): unknown => (Buffer.isBuffer(value) ? value.toString('hex') : value);

beforeAll(async () => {
  for (const on of [client, twin]) {
    const { rows } = await on.query<{ oid: number; name: string }>(
      "SELECT oid::int4 AS oid, typname AS name FROM pg_type WHERE typname IN ('mood', '_mood', 'posint', 'email')",
    );
    own.set(on, new Map(rows.map(({ oid, name }) => [oid, name])));
  }
});

async function expectSame(text: string, values?: readonly unknown[], binary?: boolean): Promise<void> {
  const place = { text, values };
  expect({ ...place, ...((await ask(client, text, values, binary)) as object) }).toEqual({
    ...place,
    ...((await ask(twin, text, values, binary)) as object),
  });
}

const quoted = (value: string): string => `'${value.replaceAll("'", "''")}'`;
const fill = async (name: string, values: readonly string[]): Promise<void> => {
  for (const on of [client, twin]) {
    for (const [id, value] of [...values, null].entries())
      await on.query(`INSERT INTO t (id, ${name}) VALUES ($1, $2)`, [id, value]);
  }
};

describe('an array of constants', () => {
  test.each([
    ['c_texts', "ARRAY['a', 'b \"c\"', 'x,y', E'back\\\\slash', '', NULL, 'NULL']"],
    ['c_texts', "array [ 'it''s', $$dollar$$ ]::text[]"],
    ['c_texts', 'ARRAY[]::pg_catalog.text[]'],
    ['c_texts', 'CAST(ARRAY[NULL] AS text[])'],
    ['c_ints', 'ARRAY[1, -2, NULL]'],
    ['c_ints', "ARRAY['3', 4]::int[]"],
    ['c_ints', "ARRAY['wrong']::int[]"],
    ['c_stamps', "ARRAY['2024-02-29 12:00:00+00']::timestamptz[]"],
  ])('is stored in %s: %s', async (name, array) => {
    await expectSame(`INSERT INTO t (id, ${name}) VALUES (1, ${array}) RETURNING ${name}`);
    await expectSame(`INSERT INTO t (id, ${name}) VALUES (2, NULL), (3, ${array}) RETURNING ${name}`);
    await expectSame(`UPDATE t SET ${name} = ${array} WHERE id = 2 RETURNING id, ${name}`);
    await expectSame(`SELECT id, ${name} FROM t ORDER BY id`);
  });

  test('of other texts of the same statement as well', async () => {
    for (const id of [1, 2, 3, 4])
      await expectSame(`INSERT INTO t (id, c_texts) VALUES (${id}, ARRAY['a${id}', 'b']::text[]) RETURNING c_texts`);
  });

  test.each([
    ['c_texts', 'ARRAY[[1, 2], [3, 4]]::text[]'],
    ['c_texts', "ARRAY['a', lower('B')]"],
    ['c_ints', 'ARRAY[1, 2]::int2[]'],
    ['c_ints', "ARRAY['1']"],
    ['c_stamps', "ARRAY['2024-02-29 12:00:00+00']"],
    ['c_moods', "ARRAY['sad']"],
  ])('that the server would make something else of is refused for %s: %s', async (name, array) => {
    await expect(client.query(`INSERT INTO t (id, ${name}) VALUES (1, ${array})`)).rejects.toMatchObject({
      code: '0A000',
    });
  });

  test('passes the rows of VALUES below a cast', async () => {
    const rows = "(VALUES (1, $1::text[]), (2, '{c}'::text[])) AS v (id, texts)";
    await expectSame(`INSERT INTO t (id, c_texts) SELECT id, texts::text[] FROM ${rows} RETURNING c_texts`, ['{a,b}']);
  });
});

describe.each(TYPES)('%s %s', (name, type, searched, values) => {
  test('constants, parameters and casts, read as text', async () => {
    let id = 0;
    for (const value of values) {
      await expectSame(`INSERT INTO t (id, ${name}) VALUES (${++id}, ${quoted(value)}) RETURNING ${name}`);
      await expectSame(`INSERT INTO t (id, ${name}) VALUES (${++id}, $1) RETURNING ${name}`, [value]);
      const bare = /\(/.test(type) && !/numeric/.test(type) ? undefined : type;
      if (bare === undefined || /numeric\(/.test(bare)) continue;
      await expectSame(`INSERT INTO t (id, ${name}) VALUES (${++id}, ${quoted(value)}::${bare}) RETURNING ${name}`);
      await expectSame(`INSERT INTO t (id, ${name}) VALUES (${++id}, $1::${bare}) RETURNING ${name}`, [value]);
      await expectSame(`UPDATE t SET ${name} = CAST($1 AS ${bare}) WHERE id = 1 RETURNING ${name}::${bare}, t.*`, [
        value,
      ]);
    }
    await expectSame(`INSERT INTO t (id, ${name}) VALUES (99, NULL) RETURNING ${name}`);
    await expectSame(`SELECT id, ${name}, ${name} IS NULL FROM t ORDER BY id`);
  });

  test('read in binary, and written back so', async () => {
    await fill(name, values);
    if (name !== 'c_moods') await expectSame(`SELECT id, ${name} FROM t WHERE id > $1 ORDER BY id`, [-1], true);
    // npm pg reads binary results as text, hence the send function.
    const { rows: sends } = await twin.query<{ send: string }>(
      'SELECT t.typsend::text AS send FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE attrelid = $1::regclass AND attname = $2',
      ['t', name],
    );
    const { rows } = await twin.query<{ bytes: Buffer | null }>(
      `SELECT ${sends[0]?.send ?? ''}(${name}) AS bytes FROM t`,
    );
    for (const { bytes } of rows) {
      // The OIDs of elements that are the database's own are others there.
      if (bytes === null || name === 'c_moods') continue;
      await expectSame(`UPDATE t SET ${name} = $1 WHERE id = 0 RETURNING ${name}`, [bytes]);
    }
  });

  test('parameters and results are described alike', async () => {
    const describeOn = async (on: pg.Client, url: string): Promise<unknown> => {
      const probe = await connectTo(url);
      try {
        const { connection } = probe as unknown as { connection: pg.Connection }; // npm pg's inner connection
        const parameters = once(connection, 'parameterDescription');
        const result = await probe.query({
          name: 'p',
          text: `UPDATE t SET ${name} = $1 WHERE id = $2 RETURNING ${name}`,
          values: [null, 0],
        });
        void parameters.catch(() => undefined);
        return result.fields.map((field) => [logicalOid(on, field.dataTypeID), field.dataTypeModifier]);
      } finally {
        await probe.end();
      }
    };
    expect(await describeOn(client, db.url)).toEqual(await describeOn(twin, twinUrl));
  });

  test('COPY in and out, in text, csv and binary', async () => {
    await fill(name, values);
    // In binary an array says its elements' OID, which of an enum is each database's own.
    for (const format of name === 'c_moods' ? ['text', 'csv'] : ['text', 'csv', 'binary']) {
      const out = `COPY (SELECT id, ${name} FROM t ORDER BY id) TO STDOUT (FORMAT ${format})`;
      const [sealed, plain] = [await copied(client, out), await copied(twin, out)];
      expect(sealed.toString('hex')).toBe(plain.toString('hex'));
      for (const on of [client, twin]) {
        await on.query('TRUNCATE t');
        const stream = on.query(copyFrom(`COPY t (id, ${name}) FROM STDIN (FORMAT ${format})`));
        stream.end(plain);
        await once(stream, 'finish');
      }
      await expectSame(`SELECT id, ${name} FROM t ORDER BY id`);
    }
  });

  test('what the server refuses is refused with its SQLSTATE', async () => {
    for (const value of ['\u0001\u000b no such value', 'x'.repeat(50)]) {
      await expectSame(`INSERT INTO t (id, ${name}) VALUES (1, $1) RETURNING id`, [value]);
      await expectSame(`INSERT INTO t (id, ${name}) VALUES (2, ${quoted(value)}) RETURNING id`);
    }
  });

  test(searched ? 'equality in its forms' : 'equality of a randomized column is refused', async () => {
    if (!searched) {
      const refused = await ask(client, `SELECT id FROM t WHERE ${name} = $1`, [values[0]]);
      expect(refused).toMatchObject({ code: '0A000' });
      return;
    }
    await fill(name, values);
    for (const value of values) {
      await expectSame(`SELECT id FROM t WHERE ${name} = $1 ORDER BY id`, [value]);
      await expectSame(`SELECT id FROM t WHERE ${quoted(value)} = ${name} ORDER BY id`);
      await expectSame(`SELECT id FROM t WHERE ${name} IS DISTINCT FROM $1 ORDER BY id`, [value]);
      await expectSame(`SELECT id FROM t WHERE ${name} IN (${quoted(value)}, NULL) ORDER BY id`);
    }
    const literal = `{${values.map((value) => `"${value.replace(/["\\]/g, '\\$&')}"`).join(',')},NULL}`;
    await expectSame(`SELECT id FROM t WHERE ${name} = ANY($1) ORDER BY id`, [literal]);
    await expectSame(`SELECT count(DISTINCT ${name}), count(${name}) FROM t`);
    await expectSame(`SELECT a.id, b.id FROM t a JOIN t b ON a.${name} = b.${name} ORDER BY 1, 2`);
    await expectSame(`SELECT count(*) FROM t GROUP BY ${name} ORDER BY 1`);
  });
});

async function copied(on: pg.Client, sql: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of on.query(copyTo(sql))) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe('settings of the session', () => {
  const PRINTED = `SELECT ${['date', 'timestamp', 'timestamptz', 'interval', 'float8', 'float4', 'bytea', 'stamps'].map((name) => `c_${name}`).join(', ')} FROM t ORDER BY id`;
  const CHANGES: readonly (readonly string[])[] = [
    ["SET DateStyle = 'German'"],
    ["SET DateStyle = 'SQL, DMY'", "SET TimeZone = 'Europe/Berlin'"],
    ["SET DateStyle = 'Postgres, MDY'", "SET TimeZone = 'America/St_Johns'"],
    ["SET IntervalStyle = 'iso_8601'"],
    ["SET IntervalStyle = 'sql_standard'"],
    ['SET extra_float_digits = 0'],
    ["SET bytea_output = 'escape'"],
    ['BEGIN', "SET LOCAL DateStyle = 'German'", "SET LOCAL TimeZone = 'Asia/Kathmandu'"],
    ['BEGIN', "SET DateStyle = 'German'", 'SET extra_float_digits = -3', 'ROLLBACK'],
    ['BEGIN', 'SAVEPOINT s', "SET TimeZone = 'Asia/Kathmandu'", 'ROLLBACK TO s'],
    ["SELECT set_config('DateStyle', 'SQL', false), set_config('IntervalStyle', 'postgres_verbose', false)"],
  ];
  test.each(CHANGES)('%s %s %s %s', async (...changes) => {
    for (const column of [
      'c_date',
      'c_timestamp',
      'c_timestamptz',
      'c_interval',
      'c_float8',
      'c_float4',
      'c_bytea',
      'c_stamps',
    ]) {
      const values = TYPES.find(([name]) => name === column)?.[3] ?? [];
      for (const on of [client, twin]) {
        for (const value of values)
          await on.query(`INSERT INTO t (id, ${column}) SELECT 0, $1 WHERE false`, [value]).catch(() => undefined);
      }
    }
    for (const on of [client, twin]) {
      await on.query(
        "INSERT INTO t (id, c_date, c_timestamp, c_timestamptz, c_interval, c_float8, c_float4, c_bytea, c_stamps) VALUES (1, '2024-02-29', '2024-02-29 12:34:56.7', '2024-02-29 12:34:56.7+00', '1 year -2 days 03:04:05', 0.1, 0.3, '\\x00ff', '{2024-07-01 00:00+00}')",
      );
      for (const change of changes) if (change) await on.query(change);
    }
    await expectSame(PRINTED);
    await expectSame(
      'UPDATE t SET c_date = $1, c_timestamptz = $2, c_interval = $3 WHERE id = 1 RETURNING c_date, c_timestamptz, c_interval',
      ['01.02.2003', '2003-02-01 00:30', '-1 2:03:04'],
    );
    for (const on of [client, twin]) await on.query('ROLLBACK; RESET ALL');
    await expectSame(PRINTED);
  });

  test('changed within a pipeline, before its end', async () => {
    for (const on of [client, twin])
      await on.query("INSERT INTO t (id, c_date, c_timestamptz) VALUES (1, '2024-02-29', '2024-02-29 12:00+00')");
    const pipeline = async (url: string): Promise<unknown> => {
      const piped = await connectTo(url);
      try {
        await piped.query('BEGIN');
        const results = await Promise.all([
          piped.query("SET DateStyle = 'German'"),
          piped.query({ text: 'SELECT c_date, c_timestamptz FROM t WHERE id = $1', values: [1], types: RAW }),
          piped.query("SET TimeZone = 'Asia/Tokyo'"),
          piped.query({ text: 'SELECT c_date, c_timestamptz FROM t WHERE id = $1', values: [1], types: RAW }),
        ]);
        return results.map(({ rows }) => rows as unknown);
      } finally {
        await piped.end();
      }
    };
    expect(await pipeline(db.url)).toEqual(await pipeline(twinUrl));
  });
});

describe('char(n) and texts', () => {
  test.each<readonly [string, readonly unknown[]]>([
    ["SELECT id FROM t WHERE c_char = 'abc  '", []],
    ["SELECT id FROM t WHERE c_char = 'abc  '::text", []],
    ["SELECT id FROM t WHERE c_char = 'abc'::text", []],
    ['SELECT id FROM t WHERE c_char = $1', ['abc   ']],
    ['SELECT id FROM t WHERE c_char = $1::text', ['abc   ']],
    ['SELECT id FROM t WHERE c_char = $1::varchar', ['abc']],
    ['UPDATE t SET c_char = $1::text WHERE id = 0 RETURNING c_char', ['x ']],
    ["SELECT coalesce(c_char, 'abcde') FROM t", []],
  ])('%s', async (sql, values) => {
    await fill('c_char', ['abc', 'x']);
    await expectSame(sql, values);
  });
});

describe('values of other types, as they are assigned', () => {
  test.each<readonly [string, string]>([
    ['c_timestamptz', "'2024-02-29 12:00'::timestamp"],
    ['c_timestamptz', "'2024-02-29'::date"],
    ['c_timestamp', "'2024-02-29 12:00+00'::timestamptz"],
    ['c_timestamp', "'2024-02-29'::date"],
    ['c_date', "'2024-02-29 23:30'::timestamp"],
    ['c_float8', '1.1'],
    ['c_float8', '7'],
    ['c_float4', '16777217'],
    ['c_float4', '0.1::float8'],
    ['c_float8', '0.1::float4'],
    ['c_numeric', '1.005::float8'],
    ['c_free', '0.1::float4'],
    ['c_inet', "'10.0.0.0/8'::cidr"],
    ['c_domain', '7'],
    ['c_bit', "B'1010'"],
    ['c_varbit', "X'1F'"],
    ['c_varchar', "'abc '::char(4)"],
    ['c_int4', '7.5'],
    ['c_int2', '99999'],
  ])('%s = %s', async (column, value) => {
    for (const on of [client, twin]) {
      await on.query("SET TimeZone = 'Europe/Berlin'");
      await on.query('INSERT INTO t (id) VALUES (1)');
    }
    const sql = `UPDATE t SET ${column} = ${value} RETURNING ${column}`;
    const answer = await ask(client, sql);
    // A form that is not read is refused by name; what is read is the server's.
    if (!('code' in (answer as object)) || (answer as { code: string }).code !== '0A000')
      expect(answer).toEqual(await ask(twin, sql));
    else expect(["'abc '::char(4)", '0.1::float8', '0.1::float4', '1.005::float8']).toContain(value);
  });
});

describe('domains and enums', () => {
  test.each([
    ['INSERT INTO t (id, c_domain) VALUES (1, $1)', ['0']],
    ['INSERT INTO t (id, c_domain) VALUES (1, $1)', ['-5']],
    ["INSERT INTO t (id, c_email) VALUES (1, 'nobody')", []],
    ["INSERT INTO t (id, c_email) VALUES (1, 'nobody'::email)", []],
    ["INSERT INTO t (id, c_enum) VALUES (1, 'glad')", []],
    ['INSERT INTO t (id, c_enum) VALUES (1, $1::public.mood)', ['glad']],
    ["SELECT id FROM t WHERE c_enum = 'sad'::mood", []],
    ['SELECT id FROM t WHERE c_domain = 42::posint', []],
  ])('%s %j', async (sql, values) => expectSame(sql, values));

  test('a label that is added is known', async () => {
    for (const on of [db.direct, twin]) await on.query("ALTER TYPE mood ADD VALUE 'glad'");
    db.analyzer.catalogChanged();
    await expectSame("INSERT INTO t (id, c_enum) VALUES (1, 'glad') RETURNING c_enum");
  });
});
