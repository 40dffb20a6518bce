import fc from 'fast-check';
import { expect, test } from 'vitest';
import { base64Length, decodeBase64, encodeBase64 } from './base64.ts';

const encoded = (bytes: Uint8Array): string => {
  const target = Buffer.alloc(base64Length(bytes.length) + 2, '.');
  expect(encodeBase64(bytes, target, 1)).toBe(1 + base64Length(bytes.length));
  expect([target[0], target.at(-1)]).toEqual([0x2e, 0x2e]);
  return target.subarray(1, -1).toString('latin1');
};

test('Bytes are encoded as Buffer encodes them, and decode to themselves', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(encoded(bytes)).toBe(Buffer.from(bytes).toString('base64'));
      expect(decodeBase64(Buffer.from(encoded(bytes)))).toEqual(Buffer.from(bytes));
    }),
  );
});

test('Only the one encoding of some bytes decodes: what decodes encodes to itself again', () => {
  const alphabet = fc.constantFrom(...'ABQRYZabz0189+/=-_ .\n');
  fc.assert(
    fc.property(fc.string({ unit: alphabet, maxLength: 12 }), (text) => {
      const bytes = decodeBase64(Buffer.from(text));
      const standard = Buffer.from(text, 'base64').toString('base64') === text;
      expect(bytes !== undefined).toBe(standard);
      if (bytes !== undefined) expect(encoded(bytes)).toBe(text);
    }),
    { numRuns: 3000 },
  );
});

test.each(['=', '====', 'A===', 'AA=A', 'AAA', 'AB==', 'AAB=', 'AA==AA==', 'A A=', 'AA-_', '\u00e4AAA'])(
  '%j is no base64',
  (text) => {
    expect(decodeBase64(Buffer.from(text))).toBeUndefined();
  },
);

test('Decoded bytes lie in memory of their own, not in the pool that other buffers share', () => {
  expect(decodeBase64(Buffer.from('AAECAw=='))?.buffer.byteLength).toBe(4);
});
