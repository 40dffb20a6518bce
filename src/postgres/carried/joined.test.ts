import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SEALED_DELIMITER, splitJoined } from './joined.ts';

test('what was joined comes apart again', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1 }), { minLength: 1 }), (parts) => {
      const joined = Buffer.concat(parts.flatMap((part, index) => (index === 0 ? [part] : [SEALED_DELIMITER, part])));
      expect(splitJoined(joined).map((part) => [...part])).toEqual(parts.map((part) => [...part]));
    }),
  );
});

test('nothing holds no values', () => {
  expect(splitJoined(new Uint8Array())).toEqual([]);
});
