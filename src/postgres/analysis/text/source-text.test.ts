import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadGrammar } from './syntax.ts';
import { SourceText } from './source-text.ts';

await loadGrammar();

test('places in bytes are told in characters and in UTF-16 units', () => {
  const unit = fc.constantFrom('a', 'é', '€', '😀', ' '.repeat(100), '€'.repeat(90));
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 30 }), fc.array(unit, { maxLength: 30 }), (before, after) => {
      const [start, end] = [before.join(''), after.join('')];
      const source = new SourceText(start + end);
      const offset = Buffer.byteLength(start);
      expect(source.position(offset)).toBe(Array.from(start).length + 1);
      expect(source.index(offset)).toBe(start.length);
      expect(source.offset(source.position(offset))).toBe(offset);
    }),
  );
});

// The text was counted from its beginning for each value: minutes, where one of the values had an accent.
test('places of a megabyte are told at once', () => {
  const source = new SourceText('é, '.repeat(250_000));
  let last = 0;
  for (let offset = 0; offset < source.byteLength; offset += 4) last = source.position(offset) + source.index(offset);
  expect(last).toBe(2 * 3 * 249_999 + 1);
});
