/** Keys in use kept from being cut off, by the condition key that AWS KMS has for it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allow, deny, document } from '../../support/keys/access.ts';
import { base64, callsOf } from '../../support/kms/calls.ts';
import { CALLER, startKms, type TestKms } from '../../support/kms/edge.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const IN_USE = { NumericLessThanEquals: { 'kms:TrailingDaysWithoutKeyUsage': '30' } };

let kms: TestKms;
beforeAll(async () => {
  const denial = deny({ Action: ['kms:DisableKey', 'kms:ScheduleKeyDeletion', 'kms:DescribeKey'], Condition: IN_USE });
  const policies = [{ name: 'admin', document: document(allow(), denial) }];
  kms = await startKms({
    access: {
      identities: [{ arn: CALLER.principal, policies }],
      organizationPolicies: [],
      unlistedStorageCallers: 'nothing',
      grantsCrossAccounts: false,
    },
  });
});
afterAll(() => kms[Symbol.asyncDispose]());
const { ok, fails } = callsOf(() => kms);

const refusals = async (KeyId: string): Promise<readonly unknown[]> => [
  (await fails('DisableKey', { KeyId }))[0],
  (await fails('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 }))[0],
];
const DENIED = ['AccessDeniedException', 'AccessDeniedException'];

test('A key that was used in the last thirty days is not cut off, and later it may be', async () => {
  const [KeyId, other] = [await kms.key(), await kms.key()];
  // Made just now, and never used: zero days.
  expect(await refusals(KeyId)).toEqual(DENIED);
  kms.clock.ms += 31 * DAY_MS;
  // What is said of DisableKey alone is absent from every other action.
  await ok('DescribeKey', { KeyId });
  await ok('Encrypt', { KeyId, Plaintext: base64('x') });
  expect(await refusals(KeyId)).toEqual(DENIED);
  // Nobody used the other one.
  await ok('ScheduleKeyDeletion', { KeyId: other, PendingWindowInDays: 7 });
  // Whole days: of the thirty-first nothing counts until it is over.
  kms.clock.ms += 31 * DAY_MS - 60_000;
  expect(await refusals(KeyId)).toEqual(DENIED);
  kms.clock.ms += 60_000;
  expect((await kms.call('DisableKey', { KeyId })).text).toBe('');
});
