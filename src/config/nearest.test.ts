import { expect, test } from 'vitest';
import { editDistance, nearest } from './nearest.ts';

test('Insertions, deletions, replacements and swaps count one each', () => {
  expect(editDistance('store', 'store')).toBe(0);
  expect(editDistance('stroe', 'store')).toBe(1);
  expect(editDistance('stor', 'store')).toBe(1);
  expect(editDistance('', 'abc')).toBe(3);
  expect(editDistance('kitten', 'sitting')).toBe(3);
});

test('The nearest word is named only when it is near', () => {
  expect(nearest('stroe', ['region', 'store'])).toBe('store');
  expect(nearest('ACCOUNT', ['account'])).toBe('account');
  expect(nearest('zebra', ['store', 'region'])).toBeUndefined();
  expect(nearest('x', [])).toBeUndefined();
  expect(nearest('x'.repeat(100_000), ['store'])).toBeUndefined();
});
