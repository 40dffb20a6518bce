import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileGlob, type GlobToken } from './glob.ts';

const token = fc.oneof(
  fc.constant<GlobToken>({ type: 'many' }),
  fc.constant<GlobToken>({ type: 'one' }),
  fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 3 }).map((text): GlobToken => ({ type: 'text', text })),
);

/** The definition, word for word. */
function naive(tokens: readonly GlobToken[], text: string): boolean {
  const [first, ...rest] = tokens;
  if (first === undefined) return text === '';
  switch (first.type) {
    case 'many':
      return naive(rest, text) || (text !== '' && naive(tokens, text.slice(1)));
    case 'one':
      return text !== '' && naive(rest, text.slice(1));
    case 'text':
      return text.startsWith(first.text) && naive(rest, text.slice(first.text.length));
  }
}

test('Wildcards match what their definition says', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
  fc.assert(
    fc.property(fc.array(token, { maxLength: 7 }), text, (tokens, candidate) => {
      expect(compileGlob(tokens).matches(candidate)).toBe(naive(tokens, candidate));
    }),
    { numRuns: 20_000 },
  );
});

test('Patterns made to blow up a backtracking matcher end', () => {
  const many: GlobToken = { type: 'many' };
  const a: GlobToken = { type: 'text', text: 'a' };
  const one: GlobToken = { type: 'one' };
  const text = 'a'.repeat(8000);
  const stars = Array.from({ length: 4000 }, () => [many, a]).flat();
  expect(compileGlob(stars).matches(text)).toBe(true);
  expect(compileGlob([...stars, { type: 'text', text: 'b' }]).matches(text)).toBe(false);
  const gaps = Array.from({ length: 2000 }, () => [one, a]).flat();
  expect(compileGlob([many, ...gaps, { type: 'text', text: 'b' }, many]).matches(text)).toBe(false);
});
