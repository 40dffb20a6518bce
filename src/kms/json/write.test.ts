import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeJson } from './write.ts';

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

test('Answers are the JSON that JSON.stringify writes, with bytes as base64 and absent members left away', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('"', '\\', '\ud800', '\udc00', '\u2028', '__proto__'),
  );
  const blob = fc.uint8Array();
  const run = fc.property(
    blob,
    fc.array(blob, { maxLength: 4 }),
    text,
    text,
    fc.array(fc.boolean()),
    fc.integer(),
    (...values) => {
      const [bytes, blobs, name, said, flags, number] = values;
      const nested = { list: flags, [name]: number, [said]: said };
      expect(encodeJson({ bytes, blobs, said, nested, gone: undefined, empty: {} }).toString()).toBe(
        JSON.stringify({ bytes: base64(bytes), blobs: blobs.map(base64), said, nested, empty: {} }),
      );
    },
  );
  fc.assert(run);
});

test('Times are seconds since 1970, with milliseconds', () => {
  expect(encodeJson({ at: new Date(1_700_000_000_123) }).toString()).toBe('{"at":1700000000.123}');
});

test('An answer lies in memory of its own', () => {
  expect(encodeJson({ a: Uint8Array.of(1) }).buffer.byteLength).toBe('{"a":"AQ=="}'.length);
});
