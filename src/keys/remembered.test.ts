import { expect, test } from 'vitest';
import { remembered } from './remembered.ts';

test('What follows from a text is found once, and one object; what it throws is thrown each time', () => {
  let found = 0;
  const of = remembered((text) => {
    found += 1;
    if (text === '') throw new RangeError('none');
    return { text };
  });
  expect(of('a')).toBe(of('a'));
  expect([of('a'), of('b'), of('__proto__')]).toEqual([{ text: 'a' }, { text: 'b' }, { text: '__proto__' }]);
  expect(found).toBe(3);
  for (let times = 0; times < 2; times++) expect(() => of('')).toThrow(RangeError);
  expect(found).toBe(5);
});

test('However many texts are asked about, few are remembered', () => {
  let found = 0;
  const of = remembered((text) => {
    found += 1;
    return { text };
  });
  const texts = Array.from({ length: 1001 }, (_, n) => `key ${n}`);
  for (const text of texts) of(text);
  expect(found).toBe(1001);
  // The last made room for itself: of those before it none is left.
  expect([of('key 1000'), of('key 999')]).toEqual([{ text: 'key 1000' }, { text: 'key 999' }]);
  expect(found).toBe(1002);
});
