import { expect, test } from 'vitest';
import { isHeavy } from './weigh.ts';

const tokens = async (sql: string): Promise<number> => {
  let limit = 0;
  while (await isHeavy(sql, limit)) limit += 1;
  return limit;
};

test.each([
  ['', 0],
  ['select 1', 2],
  [`insert into t values ('${'a word '.repeat(1000)}')`, 7],
  [String.raw`select e'it\'s one, one, one'`, 2],
  ['select $$ one two $$, $x$ $$ three $$ $x$', 4],
  ['select 1 -- and a comment of many words', 3],
  ['select /* of many words */ "a name" from t', 5],
  ['select (1), a.b', 6],
])('%j has %i tokens', async (sql, expected) => {
  expect(await tokens(sql)).toBe(expected);
});

test('a long value is one, long lists are many', async () => {
  expect(await isHeavy(`select '${'x y '.repeat(1_000_000)}'`, 10)).toBe(false);
  expect(await isHeavy(`select e'${String.raw`\'`.repeat(100_000)}'`, 10)).toBe(false);
  expect(await isHeavy(`select ${'1,'.repeat(100_000)}1`, 200_000)).toBe(true);
});
