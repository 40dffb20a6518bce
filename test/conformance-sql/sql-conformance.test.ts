/**
 * Every shape of SQL through the proxy on sealed columns, and straight on plain ones: the same answers, or a refusal; and
 * docs/SQL-CONFORMANCE.md, which is what came out.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SHAPES } from './all-shapes.ts';
import { casesOf } from './case.ts';
import { conformancePage, type Proof } from './page.ts';
import { openTwins, type Twins } from './twins.ts';
import type { Outcome, Way } from '../support/postgres/wire-asker.ts';

let twins: Twins;
beforeAll(async () => {
  twins = await openTwins();
});
afterAll(async () => twins.close());

const proofs: Proof[] = [];

describe.each(SHAPES)('$shape', (shape) => {
  test.each(casesOf(shape))('$expected: $sql', async (one) => {
    const outcomes = await twins.compare(one);
    if (one.expected === 'exact') {
      for (const { way, sealed, plain, after } of outcomes) {
        if (isServersOwn(sealed, plain)) {
          expect({ way, after: after.sealed }).toEqual({ way, after: after.untouched });
          continue;
        }
        expect({ way, ...sealed }).toEqual({ way, ...plain });
        expect({ way, after: after.sealed }).toEqual({ way, after: after.plain });
      }
      return void proofs.push({ shape: shape.shape, one, refusal: undefined });
    }
    const refusals = outcomes.map(({ way, sealed }) => refusalOf(way, sealed));
    const [first] = refusals;
    expect(refusals.every((refusal) => refusal.message === first?.message)).toBe(true);
    for (const { after } of outcomes) expect(after.sealed).toEqual(after.untouched);
    proofs.push({ shape: shape.shape, one, refusal: first });
  });
});

/** The second analysis asked the server, which refuses the statement on plain columns with that SQLSTATE as well: MERGE into a view, before 17. */
function isServersOwn(sealed: Outcome, plain: Outcome): boolean {
  const isRelayed = sealed.type === 'refused' && sealed.refusal.code === 'ERR_POSTGRES_DISAGREEMENT';
  return isRelayed && plain.type === 'answer' && plain.error === sealed.sqlstate;
}

/** What was not sent, where, and how to write it. */
function refusalOf(way: Way, outcome: Outcome) {
  expect({ way, ...outcome }).toMatchObject({
    type: 'refused',
    sqlstate: '0A000',
    refusal: { hint: expect.any(String), position: expect.any(Number) },
  });
  if (outcome.type !== 'refused') throw new Error('not refused');
  return outcome.refusal;
}

describe('What the tests above found', () => {
  test('is what docs/SQL-CONFORMANCE.md says (npm test -- test/conformance-sql -u writes it)', async () => {
    await expect(conformancePage(SHAPES, proofs)).toMatchFileSnapshot('../../docs/SQL-CONFORMANCE.md');
  });

  test('and is nowhere on the server, nor in what it logged', async () => {
    expect(await twins.canaries()).toEqual({ sealed: [], isLogged: true, plain: true });
  });
});
