/** Format-preserving columns through a real proxy, beside a twin in plaintext. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { writeFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import type { PreservedFormat } from '../../../src/envelope/format-preserving.ts';
import type { DataKeys } from '../../../src/keys/uses/data-keys.ts';
import { rebindColumns } from '../../../src/postgres/columns/rebind.ts';
import { checkDatabase } from '../../../src/postgres/columns/resolve.ts';
import { openServiceConnection, type ServiceConnection } from '../../../src/postgres/service/connection.ts';
import type { SealRule } from '../../../src/postgres/service/rules.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { openSearchedDatabase, type SearchedDatabase, type TestRule } from '../../support/postgres/sealed-database.ts';

let server: TestPostgres;
let database: SearchedDatabase;
let client: pg.Client;

const CARD: TestRule = {
  table: 'cards',
  column: 'card',
  type: 'varchar(19)',
  mode: 'deterministic',
  guard: false,
  format: { alphabet: 'digits', keepFirst: 6, keepLast: 4, generation: 1 },
};
const CODE: TestRule = {
  table: 'cards',
  column: 'code',
  type: 'text',
  mode: 'deterministic',
  guard: false,
  format: { alphabet: 'alphanumeric', keepFirst: 0, keepLast: 0, generation: 3 },
};
const DDL = `
  CREATE TABLE cards (id int PRIMARY KEY, card varchar(19) UNIQUE, code text, city text);
  CREATE INDEX ON cards (code); CREATE TABLE places (code text, place text)`;
const ROWS: readonly (readonly [number, string | null, string | null, string])[] = [
  [1, '4111111111111111', 'Abc123', 'Bern'],
  [2, '5500000000000004', 'Zz99Zz', 'Rom'],
  [3, null, 'Abc123', 'Wien'],
  [4, '340000000000009001', null, 'Bern'],
];

beforeAll(async () => {
  server = await startPostgres();
  database = await openSearchedDatabase(server, 'cards', DDL, [CARD, CODE]);
  client = await connectTo(database.url);
  await client.query('CREATE TEMP TABLE nothing (id int)');
  for (const row of ROWS.slice(0, 2)) await client.query('INSERT INTO cards VALUES ($1, $2, $3, $4)', [...row]);
  await client.query(
    "INSERT INTO cards (id, card, code, city) VALUES (3, NULL, 'Abc123', 'Wien'), (4, '340000000000009001', NULL, 'Bern')",
  );
});
afterAll(async () => {
  await client.end();
  await database.close();
  await server.stop();
});

const rowsOf = async (sql: string, values: readonly unknown[] = []): Promise<readonly unknown[]> =>
  (await client.query<unknown[]>({ text: sql, values: [...values], rowMode: 'array' })).rows;
const failure = (sql: string, values: readonly unknown[] = []): Promise<unknown> =>
  client.query(sql, [...values]).then(
    () => undefined,
    (error: unknown) => (error instanceof pg.DatabaseError ? [error.code, error.routine] : error),
  );

test('what is stored has type, length, alphabet and ends of what was written, and none of its middle', async () => {
  const { rows } = await database.direct.query<{ id: number; card: string | null; code: string | null }>(
    'SELECT id, card, code FROM cards ORDER BY id',
  );
  rows.forEach(({ card, code }, index) => {
    const [, plainCard, plainCode] = ROWS[index] ?? [];
    expect(card === null).toBe(plainCard === null);
    if (card !== null && typeof plainCard === 'string') {
      expect(card).toMatch(/^\d+$/);
      expect(card).toHaveLength(plainCard.length);
      expect([card.slice(0, 6), card.slice(-4)]).toEqual([plainCard.slice(0, 6), plainCard.slice(-4)]);
      expect(card).not.toBe(plainCard);
    }
    if (code !== null) expect(code).toMatch(/^[0-9A-Za-z]{6}$/);
    expect(code === plainCode && code !== null).toBe(false);
  });
  expect(rows[0]?.code).toBe(rows[2]?.code);
  expect(await rowsOf('SELECT * FROM cards ORDER BY id')).toEqual(ROWS);
});

describe('equality is the server’s own', () => {
  test.each([
    ["SELECT id FROM cards WHERE card = '4111111111111111'", [], [[1]]],
    ['SELECT id FROM cards WHERE card = $1::varchar AND code = $2', ['5500000000000004', 'Zz99Zz'], [[2]]],
    ['SELECT id FROM cards WHERE code = ANY($1) ORDER BY id', [['Abc123', 'Zz99Zz', null]], [[1], [2], [3]]],
    ["SELECT id FROM cards WHERE code IN ('Abc123'::text, 'other1') ORDER BY id", [], [[1], [3]]],
    ["SELECT id FROM cards WHERE code = ANY(ARRAY['Zz99Zz','Nothing'])", [], [[2]]],
    ['SELECT code, count(*)::int FROM cards GROUP BY code HAVING count(*) > 1', [], [['Abc123', 2]]],
    ['SELECT a.id, b.id FROM cards a JOIN cards b ON a.code = b.code AND a.id < b.id', [], [[1, 3]]],
    ['SELECT count(DISTINCT code)::int FROM cards', [], [[2]]],
    ["SELECT coalesce(card, '1234567890123456') FROM cards WHERE id = 3", [], [['1234567890123456']]],
    ['SELECT card::text FROM cards WHERE id = 1', [], [['4111111111111111']]],
    ['SELECT array_length(array_agg(id), 1) FROM cards WHERE card IS NOT NULL', [], [[3]]],
    [
      "WITH RECURSIVE r (c, n) AS (SELECT code, 1 FROM cards WHERE id = 1 UNION ALL SELECT 'Other99', n + 1 FROM r WHERE n < 2) SELECT c FROM r",
      [],
      [['Abc123'], ['Other99']],
    ],
    [
      "SELECT card, a.id FROM cards a JOIN cards b USING (card) JOIN (VALUES ('4111111111111111')) v (card) USING (card)",
      [],
      [['4111111111111111', 1]],
    ],
    [
      "UPDATE cards SET card = '4111110000001111' WHERE code = 'Zz99Zz' RETURNING id, card",
      [],
      [[2, '4111110000001111']],
    ],
    [
      "INSERT INTO cards (id, card) VALUES (9, '4111110000001111') ON CONFLICT (card) DO UPDATE SET city = 'Linz' RETURNING id, city",
      [],
      [[2, 'Linz']],
    ],
  ] as const)('%s', async (sql, values, expected) => {
    expect(await rowsOf(sql, values)).toEqual(expected);
  });

  test('binary results and parameters, cursors and PREPARE', async () => {
    const binary = await client.query<unknown[]>({
      text: 'SELECT card FROM cards WHERE code = $1 AND id = 1',
      values: ['Abc123'],
      rowMode: 'array',
      binary: true,
    } as pg.QueryArrayConfig);
    expect(String(binary.rows[0]?.[0])).toBe('4111111111111111');
    await client.query('PREPARE by_code (text) AS SELECT id FROM cards WHERE code = $1');
    expect(await rowsOf("EXECUTE by_code('Zz99Zz')")).toEqual([[2]]);
    await client.query('BEGIN; DECLARE c CURSOR FOR SELECT card FROM cards WHERE id = 1');
    expect(await rowsOf('FETCH ALL FROM c')).toEqual([['4111111111111111']]);
    await client.query('ROLLBACK');
  });
});

describe('what would reveal, or be wrong, is refused', () => {
  test.each([
    "SELECT id FROM cards WHERE card LIKE '4111%'",
    'SELECT id FROM cards ORDER BY card',
    "SELECT card || 'x' FROM cards",
    'SELECT upper(code) FROM cards',
    'SELECT card::bigint FROM cards',
    "SELECT id FROM cards WHERE card > '4'",
    'SELECT id FROM cards WHERE card = code',
    'SELECT c.id FROM cards c JOIN places p ON p.code = c.code',
    'INSERT INTO places (code) SELECT code FROM cards',
    'SELECT max(code) FROM cards',
    'SELECT length(card) FROM cards',
  ])('%s', async (sql) => {
    expect(await failure(sql)).toEqual(['0A000', 'ERR_POSTGRES_SEALED_USE']);
  });

  test.each(['4111-1111-1111-1111', '411111111', '', '41111111111111１1'])('the value %j', async (value) => {
    const wrong = ['22P02', 'ERR_POSTGRES_VALUE_FORMAT'];
    expect(await failure('INSERT INTO cards (id, card) VALUES (10, $1)', [value])).toEqual(wrong);
    expect(await failure(`UPDATE cards SET card = '${value}' WHERE id = 1`)).toEqual(wrong);
    expect(await failure('SELECT id FROM cards WHERE card = $1', [value])).toEqual(wrong);
  });

  test('a value longer than the column', async () => {
    expect(await failure("INSERT INTO cards (id, card) VALUES (11, '41111111111111111111')")).toEqual([
      '22001',
      'ERR_POSTGRES_VALUE_INVALID',
    ]);
  });

  test('a COPY whose marker of NULL could be a stored text', async () => {
    expect(await failure("COPY cards TO STDOUT (NULL 'none')")).toEqual(['0A000', 'ERR_POSTGRES_SEALED_USE']);
    expect(await failure("COPY cards FROM STDIN (FORMAT csv, NULL 'ABCDEF')")).toEqual([
      '0A000',
      'ERR_POSTGRES_SEALED_USE',
    ]);
  });
});

const COPIES = [
  ['text', '', '21\t4000000000000002\tQwErTy\tX\n22\t\\N\tQwErT2\tY\n'],
  ['csv', 'WITH (FORMAT csv)', '21,4000000000000002,QwErTy,X\n22,,"QwErT2",Y\n'],
  [
    'csv quoted by a letter',
    "WITH (FORMAT csv, QUOTE 'Q', ESCAPE 'Q')",
    '21,4000000000000002,QQQwErTyQ,X\n22,,QQQwErT2Q,Y\n',
  ],
] as const;

test.each(COPIES)('COPY in %s goes both ways', async (_name, options, data) => {
  await client.query('DELETE FROM cards WHERE id > 20');
  const file = join(tmpdir(), `sealgate-copy-${process.pid}.data`);
  await writeFile(file, data);
  await pipeline(createReadStream(file), client.query(copyFrom(`COPY cards FROM STDIN ${options}`)));
  await rm(file);
  expect(await rowsOf('SELECT * FROM cards WHERE id > 20 ORDER BY id')).toEqual([
    [21, '4000000000000002', 'QwErTy', 'X'],
    [22, null, 'QwErT2', 'Y'],
  ]);
  const stored = await database.direct.query<{ code: string }>('SELECT code FROM cards WHERE id > 20');
  for (const { code } of stored.rows) expect(code).not.toContain('QwEr');
  const chunks: Buffer[] = [];
  const out = client.query(copyTo(`COPY (SELECT * FROM cards WHERE id > 20) TO STDOUT ${options}`));
  out.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(out, 'end');
  const printed = Buffer.concat(chunks).toString();
  expect(printed).toContain('4000000000000002');
  expect(printed.replaceAll('QQ', 'Q')).toContain('QwErTy');
});

test('nothing that was written is found in the server’s files', async () => {
  await client.query("INSERT INTO cards (id, card, code) VALUES (30, '4999912345678900', 'CaNaRy00')");
  await database.direct.query('CHECKPOINT');
  const { searchFiles } = await import('../../../src/cli/demo/search-files.ts');
  const { found } = await searchFiles(server.dataDirectory, ['4999912345678900', 'CaNaRy00', '12345678']);
  expect(found).toEqual([]);
});

describe('the rule says how values are read, and is held to it', () => {
  const digits: PreservedFormat = { alphabet: 'digits', keepFirst: 0, keepLast: 0 };
  const rule = (more: Partial<SealRule>): SealRule => ({
    database: 'turned',
    schema: 'public',
    table: 'later',
    column: 'number',
    type: 'varchar(10)',
    keyId: 'alias/test',
    mode: 'deterministic',
    domain: undefined,
    guard: false,
    format: { ...digits, generation: 2 },
    ...more,
  });
  let turned: SearchedDatabase;
  let writer: pg.Client;
  let service: ServiceConnection;
  beforeAll(async () => {
    turned = await openSearchedDatabase(server, 'turned', 'CREATE TABLE before (number varchar(10))', [rule({})]);
    writer = await connectTo(turned.url);
    const { host, port, superuser: user, password } = server;
    service = openServiceConnection({ host, port, user, password, database: 'turned' });
  });
  afterAll(async () => {
    await service.close();
    await writer.end();
    await turned.close();
  });
  const problems = async (changed: SealRule): Promise<readonly string[]> =>
    (await checkDatabase(service, [changed], randomBytes)).problems.map(({ code }) => code);

  test('CREATE TABLE through the proxy makes the column of its own type, and the first key is of the rule’s generation', async () => {
    await writer.query('CREATE TABLE later (id int, number varchar(10) UNIQUE)');
    await writer.query("INSERT INTO later VALUES (1, '123456')");
    expect((await writer.query('SELECT number FROM later')).rows).toEqual([{ number: '123456' }]);
    const { rows } = await turned.direct.query(
      'SELECT c.mode, d.generation, format_type(a.atttypid, a.atttypmod) AS type FROM sealgate.columns c JOIN sealgate.deks d ON d.owner = c.id JOIN pg_attribute a ON a.attrelid = c.relation AND a.attnum = c.attnum',
    );
    expect(rows).toEqual([{ mode: 'format-preserving digits 0 0 2', generation: 2, type: 'character varying(10)' }]);
  });

  test.each([
    ['another generation', { format: { ...digits, generation: 3 } }],
    ['another alphabet', { format: { ...digits, alphabet: 'alphanumeric', generation: 2 } }],
    ['other kept ends', { format: { ...digits, keepLast: 1, generation: 2 } }],
  ] as const)('%s is refused while there are values, also by binding anew', async (_what, change) => {
    const changed = rule(change);
    expect(await problems(changed)).toEqual(['ERR_POSTGRES_COLUMN_RULE_CHANGED']);
    // Nothing of it is asked for: the values name no key.
    const keys = {} as DataKeys;
    const binding = rebindColumns({ connection: service, keys, random: randomBytes, principal: 'arn:sealgate:cli' }, [
      changed,
    ]);
    await expect(binding).rejects.toMatchObject({ code: 'ERR_POSTGRES_COLUMN_RULE_CHANGED' });
    expect(await problems(rule({}))).toEqual([]);
  });

  test('another mode, another type, and plaintext that was there before are refused', async () => {
    const { format: _format, ...plain } = rule({});
    expect(await problems({ ...plain, mode: 'randomized' })).toContain('ERR_POSTGRES_COLUMN_GUARD');
    expect(await problems(rule({ type: 'text' }))).toEqual(['ERR_POSTGRES_COLUMN_GUARD']);
    await turned.direct.query("INSERT INTO before VALUES ('123456')");
    expect(await problems(rule({ table: 'before' }))).toEqual(['ERR_POSTGRES_COLUMN_MOVED']);
  });

  test('what is stored and fits no format ends the session, and is not shown', async () => {
    await turned.direct.query("INSERT INTO later VALUES (2, 'PLAIN')");
    writer.on('error', () => undefined);
    await expect(writer.query('SELECT number FROM later ORDER BY id')).rejects.toMatchObject({
      routine: 'ERR_POSTGRES_OPEN_FAILED',
    });
  });
});

test('a first key may be of any generation', async () => {
  const { rows } = await database.direct.query(
    "SELECT d.generation FROM sealgate.deks d JOIN sealgate.columns c ON c.id = d.owner WHERE c.column_name = 'code'",
  );
  expect(rows).toEqual([{ generation: 3 }]);
});
