/**
 * Statements put together from pieces of others: whatever parses is planned or refused, and no refusal says a literal. What a seed gives never
 * changes.
 */
import { expect, test } from 'vitest';
import { AnalysisError } from '../../src/postgres/analysis/errors.ts';
import { scanTokens } from '../../src/postgres/analysis/text/syntax.ts';
import { draft } from '../support/postgres/analysis.ts';
import { deterministicRandom } from '../support/deterministic-random.ts';
import { SHAPES } from './all-shapes.ts';
import { casesOf } from './case.ts';
import { CANARY } from './database.ts';

const STATEMENTS = SHAPES.flatMap(casesOf).map(({ sql }) => scanTokens(sql).map(({ text }) => text));
const TOKENS = STATEMENTS.flat();
const MUTANTS = 4_000;

function below(random: (length: number) => Uint8Array, limit: number): number {
  const [high = 0, low = 0] = random(2);
  return (high * 256 + low) % limit;
}

/** A few tokens left out, doubled, exchanged, or taken from anywhere. */
function mutant(random: (length: number) => Uint8Array): string {
  const tokens = [...(STATEMENTS[below(random, STATEMENTS.length)] ?? [])];
  for (let left = 1 + below(random, 3); left > 0; left--) {
    const at = below(random, tokens.length + 1);
    const other = STATEMENTS[below(random, STATEMENTS.length)] ?? [];
    const from = below(random, other.length + 1);
    const pieces = [
      [],
      [tokens[at] ?? '', tokens[at] ?? ''],
      [TOKENS[below(random, TOKENS.length)] ?? ''],
      ['(', ...other, ')'],
      other.slice(from, from + 1 + below(random, 8)),
    ];
    tokens.splice(at, below(random, 3), ...(pieces[below(random, pieces.length)] ?? []));
  }
  return tokens.join(' ');
}

test.each(['a', 'b', 'c', 'd'])('seed %s', (seed) => {
  const random = deterministicRandom(seed);
  const counts = { planned: 0, refused: 0, unparsable: 0 };
  for (let n = 0; n < MUTANTS; n++) {
    const sql = mutant(random);
    try {
      draft(sql);
      counts.planned += 1;
    } catch (error) {
      expect({ sql, isRefusal: error instanceof AnalysisError, error: String(error) }).toMatchObject({
        isRefusal: true,
      });
      if (!(error instanceof AnalysisError)) continue;
      expect(`${error.message} ${error.refusal.hint ?? ''}`).not.toContain(CANARY);
      counts[error.code === 'ERR_POSTGRES_UNPARSABLE' ? 'unparsable' : 'refused'] += 1;
    }
  }
  // Enough of them must mean something.
  expect(counts.planned).toBeGreaterThan(MUTANTS / 50);
  expect(counts.refused).toBeGreaterThan(MUTANTS / 50);
});
