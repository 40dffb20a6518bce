/** Arrays in binary that are broken, for a sealed column: the SQLSTATE is the server's. */
import { serialize } from 'pg-protocol';
import { expect, test } from 'vitest';
import { errorOf, RawClient } from '../../support/postgres/proxy.ts';
import { rawTwins } from '../../support/postgres/raw-twins.ts';

const on = rawTwins(
  { sealed: 'CREATE TABLE t (id int, list sealgate.sealed)', plain: 'CREATE TABLE t (id int, list int4[])' },
  [{ table: 't', column: 'list', type: 'int4[]' }],
);

const words = (...values: readonly number[]): Buffer =>
  Buffer.concat(
    values.map((value) => {
      const word = Buffer.alloc(4);
      word.writeInt32BE(value);
      return word;
    }),
  );

const INT4 = 23;
const TEXT = 25;
const GOOD = words(1, 0, INT4, 2, 1, 4, 7, 4, 8);

async function codeOf(client: RawClient, value: Buffer): Promise<string> {
  client.send(
    serialize.parse({ text: 'INSERT INTO t VALUES (1, $1)' }),
    serialize.bind({ values: [value] }),
    serialize.execute({}),
    serialize.sync(),
  );
  return errorOf(await client.untilReady())['C'] ?? 'none';
}

test.each<readonly [string, Buffer]>([
  ['whole', GOOD],
  ...Array.from({ length: GOOD.length }, (_, length) => [`cut off at ${length}`, GOOD.subarray(0, length)] as const),
  ['a word too long', Buffer.concat([GOOD, words(0)])],
  ['of no dimension', words(0, 0, INT4)],
  ['of no dimension, and more', words(0, 0, INT4, 1)],
  ['of no element', words(1, 0, INT4, 0, 1)],
  ['of less than no dimension', words(-1, 0, INT4)],
  ['of less than no dimension, cut off', words(-1)],
  ['of seven dimensions', words(7, 0, INT4)],
  ['of other flags', words(1, 2, INT4, 1, 1, 4, 7)],
  ['of other flags, cut off', words(1, 2)],
  ['of texts', words(1, 0, TEXT, 1, 1, 4, 7)],
  ['of texts, cut off', words(1, 0, TEXT, 1)],
  ['of less than no element', words(1, 0, INT4, -1, 1)],
  ['of more elements than it has', words(1, 0, INT4, 3, 1, 4, 7, 4, 8)],
  ['of very many elements', words(1, 0, INT4, 0x7fffffff, 1, 4, 7)],
  ['of many elements in two dimensions', words(2, 0, INT4, 0x10000, 1, 0x10000, 1, 4, 7)],
  ['of an element longer than the rest', words(1, 0, INT4, 1, 1, 9, 7)],
  ['of an element of less than no length', words(1, 0, INT4, 1, 1, -2, 7)],
  ['of an element that is too long', words(1, 0, INT4, 1, 1, 8, 7, 7)],
  ['of an element that is too short', Buffer.concat([words(1, 0, INT4, 1, 1, 2), Buffer.from([0, 7])])],
  ['counted beyond what an int holds', words(1, 0, INT4, 2, 0x7fffffff, 4, 7, 4, 8)],
  ['counted up to what an int holds', words(1, 0, INT4, 2, 0x7ffffffe, 4, 7, 4, 8)],
  ['counted so, without elements', words(1, 0, INT4, 0, 0x7fffffff)],
])('%s', async (_name, value) => {
  expect(await codeOf(on.sealed, value)).toBe(await codeOf(on.twin, value));
});
