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
  ["select 'it''s one', \"a\"\"b\", e'a''b'", 6],
  ['/* a /* nested */ comment */ 1', 2],
  ['select x$a$, 1, 2, y$a$', 8],
  ['select $é$ one two $é$', 2],
  ['select 1 --\r, 2', 5],
  ['select \u00a0$x$, 1, \u00a0$x$', 6],
  ["select 'is never closed", 2],
])('%j has %i tokens', async (sql, expected) => {
  expect(await tokens(sql)).toBe(expected);
});

test('a long value is one, long lists are many', async () => {
  expect(await isHeavy(`select '${'x y '.repeat(1_000_000)}'`, 10)).toBe(false);
  expect(await isHeavy(`select e'${String.raw`\'`.repeat(5_000_000)}'`, 10)).toBe(false);
  expect(await isHeavy(`select ${'1,'.repeat(100_000)}1`, 200_000)).toBe(true);
});

// Each of these used to be looked for to the end of the text, again and again: a megabyte held up everybody for a minute.
test.each([
  ['comments', '/* '.repeat(5_000_000)],
  ['dollar quotes', Array.from({ length: 1_000_000 }, (_, index) => `$t${index}$ `).join('')],
  ['quotes', `select '${"''".repeat(5_000_000)}`],
])('%s that never end are read once', async (_name, sql) => {
  expect(await isHeavy(sql, 1_000_000)).toBe(false);
});
