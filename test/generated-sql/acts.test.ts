/** What shrinks is a statement all along, and ends as a short one. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { actsOf, actText } from './acts.ts';
import { Tape, TAPE_LIMIT } from './tape.ts';

const tapes = fc.array(fc.noBias(fc.integer({ min: 0, max: TAPE_LIMIT - 1 })), { maxLength: 80, size: 'max' });
const textsOf = (sequence: readonly (readonly number[])[]): readonly string[] =>
  sequence.flatMap((numbers, step) => actsOf(new Tape(numbers), step).map(actText));

const SIMPLEST = 'simple: SELECT a.id FROM customers a';

test('an empty tape is the simplest query', () => {
  expect(textsOf([[]])).toEqual([SIMPLEST]);
});

test('a sequence that fails by one statement shrinks to it, in its simplest form', () => {
  const sequences = fc.array(tapes, { minLength: 1, maxLength: 8, size: 'max' });
  const harmless = (sequence: readonly (readonly number[])[]): boolean =>
    !textsOf(sequence).some((text) => text.includes('MERGE'));
  const { failed, counterexample } = fc.check(fc.property(sequences, harmless), { seed: 1, numRuns: 1000 });
  expect(failed).toBe(true);
  // Beside it may stand what no sequence could be simpler by.
  const texts = textsOf(counterexample?.[0] ?? []).filter((text) => text !== SIMPLEST);
  expect(texts).toHaveLength(1);
  expect(texts[0]?.length).toBeLessThan(250);
});
