/**
 * Sealed statements behind an EXECUTE, FETCH or MOVE of what changes settings: they are read, sealed and printed under the settings that the server has by
 * then, whether they are sent in the same message or sequence, or in the next.
 */
import { serialize } from 'pg-protocol';
import { beforeEach, expect, test } from 'vitest';
import { errorOf } from '../../support/postgres/proxy.ts';
import { say } from '../../support/postgres/said.ts';
import { rawTwins } from '../../support/postgres/raw-twins.ts';

const { parse, bind, execute, sync } = serialize;

const ddl = (date: string, text: string, bytea: string): string => `
  CREATE TABLE people (id int PRIMARY KEY, born ${date}, mail ${text}, photo ${bytea});
  CREATE SCHEMA other;
  CREATE TABLE other.people (id int PRIMARY KEY, born text, mail text, photo text)`;
const SEALED = 'sealgate.sealed';

const on = rawTwins({ sealed: ddl(SEALED, SEALED, SEALED), plain: ddl('date', 'text', 'bytea') }, [
  { table: 'people', column: 'born', type: 'date', mode: 'deterministic' },
  { table: 'people', column: 'mail', type: 'text', mode: 'deterministic' },
  { table: 'people', column: 'photo', type: 'bytea' },
]);
beforeEach(async () => {
  for (const text of BEFORE) await on.expectAlike(text);
});

const sets = (name: string, value: string): string => `SELECT set_config('${name}', '${value}', false)`;
const DMY = sets('datestyle', 'SQL, DMY');
const PUBLIC = sets('search_path', 'public');
const ESCAPE = sets('bytea_output', 'escape');

const BEFORE = [
  'DELETE FROM people; DELETE FROM other.people',
  String.raw`INSERT INTO people VALUES (1, '2001-02-03', 'a@x', '\x61ff'), (2, '2002-03-04', NULL, NULL)`,
  `PREPARE dmy AS ${DMY}`,
  `PREPARE public AS ${PUBLIC}`,
  `PREPARE escape AS ${ESCAPE}`,
];
const AFTER = [
  'RESET search_path; RESET datestyle; RESET bytea_output',
  'SELECT * FROM people ORDER BY id',
  'SELECT * FROM other.people ORDER BY id',
];
const ADD = "INSERT INTO people (id, born) VALUES (7, '1/2/2003')";
const ADD_MAIL = "INSERT INTO people (id, mail) VALUES (7, 'b@x')";
const READ = 'SELECT born, photo FROM people WHERE id = 1';
const FIND = "SELECT id FROM people WHERE born = '3/2/2001'";
const CURSOR = 'DECLARE x CURSOR FOR';

const MESSAGES: readonly (readonly string[])[] = [
  [`EXECUTE dmy; ${ADD}`],
  [`EXECUTE dmy; ${READ}`],
  [`EXECUTE dmy; ${FIND}`],
  [`EXECUTE dmy; SELECT 1; ${FIND}; SELECT 1/0`],
  [`EXECUTE dmy; UPDATE people SET born = '5/6/2007' WHERE born = '3/2/2001'`],
  [`EXECUTE dmy; COPY (${FIND}) TO STDOUT`],
  ['EXECUTE dmy; COPY people (born) TO STDOUT'],
  [`EXECUTE dmy; DECLARE c CURSOR WITH HOLD FOR ${FIND}`, 'FETCH ALL FROM c'],
  [`EXECUTE dmy; PREPARE add AS ${ADD}; EXECUTE add`],
  [`BEGIN; EXECUTE dmy; ${ADD}; ROLLBACK; ${READ}`],
  // No date in the order of before.
  ["EXECUTE dmy; INSERT INTO people (id, born) VALUES (7, '31/12/2003')"],
  ['SET search_path = other, public', `EXECUTE public; ${ADD_MAIL}`],
  ['SET search_path = other, public', `EXECUTE public; SELECT 1; ${READ}`],
  ['SET search_path = other, public', `EXECUTE public; DELETE FROM people WHERE mail = 'a@x'`],
  [`EXECUTE escape; ${READ}`, READ],
  ['BEGIN', `${CURSOR} ${DMY}`, READ, `FETCH x; ${ADD}`, 'COMMIT'],
  ['BEGIN', `${CURSOR} ${DMY}`, READ, `MOVE x; ${ADD}`, 'COMMIT'],
  ['BEGIN', `${CURSOR} ${DMY}`, `DECLARE c CURSOR FOR ${READ}`, READ, 'FETCH x; FETCH c', 'COMMIT'],
  ['BEGIN', `${CURSOR} ${DMY}`, READ, `FETCH x; ${READ}`, 'ROLLBACK', READ],
  ['BEGIN; SET LOCAL search_path = other, public', `${CURSOR} ${PUBLIC}`, READ, `FETCH x; ${ADD_MAIL}`, 'COMMIT'],
  ['BEGIN', `${CURSOR} ${ESCAPE}`, READ, 'FETCH x', READ, 'COMMIT', READ],
  ['BEGIN', `${CURSOR} ${ESCAPE}`, READ, 'MOVE x', READ, 'COMMIT', READ],
  ['BEGIN', `${CURSOR} ${ESCAPE}`, 'SAVEPOINT a', READ, 'FETCH x', 'ROLLBACK TO a', READ, 'COMMIT', READ],
  [`${CURSOR.replace('FOR', 'WITH HOLD FOR')} ${ESCAPE}`, READ, 'FETCH x', READ],
  // Over sealed columns themselves.
  [
    'BEGIN',
    `${CURSOR} SELECT id, ${ESCAPE.slice(7)} FROM people WHERE born IS NOT NULL`,
    READ,
    'FETCH x',
    READ,
    'COMMIT',
  ],
  [
    'BEGIN',
    `${CURSOR} SELECT id, ${ESCAPE.slice(7)} FROM people WHERE born IS NOT NULL`,
    READ,
    'MOVE x',
    READ,
    'COMMIT',
  ],
];

test.each(MESSAGES.map((texts) => [texts.join(' | '), texts] as const))('%s', async (_name, texts) => {
  for (const text of [...texts, ...AFTER]) await on.expectAlike(text);
});

const run = (text: string): Uint8Array[] => [parse({ text }), bind({}), execute({})];
const opened = (text: string): Uint8Array[] => [parse({ name: 's', text }), bind({ portal: 'x', statement: 's' })];

test.each<readonly [string, ...(string | readonly Uint8Array[])[]]>([
  ['EXECUTE', [...run('EXECUTE dmy'), ...run(ADD)]],
  ['FETCH', 'BEGIN', `${CURSOR} ${DMY}`, READ, [...run('FETCH x'), ...run(ADD)], 'COMMIT'],
  ['FETCH of a portal', 'BEGIN', READ, opened(DMY), `FETCH x; ${ADD}`, 'COMMIT'],
  ['FETCH of a portal, in a message of its own', 'BEGIN', READ, opened(ESCAPE), 'FETCH x', READ, 'COMMIT'],
  [
    'FETCH that was prepared before',
    [parse({ name: 'f', text: 'FETCH x' })],
    'BEGIN',
    `${CURSOR} ${ESCAPE}`,
    READ,
    [bind({ statement: 'f' }), execute({})],
    READ,
    'COMMIT',
  ],
  [
    'MOVE that was prepared before',
    [parse({ name: 'f', text: 'MOVE x' })],
    'BEGIN',
    `${CURSOR} ${ESCAPE}`,
    READ,
    [bind({ statement: 'f' }), execute({})],
    READ,
    'COMMIT',
  ],
  ['a cursor that the protocol runs', 'BEGIN', `${CURSOR} ${ESCAPE}`, READ, [execute({ portal: 'x' })], READ, 'COMMIT'],
])('by the protocol: %s', async (_name, ...messages) => {
  for (const message of messages) {
    if (typeof message === 'string') await on.expectAlike(message);
    else await on.expectSequenceAlike(...message);
  }
  for (const text of AFTER) await on.expectAlike(text);
});

test.each(["SELECT set_config('application_name', $1, false)", 'SELECT $1::text'])(
  'EXECUTE by the protocol of what is prepared again, over sealed columns, is not run: %s',
  async (before) => {
    await say(on.sealed, `PREPARE g (text) AS ${before}`);
    on.sealed.send(parse({ name: 's', text: "EXECUTE g ('clear@x')" }), sync());
    await on.sealed.untilReady();
    await say(on.sealed, 'DEALLOCATE g', 'PREPARE g (text) AS INSERT INTO people (id, mail) VALUES (7, $1)');
    on.sealed.send(bind({ statement: 's' }), execute({}), sync());
    expect(errorOf(await on.sealed.untilReady())['C']).toBe('0A000');
    expect((await on.db.direct.query('SELECT * FROM people WHERE id = 7')).rows).toEqual([]);
  },
);

test.each([[['COMMIT']], [['ROLLBACK']], [['ROLLBACK', 'BEGIN']], [['CLOSE c']]])(
  'FETCH of a cursor that has ended in its own sequence fails, and the session goes on: %j',
  async (ends) => {
    const run = (text: string): Uint8Array[] => [parse({ text }), bind({}), execute({})];
    for (const text of ['BEGIN', `DECLARE c CURSOR FOR ${READ}`, 'FETCH c']) await on.expectAlike(text);
    await on.expectSequenceAlike(...ends.flatMap(run), ...run('FETCH c'));
    for (const text of ['ROLLBACK', READ]) await on.expectAlike(text);
    await on.expectSequenceAlike(...['BEGIN', `DECLARE c CURSOR FOR ${READ}`, ...ends].flatMap(run), ...run('FETCH c'));
    for (const text of ['ROLLBACK', READ]) await on.expectAlike(text);
  },
);
