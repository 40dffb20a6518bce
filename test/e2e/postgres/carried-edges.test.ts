/** Where values carried in arrays, JSON, text and recursive queries stop being what a plain server would make of them: refused, and nothing has changed. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { RawClient } from '../../support/postgres/proxy.ts';
import { openTwinDatabase, type TwinDatabase } from '../../support/postgres/twin-database.ts';
import { since } from '../../support/postgres/versions.ts';
import { ask, type Way } from '../../support/postgres/wire-asker.ts';

const DETERMINISTIC = { mode: 'deterministic' } as const;
const RULES = [
  { table: 't', column: 'mail', type: 'text', ...DETERMINISTIC },
  { table: 't', column: 'n', type: 'int4', ...DETERMINISTIC },
  { table: 't', column: 'm', type: 'int4', ...DETERMINISTIC },
  { table: 't', column: 'note', type: 'text' },
  ...['interval', 'float4', 'float8', 'bytea', 'timestamptz', 'date', 'timestamp'].map((type) => ({
    table: 't',
    column: `c_${type}`,
    type,
  })),
  { table: 'later', column: 'note', type: 'text' },
];
const typeOf = (sealed: boolean, type: string): string => (sealed ? 'sealgate.sealed' : type);

const ddl = (sealed: boolean): string =>
  ['t', 'later']
    .map((table) => {
      const columns = RULES.filter((rule) => rule.table === table);
      const list = columns.map(({ column, type }) => `${column} ${typeOf(sealed, type)}`).join(', ');
      return `CREATE TABLE ${table} (id int PRIMARY KEY ${table === 'later' ? 'DEFERRABLE' : ''}, name text, up int, ${list});`;
    })
    .join('\n') +
  'CREATE SCHEMA other; CREATE TABLE other.t (id int PRIMARY KEY, note text); INSERT INTO other.t VALUES (1), (2);';

const FILL = [
  `INSERT INTO t (id, name, up, mail, n, m, note) VALUES (1, 'Ann', NULL, 'canary ann', 7131, 7132, 'canary one'),
     (2, 'Bob', 1, 'canary bob', 7130, 7133, NULL), (3, 'Cid', 2, NULL, NULL, NULL, 'canary three'), (4, 'Dee', 2, 'canary dee', 7131, NULL, 'canary four')`,
  "INSERT INTO later (id, note) VALUES (1, 'canary later')",
];

let all: TwinDatabase;
let sealed: RawClient;
let plain: RawClient;
beforeAll(async () => {
  all = await openTwinDatabase(ddl, RULES);
  sealed = await RawClient.login(all.db.url);
  plain = await RawClient.login(all.twinUrl);
});
afterAll(async () => {
  sealed.end();
  plain.end();
  await all.close();
});
beforeEach(async () => {
  for (const on of [all.client, all.twin]) for (const sql of ['TRUNCATE t, later', ...FILL]) await on.query(sql);
});

const WAYS: readonly Way[] = ['simple', 'text', 'binary'];

async function expectAlike(sql: string): Promise<void> {
  for (const way of WAYS) {
    const [ours, theirs] = await Promise.all([ask(sealed, sql, [], way), ask(plain, sql, [], way)]);
    expect(theirs).toMatchObject({ type: 'answer', error: undefined });
    expect({ way, sql, ...ours }).toEqual({ way, sql, ...theirs });
  }
}

async function expectRefused(sql: string, code: string): Promise<void> {
  for (const way of WAYS)
    expect({ way, sql, ...(await ask(sealed, sql, [], way)) }).toMatchObject({
      way,
      sql,
      type: 'refused',
      sqlstate: '0A000',
      refusal: { code },
    });
  await expectAlike('SELECT * FROM t ORDER BY id');
}

const USE = 'ERR_POSTGRES_SEALED_USE';
const STATEMENT = 'ERR_POSTGRES_SEALED_STATEMENT';

test.each<readonly [what: string, sql: string, code: string]>([
  ['an order by an operator', 'SELECT array_agg(n ORDER BY n USING >) FROM t', USE],
  ['an order by an operator, in JSON', 'SELECT json_agg(n ORDER BY n USING OPERATOR(pg_catalog.>)) FROM t', USE],
  ['an order by another column behind its own', 'SELECT array_agg(n ORDER BY n, m) FROM t', USE],
  ['an order by what is computed behind its own', 'SELECT jsonb_agg(n ORDER BY n DESC, length(mail)) FROM t', USE],
  ['texts in their own order', 'SELECT array_agg(x.v ORDER BY x.v) FROM (SELECT n::text AS v FROM t) x', USE],
  ['texts that are told apart', 'SELECT json_agg(DISTINCT v) FROM (SELECT n::text AS v FROM t) x', USE],
  ['JSON in its own order', 'SELECT jsonb_agg(v ORDER BY v) FROM (SELECT to_jsonb(n) AS v FROM t) x', USE],
  ['rows in their own order', 'SELECT array_agg(v ORDER BY v) FROM (SELECT ROW(n) AS v FROM t) x', USE],
  ['a value beside its own text', 'SELECT ARRAY[n, n::text] FROM t', USE],
  ['a text beside its own value', 'SELECT ARRAY[n::text, n] FROM t', USE],
  ['a value beside itself in another type', 'SELECT ARRAY[mail, mail::varchar] FROM t', USE],
  ['a value beside what is none', 'SELECT ARRAY[mail, name] FROM t', USE],
  ['an array that is the arguments', 'SELECT json_build_array(VARIADIC ARRAY[mail, mail]) FROM t', USE],
  [
    'an array of JSON that is the arguments',
    'SELECT jsonb_build_array(VARIADIC ARRAY(SELECT mail FROM t)) FROM t',
    USE,
  ],
  ['a key that its type cuts', "SELECT jsonb_build_object('mm'::varchar(1), n, 'a', m) FROM t", USE],
  ['a key that is sealed', 'SELECT json_build_object(mail, n) FROM t', USE],
  ['keys of many rows that are sealed', 'SELECT jsonb_object_agg(mail, n) FROM t', USE],
  ['a row of columns that are not known', `SELECT ROW(f.*, mail) FROM t, json_each('{"a": 1}') f`, USE],
  ['texts joined in a view', "CREATE VIEW joined AS SELECT string_agg(mail, ',') AS mails FROM t", USE],
  ['an interval of certain fields in text', "UPDATE t SET note = interval '1' hour", USE],
  ['a key that may be broken for a while, DISTINCT', 'SELECT DISTINCT id, note FROM later', USE],
  ['a key that may be broken for a while, GROUP BY', 'SELECT id, note FROM later GROUP BY id, note', USE],
  ...since<readonly [what: string, sql: string, code: string]>(
    14,
    [
      'SEARCH by a sealed column',
      'WITH RECURSIVE r AS (SELECT id, mail FROM t WHERE up IS NULL UNION ALL SELECT t.id, t.mail FROM t JOIN r ON t.up = r.id) SEARCH BREADTH FIRST BY mail SET place SELECT id FROM r ORDER BY place',
      USE,
    ],
    [
      'CYCLE by a sealed column',
      'WITH RECURSIVE r AS (SELECT id, mail FROM t WHERE up IS NULL UNION ALL SELECT t.id, t.mail FROM t JOIN r ON t.up = r.id) CYCLE id, mail SET looped USING path SELECT id FROM r',
      USE,
    ],
  ),
  [
    'WITH inside of a recursive query',
    'WITH RECURSIVE r AS (WITH x AS (SELECT mail FROM t) SELECT mail, 1 AS i FROM x UNION ALL SELECT mail, i + 1 FROM r WHERE i < 3) SELECT mail FROM r',
    STATEMENT,
  ],
  [
    'a subquery with a constant in it where a recursive query began with the column',
    "WITH RECURSIVE r (s, i) AS (SELECT mail, 1 FROM t UNION ALL SELECT (SELECT coalesce(r.s, 'canary x')), i + 1 FROM r WHERE i < 3) SELECT s FROM r",
    USE,
  ],
  [
    'the key of a table of the same name in another schema',
    'SELECT DISTINCT other.t.id, public.t.note FROM public.t, other.t ORDER BY 1',
    USE,
  ],
  [
    'a CASE without ELSE where a recursive query began with the column',
    'WITH RECURSIVE r (s, i) AS (SELECT mail, 1 FROM t UNION ALL SELECT CASE WHEN i > 0 THEN s END, i + 1 FROM r WHERE i < 3) SELECT s FROM r',
    USE,
  ],
])('%s is refused', async (_what, sql, code) => expectRefused(sql, code));

test.each([
  'SELECT array_agg(n ORDER BY n, id), array_agg(n ORDER BY n DESC, name, id DESC) FROM t',
  "WITH RECURSIVE r (s, i) AS (SELECT CASE WHEN id > 1 THEN mail END, 1 FROM t UNION ALL SELECT 'canary x', i + 1 FROM r WHERE i < 3) SELECT s, i FROM r ORDER BY i, s IS NULL",
  ...since(
    14,
    'WITH RECURSIVE r AS (SELECT id, mail FROM t WHERE up IS NULL UNION ALL SELECT t.id, t.mail FROM t JOIN r ON t.up = r.id) CYCLE id SET looped USING path SELECT id, mail, looped FROM r ORDER BY id',
  ),
  "WITH RECURSIVE r (s, i) AS (SELECT (SELECT coalesce(mail, 'canary y')), 1 FROM t UNION ALL SELECT 'canary x', i + 1 FROM r WHERE i < 3) SELECT s, i FROM r ORDER BY i, s IS NULL",
  'WITH RECURSIVE r (i, s, l) AS (SELECT 1, mail, 1 FROM t UNION ALL SELECT q.*, l + 1 FROM r CROSS JOIN LATERAL (SELECT r.i, r.s) q WHERE l < 3) SELECT s, l FROM r ORDER BY l',
  'SELECT DISTINCT public.t.id, public.t.note FROM public.t, other.t ORDER BY 1',
  // The keys are constants: a plan of one text must not serve the other.
  "SELECT jsonb_build_object('n', n, 'm', m, 'o', name) FROM t ORDER BY id",
  "SELECT jsonb_build_object('m', n, 'm', m, 'a', name) FROM t ORDER BY id",
  "SELECT jsonb_build_object('o', n, 'nnn', m, 'o', note) FROM t ORDER BY id",
])('%s', expectAlike);

describe('A cursor, which may be read under other settings, has', () => {
  const declare = (what: string, hold = ''): string => `DECLARE c CURSOR ${hold} FOR SELECT ${what} FROM t`;

  test.each(['interval', 'float4', 'float8', 'bytea', 'timestamptz', 'date', 'timestamp'])(
    'no text of %s',
    async (type) => {
      for (const what of [
        `c_${type}::text`,
        `array_agg(c_${type}::varchar)`,
        `ROW(c_${type})::text`,
        `json_build_array(c_${type}::text)`,
      ])
        await expectRefused(declare(what), USE);
    },
  );

  test.each(['interval', 'float4', 'float8', 'bytea', 'timestamptz'])('no JSON of %s once it is held', async (type) => {
    for (const what of [`to_json(c_${type})`, `json_agg(c_${type})`, `array_agg(to_jsonb(c_${type}))`])
      await expectRefused(declare(what, 'WITH HOLD'), USE);
  });
});
