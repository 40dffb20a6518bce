/**
 * Schemas, types, sequences and functions that the same transaction has made, used in statements on sealed tables, as migrations use them, against
 * the same on plain columns.
 */
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { askByNames, type Asked, type Mode } from '../../support/postgres/asked-by-names.ts';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { testedVersion } from '../../support/postgres/versions.ts';
import { openSearchedDatabase, type SearchedDatabase, type TestRule } from '../../support/postgres/sealed-database.ts';

const RULES: readonly TestRule[] = [
  { table: 'people', column: 'mail', type: 'varchar(60)', mode: 'deterministic', domain: 'mail' },
  { table: 'people', column: 'note', type: 'text' },
  { table: 'moody', column: 'feel', type: 'app.mood' },
  { table: 'moody', column: 'feels', type: 'app.mood[]' },
  { table: 'moody', column: 'nick', type: 'app.nick', mode: 'deterministic' },
];
const people = (more: string): string =>
  `CREATE TABLE people (id int PRIMARY KEY, mail varchar(60) UNIQUE, note text${more})`;
const FILL =
  "INSERT INTO people (id, mail, note) VALUES (1, 'canary-ann@x.org', 'canary one'), (2, 'canary-bob@x.org', NULL)";
const MOOD = "CREATE TYPE app.mood AS ENUM ('glad', 'o''clock \"x\"')";
const RESET = 'DROP SCHEMA IF EXISTS app, "App x" CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public';

let log = '';
let server: TestPostgres;
let db: SearchedDatabase;
let twinUrl: string;
let plain: pg.Client;
let sealed: pg.Client;
let twin: pg.Client;

beforeAll(async () => {
  server = await startPostgres(['log_statement=all', 'log_parameter_max_length=-1'], undefined, (bytes) => {
    log += Buffer.from(bytes).toString();
  });
  db = await openSearchedDatabase(server, 'sealed', 'SELECT 1', RULES);
  twinUrl = await db.openTwin();
  plain = await connectTo(twinUrl);
});
afterAll(async () => {
  await plain.end();
  expect(db.canaries.needles.length).toBeGreaterThan(0);
  await db.close();
  await server.stop();
});
beforeEach(async () => {
  for (const on of [db.direct, plain]) await on.query(RESET);
  sealed = await connectTo(db.url);
  twin = await connectTo(twinUrl);
  log = '';
});
afterEach(async () => {
  await sealed.end();
  await twin.end();
});

/** And as others see it afterwards, where it was committed: by the committed catalog. */
async function same(script: readonly (string | Asked)[], mode: Mode): Promise<void> {
  for (const statement of script) {
    const answer = await askByNames(sealed, statement, mode);
    expect({ statement, answer }).toEqual({ statement, answer: await askByNames(twin, statement, mode) });
  }
  expect(log).toContain('sealgate own');
  expect(log.split('\n').filter((line) => line.includes('canary'))).toEqual([]);
}

const SCRIPTS: Readonly<Record<string, readonly (string | Asked)[]>> = {
  'an enum of a schema that is made too': [
    'BEGIN',
    'CREATE SCHEMA app',
    MOOD,
    "CREATE TYPE mood AS ENUM ('blue')",
    people(", mood app.mood NOT NULL DEFAULT 'glad', moods app.mood[], other mood"),
    FILL,
    "SELECT note, mood FROM people WHERE mail = 'canary-ann@x.org' AND mood = 'glad' AND mood < 'o''clock \"x\"'::app.mood",
    "UPDATE people SET mood = 'o''clock \"x\"'::app.mood, moods = ARRAY['glad', NULL]::app.mood[], other = 'blue'::mood WHERE mail = 'canary-bob@x.org' RETURNING mail, mood, moods, other",
    "SELECT mail, CAST(mood AS app . mood), 'blue'::mood, NULL::app.mood[] FROM people ORDER BY id",
    "ALTER TYPE app.mood ADD VALUE 'sad' BEFORE 'glad'",
    "UPDATE people SET mood = 'sad'::app.mood WHERE mail = 'canary-ann@x.org' AND mood > 'sad' RETURNING mood, mail",
    "SELECT mail, 'blue'::app.mood FROM people",
    'ROLLBACK',
    'BEGIN',
    'CREATE SCHEMA app',
    "CREATE TYPE app.mood AS ENUM ('blue')",
    people(', mood app.mood'),
    { text: 'INSERT INTO people VALUES ($1, $2, $3, $4)', values: [1, 'canary-ann@x.org', null, 'blue'] },
    {
      text: 'SELECT mail, mood FROM people WHERE mood = $1::app.mood AND mail = $2',
      values: ['blue', 'canary-ann@x.org'],
    },
    'PREPARE p (app.mood, text) AS UPDATE people SET mood = $1, note = $2 RETURNING mood, note',
    "EXECUTE p ('blue', 'canary again')",
    'COMMIT',
    "SELECT mood, note FROM people WHERE mood = 'blue'::app.mood",
  ],
  'sealed columns of an enum, of arrays of it and of a domain': [
    'BEGIN',
    'CREATE SCHEMA app',
    MOOD,
    "CREATE DOMAIN app.nick AS varchar(20) CHECK (value <> '')",
    'CREATE TABLE moody (id int, feel app.mood, feels app.mood[], nick app.nick)',
    "INSERT INTO moody VALUES (1, 'glad', '{glad,NULL}', 'canary nick'), (2, 'glad'::app.mood, NULL, 'canary other'::app.nick)",
    { text: 'INSERT INTO moody VALUES ($1, $2, $3, $4)', values: [3, 'glad', '{}', 'canary third'] },
    'SELECT * FROM moody ORDER BY id',
    "SELECT id, feel, feel::app.mood FROM moody WHERE nick = 'canary nick'",
    { text: 'SELECT feels FROM moody WHERE nick = $1::app.nick', values: ['canary nick'] },
    'SAVEPOINT a',
    "SELECT feel::text, feels::varchar, json_build_object('f', feel::text) AS j FROM moody WHERE nick = 'canary nick'",
    "INSERT INTO moody (feel) VALUES ('sad')",
    'ROLLBACK TO a',
    "INSERT INTO moody (nick) VALUES ('canary that is too long')",
    'ROLLBACK TO a',
    "INSERT INTO moody (nick) VALUES ('')",
    'ROLLBACK TO a',
    'COMMIT',
    'SELECT * FROM moody ORDER BY id',
  ],
  sequences: [
    'BEGIN',
    'CREATE SCHEMA app',
    'CREATE SEQUENCE ids START 5',
    'CREATE SEQUENCE app."Ids x" INCREMENT 10',
    people(", n int DEFAULT nextval('ids'), m serial"),
    "INSERT INTO people (id, mail) VALUES (nextval('ids'), 'canary-ann@x.org'), (nextval('app.\"Ids x\"'), 'canary-bob@x.org') RETURNING id, mail, n, m",
    "SELECT mail, currval('public.IDS'), currval('app . \"Ids x\"'::regclass), nextval('people_m_seq') FROM people ORDER BY id",
    'SELECT setval(\'app."Ids x"\', max(id)) FROM people',
    "SELECT setval(pg_get_serial_sequence('people', 'm'), max(m), false), count(mail) FROM people",
    'ROLLBACK',
    'BEGIN',
    'CREATE TEMP SEQUENCE ids',
    people(''),
    "INSERT INTO people (id, mail) VALUES (nextval('ids'), 'canary-ann@x.org') RETURNING *",
    'COMMIT',
  ],
  ...(testedVersion() >= 14 && {
    multiranges: [
      'BEGIN',
      'CREATE SCHEMA app',
      'CREATE SCHEMA "App x"',
      'CREATE TYPE app.span AS RANGE (subtype = int4)',
      'CREATE TYPE odd AS RANGE (subtype = numeric, multirange_type_name = "App x"."Odd m")',
      people(', s app.span, m app.span_multirange, o "App x"."Odd m", l app.span_multirange[]'),
      FILL,
      "UPDATE people SET s = '[1,5)', m = app.span_multirange(app.span(1, 5), '[7,8)'), o = '{[1.5,2)}'::\"App x\".\"Odd m\", l = ARRAY[NULL]::app.span_multirange[] WHERE mail = 'canary-ann@x.org' RETURNING m, o, l, mail",
      {
        text: 'SELECT mail, m, $1::app.span_multirange FROM people WHERE m @> $2::int AND mail = $3',
        values: ['{[1,2)}', 3, 'canary-ann@x.org'],
      },
      {
        text: 'UPDATE people SET note = $1, m = $2, o = $3 RETURNING note, m, o',
        values: ['canary more', '{}', '{[2,3]}'],
      },
      'SELECT range_agg(s) AS s, count(mail), "App x"."Odd m"(odd(1, 2)) FROM people',
      'PREPARE p (app.span_multirange, text) AS UPDATE people SET m = $1, note = $2 RETURNING m, note',
      "EXECUTE p ('{[3,4)}', 'canary again')",
      'ALTER TYPE app.span_multirange RENAME TO spans',
      'SELECT mail, m::app.spans FROM people ORDER BY id',
      'COMMIT',
      'SELECT m::app.spans, mail FROM people ORDER BY id',
      'BEGIN',
      'CREATE TYPE pg_temp.brief AS RANGE (subtype = date)',
      "SELECT '{[2020-01-01,2020-02-01)}'::pg_temp.brief_multirange, mail FROM people ORDER BY id",
      'ROLLBACK',
    ],
  }),
  'what is made beside a table that was there before': [
    people(', n int'),
    FILL,
    'BEGIN',
    'CREATE SEQUENCE ids START 5',
    "INSERT INTO people (id, mail) VALUES (nextval('ids'), 'canary-carl@x.org') RETURNING id, mail",
    "UPDATE people SET n = nextval('public.ids') WHERE mail = 'canary-ann@x.org' RETURNING n, note",
    'ROLLBACK',
    'BEGIN',
    'CREATE TABLE numbers (id serial)',
    "SELECT nextval('numbers_id_seq'), mail FROM people ORDER BY id",
    'CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS $$ SELECT $1 * 2 $$',
    'SELECT twice(id), mail FROM people ORDER BY id',
    "CREATE TYPE mood AS ENUM ('glad')",
    "SELECT 'glad'::mood, mail FROM people ORDER BY id",
    'SAVEPOINT a',
    "SELECT nextval('nowhere'), mail FROM people",
    'ROLLBACK TO a',
    "SELECT 'sad'::nothing, mail FROM people",
    'ROLLBACK TO a',
    'SELECT nobody(id), mail FROM people',
    'ROLLBACK TO a',
    'SELECT nobody.knows(id), mail FROM people',
    'COMMIT',
  ],
  'domains, composite types and ranges, of each other, in schemas with odd names': [
    'BEGIN',
    'CREATE SCHEMA app',
    'CREATE SCHEMA "App x"',
    MOOD,
    'CREATE DOMAIN "App x"."D y" AS app.mood[] CHECK (value <> \'{}\')',
    'CREATE TYPE app.pair AS (m app.mood, d "App x"."D y", "q ""z" numeric(6,2))',
    'CREATE TYPE app.span AS RANGE (subtype = numeric)',
    'CREATE DOMAIN short AS varchar(5) NOT NULL DEFAULT $$none$$',
    people(', x app.pair, y app.pair[], r "App x"."D y", s app.span, t short'),
    FILL,
    "UPDATE people SET x = ROW('glad', '{glad}', 3.5)::app.pair, r = ARRAY['glad']::app.mood[], s = app.span(1.5, 2), t = 'abc'::short WHERE mail = 'canary-ann@x.org' RETURNING x, r, s, t, mail",
    'SELECT (x).m, (x)."q ""z", upper(s), mail FROM people ORDER BY id',
    "SELECT mail FROM people WHERE s @> 1.75 AND (x).m = 'glad' AND t LIKE 'ab%'",
    'SAVEPOINT a',
    "UPDATE people SET r = '{}' WHERE mail = 'canary-ann@x.org'",
    'ROLLBACK TO a',
    "UPDATE people SET t = 'too long' WHERE mail = 'canary-ann@x.org'",
    'ROLLBACK TO a',
    'COMMIT',
    'SELECT * FROM people ORDER BY id',
  ],
  'functions and aggregates': [
    'BEGIN',
    'CREATE SCHEMA app',
    MOOD,
    people(", city text, mood app.mood DEFAULT 'glad'"),
    FILL,
    "CREATE FUNCTION slug(t text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT replace(lower(t), ' ', '-') $$",
    "CREATE FUNCTION app.slug(m app.mood DEFAULT 'glad'::app.mood, VARIADIC more int[] DEFAULT '{}') RETURNS TABLE (u int, v text) LANGUAGE sql AS $$ SELECT cardinality(more), m::text $$",
    'CREATE AGGREGATE app.total(int) (SFUNC = int4pl, STYPE = int, INITCOND = 0)',
    'CREATE AGGREGATE app.every_row(*) (SFUNC = int8inc, STYPE = int8, INITCOND = 0)',
    "UPDATE people SET city = slug('New York') WHERE mail = 'canary-ann@x.org' RETURNING city, mail",
    'SELECT slug(city), public.slug(city), mail FROM people ORDER BY id',
    'SELECT g.u, p.mail, p.note, g.v FROM people p, app.slug(p.mood, p.id, 7) g ORDER BY p.id',
    'SELECT app.slug(), mail FROM people ORDER BY id',
    'SELECT app.total(id), app.total(DISTINCT id) FILTER (WHERE mail IS NOT NULL), app.every_row(*), count(mail) FROM people',
    'SELECT app.total(id) OVER (ORDER BY id), mail FROM people',
    'SAVEPOINT a',
    'SELECT app.total(id), mail FROM people',
    'ROLLBACK TO a',
    'COMMIT',
    'SELECT slug(city), mail FROM people ORDER BY id',
  ],
  'an extension, some of whose functions are for types that cannot be stood for': [
    'BEGIN',
    'CREATE EXTENSION citext',
    'CREATE EXTENSION pgcrypto',
    people(', hash bytea'),
    FILL,
    "UPDATE people SET hash = digest('some', 'sha1') WHERE mail = 'canary-ann@x.org' RETURNING mail, hash",
    "SELECT max(id), max(replace('some', 'o', 'a')), count(mail), encode(public.digest('x', 'md5'), 'hex') FROM people",
    'COMMIT',
    "SELECT mail, hash = digest('some', 'sha1') FROM people ORDER BY id",
  ],
  operators: [
    'BEGIN',
    'CREATE SCHEMA app',
    MOOD,
    people(", mood app.mood DEFAULT 'glad'"),
    FILL,
    'CREATE FUNCTION near(int, int) RETURNS bool LANGUAGE sql AS $$ SELECT abs($1 - $2) < 2 $$',
    'CREATE FUNCTION said(app.mood) RETURNS text LANGUAGE sql AS $$ SELECT $1::text $$',
    'CREATE FUNCTION is_number(app.mood, int) RETURNS bool LANGUAGE sql AS $$ SELECT $2 = 1 $$',
    'CREATE OPERATOR <~> (LEFTARG = int, RIGHTARG = int, FUNCTION = near)',
    'CREATE OPERATOR !~! (RIGHTARG = app.mood, FUNCTION = said)',
    'CREATE OPERATOR = (LEFTARG = app.mood, RIGHTARG = int, FUNCTION = is_number)',
    'SELECT mail, !~! mood FROM people WHERE id <~> 3 AND note IS NULL AND mood = 1',
    "UPDATE people SET note = 'canary near' WHERE id <~> 2 AND mail = 'canary-ann@x.org' RETURNING note",
    'COMMIT',
  ],
  'a trigger with its function': [
    'BEGIN',
    "CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.city := 'set'; RETURN NEW; END $$",
    people(', city text'),
    'CREATE TRIGGER stamps BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION stamp()',
    FILL,
    'SELECT city, mail FROM people ORDER BY id',
    'COMMIT',
  ],
  'unqualified names by the search path': [
    'BEGIN',
    'CREATE SCHEMA app',
    "CREATE TYPE mood AS ENUM ('blue')",
    'SET LOCAL search_path = app, public',
    "CREATE TYPE mood AS ENUM ('glad')",
    'CREATE SEQUENCE ids START 3',
    'CREATE FUNCTION feel(m mood) RETURNS text LANGUAGE sql AS $$ SELECT m::text $$',
    people(", mood mood DEFAULT 'glad', other public.mood").replace('people', 'public.people'),
    FILL,
    "SELECT feel(mood), 'glad'::mood, mail, nextval('ids') FROM people ORDER BY id",
    "SELECT feel('glad'), mail FROM people ORDER BY id",
    "SELECT mail, 'blue'::public.mood FROM people ORDER BY id",
    "SELECT 'blue'::mood, mail FROM people",
    'ROLLBACK',
  ],
  'temporary types': [
    'BEGIN',
    "CREATE TYPE pg_temp.mood AS ENUM ('glad')",
    people(''),
    FILL,
    'CREATE TEMP TABLE moods (id int, mood mood)',
    "INSERT INTO moods VALUES (1, 'glad')",
    "SELECT moods.mood, p.mail FROM moods JOIN people p USING (id) WHERE moods.mood = 'glad'::mood",
    "SELECT 'glad'::pg_temp.mood, mail FROM people ORDER BY id",
    'COMMIT',
  ],
  'a view over a column of such a type': [
    'BEGIN',
    'CREATE SCHEMA app',
    MOOD,
    'CREATE FUNCTION app.twice(int) RETURNS int LANGUAGE sql AS $$ SELECT $1 * 2 $$',
    people(", mood app.mood DEFAULT 'glad'"),
    FILL,
    "CREATE VIEW seen AS SELECT id, app.twice(id) AS twice, mail, mood, mood = 'glad'::app.mood AS is FROM people",
    "SELECT * FROM seen WHERE mail = 'canary-bob@x.org'",
    'COMMIT',
    'SELECT * FROM seen ORDER BY id',
  ],
  'a type of others that gets another name': [
    'CREATE SCHEMA app',
    MOOD,
    people(", mood app.mood DEFAULT 'glad'"),
    FILL,
    'BEGIN',
    'ALTER TYPE app.mood RENAME TO feeling',
    "SELECT mail, mood FROM people WHERE mood = 'glad'::app.feeling ORDER BY id",
    'ALTER TYPE app.feeling SET SCHEMA public',
    "UPDATE people SET mood = 'glad'::feeling WHERE mail = 'canary-ann@x.org' RETURNING mail, mood",
    'COMMIT',
    "SELECT mail FROM people WHERE mood = 'glad'::feeling ORDER BY id",
  ],
  'a type that is dropped and made again is another': [
    'CREATE SCHEMA app',
    MOOD,
    'BEGIN',
    'DROP TYPE app.mood',
    "CREATE TYPE app.mood AS ENUM ('blue')",
    people(", mood app.mood DEFAULT 'blue'"),
    FILL,
    "SELECT mail, mood FROM people WHERE mood = 'blue'::app.mood ORDER BY id",
    'SAVEPOINT a',
    "SELECT mail FROM people WHERE mood = 'glad'::app.mood",
    'ROLLBACK TO a',
    'ALTER TYPE app.mood RENAME TO feeling',
    "SELECT mail, mood FROM people WHERE mood = 'blue'::app.feeling ORDER BY id",
    'COMMIT',
  ],
  'base types, of an extension and with modifiers': [
    'BEGIN',
    'CREATE SCHEMA app',
    'CREATE EXTENSION citext SCHEMA app',
    'CREATE EXTENSION hstore',
    'CREATE TYPE word',
    "CREATE FUNCTION word_in(cstring, oid, int4) RETURNS word LANGUAGE internal IMMUTABLE STRICT AS 'varcharin'",
    "CREATE FUNCTION word_out(word) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'varcharout'",
    "CREATE FUNCTION word_mod(cstring[]) RETURNS int4 LANGUAGE internal IMMUTABLE STRICT AS 'varchartypmodin'",
    'CREATE TYPE word (INPUT = word_in, OUTPUT = word_out, TYPMOD_IN = word_mod)',
    people(", city app.citext DEFAULT 'Rome', cities app.citext[], more hstore, short word(9)"),
    FILL,
    "UPDATE people SET city = 'Bern', cities = '{Bern,Rome}', more = 'a=>1', short = 'word' WHERE mail = 'canary-ann@x.org' RETURNING mail, city, cities, more, short",
    "UPDATE people SET city = 'Genf'::app.citext, more = hstore('b', '2') || 'c=>3', short = 'short'::word(9), note = 'canary two' WHERE mail = 'canary-bob@x.org'",
    'SELECT mail, lower(city::text), more -> $$b$$, short FROM people ORDER BY id',
    { text: 'SELECT mail, city, short FROM people WHERE more ? $1 AND mail = $2', values: ['b', 'canary-bob@x.org'] },
    { text: 'INSERT INTO people VALUES ($1, $2, $3, $4)', values: [3, 'canary-cid@x.org', 'canary three', 'Oslo'] },
    'SELECT max(more::text), count(DISTINCT mail) FROM people',
    'SAVEPOINT a',
    "SELECT 'x'::app.absent, mail FROM people",
    'ROLLBACK TO a',
    "UPDATE people SET more = 'no hstore', note = 'canary' WHERE id = 1",
    'ROLLBACK TO a',
    'COMMIT',
    'SELECT * FROM people ORDER BY id',
  ],
  'what a schema that is made does not have': [
    'BEGIN',
    people(''),
    FILL,
    'CREATE SCHEMA app',
    'CREATE SCHEMA "App x"',
    'SAVEPOINT a',
    'SELECT app.absent(id), mail FROM people',
    'ROLLBACK TO a',
    'SELECT "App x".absent(id), mail FROM people',
    'ROLLBACK TO a',
    'SELECT nowhere.absent(id), mail FROM people',
    'ROLLBACK TO a',
    'SELECT id::app.absent, mail FROM people',
    'ROLLBACK TO a',
    'SELECT nextval($$app.absent$$), mail FROM people',
    'ROLLBACK TO a',
    'CREATE FUNCTION app.there(int) RETURNS int LANGUAGE sql AS $$ SELECT 2 $$',
    'SAVEPOINT a',
    'SELECT app.there(id), app.absent(id), mail FROM people',
    'ROLLBACK TO a',
    'SELECT app.there($$x$$::text), mail FROM people',
    'ROLLBACK TO a',
    'SELECT app.there(id), mail FROM people ORDER BY id',
    'COMMIT',
  ],
};

describe.each(['simple', 'extended'] as const)('by the %s protocol', (mode) => {
  test.each(Object.entries(SCRIPTS))('%s', async (_name, script) => {
    await same(script, mode);
  });
});

test('a migration in one message, in the block that the server keeps for it', async () => {
  const file = [
    'CREATE SCHEMA app',
    MOOD,
    'CREATE SEQUENCE app.ids START 7',
    people(", mood app.mood DEFAULT 'glad', n int DEFAULT nextval('app.ids')"),
    FILL,
    "UPDATE people SET mood = 'glad'::app.mood, n = nextval('app.ids') WHERE mail = 'canary-ann@x.org'",
  ].join('; ');
  for (const on of [sealed, twin]) await on.query(file);
  await same(['SELECT * FROM people ORDER BY id'], 'simple');
});

describe('refused:', () => {
  const MADE = ['BEGIN', people(', n int'), FILL, 'SAVEPOINT a'];

  test('a function that runs dynamic SQL, and sealed values in the hands of any', async () => {
    for (const statement of MADE) await sealed.query(statement);
    await sealed.query(
      "CREATE FUNCTION runs() RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'SELECT 1'; RETURN 1; END $$",
    );
    await sealed.query('CREATE FUNCTION takes(text) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$');
    await sealed.query('CREATE FUNCTION gives() RETURNS text LANGUAGE sql AS $$ SELECT $t$canary$t$ $$');
    await sealed.query('CREATE FUNCTION count(varchar) RETURNS bigint LANGUAGE sql AS $$ SELECT 1::bigint $$');
    await sealed.query('SAVEPOINT a');
    for (const statement of [
      'SELECT runs(), mail FROM people',
      'SELECT takes(note) FROM people',
      'UPDATE people SET note = gives()',
      'SELECT id FROM people WHERE mail = gives()',
      'SELECT count(mail) FROM people',
    ]) {
      await expect(sealed.query(statement), statement).rejects.toMatchObject({ code: '0A000' });
      await sealed.query('ROLLBACK TO a');
    }
    expect((await sealed.query('SELECT takes($$x$$), mail FROM people ORDER BY id')).rows).toEqual([
      { takes: 1, mail: 'canary-ann@x.org' },
      { takes: 1, mail: 'canary-bob@x.org' },
    ]);
  });

  test('comparisons of sealed values, where an operator fits their types better than the server’s', async () => {
    for (const statement of MADE) await sealed.query(statement);
    await sealed.query("SELECT id FROM people WHERE mail = 'canary-ann@x.org'");
    await sealed.query('CREATE FUNCTION never(varchar, varchar) RETURNS bool LANGUAGE sql AS $$ SELECT false $$');
    await sealed.query('CREATE OPERATOR = (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = never)');
    await sealed.query('SAVEPOINT a');
    for (const statement of [
      "SELECT id FROM people WHERE mail = 'canary-ann@x.org'",
      'SELECT count(*) FROM people a JOIN people b USING (mail)',
      "SELECT CASE mail WHEN 'canary-ann@x.org' THEN 1 END FROM people",
      "DELETE FROM people WHERE mail IN ('canary-ann@x.org')",
    ]) {
      await expect(sealed.query(statement), statement).rejects.toMatchObject({ code: '0A000' });
      await sealed.query('ROLLBACK TO a');
    }
    const written = "SELECT id FROM people WHERE mail OPERATOR(pg_catalog.=) 'canary-ann@x.org'";
    expect((await sealed.query(written)).rows).toEqual([{ id: 1 }]);
  });

  test('a new name of a multirange, and a sealed value as a base type', async () => {
    await sealed.query('CREATE TYPE span AS RANGE (SUBTYPE = int4)');
    const hasMultiranges = testedVersion() >= 14;
    const renamed = hasMultiranges ? ['ALTER TYPE span_multirange RENAME TO spans'] : [];
    const made = ['BEGIN', 'CREATE EXTENSION citext', ...renamed];
    for (const statement of [...made, people(', city citext'), FILL, 'SAVEPOINT a']) await sealed.query(statement);
    for (const [statement, message] of [
      ...(hasMultiranges ? [['SELECT NULL::spans AS s, mail FROM people', 'made in this transaction'] as const] : []),
      ["SELECT id FROM people WHERE mail = 'CANARY-ann@x.org'::citext", ''],
      ["SELECT id FROM people WHERE mail::citext = 'CANARY-ann@x.org'", ''],
      ['SELECT id FROM people WHERE mail = city', ''],
      ['SELECT coalesce(mail, city) FROM people', ''],
      ["INSERT INTO people VALUES (9, 'canary'::citext)", ''],
      ['UPDATE people SET mail = city', ''],
    ] as const) {
      const refused = { code: '0A000', message: expect.stringContaining(message) as string };
      await expect(sealed.query(statement), statement).rejects.toMatchObject(refused);
      await sealed.query('ROLLBACK TO a');
    }
  });

  test('a function whose body names sealed tables, and a trigger whose function does', async () => {
    for (const statement of MADE) await sealed.query(statement);
    const trigger =
      'CREATE FUNCTION reads() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.n := length(NEW.note); RETURN NEW; END $$';
    await expect(
      sealed.query('CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT id FROM people $$'),
    ).rejects.toMatchObject({ code: '0A000' });
    await sealed.query('ROLLBACK TO a');
    await sealed.query(trigger);
    await sealed.query('CREATE TRIGGER t BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION reads()');
    await expect(sealed.query("UPDATE people SET note = 'canary two'")).rejects.toMatchObject({ code: '0A000' });
  });
});
