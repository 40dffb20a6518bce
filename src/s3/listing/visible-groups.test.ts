import { expect, test } from 'vitest';
import { visibleGroups } from './visible-groups.ts';

/** A bucket's keys by bytes, as a store lists them. */
const over =
  (keys: readonly string[]) =>
  (prefix: string, marker = ''): Promise<string | undefined> => {
    const bytes = Buffer.from(marker);
    const behind = keys.filter((key) => key.startsWith(prefix) && Buffer.compare(Buffer.from(key), bytes) > 0);
    return Promise.resolve(behind.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))[0]);
  };

const HIDDEN = ['.sealgate/uploads/0/part-00001', '.sealgate/uploads/0/token', '.sealgate/\u{10fffe}'];

test.each([
  ['hidden objects alone', [], []],
  ['a key in front of them', ['.s'], ['.s']],
  ['a key behind them', ['.ssh'], ['.s']],
  ['a key right behind them', ['.sealgate0'], ['.s']],
])('a name over %s', async (_what, others, shown) => {
  expect(await visibleGroups(['.s', '.sealgate/', 'x/'], over([...HIDDEN, ...others]))).toEqual([...shown, 'x/']);
});

test('usual names are not looked up', async () => {
  const fail = (): Promise<string | undefined> => Promise.reject(new Error('looked up'));
  expect(await visibleGroups(['a/', '.sealgate/', '.sealgate/uploads/', '.ssh/'], fail)).toEqual(['a/', '.ssh/']);
});
