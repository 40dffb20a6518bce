import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkBucketRules, matchBucketRule, type BucketRule } from './bucket-rules.ts';

const seal = (bucket: string, prefix = '', keyId = 'alias/k'): BucketRule => ({
  bucket,
  prefix,
  outcome: { type: 'seal', keyId },
});
const pass = (bucket: string, prefix = ''): BucketRule => ({ bucket, prefix, outcome: { type: 'pass' } });

test('The narrowest rule holds: exact bucket, longer pattern, longer prefix', () => {
  const rules = [
    seal('*'),
    seal('a*', '', 'alias/a'),
    seal('ab*', '', 'alias/ab'),
    seal('abc', '', 'alias/abc'),
    seal('abc', 'p/', 'alias/p'),
  ];
  const key = (bucket: string, name: string) => matchBucketRule(rules, bucket, name)?.outcome;
  expect(key('x', 'k')).toEqual({ type: 'seal', keyId: 'alias/k' });
  expect(key('ax', 'k')).toEqual({ type: 'seal', keyId: 'alias/a' });
  expect(key('abx', 'p/k')).toEqual({ type: 'seal', keyId: 'alias/ab' });
  expect(key('abc', 'k')).toEqual({ type: 'seal', keyId: 'alias/abc' });
  expect(key('abc', 'p/k')).toEqual({ type: 'seal', keyId: 'alias/p' });
  expect(matchBucketRule([seal('a')], 'b', 'k')).toBeUndefined();
});

test('Rules that cross and differ contradict, until a third covers what both match', () => {
  const crossing = [seal('a*', 'private/'), pass('ab')];
  expect(checkBucketRules(crossing, ['s3', 'buckets'])).toMatchObject([
    { code: 'ERR_CONFIG_CONTRADICTION', path: ['s3', 'buckets', 1], other: ['s3', 'buckets', 0] },
  ]);
  expect(checkBucketRules([...crossing, seal('ab', 'private/')], [])).toEqual([]);
  expect(checkBucketRules([seal('a*', 'private/'), seal('ab')], [])).toEqual([]);
  expect(checkBucketRules([seal('a*', 'private/'), seal('ab', '', 'alias/other')], [])).toHaveLength(1);
});

const anyRule = fc.record({
  bucket: fc.constantFrom('*', 'a*', 'ab*', 'ab', 'abc', 'b'),
  prefix: fc.constantFrom('', 'p', 'p/', 'p/q', 'r'),
  outcome: fc.constantFrom<BucketRule['outcome']>(
    { type: 'pass' },
    { type: 'refuse' },
    { type: 'seal', keyId: 'alias/k' },
  ),
});

test('Where no contradiction is found, the rule that holds is narrower in both respects than any other that covers the object and differs', () => {
  fc.assert(
    fc.property(
      fc.array(anyRule, { maxLength: 6 }),
      fc.constantFrom('a', 'ab', 'abc', 'b', 'c'),
      fc.constantFrom('p', 'p/x', 'p/q1', 'r', 'z'),
      (rules, bucket, key) => {
        fc.pre(checkBucketRules(rules, []).length === 0);
        const held = matchBucketRule(rules, bucket, key);
        const covers = (rule: BucketRule): boolean =>
          key.startsWith(rule.prefix) &&
          (rule.bucket.endsWith('*') ? bucket.startsWith(rule.bucket.slice(0, -1)) : bucket === rule.bucket);
        expect(held === undefined).toBe(!rules.some(covers));
        for (const rule of rules.filter(covers)) {
          if (held === undefined || rule.outcome.type === held.outcome.type) continue;
          expect(held.prefix.startsWith(rule.prefix)).toBe(true);
          expect(
            !held.bucket.endsWith('*') ||
              (rule.bucket.endsWith('*') && held.bucket.startsWith(rule.bucket.slice(0, -1))),
          ).toBe(true);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('The order of rules in the file does not matter', () => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray([seal('a*'), pass('ab', 'p/'), seal('ab'), pass('*')], { minLength: 4 }),
      (rules) => {
        expect(matchBucketRule(rules, 'ab', 'p/x')?.outcome.type).toBe('pass');
        expect(matchBucketRule(rules, 'ab', 'x')?.outcome.type).toBe('seal');
      },
    ),
  );
});
