/**
 * Messages that no driver sends: wrong values, names that are taken, formats that there are not, ends in the middle. On sealed columns the answers
 * are those of the server to the same on plain ones; where the proxy cannot read on it ends the connection, as the server does, and says why.
 */
import { serialize } from 'pg-protocol';
import { describe, expect, test } from 'vitest';
import { peopleBesideTwin } from '../../support/postgres/people-twin.ts';
import { errorOf, RawClient, types, type RawMessage } from '../../support/postgres/proxy.ts';
import { frame, word } from '../../support/postgres/raw-frames.ts';
import { shown } from '../../support/postgres/said.ts';
import { END, untilEnd } from '../../support/postgres/until-end.ts';

const { query, parse, bind, describe: ask, execute, close, sync, flush, copyFail } = serialize;

const FIND = 'SELECT note FROM people WHERE mail = $1';
const ADD = 'INSERT INTO people VALUES ($1, $2, $3)';
const COPY = 'COPY people FROM STDIN';

const people = peopleBesideTwin();

const NULLS = Array.from({ length: 12 }, () => 255);
/** What it is, and its messages. */
type Case = readonly [title: string, ...frames: Uint8Array[]];

const each = (cases: readonly Case[]) => cases.map(([title, ...frames]) => ({ title, frames }));

const data = (text: string): Uint8Array => frame('d', text);

/** What is said in answer, and what the table holds then. `after` is said when all of it has been answered. */
async function tell(url: string, frames: readonly Uint8Array[], after: readonly Uint8Array[]): Promise<RawMessage[]> {
  const on = await RawClient.login(url);
  on.send(query("TRUNCATE people; INSERT INTO people VALUES (1, 'CANARY-ann', 'CANARY-one')"));
  await on.untilReady();
  on.send(...frames, ...after);
  const messages = await untilEnd(on);
  on.end();
  return [...messages, ...(await left(url))];
}

async function left(url: string): Promise<RawMessage[]> {
  const on = await RawClient.login(url);
  on.send(query('SELECT * FROM people ORDER BY id'));
  const messages = await on.untilReady();
  on.end();
  return messages;
}

/** An error by severity and SQLSTATE: its words are the proxy's own where it stands in for the server. */
const said = (messages: readonly RawMessage[]): readonly string[] =>
  shown(messages).map((line) => (line.startsWith('E ') ? line.split(' ').slice(0, 3).join(' ') : line));

async function compare(frames: readonly Uint8Array[]): Promise<void> {
  const after = [sync(), query('ROLLBACK'), query(END)];
  const theirs = await tell(people.twinUrl, frames, after);
  expect(said(await tell(people.db.url, frames, after))).toEqual(said(theirs));
}

describe('is answered as by the server:', () => {
  test.each(
    each([
      ['a value longer than its Bind', parse({ text: FIND }), frame('B', '\0\0', word(1), [0, 0, 0, 99])],
      [
        'a value of a length below NULL’s',
        parse({ text: FIND }),
        frame('B', '\0\0', word(1), [255, 255, 255, 254, 0, 0]),
      ],
      ['bytes behind a Bind', parse({ text: 'SELECT note FROM people' }), frame('B', '\0\0', word(0), [0, 0, 0])],
      ['too few values', parse({ text: ADD }), bind({ values: ['7'] })],
      ['too many values', parse({ text: FIND }), bind({ values: ['7', '8'] })],
      [
        'two formats for three values',
        parse({ text: ADD }),
        frame('B', '\0\0', [0, 2, 0, 0, 0, 0, 0, 3], NULLS, [0, 0]),
      ],
      [
        'a format that there is not',
        parse({ text: FIND }),
        frame('B', '\0\0', [0, 1, 0, 7, 0, 1, 0, 0, 0, 1], 'a', [0, 0]),
      ],
      [
        'results in it',
        parse({ text: 'SELECT note FROM people' }),
        frame('B', '\0\0', word(0), [0, 1, 0, 7]),
        execute({}),
      ],
      ['a byte that is no text', parse({ text: FIND }), frame('B', '\0\0', word(1), [0, 0, 0, 1, 255, 0, 0])],
      ['a zero within a text', parse({ text: FIND }), frame('B', '\0\0', word(1), [0, 0, 0, 3, 65, 0, 66, 0, 0])],
      ['Describe of neither', frame('D', 'Xs\0')],
      ['Close of neither', frame('C', 'Xs\0')],
      [
        'Describe, Close and Execute of what there is not',
        ask({ type: 'S' }),
        sync(),
        close({ type: 'S', name: 'no' }),
      ],
      ['Execute of what there is not', execute({ portal: 'no' })],
      ['Sync with a body', frame('S', 'more')],
      ['data that no COPY reads', data('x\n'), frame('c'), copyFail('no')],
      ['a COPY that is given up without a reason', query(COPY), copyFail('')],
      ['CopyDone with a body', query(COPY), data('2\tCANARY-bob\tx\n'), frame('c', 'body'), sync()],
      ['the same, of another table', query('COPY plain FROM STDIN'), data('2\tx\n'), frame('c', 'body'), sync()],
      [
        'the same, among other statements',
        query(`${COPY}; COPY plain FROM STDIN; SELECT 1`),
        ...[data('2\tCANARY-bob\tx\n'), frame('c', 'body'), data('2\tx\n'), frame('c', 'body')],
      ],
      ['Sync and Flush within a COPY', query(COPY), sync(), flush(), data('2\tCANARY-bob\tx\n'), frame('c')],
      ['rows below none', parse({ text: FIND }), bind({ values: ['x'] }), frame('E', '\0', [255, 255, 255, 255])],
      ['a second Execute', parse({ text: FIND }), bind({ values: ['CANARY-ann'] }), execute({}), execute({})],
      ['a name beyond 63 bytes', parse({ name: 'n'.repeat(70), text: FIND }), ask({ type: 'S', name: 'n'.repeat(64) })],
    ]),
  )('$title', async ({ frames }) => {
    await compare(frames);
  });
});

/** Each is sent at once: what fails is not known when the next is read. */
describe('names that are taken, in a pipeline:', () => {
  const use = (name: string, ...values: string[]) => [bind({ statement: name, values }), execute({}), sync()];
  test.each(
    each([
      [
        'a plain statement, by a sealed one',
        ...[parse({ name: 's', text: 'SELECT $1::text' }), sync(), parse({ name: 's', text: FIND }), sync()],
        ...use('s', 'no secret'),
      ],
      [
        'a sealed statement, by a plain one',
        ...[parse({ name: 's', text: FIND }), sync(), parse({ name: 's', text: 'SELECT $1::text' }), sync()],
        ...use('s', 'CANARY-ann'),
      ],
      [
        'a sealed statement, by a plain one, described',
        ...[parse({ name: 's', text: FIND }), sync(), parse({ name: 's', text: 'SELECT $1::int' }), sync()],
        ...[ask({ type: 'S', name: 's' }), sync()],
      ],
      [
        'one that was closed behind what fails',
        ...[
          parse({ name: 's', text: FIND }),
          sync(),
          parse({ text: 'SELEC' }),
          close({ type: 'S', name: 's' }),
          sync(),
        ],
        ...use('s', 'CANARY-ann'),
      ],
      [
        'one that was closed and prepared anew behind what fails',
        ...[
          parse({ name: 's', text: FIND }),
          sync(),
          parse({ text: 'SELEC' }),
          close({ type: 'S', name: 's' }),
          sync(),
        ],
        ...[parse({ name: 's', text: 'SELECT $1::text' }), sync()],
        ...use('s', 'CANARY-ann'),
      ],
      [
        'by PREPARE, and used by Bind',
        ...[query(`PREPARE s (text) AS ${FIND}`), query('PREPARE s (text) AS SELECT $1')],
        ...use('s', 'CANARY-ann'),
      ],
      [
        'by PREPARE, and used by EXECUTE',
        ...[query(`PREPARE s (text) AS ${FIND}`), query('PREPARE s (text) AS SELECT $1')],
        query("EXECUTE s ('CANARY-ann')"),
      ],
      [
        'one that DEALLOCATE was to take in a failed transaction',
        ...[parse({ name: 's', text: FIND }), sync(), query('BEGIN'), query('SELECT 1/0'), query('DEALLOCATE s')],
        ...[query('ROLLBACK'), ...use('s', 'CANARY-ann')],
      ],
      [
        'a portal',
        ...[
          query('BEGIN'),
          parse({ name: 's', text: FIND }),
          bind({ statement: 's', portal: 'p', values: ['CANARY-ann'] }),
        ],
        ...[parse({ name: 't', text: 'SELECT 1' }), bind({ statement: 't', portal: 'p' }), execute({ portal: 'p' })],
      ],
    ]),
  )('$title', async ({ frames }) => {
    await compare(frames);
  });
});

test('Close in two pieces, wherever it is cut', async () => {
  const on = await RawClient.login(people.db.url);
  for (const text of ['SELECT 1', FIND]) {
    const bytes = Buffer.concat([close({ type: 'S', name: 's' }), sync()]);
    for (let at = 1; at < bytes.length; at++) {
      on.send(parse({ name: 's', text }), sync());
      await on.untilReady();
      on.send(bytes.subarray(0, at));
      await new Promise((resolve) => setTimeout(resolve, 5));
      on.send(bytes.subarray(at));
      expect(types(await on.untilReady())).toBe('3Z');
    }
  }
  on.end();
});

describe('ends the connection, and nothing before it is kept:', () => {
  test.each<readonly [string, Uint8Array]>([
    ['a length below its own', Uint8Array.of(0x51, 0, 0, 0, 3)],
    ['a length beyond all', Uint8Array.of(0x51, 0x7f, 0xff, 0xff, 0xff)],
    ['a negative length', Uint8Array.of(0x64, 0xff, 0xff, 0xff, 0xff)],
    ['a type that there is not', frame('y', 'x')],
    ['a password', frame('p', 'x\0')],
    ['a name longer than the server reads', frame('D', `S${'x'.repeat(10_000)}\0`)],
    ['a Flush as long', frame('H', 'x'.repeat(10_000))],
    ['a Query within a COPY', Buffer.concat([query(COPY), frame('d', '2\tCANARY-bob\tx\n'), query('SELECT 1')])],
  ])('%s', async (_title, bytes) => {
    const on = await RawClient.login(people.db.url);
    on.send(query("TRUNCATE people; INSERT INTO people VALUES (1, 'CANARY-ann', 'CANARY-one')"));
    await on.untilReady();
    on.send(query("BEGIN; INSERT INTO people VALUES (2, 'CANARY-bob')"));
    await on.untilReady();
    on.send(bytes, sync());
    expect(errorOf(await on.untilClosed())).toMatchObject({ S: 'FATAL', C: '08P01' });
    await expect
      .poll(async () => shown(await left(people.db.url)).filter((line) => line.startsWith('D')))
      .toEqual(['D 1,CANARY-ann,CANARY-one']);
  });
});
