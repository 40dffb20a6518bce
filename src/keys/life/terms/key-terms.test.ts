import { expect, test } from 'vitest';
import { KEY_TYPES } from '../periods/cryptoperiods.ts';
import { checkLifeRule } from './check-rule.ts';
import { LifeTerms } from './key-terms.ts';
import { DEFAULT_LIFE, type LifeRule } from './options.ts';

const keyId: string = '11111111-2222-3333-4444-555555555555';
const wrapping = { keyId, spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT' } as const;
const mac = { keyId, spec: 'HMAC_256', usage: 'GENERATE_VERIFY_MAC' } as const;
const reason = 'because';
const terms = (...rules: LifeRule[]): LifeTerms => new LifeTerms({ ...DEFAULT_LIFE, rules });

test('Without rules the standard holds, nothing is refused, and nothing is counted', () => {
  const none = terms();
  expect(none.hasLimits).toBe(false);
  expect(none.of(wrapping, [])).toMatchObject({
    ...{ profile: 'aws', recipientEnd: 'warn', weakWrapping: 'warn', rule: undefined },
    ...{ originatorDays: 730, recipientDays: 1825, maxOperations: null, maxBytes: null },
  });
});

test('The first rule that is about a key holds for it alone, by id, by alias with wildcards, and by type', () => {
  const rules = terms(
    { keys: ['alias/pay-*-eu'], originatorDays: 100, reason },
    { keys: [keyId], types: ['authentication'], originatorDays: 200, reason },
    { types: ['wrapping'], originatorDays: 300, maxBytes: 5, reason },
  );
  const days = (key: typeof wrapping | typeof mac, ...aliases: string[]): unknown =>
    rules.of(key, aliases).originatorDays;
  expect(days(wrapping, 'alias/other', 'alias/pay-cards-eu')).toBe(100);
  expect(days(wrapping, 'alias/pay-cards-eu2')).toBe(300);
  expect(days(mac)).toBe(200);
  expect(days({ ...mac, keyId: `${keyId}0` })).toBe(730);
  // What the first says nothing of, no later rule does.
  expect(rules.of(wrapping, ['alias/pay-a-eu']).maxBytes).toBeNull();
  expect(rules.of(mac, [])).toMatchObject({ rule: { number: 2, reason } });
  expect(rules.hasLimits).toBe(true);
});

test('Under nist weak wrapping is refused, unless a rule says otherwise; a key of profile aws never denies', () => {
  const life = new LifeTerms({
    ...{ profile: 'nist', recipientEnd: 'deny' },
    rules: [
      { keys: ['alias/imported'], weakWrapping: 'warn', reason },
      { keys: ['alias/free'], profile: 'aws', reason },
    ],
  });
  expect(life.of(wrapping, [])).toMatchObject({ weakWrapping: 'refuse', recipientEnd: 'deny' });
  expect(life.of(wrapping, ['alias/imported'])).toMatchObject({ weakWrapping: 'warn', recipientEnd: 'deny' });
  expect(life.of(wrapping, ['alias/free'])).toMatchObject({ weakWrapping: 'warn', recipientEnd: 'warn' });
});

test.each([
  [{ originatorDays: 100, recipientDays: 99 }, 'recipientDays'],
  [{ originatorDays: 'unlimited', recipientDays: 99 }, 'recipientDays'],
  [{ originatorDays: 2000, types: ['wrapping'] }, 'originatorDays'],
  [{ originatorDays: 'unlimited', types: ['wrapping'] }, 'originatorDays'],
  [{ recipientDays: 300, types: ['wrapping'] }, 'recipientDays'],
  // It is too long for some of the types alone.
  [{ originatorDays: 731 }, 'originatorDays'],
  [{ maxOperations: 9999 }, 'maxOperations'],
  [{ maxBytes: 1000, types: ['wrapping'] }, 'maxBytes'],
] as const)('%j is refused for its %s', (said, member) => {
  expect(checkLifeRule({ ...said, reason })?.member).toBe(member);
});

test.each<Partial<LifeRule>>([
  {},
  { originatorDays: 100, recipientDays: 100 },
  { originatorDays: 5000, recipientDays: 'unlimited' },
  { originatorDays: 'unlimited', recipientDays: 'unlimited' },
  { originatorDays: 5000, types: ['signature'] },
  { maxOperations: 1, maxBytes: 1, types: ['authentication', 'signature'] },
])('%j is taken, and no recipient period is shorter than the originator’s', (said) => {
  const rule = { ...said, reason };
  expect(checkLifeRule(rule)).toBeUndefined();
  expect(rule.types ?? KEY_TYPES).not.toEqual([]);
  for (const key of [wrapping, mac]) {
    const { originatorDays, recipientDays } = terms(rule).of(key, []);
    expect(recipientDays ?? Infinity).toBeGreaterThanOrEqual(originatorDays ?? Infinity);
  }
});
