import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DELIMITER_ENDS, DELIMITER_STARTS, splitJoined } from './joined.ts';

/** As the server makes it. */
function between(delimiter: Uint8Array): Uint8Array {
  return Buffer.concat([DELIMITER_STARTS, Buffer.from(Buffer.from(delimiter).toString('hex')), DELIMITER_ENDS]);
}

const PART = fc.record({
  delimiter: fc.oneof(fc.uint8Array(), fc.constant(Buffer.concat([DELIMITER_ENDS, DELIMITER_STARTS]))),
  sealed: fc.uint8Array({ minLength: 1 }),
});

test('what was joined comes apart again, whatever the delimiters', () => {
  fc.assert(
    fc.property(fc.array(PART, { minLength: 1 }), (parts) => {
      const joined = Buffer.concat(
        parts.flatMap(({ delimiter, sealed }, index) => (index === 0 ? [sealed] : [between(delimiter), sealed])),
      );
      expect(splitJoined(joined).map(({ delimiter, sealed }) => [[...delimiter], [...sealed]])).toEqual(
        parts.map(({ delimiter, sealed }, index) => [index === 0 ? [] : [...delimiter], [...sealed]]),
      );
    }),
  );
});

test('nothing holds no values', () => {
  expect(splitJoined(new Uint8Array())).toEqual([]);
});

test.each(['', '.', 'abc.', 'zz.', 'ab'])('%j behind a mark is of another form, unless it is whole', (text) => {
  const value = Buffer.concat([Buffer.from('x'), DELIMITER_STARTS, Buffer.from(text)]);
  if (text === '.') expect(splitJoined(value)).toHaveLength(2);
  else expect(() => splitJoined(value)).toThrow('another form');
});
