/**
 * Statements that change, while they run, what their own values are printed or read under: the server prints each row, and reads each row of a COPY, under
 * what is set by then. Such statements are refused where values of sealed columns would differ; what sets other things is not.
 */
import { serialize } from 'pg-protocol';
import { beforeEach, expect, test } from 'vitest';
import { copyIn } from '../../support/postgres/copy.ts';
import { say, shown } from '../../support/postgres/said.ts';
import { rawTwins } from '../../support/postgres/raw-twins.ts';

const OTHERS = String.raw`
CREATE FUNCTION german() RETURNS int LANGUAGE plpgsql AS $$ BEGIN SET datestyle = 'German'; RETURN 1; END $$;
CREATE FUNCTION latin() RETURNS int LANGUAGE plpgsql AS $$ BEGIN SET client_encoding = 'LATIN1'; RETURN 1; END $$;
CREATE FUNCTION tenant() RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('app.tenant', '7', false); SET work_mem = '8MB'; RETURN 1; END $$;
CREATE FUNCTION to_german() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM german(); RETURN NEW; END $$;
CREATE FUNCTION to_tenant() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM tenant(); RETURN NEW; END $$;
CREATE VIEW one AS SELECT german() AS x;
`;
const tables = (date: string, interval: string, float: string, bytea: string, text: string): string =>
  `CREATE TABLE people (id int PRIMARY KEY, born ${date}, took ${interval}, weight ${float}, photo ${bytea}, name ${text});
CREATE TABLE by_default (id int, x text DEFAULT set_config('datestyle', 'SQL, DMY', false), born ${date}, name ${text});
CREATE TABLE by_trigger (id int, born ${date}, name ${text});
CREATE TABLE by_tenant (id int, born ${date}, name ${text});
${OTHERS}
CREATE TRIGGER t BEFORE INSERT ON by_trigger FOR EACH ROW EXECUTE FUNCTION to_german();
CREATE TRIGGER t BEFORE INSERT ON by_tenant FOR EACH ROW EXECUTE FUNCTION to_tenant();`;
const SEALED = 'sealgate.sealed';
const BORN = { column: 'born', type: 'date' };
const NAME = { column: 'name', type: 'text' };
const on = rawTwins(
  {
    sealed: tables(SEALED, SEALED, SEALED, SEALED, SEALED),
    plain: tables('date', 'interval', 'float8', 'bytea', 'text'),
  },
  [
    ...['people', 'by_default', 'by_trigger', 'by_tenant'].flatMap((table) => [
      { table, ...BORN },
      { table, ...NAME },
    ]),
    { table: 'people', column: 'took', type: 'interval' },
    { table: 'people', column: 'weight', type: 'float8' },
    { table: 'people', column: 'photo', type: 'bytea' },
  ],
);
beforeEach(async () => {
  for (const table of ['people', 'by_default', 'by_trigger', 'by_tenant']) await on.expectAlike(`DELETE FROM ${table}`);
  for (const id of [1, 2])
    await on.expectAlike(
      String.raw`INSERT INTO people VALUES (${id}, '2001-02-03', '1 day 2:03', 0.1, '\x0001ff', 'Zoë')`,
    );
});

const SETS: readonly (readonly [column: string, name: string, value: string])[] = [
  ['born', 'DateStyle', 'German'],
  ['took', 'intervalstyle', 'iso_8601'],
  ['weight', 'extra_float_digits', '-10'],
  ['photo', 'bytea_output', 'escape'],
  ['name', 'client_encoding', 'LATIN1'],
];

/** The proxy refuses what the server prints. */
async function expectRefused(text: string): Promise<void> {
  const [first] = shown(await say(on.sealed, text));
  expect({ text, first }).toEqual({ text, first: expect.stringMatching(/^E ERROR 0A000 .*(?:printed|read) under/) });
}

test.each(SETS)('%s beside what sets %s', async (column, name, value) => {
  const call = `set_config('${name}', '${value}', false)`;
  await expectRefused(`SELECT ${column}, ${call} FROM people ORDER BY id`);
  await expectRefused(`SELECT ${column} FROM people WHERE ${call} IS NOT NULL`);
  await expectRefused(`SELECT ${column} FROM people, (SELECT set_config(lower('${name}'), '${value}', false)) AS s`);
  await expectRefused(`DECLARE c CURSOR WITH HOLD FOR SELECT ${column}, ${call} FROM people`);
  await expectRefused(`PREPARE p AS SELECT ${column}, ${call} FROM people`);
  await expectRefused(`INSERT INTO people SELECT 3 WHERE ${call} IS NOT NULL RETURNING ${column}`);
  await expectRefused(`SELECT array_agg(${column}), ${call} FROM people`);
  if (column !== 'name') await expectRefused(`COPY (SELECT ${column}, ${call} FROM people) TO STDOUT`);
  for (const text of ['SELECT * FROM people ORDER BY id', 'SELECT count(*) FROM people']) await on.expectAlike(text);
});

test.each([
  'SELECT born, german() FROM people',
  'SELECT born FROM people, one',
  "INSERT INTO by_trigger VALUES (1, '2001-02-03', 'x') RETURNING born",
  "INSERT INTO by_default (id, born) VALUES (1, '2001-02-03') RETURNING born",
  'SELECT name, latin() FROM people',
])('what sets is called by another: %s', async (text) => {
  await expectRefused(text);
  await on.expectAlike('SELECT * FROM people ORDER BY id');
});

test.each([
  "SELECT born, took, name, set_config('app.tenant', '7', false) FROM people ORDER BY id",
  "SELECT born::text, set_config('app.tenant', '7', false) FROM people ORDER BY id",
  "SELECT born, took, name, set_config('work_mem', '8MB', true) FROM people ORDER BY id",
  'SELECT born, took, name, tenant() FROM people ORDER BY id',
  "SELECT name, set_config('datestyle', 'German', false) FROM people ORDER BY id",
  "INSERT INTO by_tenant VALUES (1, '2001-02-03', 'x') RETURNING born, name",
  "INSERT INTO by_trigger VALUES (1, '2001-02-03', 'x') RETURNING name",
  "INSERT INTO by_trigger VALUES (1, '2001-02-03', 'x'); SELECT born FROM by_trigger; SELECT born, name FROM people",
  "SELECT id, set_config('datestyle', 'German', false) FROM people WHERE born IS NOT NULL ORDER BY id",
  "EXPLAIN (COSTS OFF) SELECT id, set_config('datestyle', 'German', false) FROM people WHERE born IS NULL",
])('what changes nothing of its values is answered: %s', async (text) => {
  await on.expectAlike(text);
  await on.expectAlike('SELECT born, name FROM people ORDER BY id');
});

test('a constant that names the setting is no other text’s', async () => {
  await on.expectAlike("SELECT born, set_config('app.tenant', '7', false) FROM people ORDER BY id");
  await expectRefused("SELECT born, set_config('datestyle', 'German', false) FROM people ORDER BY id");
  on.sealed.send(serialize.parse({ text: 'SELECT born, set_config($1, $2, false) FROM people' }), serialize.sync());
  expect(shown(await on.sealed.untilReady())[0]).toMatch(/^E ERROR 0A000/);
});

const ROWS = '1\t3/2/2001\n2\t4/2/2001\n';
const TABLES = ['by_default', 'by_trigger'];

test.each(TABLES)('COPY FROM whose rows would be read under what %s sets', async (table) => {
  await expectRefused(`COPY ${table} (id, born) FROM STDIN`);
  await expectRefused(`COPY ${table} (id, born) FROM STDIN (FORMAT csv)`);
  await expectRefused(`COPY ${table} (id, born) FROM STDIN WHERE german() = 1`);
  await on.expectAlike(`SELECT count(*) FROM ${table}`);
  await on.expectAlike('SELECT born FROM people ORDER BY id');
});

test.each(TABLES)('COPY FROM of what reads alike goes into %s, and COPY TO is no writing', async (table) => {
  await copiesAlike(`COPY ${table} (id, name) FROM STDIN`, '1\tone\n2\tZoë\n');
  await on.expectAlike(`SELECT id, name FROM ${table} ORDER BY id`);
  await on.expectAlike('RESET datestyle');
  if (table === 'by_trigger') await on.expectAlike(`COPY ${table} TO STDOUT`);
});

test('COPY FROM into a table that sets something else', async () => {
  await copiesAlike('COPY by_tenant (id, born) FROM STDIN', ROWS);
  await on.expectAlike('SELECT * FROM by_tenant ORDER BY id');
});

async function copiesAlike(text: string, data: string): Promise<void> {
  expect(await copyIn(on.sealed, text, data)).toEqual(await copyIn(on.twin, text, data));
}
