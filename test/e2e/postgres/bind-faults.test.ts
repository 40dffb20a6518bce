/** Two faults in one Bind: the server tells the one it comes to first, and so does the proxy. */
import { serialize } from 'pg-protocol';
import { expect, test } from 'vitest';
import { RawClient } from '../../support/postgres/proxy.ts';
import { frame } from '../../support/postgres/raw-frames.ts';
import { shown } from '../../support/postgres/said.ts';
import { rawTwins } from '../../support/postgres/raw-twins.ts';

const { query, parse, execute, sync } = serialize;

const on = rawTwins(
  {
    sealed: 'CREATE TABLE t (id int, mail sealgate.sealed, token sealgate.sealed, n int)',
    plain: 'CREATE TABLE t (id int, mail varchar(10), token uuid, n int)',
  },
  [
    { table: 't', column: 'mail', type: 'varchar(10)', mode: 'deterministic' },
    { table: 't', column: 'token', type: 'uuid' },
  ],
);

const UUID = '00000000-0000-4000-8000-000000000001';

type Made = {
  statement: string;
  portal: string;
  formats: number[];
  values: (Uint8Array | undefined)[];
  resultFormats: number[];
  before: Uint8Array[];
};
const text = (value: string) => Buffer.from(value);

const FAULTS: Readonly<Record<string, (bind: Made) => void>> = {
  'a statement that there is not': (bind) => (bind.statement = 'none'),
  'a portal that there is': (bind) =>
    bind.before.push(query('BEGIN'), parse({ text: 'SELECT 1' }), serialize.bind({ portal: 'p' }), sync()),
  'a failed transaction': (bind) => bind.before.push(query('BEGIN'), query('SELECT 1/0')),
  'two formats': (bind) => (bind.formats = [0, 0]),
  'a value too few': (bind) => bind.values.pop(),
  'a value too many': (bind) => bind.values.push(undefined),
  'a first value that is none': (bind) => (bind.values[0] = text('x')),
  'a last value that is none': (bind) => bind.values.length === 4 && (bind.values[3] = text('y')),
  'a sealed value that is none': (bind) => (bind.values[2] = text('z')),
  'a sealed value that is too long': (bind) => (bind.values[1] = text('too long for it')),
  'a sealed value that is no text': (bind) => (bind.values[1] = Buffer.from([0xff])),
  'a format that there is not': (bind) => (bind.formats = bind.values.map((_value, index) => (index === 1 ? 7 : 0))),
  'another that there is not': (bind) => (bind.formats = bind.values.map((_value, index) => (index === 3 ? 7 : 0))),
  'a result format too many': (bind) => (bind.resultFormats = [0, 0, 0]),
  'a result format that there is not': (bind) => (bind.resultFormats = [7]),
};

function bound(...names: readonly string[]): Uint8Array[] {
  const bind: Made = {
    statement: 's',
    portal: 'p',
    formats: [],
    values: [text('1'), text('ok'), text(UUID), text('4')],
    resultFormats: [],
    before: [],
  };
  for (const name of names) FAULTS[name]?.(bind);
  const word = (value: number): number[] => [value >> 8, value & 0xff];
  const body = [
    `${bind.portal}\0${bind.statement}\0`,
    word(bind.formats.length),
    ...bind.formats.map(word),
    word(bind.values.length),
    ...bind.values.flatMap((value) =>
      value === undefined ? [[255, 255, 255, 255]] : [[0, 0, 0, value.length], [...value]],
    ),
    word(bind.resultFormats.length),
    ...bind.resultFormats.map(word),
  ];
  return [...bind.before, frame('B', ...body), execute({ portal: 'p' }), sync(), query('ROLLBACK')];
}

async function said(on: RawClient, statement: string, frames: readonly Uint8Array[]): Promise<readonly string[]> {
  on.send(query('ROLLBACK; DEALLOCATE ALL; TRUNCATE t'), parse({ name: 's', text: statement }), sync(), ...frames);
  const count = 2 + frames.filter((bytes) => bytes[0] === 0x51 || bytes[0] === 0x53).length;
  return shown(await on.untilReady(count)).map((line) =>
    line
      .replace(/(encoding "UTF8").*/, '$1')
      .replace(/^(E .*?) (?:undefined|\d+)$/, '$1')
      .replace(/(type \w+): ".*"/, '$1'),
  );
}

const STATEMENTS = {
  INSERT: 'INSERT INTO t VALUES ($1, $2, $3, $4) RETURNING token, n',
  UPDATE: 'UPDATE t SET id = $1, mail = $2, token = $3 WHERE n = $4 RETURNING token, n',
};
const names = Object.keys(FAULTS);
const pairs = names.flatMap((one, index) => [[one], ...names.slice(index + 1).map((other) => [one, other])]);

test.each(pairs.map((pair) => ({ pair, title: pair.join(', and ') })))('$title', async ({ pair }) => {
  for (const statement of Object.values(STATEMENTS)) {
    const theirs = await said(on.twin, statement, bound(...pair));
    expect(await said(on.sealed, statement, bound(...pair))).toEqual(theirs);
  }
});
