import { expect, test } from 'vitest';
import { parseContentRange, parseRangeHeader, resolveRange } from './range-header.ts';

test.each([
  ['bytes=0-0', 10, 0, 0],
  ['bytes=3-5', 10, 3, 5],
  ['bytes=3-', 10, 3, 9],
  ['bytes=3-99', 10, 3, 9],
  ['bytes=-3', 10, 7, 9],
  ['bytes=-99', 10, 0, 9],
  ['bytes=9-99999999999999999999', 10, 9, 9],
])('%s of %i bytes is %i to %i', (header, size, from, to) => {
  const range = parseRangeHeader(header);
  expect(range && resolveRange(range, size)).toEqual({ from, to });
});

test('blanks around offsets say nothing, and cost no more than their length', () => {
  expect(parseRangeHeader('bytes= 3 - 5 ')).toEqual({ type: 'from', from: 3, to: 5 });
  expect(parseRangeHeader('bytes=\t- 5')).toEqual({ type: 'suffix', length: 5 });
  expect(parseRangeHeader('bytes=3 4-5')).toBeUndefined();
  // Squared it would be hours.
  expect(parseRangeHeader(`bytes=${' '.repeat(4_000_000)}x`)).toBeUndefined();
});

test.each([undefined, 'bytes=0-1,3-4', 'bytes=5-3', 'bytes=-', 'items=0-1', 'bytes=a-b', ''])(
  '%s asks for the whole object',
  (header) => expect(parseRangeHeader(header)).toBeUndefined(),
);

test.each([
  ['bytes=10-', 10],
  ['bytes=10-20', 10],
  ['bytes=-0', 10],
  ['bytes=0-', 0],
  ['bytes=-5', 0],
])('%s of %i bytes cannot be satisfied', (header, size) => {
  const range = parseRangeHeader(header);
  expect(() => range && resolveRange(range, size)).toThrow(expect.objectContaining({ code: 'ERR_S3_INVALID_RANGE' }));
});

test('Content-Range is read whole or not at all', () => {
  expect(parseContentRange('bytes 2-5/10')).toEqual({ from: 2, to: 5, total: 10 });
  expect(parseContentRange('bytes */10')).toBeUndefined();
  expect(parseContentRange('bytes 2-5/*')).toBeUndefined();
});
