/**
 * Messages of a right type and length whose bodies are none: the server answers with an error and goes on, behind one of the extended protocol at
 * the next Sync. So does the proxy, in the same words, whatever came before; and nothing of them reaches the server.
 */
import { serialize } from 'pg-protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { peopleBesideTwin } from '../../support/postgres/people-twin.ts';
import { RawClient, type RawMessage } from '../../support/postgres/proxy.ts';
import { frame, word } from '../../support/postgres/raw-frames.ts';
import { shown } from '../../support/postgres/said.ts';
import { END, untilEnd } from '../../support/postgres/until-end.ts';

const { query, parse, bind, describe: ask, execute, close, sync, flush } = serialize;

const FIND = 'SELECT note FROM people WHERE mail = $1';
const ADD = 'INSERT INTO people VALUES ($1, $2, $3)';
const COPY = 'COPY people FROM STDIN';

const people = peopleBesideTwin();
// What came to the server in a malformed message would be told in the end.
beforeAll(() => people.db.canaries.add('MALFORMED-secret'));

const WATCHED = [parse({ name: 'w', text: FIND }), sync()];
const LOOK = [bind({ statement: 'w', values: ['CANARY-ann'] }), execute({}), sync()];

/** What is said in answer to it, and then; and what the table holds in the end. */
async function tell(url: string, frames: readonly Uint8Array[]): Promise<RawMessage[]> {
  const on = await RawClient.login(url);
  on.send(query("TRUNCATE people; INSERT INTO people VALUES (1, 'CANARY-ann', 'CANARY-one')"));
  await on.untilReady();
  on.send(
    ...frames,
    sync(),
    ...LOOK,
    query('ROLLBACK'),
    ...LOOK,
    query('SELECT * FROM people ORDER BY id'),
    query(END),
  );
  const messages = await untilEnd(on);
  on.end();
  return messages;
}

/** Without positions, and without what the proxy does not repeat: bytes that may be of a value. */
const said = (messages: readonly RawMessage[]): readonly string[] =>
  shown(messages).map((line) => line.replace(/(encoding "UTF8").*/, '$1').replace(/^(E .*?) (?:undefined|\d+)$/, '$1'));

async function compare(...frames: readonly Uint8Array[]): Promise<void> {
  const theirs = said(await tell(people.twinUrl, frames));
  expect(theirs).toContain('D 424242');
  expect(said(await tell(people.db.url, frames))).toEqual(theirs);
}

type Case = readonly [title: string, ...frames: Uint8Array[]];
const each = (cases: readonly Case[]) => cases.map(([title, ...frames]) => ({ title, frames }));

const SECRET = "INSERT INTO people VALUES (2, 'MALFORMED-secret', 'MALFORMED-secret')";

describe.each(
  each([
    ['a session that has prepared nothing'],
    ['one with a prepared statement', ...WATCHED],
    ['an open block', ...WATCHED, query("BEGIN; INSERT INTO people VALUES (3, 'CANARY-cid')")],
    ['a failed block', ...WATCHED, query('BEGIN'), query('SELECT 1/0')],
    [
      'a sequence that was begun',
      ...WATCHED,
      parse({ text: ADD }),
      bind({ values: ['3', 'CANARY-cid', 'x'] }),
      execute({}),
    ],
    ['one that fails', ...WATCHED, parse({ text: 'SELECT absent' })],
    ['one whose settings are not known', ...WATCHED, query("SET application_name = 'x'")],
  ]),
)('in $title:', ({ frames: before }) => {
  test.each(
    each([
      ['a Query without a body', frame('Q')],
      ['a Query without its end', frame('Q', SECRET)],
      ['a Query with another behind it', frame('Q', "SELECT 1\0DELETE FROM people WHERE mail = 'MALFORMED-secret'\0")],
      ['a Query with a byte behind it', frame('Q', `${SECRET}\0x`)],
      ['a Query that is no text', frame('Q', SECRET, [0xff, 0])],
      ['a Query that is no text on nothing sealed', frame('Q', "SELECT '", [0xff], "'\0")],
      ['a Parse without a body', frame('P')],
      ['a Parse without its text', frame('P', 'abc\0')],
      ['a Parse without the end of its text', frame('P', `\0${SECRET}`)],
      ['a Parse without a count', frame('P', `\0${SECRET}\0`)],
      ['a Parse without its types', frame('P', `\0${SECRET}\0`, [0, 2, 0, 0, 0, 25])],
      ['a Parse with bytes behind it', frame('P', `\0${SECRET}\0`, word(0))],
      ['the same, on nothing sealed', frame('P', '\0SELECT 1\0', word(0))],
      ['a Parse that is no text', frame('P', `\0${SECRET}`, [0xff, 0], [0, 0])],
      ['a Parse with a name that is no text', frame('P', [0xff, 0], `${SECRET}\0`, [0, 0])],
      ['a Bind without a body', frame('B')],
      ['a Bind that ends in a name', frame('B', 'abc')],
      ['a Bind that ends in the second name', frame('B', '\0w')],
      ['a Bind that ends behind its names', frame('B', '\0w\0')],
      ['a Bind that ends in its formats', frame('B', '\0w\0', [0, 2, 0, 0])],
      ['a Bind that ends in its count', frame('B', '\0w\0', [0, 0, 0])],
      ['a Bind with a name that is no text', frame('B', [0xff, 0], 'w\0', word(0), [0, 0])],
      ['Describe without a body', frame('D')],
      ['Describe without a name', frame('D', 'S')],
      ['Describe with a name without its end', frame('D', 'Sw')],
      ['Describe with bytes behind it', frame('D', 'Sw\0x')],
      ['Describe of neither', frame('D', 'Xw\0')],
      ['Describe of a name that is no text', frame('D', 'S', [0xff, 0])],
      ['Close without a body', frame('C')],
      ['Close with a name without its end', frame('C', 'Sw')],
      ['Close with bytes behind it', frame('C', 'Sw\0x')],
      ['Close of neither', frame('C', 'Xw\0')],
      ['Execute without a body', frame('E')],
      ['Execute without rows', frame('E', '\0')],
      ['Execute with bytes behind it', frame('E', '\0', word(0), word(0))],
      ['a Flush with a body', frame('H', 'x')],
      ['a Sync with a body', frame('S', 'x')],
      ['a FunctionCall without a body', frame('F')],
      ['a FunctionCall that ends in its function', frame('F', [0, 0, 3])],
      ['a FunctionCall that ends behind it', frame('F', [0, 0, 3, 0xbc])],
      ['two of them', frame('P'), frame('D', 'X'), sync(), frame('Q'), frame('Q')],
    ]),
  )('$title', async ({ frames }) => {
    await compare(...before, ...frames);
  });
});

describe('Bind of a statement on sealed columns:', () => {
  const nulls = Array.from({ length: 12 }, () => 255);
  const wrong = (...body: readonly (string | readonly number[])[]) => [frame('B', '\0w\0', ...body), execute({})];
  const INSERT = [parse({ name: 'i', text: ADD }), sync()];
  test.each(
    each([
      ['too few values', ...wrong(word(0), [0, 0])],
      ['too many values', ...wrong([0, 0, 0, 2, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0])],
      ['too many values, the first too long for its column', bind({ statement: 'w', values: ['x'.repeat(99), 'y'] })],
      ['too few values, one too long for its column', bind({ statement: 'i', values: ['1', 'x'.repeat(99)] })],
      ['other formats than values', ...wrong([0, 2, 0, 0, 0, 0, 0, 1, 255, 255, 255, 255, 0, 0])],
      [
        'the same, in a failed block',
        query('BEGIN'),
        query('SELECT 1/0'),
        ...wrong([0, 2, 0, 0, 0, 0, 0, 1, 255, 255, 255, 255, 0, 0]),
      ],
      ['two formats for three values', frame('B', '\0i\0', [0, 2, 0, 0, 0, 0, 0, 3], nulls, [0, 0])],
      ['a value that ends before its length', ...wrong(word(1), [0, 0, 0, 99], 'MALFORMED-secret')],
      ['a value of a length below NULL’s', ...wrong(word(1), [255, 255, 255, 254, 0, 0])],
      ['no result formats', ...wrong(word(1), [255, 255, 255, 255])],
      ['too few of them', ...wrong(word(1), [255, 255, 255, 255, 0, 2, 0, 0])],
      ['bytes behind', ...wrong(word(1), [255, 255, 255, 255, 0, 0], 'MALFORMED-secret')],
      ['a value that is no text', ...wrong(word(1), [0, 0, 0, 1, 255, 0, 0])],
      ['half a character', ...wrong(word(1), [0, 0, 0, 1, 0xc3, 0, 0])],
      ['a zero within a text', ...wrong(word(1), [0, 0, 0, 3, 65, 0, 66, 0, 0])],
      ['the same, in binary', ...wrong([0, 1, 0, 1, 0, 1, 0, 0, 0, 3, 65, 0, 66, 0, 0])],
      ['other result formats than results', ...wrong(word(1), [255, 255, 255, 255, 0, 2, 0, 0, 0, 0])],
    ]),
  )('$title', async ({ frames }) => {
    await compare(...WATCHED, ...INSERT, ...frames);
  });
});

describe('the unnamed statement, which a Query that is read takes, is left by', () => {
  const run = [bind({ values: ['CANARY-ann'] }), execute({}), sync()];
  const noText = frame('Q', SECRET, [0xff, 0]);
  test.each(
    each([
      ['a malformed Query', frame('Q', SECRET)],
      ['a Query that is no text', noText],
      ['the same, on nothing sealed', frame('Q', "SELECT '", [0xff], "'\0")],
      [
        'the same, in a block that fails with it',
        query('BEGIN'),
        parse({ text: FIND }),
        sync(),
        noText,
        query('ROLLBACK'),
      ],
      ['the same, behind a change of the settings', query('SET work_mem = 999'), parse({ text: FIND }), sync(), noText],
      ['the same, in a sequence', parse({ text: FIND }), noText],
      ['a Parse that is no text', frame('P', `\0${SECRET}`, [0xff, 0], [0, 0]), sync()],
      ['the same, on nothing sealed', frame('P', "\0SELECT '", [0xff], "'\0", [0, 0]), sync()],
    ]),
  )('$title', async ({ frames }) => {
    await compare(...WATCHED, parse({ text: FIND }), sync(), ...frames, ...run, query('SELECT 1'), ...run);
  });
});

describe('CopyFail', () => {
  test.each(
    each([
      ['without a body', frame('f')],
      ['without the end of its reason', frame('f', 'MALFORMED-secret')],
      ['with bytes behind it', frame('f', 'reason\0more')],
      ['whose reason is no text', frame('f', [0xff, 0])],
    ]),
  )('$title', async ({ frames }) => {
    const row = frame('d', '2\tCANARY-bob\tx\n');
    await compare(...WATCHED, query(COPY), row, ...frames);
    await compare(...WATCHED, query('COPY plain FROM STDIN'), frame('d', '2\tx\n'), ...frames);
    await compare(...WATCHED, query(`${COPY}; SELECT 1`), row, ...frames);
    await compare(...WATCHED, parse({ text: COPY }), bind({}), execute({}), flush(), row, ...frames);
  });
});

describe('while COPY reads,', () => {
  test.each(
    each([
      ['a Flush with a body', frame('H', 'x')],
      ['a Sync with a body', frame('S', 'x')],
      ['CopyDone with a body', frame('c', 'x')],
    ]),
  )('$title is as it is without', async ({ frames }) => {
    const row = frame('d', '2\tCANARY-bob\tx\n');
    const plain = frame('d', '2\tx\n');
    const done = frame('c');
    await compare(...WATCHED, query(COPY), row, ...frames, done);
    await compare(...WATCHED, query(`${COPY}; SELECT 1`), row, ...frames, done);
    await compare(...WATCHED, parse({ text: COPY }), bind({}), execute({}), flush(), row, ...frames, done);
    await compare(...WATCHED, query('COPY plain FROM STDIN'), plain, ...frames, done);
    await compare(...WATCHED, query(`COPY plain FROM STDIN; ${COPY}`), plain, ...frames, done, row, ...frames, done);
  });
});

describe('names beyond ASCII and 63 bytes', () => {
  const bytes = (name: string) => parse({ name, text: FIND });
  test.each(
    each([
      [
        'cut within a character',
        bytes('é'.repeat(40)),
        bind({ statement: 'é'.repeat(40), values: ['CANARY-ann'] }),
        execute({}),
      ],
      ['of an odd length', bytes(`a${'é'.repeat(40)}`), sync(), ask({ type: 'S', name: `a${'é'.repeat(32)}` })],
      [
        'of a portal',
        bytes('é'),
        bind({ statement: 'é', portal: 'p€'.repeat(30), values: ['CANARY-ann'] }),
        execute({ portal: 'p€'.repeat(30) }),
      ],
      [
        'that are closed',
        bytes('€'.repeat(30)),
        close({ type: 'S', name: '€'.repeat(22) }),
        bind({ statement: '€'.repeat(30), values: ['CANARY-ann'] }),
      ],
    ]),
  )('$title', async ({ frames }) => {
    await compare(...WATCHED, ...frames);
  });
});
