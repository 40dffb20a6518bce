/** The filter of words never says no to a word that a text has, and seldom yes to one that it has not. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Names, wordsOf } from './names-in-bodies.ts';
import { hashOf, WordFilter } from './word-filter.ts';

const none = (): readonly string[] => [];
const piece = fc.constantFrom(
  't',
  '_t',
  '__user',
  '3from',
  '_12x',
  '$$',
  '"',
  '.',
  '..',
  ' ',
  '\n',
  '%',
  '/*',
  '--',
  'Σ',
  'é',
  '(',
);

test('Invariant: each word of a text is in its filter, and among its hashes', () => {
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const words = wordsOf(pieces.join(''));
      for (const word of words.all()) {
        expect(words.filter.mayHave(hashOf(word))).toBe(true);
        expect(words.hashes()).toContain(hashOf(word));
        if (word !== '') expect(new Names([word]).areIn(words)).toBe(true);
      }
    }),
  );
});

test.each([
  ['x', 'SELECT _12x, 12x'],
  ['from', 'LIMIT 3from'],
  ['user', 'DECLARE r __user'],
])('%s is found within what it is part of: %s', (name, text) => {
  expect(new Names([name]).areIn(wordsOf(text))).toBe(true);
});

test('few words that a long text has not pass', () => {
  const text = Array.from({ length: 2_000 }, (_, at) => `word${at} := ${at * 7} + v_${at % 300};`).join('\n');
  const filter = new WordFilter(text, none);
  const passed = Array.from({ length: 10_000 }, (_, at) => filter.mayHave(hashOf(`other_${at}`))).filter(Boolean);
  expect(passed.length).toBeLessThan(500);
});
