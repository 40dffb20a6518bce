/**
 * FETCH and EXECUTE behind what changes settings, or takes a change back, in the same message or sequence: values are sealed and printed under the settings
 * that the server has by then.
 */
import { serialize } from 'pg-protocol';
import { beforeEach, expect, test } from 'vitest';
import { errorOf } from '../../support/postgres/proxy.ts';
import { say, shown } from '../../support/postgres/said.ts';
import { rawTwins } from '../../support/postgres/raw-twins.ts';

const { parse, bind, execute, sync } = serialize;

const on = rawTwins(
  {
    sealed: 'CREATE TABLE people (id int PRIMARY KEY, born sealgate.sealed)',
    plain: 'CREATE TABLE people (id int PRIMARY KEY, born date)',
  },
  [{ table: 'people', column: 'born', type: 'date', mode: 'deterministic' }],
);
beforeEach(async () => {
  for (const text of BEFORE) await on.expectAlike(text);
});

const BEFORE = [
  "DELETE FROM people; INSERT INTO people VALUES (1, '2001-02-03'), (2, '2002-03-04')",
  'PREPARE add AS INSERT INTO people VALUES ($1, $2)',
  'PREPARE read AS SELECT born FROM people ORDER BY id',
  "PREPARE german AS SELECT set_config('datestyle', 'German', false)",
];
const DECLARE = 'DECLARE c CURSOR WITH HOLD FOR SELECT born FROM people ORDER BY id';

test.each<readonly string[]>([
  ["SET DateStyle = 'SQL, DMY'; EXECUTE add (7, '1/2/2003')"],
  // No date in the order of before.
  ["SET DateStyle = 'SQL, DMY'; EXECUTE add (7, '31/12/2003')"],
  ["BEGIN; SET LOCAL DateStyle = 'SQL, DMY'", "COMMIT; EXECUTE add (7, '1/2/2003')"],
  ["BEGIN; SET DateStyle = 'SQL, DMY'", "ROLLBACK; EXECUTE add (7, '1/2/2003')"],
  ["BEGIN; SAVEPOINT a; SET DateStyle = 'SQL, DMY'", "ROLLBACK TO a; EXECUTE add (7, '1/2/2003')", 'COMMIT'],
  ["SET DateStyle = 'German'; EXECUTE read"],
  ["SELECT set_config('datestyle', 'SQL, DMY', false); EXECUTE read"],
  ['EXECUTE german; EXECUTE read'],
  ['EXECUTE german; SELECT 1; EXECUTE read; SELECT 1/0'],
  ['BEGIN; EXECUTE german; EXECUTE read; ROLLBACK; EXECUTE read'],
  [DECLARE, "SET DateStyle = 'German'; FETCH c", 'FETCH c'],
  [DECLARE, "SET DateStyle = 'German'; SELECT 1/0; FETCH c", 'FETCH c'],
  [DECLARE, 'EXECUTE german; MOVE c; FETCH c'],
  ["BEGIN; SET LOCAL DateStyle = 'German'", DECLARE, 'FETCH c', 'COMMIT; FETCH c'],
  [`BEGIN; ${DECLARE}; FETCH c; COMMIT`],
])('%s', async (...texts) => {
  for (const text of texts) await on.expectAlike(text);
  await on.expectAlike('RESET DateStyle');
  await on.expectAlike('SELECT * FROM people ORDER BY id');
});

test('a SET among many EXECUTEs', async () => {
  await on.expectAlike(`${'EXECUTE read; '.repeat(600)}SET DateStyle = 'SQL, DMY'; ${'EXECUTE read; '.repeat(600)}`);
  await on.expectAlike(`${'EXECUTE read; '.repeat(1200)}EXECUTE add (7, '1/2/2003'); SELECT * FROM people ORDER BY id`);
});

const run = (text: string): Uint8Array[] => [parse({ text }), bind({}), execute({})];

test.each<readonly [string, readonly Uint8Array[]]>([
  ['a value of EXECUTE', [...run("SET DateStyle = 'SQL, DMY'"), ...run("EXECUTE add (7, '1/2/2003')")]],
  ['rows of EXECUTE', [...run("SET DateStyle = 'German'"), ...run('EXECUTE read')]],
  ['rows of FETCH', [...run(DECLARE), ...run("SET DateStyle = 'German'"), ...run('FETCH c')]],
])('in a sequence: %s', async (_name, frames) => {
  const said = [];
  for (const client of [on.sealed, on.twin]) {
    client.send(serialize.query('BEGIN'), ...frames, sync());
    said.push(shown(await client.untilReady(2)));
  }
  expect(said[0]).toEqual(said[1]);
  await on.expectAlike('COMMIT');
  await on.expectAlike('RESET DateStyle');
  await on.expectAlike('SELECT * FROM people ORDER BY id');
});

const ADD = "EXECUTE add (7, '1/2/2003')";
const DMY = "SET DateStyle = 'SQL, DMY'";

test.each<readonly [string, readonly Uint8Array[], string]>([
  ['bound', [parse({ name: 's', text: ADD }), ...run(DMY), bind({ statement: 's' }), execute({})], '0A000'],
  [
    'run',
    [parse({ name: 's', text: ADD }), bind({ portal: 'p', statement: 's' }), ...run(DMY), execute({ portal: 'p' })],
    '0A000',
  ],
  [
    'run under those of before again',
    [
      parse({ name: 's', text: ADD }),
      bind({ portal: 'p', statement: 's' }),
      ...run(DMY),
      ...run('RESET DateStyle'),
      execute({ portal: 'p' }),
    ],
    'none',
  ],
])(
  'arguments of EXECUTE that were sealed under other settings than those under which it is %s',
  async (_name, frames, code) => {
    on.sealed.send(...frames, sync());
    expect(errorOf(await on.sealed.untilReady())['C'] ?? 'none').toBe(code);
    await say(on.sealed, 'RESET DateStyle');
    const stored = shown(await say(on.sealed, 'SELECT born FROM people WHERE id = 7'));
    expect(stored.filter((line) => line.startsWith('D '))).toEqual(code === 'none' ? ['D 2003-01-02'] : []);
  },
);
