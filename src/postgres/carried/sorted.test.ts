import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseLogicalType } from '../types/type-text.ts';
import { inOrder, sortsByValue } from './sorted.ts';

function* numbersInOrder(values: readonly (number | null)[], descending: boolean, nullsFirst: boolean) {
  const items = values.map((value) => {
    if (value === null) return { key: undefined, value };
    const key = Buffer.alloc(4);
    key.writeInt32BE(value);
    return { key, value };
  });
  return yield* inOrder(items, parseLogicalType('int4'), { descending, nullsFirst });
}

function finished<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

test('any values come in their order, with NULLs at the end that was asked for', () => {
  const number = fc.option(fc.integer({ min: -2147483648, max: 2147483647 }));
  fc.assert(
    fc.property(fc.array(number), fc.boolean(), fc.boolean(), (values, descending, nullsFirst) => {
      const found = finished(numbersInOrder(values, descending, nullsFirst)).map(({ value }) => value);
      const numbers = values.filter((value) => value !== null).sort((a, b) => (descending ? b - a : a - b));
      const nulls = values.filter((value) => value === null);
      expect(found).toEqual(nullsFirst ? [...nulls, ...numbers] : [...numbers, ...nulls]);
    }),
  );
});

test.each(['text', 'numeric', 'float8', 'interval', 'timetz', 'jsonb', 'char(3)', 'int4[]'])(
  'the order of %s is not known, or does not tell all values apart',
  (type) => {
    expect(sortsByValue(parseLogicalType(type))).toBe(false);
  },
);
