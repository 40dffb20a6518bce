import { describe, expect, test } from 'vitest';
import { bucketIsRuled, compileRules, type S3Rule, type S3RuleEntry } from './rules.ts';

const seal = (keyId: string): S3Rule => ({ type: 'seal', keyId, name: keyId });
const pass: S3Rule = { type: 'pass', name: 'pass' };
const entry = (bucket: string, prefix: string, rule: S3Rule): S3RuleEntry => ({ bucket, prefix, rule });

const compiled = (...entries: S3RuleEntry[]) => compileRules(entries);
const codeOf = (...entries: S3RuleEntry[]): unknown => {
  try {
    compileRules(entries);
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return undefined;
};

describe('the most specific rule wins', () => {
  const rules = compiled(
    entry('*', '', pass),
    entry('logs-*', '', seal('a')),
    entry('logs-eu', '', seal('b')),
    entry('logs-eu', 'open/', pass),
    entry('logs-eu', 'open/not/', seal('c')),
  );

  test.each([
    ['other', 'k', 'pass'],
    ['logs-us', 'k', 'a'],
    ['logs-eu', 'k', 'b'],
    ['logs-eu', 'open/k', 'pass'],
    ['logs-eu', 'open/not/k', 'c'],
    ['logs-eu', 'open', 'b'],
  ])('%s/%s', (bucket, key, name) => {
    expect(rules.forKey(bucket, key)?.name).toBe(name);
  });

  test('a bucket with any sealed prefix is ruled', () => {
    expect(['logs-eu', 'other'].map((bucket) => bucketIsRuled(rules, bucket))).toEqual([true, false]);
  });

  test('a bucket whose own rule lets every key pass is not ruled by a wider pattern that seals', () => {
    const all = compiled(entry('*', '', seal('a')), entry('public', '', pass), entry('partly', 'open/', pass));
    expect(['public', 'partly', 'any'].map((bucket) => bucketIsRuled(all, bucket))).toEqual([false, true, true]);
  });
});

test('a pattern is literal but for its stars', () => {
  const rules = compiled(entry('a.b*c', '', seal('x')));
  expect(['a.bc', 'a.b--c', 'axbc', 'a.bcd'].map((bucket) => rules.forKey(bucket, 'k') !== undefined)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

describe('rules that match one key equally well and differ', () => {
  test('are refused at start, also when the patterns are different', () => {
    expect(codeOf(entry('b', 'p/', seal('x')), entry('b', 'p/', seal('y')))).toBe('ERR_S3_RULES');
    expect(codeOf(entry('a*', '', seal('x')), entry('*a', '', pass))).toBe('ERR_S3_RULES');
    expect(codeOf(entry('a*b', '', seal('x')), entry('ab*', '', pass))).toBe('ERR_S3_RULES');
  });

  test('are fine when they never meet, or say the same', () => {
    expect(codeOf(entry('a*', '', seal('x')), entry('b*', '', pass))).toBeUndefined();
    expect(codeOf(entry('a*', '', seal('x')), entry('*a', '', seal('x')))).toBeUndefined();
    expect(codeOf(entry('a*', 'p/', seal('x')), entry('*a', 'q/', pass))).toBeUndefined();
  });
});
