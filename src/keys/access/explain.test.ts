import { describe, expect, test } from 'vitest';
import {
  allow,
  deny,
  grant,
  HOME,
  request,
  rules,
  TEST_KEY,
  user,
  type RuleParts,
} from '../../../test/support/keys/access.ts';
import { explain, type Explanation } from './explain.ts';

const alice = user('alice');
const toAccount = { Principal: { AWS: HOME } };

function explained(parts: RuleParts, encryptionContext = {}): Explanation {
  return explain(request({ encryptionContext }), rules(alice, parts));
}

describe('an explanation', () => {
  test('names what decided', () => {
    const { allowed, why, missing } = explained({
      key: [allow({ ...toAccount, Sid: 'Account' })],
      identity: [allow({ Sid: 'Use' })],
    });
    expect({ allowed, why, missing }).toEqual({
      allowed: true,
      why: 'key policy, "Account" and identity policy p, "Use"',
      missing: [],
    });
  });

  test('names the missing half: the identity policy', () => {
    const { allowed, missing } = explained({ key: [allow(toAccount)] });
    expect({ allowed, missing }).toEqual({
      allowed: false,
      missing: [`an identity policy of ${alice.arn} that allows kms:Decrypt on ${TEST_KEY.arn}`],
    });
  });

  test('names the missing half: the key policy does not delegate to the account', () => {
    const { missing } = explained({ identity: [allow()] });
    expect(missing.join('\n')).toContain('the key policy does not delegate to the account');
  });

  test('says of every statement why it does not match, with the value the request has', () => {
    const { statements } = explained(
      {
        key: [
          allow({ ...toAccount, Action: 'kms:Encrypt' }),
          allow({ Principal: { AWS: user('bob').arn } }),
          allow({ ...toAccount, Resource: 'arn:aws:kms:*:*:key/other' }),
          allow({ ...toAccount, Condition: { StringEquals: { 'kms:EncryptionContext:dept': 'x' } } }),
          allow({ ...toAccount, Condition: { StringEquals: { 'kms:ViaService': 'x' } } }),
          { Effect: 'Allow', Principal: '*', Action: '*' },
        ],
      },
      { dept: 'y' },
    );
    expect(statements.slice(0, 6).map(({ because }) => because)).toEqual([
      'does not speak of kms:Decrypt',
      'does not name the caller',
      'does not speak of this resource',
      'StringEquals kms:EncryptionContext:dept does not hold: the request has "y"',
      'StringEquals kms:ViaService does not hold: the request has no such value',
      'does nothing: it has no Resource',
    ]);
  });

  test('lists every statement and grant, also beyond the one that decided', () => {
    const constraint = { type: 'equals', context: { a: '1' } } as const;
    const { statements, grants, why } = explained({
      key: [deny({ Principal: '*' }), allow(toAccount)],
      identity: [allow()],
      boundary: [allow()],
      grants: [grant({ operations: ['Sign'] }), grant({ constraint }), grant({ grantee: `arn:aws:iam::${HOME}:root` })],
    });
    expect(why).toBe('denied by key policy, statement 1');
    expect(statements.filter(({ matches }) => matches)).toHaveLength(4);
    expect(grants.map(({ because }) => because)).toEqual([
      'does not allow this operation',
      'does not cover this encryption context',
      `allows it to arn:aws:iam::${HOME}:root`,
    ]);
  });
});
