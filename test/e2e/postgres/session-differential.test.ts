/**
 * Sequences of messages nobody would write: simple and extended ones mixed, errors and Syncs anywhere, transactions, savepoints, schema changes,
 * settings, cursors, prepared statements and COPY among them, drawn at random. On sealed columns the server's answers are those of plain ones, message
 * for message, up to the first that the proxy refuses.
 */
import fc from 'fast-check';
import { serialize } from 'pg-protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { errorOf, RawClient, type RawMessage } from '../../support/postgres/proxy.ts';
import { openSealedDatabase, type SealedDatabase, type TestRule } from '../../support/postgres/sealed-database.ts';
import { say, shown } from '../../support/postgres/said.ts';
import { END, untilEnd } from '../../support/postgres/until-end.ts';

const { query, parse, bind, describe, execute, close, sync, flush, copyData, copyDone, copyFail } = serialize;
const RULES: readonly TestRule[] = [
  { table: 'people', column: 'mail', type: 'varchar(30)', mode: 'deterministic' },
  { table: 'people', column: 'note', type: 'text' },
  { table: 'pets', column: 'name', type: 'text' },
];
const RESET = [
  'ROLLBACK',
  'DISCARD ALL',
  'DROP SCHEMA IF EXISTS public, other CASCADE; CREATE SCHEMA public; CREATE SCHEMA other',
  'CREATE TABLE public.people (id int PRIMARY KEY, mail varchar(30) UNIQUE, note text)',
  'CREATE TABLE other.people (id int PRIMARY KEY, mail varchar(30), note text); CREATE TABLE public.plain (id int PRIMARY KEY, what text)',
  "CREATE FUNCTION public.go() RETURNS text LANGUAGE sql AS $$SELECT set_config('search_path', 'other, public', false)$$",
];
const LEFT = ['ROLLBACK', 'TABLE public.people', 'TABLE other.people', 'TABLE public.plain', 'SHOW search_path'];

let server: TestPostgres;
let db: SealedDatabase;

beforeAll(async () => {
  server = await startPostgres(['max_prepared_transactions=2']);
  const ddl = 'CREATE TABLE people (id int PRIMARY KEY, mail sealgate.sealed UNIQUE, note sealgate.sealed)';
  db = await openSealedDatabase(server, 'sealed', ddl, RULES);
  await db.direct.query('CREATE DATABASE twin');
  const plain = await connectTo(server.url('twin'));
  await plain.query('CREATE TABLE people (id int PRIMARY KEY, mail varchar(30) UNIQUE, note text)');
  await plain.end();
});
afterAll(async () => {
  await db.close();
  await server.stop();
});

/** One of them by itself, or in a Parse. */
const STATEMENTS = [
  ...['BEGIN', 'BEGIN', 'COMMIT', 'ROLLBACK', 'SAVEPOINT a', 'ROLLBACK TO a', 'RELEASE a', 'COMMIT AND CHAIN'],
  ...["INSERT INTO people VALUES (1, 'ann', 'one')", "INSERT INTO people VALUES (2, 'bob') RETURNING id, mail"],
  ...['SELECT * FROM people ORDER BY id', "SELECT note FROM people WHERE mail = 'ann'", 'SELECT count(*) FROM people'],
  ...["UPDATE people SET note = 'two' WHERE mail = 'ann'", "DELETE FROM people WHERE mail = 'bob'"],
  ...['SELECT 1', 'SELECT 1/0', 'SELEC', 'SELECT no_such FROM people', '', "INSERT INTO plain VALUES (1, 'x')"],
  ...['ALTER TABLE people ADD COLUMN more int DEFAULT 7', 'ALTER TABLE people DROP COLUMN more'],
  ...[
    'CREATE TABLE pets (id int, name text)',
    "INSERT INTO pets VALUES (1, 'rex')",
    'SELECT * FROM pets',
    'DROP TABLE pets',
  ],
  ...[
    'SET search_path = other, public',
    'SET LOCAL search_path = other, public',
    'RESET search_path',
    'SELECT public.go()',
  ],
  ...['PREPARE p AS SELECT mail FROM people ORDER BY id', 'EXECUTE p', 'DEALLOCATE p', 'DISCARD ALL', 'DEALLOCATE ALL'],
  ...['DECLARE c CURSOR FOR SELECT note FROM people ORDER BY id', 'FETCH 1 FROM c', 'CLOSE c'],
  ...['DECLARE h CURSOR WITH HOLD FOR SELECT mail FROM people ORDER BY id', 'FETCH 1 FROM h', 'MOVE h'],
  ...['COPY people (id, mail) TO STDOUT', "LISTEN news; NOTIFY news, 'x'"],
] as const;
const PARAMETERS = [
  'SELECT id, note FROM people WHERE mail = $1',
  'INSERT INTO people (id, mail) VALUES (3, $1)',
  'SELECT $1::text',
] as const;

const name = fc.constantFrom('', 's', 't');
const portal = fc.constantFrom('', 'q');
const statement = fc.constantFrom(...STATEMENTS);
const extended = fc.oneof(
  fc.tuple(name, fc.constantFrom(...STATEMENTS, ...PARAMETERS)).map(([of, text]) => ({ parse: text, of })),
  fc.tuple(portal, name, fc.boolean()).map(([to, of, value]) => ({ bind: of, to, value })),
  fc
    .tuple(fc.constantFrom('S' as const, 'P' as const), name, portal)
    .map(([type, of, to]) => ({ describe: type, of: type === 'S' ? of : to })),
  fc.tuple(portal, fc.constantFrom(0, 1)).map(([of, rows]) => ({ execute: of, rows })),
  fc.tuple(fc.constantFrom('S' as const, 'P' as const), name).map(([type, of]) => ({ close: type, of })),
);
/** What drivers send. */
const whole = fc
  .tuple(name, fc.constantFrom(...STATEMENTS, ...PARAMETERS))
  .map(([of, text]) => ({ whole: text, of, value: text.includes('$1') }));
const simple = fc.oneof(
  { weight: 4, arbitrary: statement.map((text) => ({ query: text })) },
  {
    weight: 2,
    arbitrary: fc.array(statement, { minLength: 2, maxLength: 4 }).map((all) => ({ query: all.join('; ') })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('', 'SELECT 1; ', 'ALTER TABLE people ADD COLUMN IF NOT EXISTS x int; '), fc.boolean())
      .map(([ahead, fails]) => ({
        query: `${ahead}COPY people (id, mail) FROM STDIN`,
        data: '7\tcopied\n8\t\\N\n',
        fails,
      })),
  },
);
const ends = fc.constantFrom({ sync: true } as const, { sync: true } as const, { flush: true } as const);
const message = fc.oneof(
  { weight: 5, arbitrary: simple },
  { weight: 3, arbitrary: whole },
  { weight: 4, arbitrary: extended },
  { weight: 3, arbitrary: ends },
);
type Message = typeof message extends fc.Arbitrary<infer Made> ? Made : never;

function framesOf(said: Message): Uint8Array[] {
  if ('query' in said) {
    const frame = query(said.query);
    if (!('data' in said)) return [frame];
    return [frame, copyData(Buffer.from(said.data)), said.fails ? copyFail('no more') : copyDone()];
  }
  if ('whole' in said)
    return [
      parse({ name: said.of, text: said.whole }),
      bind({ statement: said.of, values: said.value ? ['ann'] : [] }),
      describe({ type: 'P', name: '' }),
      execute({}),
    ];
  if ('parse' in said) return [parse({ name: said.of, text: said.parse })];
  if ('bind' in said) return [bind({ portal: said.to, statement: said.bind, values: said.value ? ['ann'] : [] })];
  if ('describe' in said) return [describe({ type: said.describe, name: said.of })];
  if ('execute' in said) return [execute({ portal: said.execute, rows: said.rows })];
  if ('close' in said) return [close({ type: said.close, name: said.of })];
  return 'sync' in said ? [sync()] : [flush()];
}

/** An Execute of it. */
const run = (text: string): Uint8Array[] => [parse({ text }), bind({}), execute({})];

async function tell(on: RawClient, frames: readonly Uint8Array[]): Promise<RawMessage[]> {
  on.send(...frames, sync(), query('ROLLBACK'), query(END));
  return untilEnd(on);
}

/** Two connections as new, each with the same tables. */
async function reset(...all: readonly RawClient[]): Promise<void> {
  for (const on of all) for (const text of RESET) await say(on, text);
}

const isOurs = (said: RawMessage): boolean =>
  said.type === 'E' && errorOf([said])['R']?.startsWith('ERR_POSTGRES') === true;
/** What is compared: of an error that the proxy makes in the server's stead, its SQLSTATE. */
const lineOf = (said: RawMessage, ours: boolean): string =>
  said.type === 'E' && ours ? `E ${errorOf([said])['C']}` : (shown([said])[0] ?? '');

/** How many messages were alike before the first refusal; all of them where there was none. */
function compare(sealed: readonly RawMessage[], twin: readonly RawMessage[]): 'alike' | 'refused' {
  const [ours, theirs] = [sealed, twin].map((all) =>
    all.filter(({ type }) => type !== 'S' && type !== 'N' && type !== 'A'),
  );
  for (const [index, said] of (ours ?? []).entries()) {
    const own = isOurs(said);
    const other = theirs?.[index];
    if (own && (other?.type !== 'E' || errorOf([other])['C'] !== errorOf([said])['C'])) return 'refused';
    expect({ index, said: lineOf(said, own) }).toEqual({ index, said: other && lineOf(other, own) });
  }
  expect(ours?.length).toBe(theirs?.length);
  return 'alike';
}

test.each<readonly [string, readonly Uint8Array[]]>([
  ['Close and a Query', [close({ type: 'S', name: 's' }), query('SELECT * FROM people')]],
  ['Close and an insertion, which is committed', [close({ type: 'S' }), query("INSERT INTO people VALUES (1, 'ann')")]],
  [
    'Close and what runs in no block, as pgjdbc sends them',
    [close({ type: 'S', name: 's' }), parse({ text: 'VACUUM people' }), bind({}), execute({})],
  ],
  [
    'the unnamed statement of a Parse that is followed by another, whose Bind asks for the settings',
    [parse({ text: 'SELECT 1' }), parse({ name: 's', text: 'SELECT note FROM people' }), bind({}), execute({})],
  ],
  [
    'a Parse that fails ahead of it',
    [parse({ text: 'SELEC' }), parse({ name: 's', text: 'SELECT note FROM people' }), query('SELECT note FROM people')],
  ],
  [
    'the unnamed statement of an earlier sequence, when another asks for the settings',
    [parse({ text: 'SELECT 1' }), sync(), query('SET TimeZone = UTC'), parse({ text: 'SELECT 2' }), sync()].concat([
      parse({ name: 's', text: 'SELECT note FROM people' }),
      sync(),
      bind({}),
      execute({}),
    ]),
  ],
  [
    'a block that Execute began, which a Query does not end',
    [
      parse({ text: "INSERT INTO plain VALUES (1, 'x')" }),
      bind({}),
      execute({}),
      query("INSERT INTO people VALUES (1, 'ann')"),
      close({ type: 'S', name: 's' }),
      parse({ name: 's', text: "INSERT INTO people VALUES (1, 'ann')" }),
      bind({ statement: 's' }),
      execute({}),
    ],
  ],
  ...['DISCARD ALL', '', 'COMMIT', 'ALTER SYSTEM RESET work_mem'].map((text): [string, Uint8Array[]] => [
    `${text || 'an empty statement'}, behind which a Query is committed by itself`,
    [...run(text), query("INSERT INTO people VALUES (1, 'ann')"), query('SELECT mail FROM people'), query('SELEC')],
  ]),
  ...['SELECT 1', 'SET TimeZone = UTC', 'VACUUM plain', 'DEALLOCATE ALL'].map((text): [string, Uint8Array[]] => [
    `${text}, behind which a Query is in a block`,
    [...run(text), query("INSERT INTO people VALUES (1, 'ann')"), query('SELECT mail FROM people'), query('SELEC')],
  ]),
  ['Bind alone and an insertion', [parse({ text: 'SELECT 1' }), bind({}), query("INSERT INTO people VALUES (1, 'a')")]],
  [
    'Bind, a Parse that asks for the settings, and a Query that concerns nothing sealed',
    [parse({ text: 'SELECT 1' }), bind({}), ...run('SELECT note FROM people').slice(0, 1)].concat(
      query("INSERT INTO plain VALUES (1, 'x')"),
      query('SELEC'),
    ),
  ],
  [
    'what discards, twice, and what runs in no block',
    [...run('DISCARD ALL'), ...run('DISCARD ALL'), ...run('VACUUM people')],
  ],
  [
    'a Parse behind what discards, and what its Execute begins',
    [
      ...run('DISCARD ALL'),
      ...run("INSERT INTO people VALUES (1, 'ann')"),
      query('SELECT mail FROM people'),
      query('SELEC'),
    ],
  ],
])('in a sequence without Sync: %s', async (_name, frames) => {
  const sealed = await RawClient.login(db.url);
  const twin = await RawClient.login(server.url('twin'));
  await reset(sealed, twin);
  expect(compare(await tell(sealed, frames), await tell(twin, frames))).toBe('alike');
  for (const text of LEFT)
    expect({ text, said: shown(await say(sealed, text)) }).toEqual({ text, said: shown(await say(twin, text)) });
  for (const on of [sealed, twin]) on.end();
});

test('In a sequence without Sync a Query behind what may have been committed at once is refused, and nothing done', async () => {
  const sealed = await RawClient.login(db.url);
  await reset(sealed);
  const said = await tell(sealed, [...run('DROP INDEX IF EXISTS none'), query("INSERT INTO people VALUES (1, 'ann')")]);
  expect(errorOf(said)['R']).toBe('ERR_POSTGRES_SEQUENCE');
  expect(shown(await say(sealed, 'SELECT count(*) FROM people'))).toContain('D 0');
  sealed.end();
});

test('In a block that Execute began and a Query changed the catalog in, nothing is asked, and what would have to be is refused', async () => {
  const sealed = await RawClient.login(db.url);
  const twin = await RawClient.login(server.url('twin'));
  await reset(sealed, twin);
  const frames = [
    ...run("DELETE FROM people WHERE mail = 'bob'"),
    query('ALTER TABLE people ADD COLUMN more int DEFAULT 7'),
    query('SELECT count(*) FROM people; COMMIT'),
  ];
  const [said, theirs] = [await tell(sealed, frames), await tell(twin, frames)];
  expect(compare(said, theirs)).toBe(shown(theirs).includes('Z T') ? 'refused' : 'alike');
  for (const on of [sealed, twin]) on.end();
});

test('A Query of several statements that wait for each other, in a block that Execute began, is refused, and nothing done', async () => {
  const sealed = await RawClient.login(db.url);
  const twin = await RawClient.login(server.url('twin'));
  await reset(sealed, twin);
  const frames = [
    ...run('SELECT 1'),
    query("INSERT INTO people VALUES (1, 'ann')"),
    query("ALTER TABLE people ADD COLUMN more int; INSERT INTO people VALUES (2, 'bob', 'x', 1)"),
  ];
  const [said, theirs] = [await tell(sealed, frames), await tell(twin, frames)];
  // Servers of before such blocks commit the first Query at once.
  const isBlock = shown(theirs).includes('Z T');
  expect(compare(said, theirs)).toBe(isBlock ? 'refused' : 'alike');
  if (isBlock) expect(errorOf(said)['R']).toBe('ERR_POSTGRES_SEQUENCE');
  expect(shown(await say(sealed, 'SELECT count(*) FROM people'))).toContain(isBlock ? 'D 0' : 'D 2');
  for (const on of [sealed, twin]) on.end();
});

test('a session is the server’s own, whatever is said in it', { timeout: 600_000 }, async () => {
  let sealed = await RawClient.login(db.url);
  let twin = await RawClient.login(server.url('twin'));
  let alike = 0;
  let refused = 0;
  const runs = Number(process.env['SEALGATE_FUZZ_RUNS'] ?? 60);
  const seed = Number(process.env['SEALGATE_FUZZ_SEED'] ?? 1);
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 2, maxLength: 12 }), async (messages) => {
      await reset(sealed, twin);
      const frames = messages.flatMap(framesOf);
      const [ours, theirs] = [await tell(sealed, frames), await tell(twin, frames)];
      try {
        if (compare(ours, theirs) === 'refused') {
          refused += 1;
          return;
        }
        alike += 1;
        for (const text of LEFT)
          expect({ text, said: shown(await say(sealed, text)) }).toEqual({ text, said: shown(await say(twin, text)) });
      } finally {
        if (sealed.closed || twin.closed) {
          for (const on of [sealed, twin]) on.end();
          sealed = await RawClient.login(db.url);
          twin = await RawClient.login(server.url('twin'));
        }
      }
    }),
    { numRuns: runs, seed, interruptAfterTimeLimit: 500_000 },
  );
  for (const on of [sealed, twin]) on.end();
  expect(alike).toBeGreaterThan(refused);
});
