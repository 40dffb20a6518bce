import { expect, test } from 'vitest';
import { allow, AWAY, deny, document, HOME, request, user, type Json } from '../../../test/support/keys/access.ts';
import { assertNoLockout } from './lockout.ts';
import { parsePolicy } from './policy/policy.ts';

const put = { Action: 'kms:PutKeyPolicy' };
const toAccount = { Principal: { AWS: HOME } };
const toAlice = { Principal: { AWS: user('alice').arn } };

test.each<[string, readonly Json[], boolean]>([
  ['names the caller', [allow({ ...toAlice, ...put })], true],
  ['leaves it to the account', [allow({ ...toAccount, ...put })], true],
  ['names everybody', [allow({ Principal: '*' })], true],
  ['names somebody else', [allow({ Principal: { AWS: user('bob').arn } })], false],
  ['names another account', [allow({ Principal: { AWS: AWAY } })], false],
  ['allows all but that', [allow({ ...toAlice, Action: undefined, NotAction: 'kms:Put*' })], false],
  ['denies it besides', [allow(toAccount), deny({ Principal: '*', ...put })], false],
  [
    'allows it under a condition the caller does not meet',
    [allow({ ...toAlice, Condition: { Bool: { 'aws:MultiFactorAuthPresent': true } } })],
    false,
  ],
])('A key policy that %s: may it be put? %s', (_what, statements, expected) => {
  const check = (): void =>
    assertNoLockout(parsePolicy(document(...statements), 'key'), request({ action: 'PutKeyPolicy' }));
  if (expected) expect(check).not.toThrow();
  else expect(check).toThrow(expect.objectContaining({ code: 'ERR_KEYS_POLICY_LOCKOUT' }));
});
