import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeJson } from './write.ts';

test('Answers are the JSON that JSON.stringify writes, with bytes as base64 and absent members left away', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.string(), fc.array(fc.boolean()), fc.integer(), (bytes, text, flags, number) => {
      const nested = { list: flags, [text]: number };
      expect(encodeJson({ bytes, text, nested, gone: undefined, empty: {} }).toString()).toBe(
        JSON.stringify({ bytes: Buffer.from(bytes).toString('base64'), text, nested, empty: {} }),
      );
    }),
  );
});

test('Times are seconds since 1970, with milliseconds', () => {
  expect(encodeJson({ at: new Date(1_700_000_000_123) }).toString()).toBe('{"at":1700000000.123}');
});

test('An answer lies in memory of its own', () => {
  expect(encodeJson({ a: Uint8Array.of(1) }).buffer.byteLength).toBe('{"a":"AQ=="}'.length);
});
