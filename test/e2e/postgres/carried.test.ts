/** Values of every type inside arrays and JSON, as a plain server makes them; text and binary, in the session's settings. */
import pg from 'pg';
import { serialize } from 'pg-protocol';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { errorOf, RawClient, type RawMessage } from '../../support/postgres/proxy.ts';
import { shown } from '../../support/postgres/said.ts';
import { testedVersion } from '../../support/postgres/versions.ts';
import { openSearchedDatabase, type SealedDatabase } from '../../support/postgres/sealed-database.ts';
import { ask, type Way } from '../../support/postgres/wire-asker.ts';

/** Type, and values; all are randomized. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  text: ['', 'ü😀', 'canary "q" \\ / \u0001\u001f\u007f\b\f\n\r\t \u2028 </x>', '\\x00', 'null', '{}', '[1'],
  'varchar(20)': ['', 'abc ', '"'],
  'char(5)': ['', 'abc', 'ü'],
  int2: ['0', '-32768'],
  int4: ['-5', '2147483647'],
  int8: ['9223372036854775807'],
  'numeric(10,2)': ['0', '1.5', '-12345678.99', 'NaN'],
  numeric: ['1.0', '1.00', 'NaN', testedVersion() < 14 ? '-0' : '-Infinity', '1e-10', '1e30'],
  float4: ['0', '-0', '1.5', '3.4028235e38', 'NaN', '-Infinity', '1e-7'],
  float8: ['0', '-0', '0.1', '1e23', '5e-324', '1.5e300', '123456789012345680', 'NaN', 'Infinity'],
  bool: ['t', 'f'],
  bytea: ['\\x', '\\x00ff5c22'],
  date: ['2024-02-29', 'infinity', '0044-03-15 BC', '5874897-12-31'],
  time: ['24:00:00', '12:34:56.789'],
  timetz: ['12:34:56.7891+02', '24:00:00-15:59'],
  timestamp: ['2024-02-29 12:34:56.789', '-infinity', '294276-12-31 23:59:59.999999', '0044-03-15 12:00 BC'],
  timestamptz: [
    '2024-02-29 12:34:56.789+00',
    'infinity',
    '1850-01-01 00:00+00',
    '2024-07-01 00:00+00',
    '0044-03-15 12:00+00 BC',
  ],
  interval: ['1 year 2 mons -3 days 04:05:06.7', '00:00:00'],
  uuid: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  inet: ['10.1.2.3/8', '::1'],
  cidr: ['10.0.0.0/8'],
  macaddr: ['08:00:2b:01:02:03'],
  'bit(4)': ['1010'],
  varbit: ['', '101'],
  jsonb: ['{"b": 1, "a": [1.0, "x\\"y"]}', 'null', '"x"', '[]'],
  json: ['{"a" : 1, "a":2}', 'null', ' [1 , 2]', '"x"'],
  mood: ['sad', "it's"],
  posint: ['42'],
  'int4[]': ['{}', '{1,NULL,-3}', '{{1,2},{3,4}}', '[0:1]={5,6}'],
  'text[]': ['{a,"b c","NULL",NULL,""}', '{"\\"","\\\\"}'],
  'float8[]': ['{1e30,NaN,-0}'],
  'timestamptz[]': ['{"2024-02-29 12:00:00+00",NULL}'],
  'bool[]': ['{t,f,NULL}'],
  'jsonb[]': ['{"{\\"a\\": 1}",NULL}'],
};
const NAMES = Object.keys(TYPES);
const columnOf = (type: string): string => `c_${NAMES.indexOf(type)}`;
const RETURNED_ROW = 'UPDATE t SET id = id WHERE id = 1 RETURNING t, ROW(t.*)';
const ROWS = Math.max(...Object.values(TYPES).map((values) => values.length)) + 1;

const ddl = (sealed: boolean): string =>
  `CREATE TYPE mood AS ENUM ('sad', 'it''s'); CREATE DOMAIN posint AS int CHECK (VALUE > 0);
   CREATE TABLE t (id int, ${NAMES.map((type) => `${columnOf(type)} ${sealed ? 'sealgate.sealed' : type}`).join(', ')})`;
const OWN = new Set(['mood', 'posint']);

let server: TestPostgres;
let db: SealedDatabase;
let twinUrl: string;
let twin: pg.Client;
let sealed: RawClient;
let plain: RawClient;
beforeAll(async () => {
  server = await startPostgres(['timezone=UTC']);
  const rules = NAMES.map((type) => ({
    table: 't',
    column: columnOf(type),
    type: OWN.has(type) ? `public.${type}` : type,
  }));
  db = await openSearchedDatabase(server, 'sealed', `${ddl(true)}; CREATE TABLE o (id int, what text)`, rules);
  twinUrl = await db.openTwin();
  twin = await connectTo(twinUrl);
  await twin.query(`${ddl(false)}; CREATE TABLE o (id int, what text)`);
  const through = await connectTo(db.url);
  for (const client of [through, twin]) {
    for (let row = 0; row < ROWS; row++) {
      const values = NAMES.map((type) => TYPES[type]?.[row] ?? null);
      const numbers = values.map((_value, index) => `$${index + 2}`).join(', ');
      await client.query(`INSERT INTO t VALUES ($1, ${numbers})`, [row, ...values]);
    }
    await client.query(`INSERT INTO o VALUES (1, '"[{\\'), (2, NULL)`);
  }
  await through.end();
  sealed = await RawClient.login(db.url);
  plain = await RawClient.login(twinUrl);
});
afterAll(async () => {
  sealed.end();
  plain.end();
  await twin.end();
  await db.close();
  await server.stop();
});

const WAYS: readonly Way[] = ['simple', 'text', 'binary'];

async function both(sql: string, way: Way) {
  return Promise.all([ask(sealed, sql, [], way), ask(plain, sql, [], way)]);
}

async function expectAlike(sql: string, ways = WAYS): Promise<void> {
  for (const way of ways) {
    const [ours, theirs] = await both(sql, way);
    expect({ way, sql, ...ours }).toEqual({ way, sql, ...theirs });
  }
}

const ARRAYS = NAMES.filter((type) => !type.endsWith('[]') && type !== 'posint' && type !== 'mood');
/** What is equal looks the same, and no collation has a say. */
const SORTED = ['int2', 'int4', 'int8', 'numeric(10,2)', 'bool', 'bytea', 'date', 'timestamp', 'timestamptz', 'uuid'];
const CAST = NAMES.filter((type) => type !== 'text' && !type.startsWith('varchar'));
/** How an enum becomes JSON a cast of its own may say; json that becomes jsonb is read again. */
const JSON_TYPES = NAMES.filter((type) => type !== 'mood');
const JSONB_TYPES = JSON_TYPES.filter((type) => type !== 'json');

const SETTINGS: readonly (readonly string[])[] = [
  [],
  ["SET TimeZone = 'Europe/Amsterdam'", "SET DateStyle = 'German'", "SET IntervalStyle = 'sql_standard'"],
  [
    "SET bytea_output = 'escape'",
    "SET DateStyle = 'SQL, DMY'",
    'SET extra_float_digits = 0',
    "SET TimeZone = 'Asia/Kolkata'",
  ],
];

describe.each(SETTINGS.map((settings) => ({ settings })))('with $settings', ({ settings }) => {
  beforeAll(async () => {
    for (const sql of ['RESET ALL', ...settings]) await both(sql, 'simple');
  });

  test.each(ARRAYS)('arrays of %s', async (type) => {
    const c = columnOf(type);
    await expectAlike(`SELECT array_agg(${c} ORDER BY id), ARRAY(SELECT ${c} FROM t ORDER BY id) FROM t`);
    await expectAlike(`SELECT coalesce(array_agg(${c}), '{}'), ARRAY[max(id)] FROM t WHERE id > 1000`);
  });

  test.each(SORTED)('arrays of %s in the order of their values', async (type) => {
    const c = columnOf(type);
    const twice = `(SELECT ${c} FROM t UNION ALL SELECT ${c} FROM t) x`;
    await expectAlike(
      `SELECT array_agg(${c} ORDER BY ${c}), array_agg(x.${c} ORDER BY x.${c} DESC), array_agg(${c} ORDER BY ${c} DESC NULLS LAST) FROM ${twice}`,
    );
    await expectAlike(`SELECT id > 1, array_agg(${c} ORDER BY ${c} NULLS FIRST) FROM t GROUP BY 1 ORDER BY 1`);
    await expectAlike(
      `SELECT json_agg(${c} ORDER BY ${c}), jsonb_agg(x.${c} ORDER BY x.${c} DESC), json_build_array(id, json_agg(${c} ORDER BY ${c} NULLS FIRST)), to_jsonb(array_agg(${c} ORDER BY ${c}))
         FROM (SELECT id, ${c} FROM t UNION ALL SELECT id, ${c} FROM t) x GROUP BY GROUPING SETS ((id), ()) ORDER BY id`,
    );
  });

  test.each(['text', 'varchar(20)'])('%s joined', async (type) => {
    const c = columnOf(type);
    await expectAlike(
      `SELECT string_agg(${c}, ' "é\\' ORDER BY id), string_agg(${c}, '' ORDER BY id DESC), ROW(string_agg(${c}, ',' ORDER BY id)) FROM t`,
    );
    await expectAlike(
      `SELECT id > 2, coalesce(string_agg(${c}, ','::text ORDER BY id) FILTER (WHERE id > 3), '') FROM t GROUP BY 1 ORDER BY 1`,
    );
    await expectAlike(`SELECT string_agg(${c}, ',') FROM t WHERE id > 1000`);
    await expectAlike(
      `SELECT string_agg(${c}, o.what ORDER BY o.id, t.id), string_agg(${c}, o.what || E'\\x01' ORDER BY o.id DESC, t.id) FROM t, o`,
    );
  });

  test.each(CAST)('%s cast to text', async (type) => {
    const c = columnOf(type);
    await expectAlike(`SELECT ${c}::text, CAST(x.${c} AS varchar), pg_typeof(id), x.${c} FROM t x ORDER BY id`);
    await expectAlike(
      `SELECT coalesce(${c}::text, ''), CASE WHEN id > 1 THEN ${c}::text ELSE ''::text END AS v, ROW(id, ${c}::text), lag(${c}::varchar) OVER (ORDER BY id) FROM t ORDER BY id`,
    );
    await expectAlike(
      `WITH w AS MATERIALIZED (SELECT id, ${c}::text AS v FROM t UNION ALL SELECT id, ${c}::text FROM t) SELECT v, (SELECT w.v) FROM w WHERE v IS NOT NULL ORDER BY id`,
    );
  });

  test.each(CAST)('%s cast to text, in arrays and JSON', async (type) => {
    const c = columnOf(type);
    await expectAlike(
      `SELECT array_agg(${c}::text ORDER BY id), ARRAY(SELECT ${c}::varchar FROM t ORDER BY id), json_agg(${c}::text ORDER BY id),
         string_agg(${c}::text, ' é"' ORDER BY id), to_jsonb(array_agg(coalesce(${c}::text, '') ORDER BY id)) FROM t`,
    );
    await expectAlike(
      `SELECT ARRAY[${c}::text, NULL, ${c}::text], to_json(${c}::text), to_jsonb(${c}::varchar), json_build_array(id, ${c}::text), jsonb_build_object('v', ${c}::text, 'n', id),
         row_to_json(ROW(${c}::text)), ROW(ARRAY[coalesce(${c}::varchar, '')]) FROM t ORDER BY id`,
    );
    await expectAlike(
      `SELECT json_agg(x ORDER BY id), jsonb_agg(json_build_object('x', x.v, 'l', x.l) ORDER BY id), jsonb_object_agg(id, v), coalesce(array_agg(v) FILTER (WHERE id > 1000), '{}')
         FROM (SELECT id, ${c}::text AS v, ARRAY[${c}::text] AS l FROM t) x`,
    );
    await expectAlike(
      `SELECT json_build_object('names', string_agg(${c}::text, ',' ORDER BY id), 'none', coalesce(string_agg(${c}::varchar, ',') FILTER (WHERE id > 1000), '')) FROM t`,
    );
  });

  test.each(JSON_TYPES)('%s in json', async (type) => {
    const c = columnOf(type);
    await expectAlike(
      `SELECT to_json(${c}), json_build_array(${c}, id), json_build_object('v', ${c}) FROM t ORDER BY id`,
    );
    await expectAlike(`SELECT json_agg(x ORDER BY id) FROM (SELECT id, ${c} AS "v "" v" FROM t) x`);
  });

  test.each(JSONB_TYPES)('%s in jsonb', async (type) => {
    const c = columnOf(type);
    await expectAlike(
      `SELECT to_jsonb(${c}), jsonb_build_array(${c}, id), jsonb_build_object('zz', id, 'v', ${c}) FROM t ORDER BY id`,
    );
    await expectAlike(`SELECT jsonb_agg(json_build_object('v', ${c}, 'o', json_build_array(${c})) ORDER BY id) FROM t`);
    await expectAlike(`SELECT jsonb_agg(x ORDER BY id) FROM (SELECT id, ${c} AS "v "" v" FROM t) x`);
  });
});

describe.each(SETTINGS.map((settings) => ({ settings })))('rows as values, with $settings', ({ settings }) => {
  beforeAll(async () => {
    for (const sql of ['RESET ALL', ...settings]) await both(sql, 'simple');
  });

  /** In binary a field says its type, whose OID is another one in the twin. */
  const waysOf = (type: string): readonly Way[] => (OWN.has(type) ? ['simple', 'text'] : WAYS);

  test.each(NAMES)('%s', async (type) => {
    const c = columnOf(type);
    const from = `FROM (SELECT id, ${c} FROM t) x`;
    for (const sql of [
      `SELECT x, ROW(${c}, id, NULL, 'x, "y"'), ROW(x.*, 1), ROW(ROW(${c}), id) ${from} ORDER BY id`,
      `SELECT x::text, CAST(x.* AS varchar), ROW(${c}, '\\')::text ${from} ORDER BY id`,
      `SELECT array_agg(x ORDER BY id), array_agg(ROW(${c}, id) ORDER BY id), ARRAY(SELECT x ${from} ORDER BY id) ${from}`,
      `SELECT o.id, x, x.*::text FROM o LEFT JOIN (SELECT id, ${c} FROM t) x ON x.id = 1 AND o.id = 1 ORDER BY o.id`,
    ])
      await expectAlike(sql, waysOf(type));
  });

  test('of a table', async () => {
    for (const sql of [
      'SELECT t FROM t ORDER BY id',
      'SELECT t.*::text, (t) IS NULL FROM t ORDER BY id',
      'SELECT array_agg(t ORDER BY id), count(t) FROM t',
      'SELECT CASE WHEN id > 0 THEN t END, coalesce(t, t) FROM t ORDER BY id',
      'UPDATE t SET id = id WHERE id = 1 RETURNING t',
      RETURNED_ROW,
      'WITH w AS (SELECT t AS r, id FROM t) SELECT r, o FROM w JOIN o USING (id) UNION ALL SELECT t, o FROM t JOIN o USING (id)',
    ])
      await expectAlike(sql, ['simple', 'text']);
    if (testedVersion() >= 14) return;
    // The second analysis has no column for it there.
    const through = await connectTo(db.url);
    onTestFinished(() => through.end());
    const changing = `WITH c AS (UPDATE o SET what = what RETURNING id) ${RETURNED_ROW}`;
    await expect(through.query(changing)).rejects.toMatchObject({ code: '0A000' });
  });
});

test('rows with JSON, arrays and rows of sealed values in them', async () => {
  const list = JSONB_TYPES.filter((type) => ARRAYS.includes(type)).map(columnOf);
  for (const c of list)
    await expectAlike(
      `SELECT ROW(json_agg(${c} ORDER BY id), jsonb_agg(${c} ORDER BY id), array_agg(${c} ORDER BY id), ROW(max(id), ROW(jsonb_agg(${c} ORDER BY id)))) FROM t`,
    );
  await expectAlike(
    `SELECT to_json(array_agg(x ORDER BY id)), jsonb_agg(ROW(x.*) ORDER BY id) FROM (SELECT id, ${list.join(', ')} FROM t) x`,
  );
});

test('whole rows, with JSON beside them', async () => {
  const list = JSONB_TYPES.map(columnOf).join(', ');
  await expectAlike(`SELECT json_agg(x ORDER BY id), jsonb_agg(x ORDER BY id) FROM (SELECT id, ${list} FROM t) x`);
  await expectAlike(
    `SELECT o.id, j.data FROM o LEFT JOIN LATERAL (SELECT coalesce(json_agg(json_build_object('o', o, 't', x) ORDER BY x.id), '[]') AS data
       FROM (SELECT id, ${list} FROM t WHERE t.id < o.id) x) j ON true ORDER BY o.id`,
  );
});

test('more values than are opened in one turn', async () => {
  const c = columnOf('text');
  const rows = `(SELECT ${c} FROM t, generate_series(1, 1000) ORDER BY id) x`;
  await expectAlike(`SELECT json_agg(${c}), array_agg(${c}), count(*) FROM ${rows}`);
  const n = columnOf('int4');
  const numbers = `(SELECT ${n} FROM t, generate_series(1, 1000)) x`;
  await expectAlike(`SELECT json_agg(${n} ORDER BY ${n}), array_agg(${n} ORDER BY ${n} DESC) FROM ${numbers}`);
});

test.each([
  ['an enum in JSON', `SELECT to_json(${columnOf('mood')}) FROM t`],
  ['json in jsonb', `SELECT to_jsonb(${columnOf('json')}) FROM t`],
  ['json in json in jsonb', `SELECT jsonb_agg(json_build_array(${columnOf('json')})) FROM t`],
  ['an array of arrays', `SELECT array_agg(${columnOf('int4[]')}) FROM t`],
  ['an array of a domain', `SELECT array_agg(${columnOf('posint')}) FROM t`],
  ['a row in COPY', 'COPY (SELECT t FROM t) TO STDOUT'],
  ['a row in a BINARY cursor', 'DECLARE c BINARY CURSOR FOR SELECT t FROM t'],
  ['a row in a function', 'SELECT md5(t::text) FROM t'],
  ['a row that is compared', 'SELECT a = b FROM t a, t b'],
  ['a row beside a constant', "SELECT coalesce(t, '(1)') FROM t"],
  ['rows that are told apart', 'SELECT DISTINCT t FROM t'],
  ['rows that are stored', 'INSERT INTO o (what) SELECT t::text FROM t'],
  ['text in COPY', `COPY (SELECT ${columnOf('uuid')}::text FROM t) TO STDOUT`],
  ['text in a BINARY cursor', `DECLARE c BINARY CURSOR FOR SELECT ${columnOf('uuid')}::text FROM t`],
  ['text of a date in a cursor', `DECLARE c CURSOR FOR SELECT ROW(${columnOf('date')}::text) FROM t`],
  ['text of dates in a cursor', `DECLARE c CURSOR FOR SELECT ${columnOf('timestamptz[]')}::text FROM t`],
  ['an array of texts of dates in a cursor', `DECLARE c CURSOR FOR SELECT array_agg(${columnOf('date')}::text) FROM t`],
  ['text of a date in JSON in a cursor', `DECLARE c CURSOR FOR SELECT to_jsonb(${columnOf('date')}::text) FROM t`],
  [
    'texts of dates joined in a cursor',
    `DECLARE c CURSOR FOR SELECT string_agg(${columnOf('date')}::text, ',') FROM t`,
  ],
  ['texts that are told apart', `SELECT array_agg(DISTINCT ${columnOf('uuid')}::text) FROM t`],
  ['texts in their own order', `SELECT json_agg(${columnOf('int4')}::text ORDER BY ${columnOf('int4')}::text) FROM t`],
  ['texts in the order of values', `SELECT array_agg(${columnOf('int4')}::text ORDER BY ${columnOf('int4')}) FROM t`],
  ['texts of two columns in an array', `SELECT ARRAY[${columnOf('int4')}::text, ${columnOf('int8')}::text] FROM t`],
  ['JSON of a row’s text', 'SELECT to_json(t::text) FROM t'],
  ['an array of texts that is stored', `INSERT INTO o (what) SELECT array_agg(${columnOf('uuid')}::text)::text FROM t`],
  [
    'text of a date beside set_config',
    `SELECT set_config('DateStyle', 'German', true), ${columnOf('date')}::text FROM t`,
  ],
  ['text that is cut', `SELECT ${columnOf('uuid')}::varchar(5) FROM t`],
  ['text that is compared', `SELECT id FROM t WHERE ${columnOf('int4')}::text = '1'`],
  ['text that is told apart', `SELECT DISTINCT ${columnOf('int4')}::text FROM t`],
  ['text that is put in an order', `SELECT ${columnOf('int4')}::text FROM t ORDER BY 1`],
  ['text beside another', `SELECT coalesce(${columnOf('int4')}::text, 'none') FROM t`],
  ['text that is computed with', `SELECT ${columnOf('int4')}::text || '!' FROM t`],
  ['text of text', `SELECT ${columnOf('int4')}::text::int4 FROM t`],
  ['text without a name', `SELECT (CASE WHEN id > 1 THEN ${columnOf('int4')} END)::text FROM t`],
  ['JSON in COPY', 'COPY (SELECT json_agg(t) FROM (SELECT c_0 FROM t) t) TO STDOUT'],
  ['JSON in a BINARY cursor', 'DECLARE c BINARY CURSOR FOR SELECT json_agg(c_0) FROM t'],
])('%s is refused', async (_what, sql) => {
  const ours = await ask(sealed, sql, [], 'simple');
  expect(ours).toMatchObject({ type: 'refused', sqlstate: '0A000', refusal: { hint: expect.any(String) } });
});

test('a value that was put where another column’s is ends the connection, and shows nothing', async () => {
  const [note, other] = [columnOf('text'), columnOf('varchar(20)')];
  await db.direct.query(`INSERT INTO t (id, ${note}) SELECT 5000, ${other} FROM t WHERE id = 1`);
  for (const sql of [
    `SELECT json_agg(${note}) FROM t WHERE id >= 5000`,
    `SELECT array_agg(${note}) FROM t WHERE id >= 5000`,
    `SELECT ROW(id, ${note}) FROM t WHERE id >= 5000`,
    'SELECT t FROM t WHERE id >= 5000',
  ]) {
    const client = new pg.Client({ connectionString: db.url });
    client.on('error', () => undefined);
    await client.connect();
    await expect(client.query(sql)).rejects.toMatchObject({ code: '58030' });
    await client.end();
  }
  await db.direct.query('DELETE FROM t WHERE id = 5000');
});

test('text that follows the settings is not read on under others', async () => {
  const client = await RawClient.login(db.url);
  const bind = serialize.bind({ portal: 'p', statement: 's' });
  client.send(serialize.query('BEGIN'));
  await client.untilReady();
  const sql = `SELECT ${columnOf('date')}::text, ${columnOf('uuid')}::text FROM t ORDER BY id`;
  client.send(
    serialize.parse({ name: 's', text: sql }),
    bind,
    serialize.execute({ portal: 'p', rows: 1 }),
    serialize.sync(),
  );
  expect((await client.untilReady()).filter(({ type }) => type === 'D')).toHaveLength(1);
  client.send(serialize.execute({ portal: 'p', rows: 1 }), serialize.sync());
  expect((await client.untilReady()).filter(({ type }) => type === 'D')).toHaveLength(1);
  client.send(serialize.query("SET DateStyle = 'German'"));
  await client.untilReady();
  client.send(serialize.execute({ portal: 'p', rows: 1 }), serialize.sync());
  expect(errorOf(await client.untilReady())).toMatchObject({ S: 'FATAL', C: '58030' });
  client.end();
});

describe('a portal whose settings change before it is run, or read on:', () => {
  const [date, zoned, bytes, float] = ['date', 'timestamptz', 'bytea', 'float8'].map(columnOf);
  const portal = (sql: string) => [
    serialize.parse({ name: 's', text: sql }),
    serialize.bind({ portal: 'p', statement: 's' }),
  ];
  const set = (text: string) => [serialize.parse({ text }), serialize.bind({}), serialize.execute({})];
  const read = (rows = 0) => serialize.execute({ portal: 'p', rows });
  const CHANGES = [
    "SET bytea_output = 'escape'",
    'SET extra_float_digits = -3',
    "SET TimeZone = 'Asia/Tokyo'",
    "SET DateStyle = 'German'",
  ];

  /** What is said to the sequences, each with its Sync, in a block. */
  async function said(url: string, sequences: readonly (readonly Uint8Array[])[]): Promise<readonly string[]> {
    const on = await RawClient.login(url);
    onTestFinished(() => on.end());
    on.send(serialize.query('BEGIN'));
    await on.untilReady();
    const messages: RawMessage[] = [];
    for (const frames of sequences) {
      on.send(...frames, serialize.sync());
      messages.push(...(await on.untilReady()));
    }
    return shown(messages);
  }
  const VALUES = `SELECT ${date}, ${zoned}, ${bytes}, ${float} FROM t WHERE id < 3 ORDER BY id`;
  const TEXTS = `SELECT to_json(${date}::text), to_json(${zoned}), ARRAY[${bytes}::text], ${float}::text FROM t WHERE id < 3 ORDER BY id`;

  test.each(CHANGES)('%s', async (change) => {
    for (const sequences of [
      [[...portal(VALUES), ...set(change), read()]],
      [[...portal(TEXTS), ...set(change), read()]],
      [[...portal(VALUES), read(1)], set(change), [read()]],
      [
        [...portal(VALUES), read(1)],
        [...set(change), read()],
      ],
      [[...portal(VALUES), read(1)], [...set(change), ...set('SELECT 1/0')], [read()]],
    ]) {
      const theirs = await said(twinUrl, sequences);
      expect(theirs.filter((line) => line.startsWith('D '))).not.toHaveLength(0);
      expect(await said(db.url, sequences)).toEqual(theirs);
    }
  });

  test.each(CHANGES)('texts are not read on behind %s', async (change) => {
    for (const sequences of [
      [[...portal(TEXTS), read(1)], set(change), [read()]],
      [
        [...portal(TEXTS), read(1)],
        [...set(change), read()],
      ],
    ])
      expect((await said(db.url, sequences)).at(-1)).toMatch(/^E FATAL 58030/);
  });
});

test('a cursor has no text, and no JSON, that follows the settings', async () => {
  const zoned = columnOf('timestamptz');
  const declare = (what: string) => `DECLARE held CURSOR WITH HOLD FOR SELECT ${what} FROM t WHERE id < 3 ORDER BY id`;
  for (const what of [`${zoned}::text`, `ROW(${zoned})::text`, `to_json(${zoned})`, 't::text', 'row_to_json(t)'])
    expect(await ask(sealed, declare(what), [], 'simple')).toMatchObject({ type: 'refused', sqlstate: '0A000' });
  for (const what of [zoned, `ROW(${zoned})`, `to_json(${columnOf('date')})`, `array_agg(${zoned}) OVER ()`])
    for (const statement of [
      'BEGIN',
      declare(what),
      'COMMIT',
      "SET TimeZone = 'Asia/Tokyo'",
      'FETCH ALL FROM held',
      'CLOSE held',
      'RESET TimeZone',
    ])
      await expectAlikeSimple(statement);
});

test('cursors and prepared statements give them too', async () => {
  const sql = `SELECT json_agg(x ORDER BY id), array_agg(${columnOf('numeric(10,2)')} ORDER BY id) FROM (SELECT * FROM t WHERE id < 3) x`;
  const list = JSONB_TYPES.map(columnOf).join(', ');
  const inner = sql.replace('SELECT * FROM t', `SELECT id, ${list} FROM t`);
  for (const statements of [
    ['BEGIN', `DECLARE c CURSOR FOR ${inner}`, 'FETCH ALL FROM c', 'ROLLBACK'],
    ['BEGIN', 'DECLARE c CURSOR FOR SELECT t, ROW(t.*) FROM t ORDER BY id', 'FETCH 2 FROM c', 'ROLLBACK'],
    [
      'BEGIN',
      `DECLARE c CURSOR FOR SELECT ${columnOf('uuid')}::text, ${columnOf('bool')}::text FROM t ORDER BY id`,
      'FETCH 2 FROM c',
      'ROLLBACK',
    ],
    [`PREPARE p AS SELECT ${columnOf('date')}::text FROM t ORDER BY id`, 'EXECUTE p', 'DEALLOCATE p'],
    ['PREPARE p AS SELECT t, t::text FROM t ORDER BY id', 'EXECUTE p', 'DEALLOCATE p'],
    [`PREPARE p AS ${inner}`, 'EXECUTE p', 'DEALLOCATE p'],
  ])
    for (const statement of statements) await expectAlikeSimple(statement);
});

async function expectAlikeSimple(sql: string): Promise<void> {
  const [ours, theirs] = await both(sql, 'simple');
  expect(ours).toEqual(theirs);
}
