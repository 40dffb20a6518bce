import { createSecretKey, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  allow,
  AWAY,
  deny,
  grant,
  HOME,
  request,
  root,
  roleSession,
  rules,
  TEST_KEY,
  user,
  type RuleParts,
} from '../../../../test/support/keys/access.ts';
import type { AccessRequest } from '../request.ts';
import { coversContext, isAsStrict } from './constraint.ts';
import { GRANT_OPERATIONS, type Grant, type GrantConstraint } from './grant.ts';
import { checkNewGrant, isSameGrant, type GrantRequest } from './new-grant.ts';
import { evaluateRetirement } from './retire.ts';
import { makeGrantToken, readGrantToken } from './token.ts';

const alice = user('alice');
const base: GrantRequest = { grantee: alice.arn, operations: ['Decrypt'] };
const rsa = { ...TEST_KEY, spec: 'RSA_2048' };

describe('a new grant', () => {
  test.each<[string, GrantRequest, string]>([
    ['no operations', { ...base, operations: [] }, 'ERR_KEYS_INVALID_REQUEST'],
    ['an unknown operation', { ...base, operations: ['PutKeyPolicy'] }, 'ERR_KEYS_INVALID_REQUEST'],
    ['an operation of another kind of key', { ...base, operations: ['Sign'] }, 'ERR_KEYS_INVALID_REQUEST'],
    ['a name with a space', { ...base, name: 'a b' }, 'ERR_KEYS_INVALID_REQUEST'],
    ['a name too long', { ...base, name: 'a'.repeat(257) }, 'ERR_KEYS_INVALID_REQUEST'],
    [
      'both constraints',
      { ...base, constraints: { equals: { a: '1' }, subset: { a: '1' } } },
      'ERR_KEYS_INVALID_REQUEST',
    ],
    [
      'nine pairs',
      { ...base, constraints: { subset: Object.fromEntries([...'abcdefghi'].map((name) => [name, ''])) } },
      'ERR_KEYS_INVALID_REQUEST',
    ],
    ['a value too long', { ...base, constraints: { subset: { a: 'x'.repeat(385) } } }, 'ERR_KEYS_INVALID_REQUEST'],
    [
      'names that differ only in case',
      { ...base, constraints: { subset: { a: '1', A: '1' } } },
      'ERR_KEYS_INVALID_REQUEST',
    ],
    ['half a surrogate pair', { ...base, constraints: { subset: { a: '\ud800' } } }, 'ERR_KEYS_INVALID_REQUEST'],
    ['a group as grantee', { ...base, grantee: `arn:aws:iam::${HOME}:group/g` }, 'ERR_KEYS_INVALID_ARN'],
    ['everybody as grantee', { ...base, grantee: '*' }, 'ERR_KEYS_INVALID_ARN'],
    ['a wildcard as grantee', { ...base, grantee: `arn:aws:iam::${HOME}:user/*` }, 'ERR_KEYS_INVALID_ARN'],
    ['a service as retiring principal', { ...base, retiring: 's3.amazonaws.com' }, 'ERR_KEYS_INVALID_ARN'],
  ])('with %s is refused', (_what, asked, code) => {
    expect(() => checkNewGrant(asked, TEST_KEY)).toThrow(expect.objectContaining({ code }));
  });

  test('A constraint needs a symmetric key', () => {
    expect(() => checkNewGrant({ ...base, constraints: { subset: { a: '1' } } }, rsa)).toThrow(/symmetric/);
    expect(checkNewGrant({ ...base, constraints: { subset: {} } }, rsa).constraint).toBeUndefined();
  });

  test.each([
    [
      'SYMMETRIC_DEFAULT',
      'ENCRYPT_DECRYPT',
      [
        'Decrypt',
        'Encrypt',
        'GenerateDataKey',
        'GenerateDataKeyPair',
        'GenerateDataKeyPairWithoutPlaintext',
        'GenerateDataKeyWithoutPlaintext',
        'ReEncryptFrom',
        'ReEncryptTo',
      ],
    ],
    ['RSA_4096', 'ENCRYPT_DECRYPT', ['Decrypt', 'Encrypt', 'GetPublicKey', 'ReEncryptFrom', 'ReEncryptTo']],
    ['ECC_NIST_P256', 'SIGN_VERIFY', ['GetPublicKey', 'Sign', 'Verify']],
    ['HMAC_256', 'GENERATE_VERIFY_MAC', ['GenerateMac', 'VerifyMac']],
    ['ECC_NIST_P384', 'KEY_AGREEMENT', ['DeriveSharedSecret', 'GetPublicKey']],
  ])('On a key of %s for %s it can allow just what such a key does', (spec, usage, operations) => {
    const fitting = GRANT_OPERATIONS.filter((operation) => {
      try {
        return (
          checkNewGrant({ ...base, operations: [operation] }, { ...TEST_KEY, spec, usage }).operations.length === 1
        );
      } catch {
        return false;
      }
    });
    expect(fitting).toEqual([...operations, 'CreateGrant', 'DescribeKey', 'RetireGrant'].sort());
  });

  test('The same grant again is told by what it allows, not by how it is written', () => {
    const one = { ...base, name: 'n', operations: ['Encrypt', 'Decrypt'], constraints: { subset: { a: '1', b: '2' } } };
    const again = {
      ...one,
      operations: ['Decrypt', 'Encrypt', 'Decrypt'],
      constraints: { subset: { b: '2', a: '1' } },
    };
    const same = (a: GrantRequest, b: GrantRequest): boolean =>
      isSameGrant(checkNewGrant(a, TEST_KEY), checkNewGrant(b, TEST_KEY));
    expect(same(one, again)).toBe(true);
    expect(same(one, { ...one, constraints: { equals: { a: '1', b: '2' } } })).toBe(false);
    expect(same(one, { ...one, operations: ['Decrypt'] })).toBe(false);
    expect(same(one, { ...one, retiring: alice.arn })).toBe(false);
    expect(same({ ...base, grantee: HOME }, { ...base, grantee: root().arn })).toBe(true);
  });
});

test('A constraint is as strict as another just if every context it covers is one the other covers', () => {
  const context = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2'), { noNullPrototype: true });
  const constraint: fc.Arbitrary<GrantConstraint> = fc.record({
    type: fc.constantFrom('equals' as const, 'subset' as const),
    context,
  });
  const names = ['a', 'b', 'c', 'd'];
  // Every context over four names, one of which no constraint speaks of.
  const contexts = names.reduce<Record<string, string>[]>(
    (all, name) => all.flatMap((one) => [one, { ...one, [name]: '1' }, { ...one, [name]: '2' }]),
    [{}],
  );
  fc.assert(
    fc.property(constraint, constraint, (child, parent) => {
      const covered = contexts.every((one) => !coversContext(child, one) || coversContext(parent, one));
      expect(isAsStrict(child, parent)).toBe(covered);
    }),
    { numRuns: 3000 },
  );
});

describe('tokens', () => {
  const key = createSecretKey(randomBytes(32));
  const { grantId } = grant();

  test('A token names its grant; each is another, and all are good', () => {
    const [a, b] = [makeGrantToken(grantId, key, randomBytes), makeGrantToken(grantId, key, randomBytes)];
    expect(a).not.toBe(b);
    for (const token of [a, b]) expect(readGrantToken(token, key)).toBe(grantId);
  });

  test('A token that was changed anywhere, cut, or made under another key is none', () => {
    const token = makeGrantToken(grantId, key, randomBytes);
    for (let at = 0; at < token.length - 2; at++) {
      const other = token[at] === 'A' ? 'B' : 'A';
      expect(readGrantToken(token.slice(0, at) + other + token.slice(at + 1), key)).toBeUndefined();
      expect(readGrantToken(token.slice(0, at), key)).toBeUndefined();
    }
    expect(readGrantToken(token, createSecretKey(randomBytes(32)))).toBeUndefined();
  });

  test('Any text is a token or none', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String({ minLength: 88, maxLength: 88 })), (text) => {
        expect(readGrantToken(text, key)).toBeUndefined();
      }),
    );
  });
});

describe('retiring', () => {
  const retire = (given: Grant, principal: AccessRequest['principal'], parts: RuleParts = {}): string => {
    const asked = request({ principal, action: 'RetireGrant' });
    const { allow: allowed, by } = evaluateRetirement(asked, rules(principal, parts), given);
    return `${allowed ? 'allow' : 'refuse'}: ${by.type === 'retirement' ? by.as : by.type}`;
  };
  const bob = user('bob');
  const mayRetire = { identity: [allow({ Action: 'kms:RetireGrant' })] };

  test.each<[string, Partial<Grant>, AccessRequest['principal'], RuleParts, string]>([
    ['the retiring principal', { retiring: bob.arn }, bob, {}, 'allow: retiring principal'],
    [
      'a session of the retiring role',
      { retiring: `arn:aws:iam::${HOME}:role/r` },
      roleSession('r', 's'),
      {},
      'allow: retiring principal',
    ],
    ['the grantee without RetireGrant', {}, alice, {}, 'refuse: grant-silent'],
    ['the grantee with RetireGrant', { operations: ['Decrypt', 'RetireGrant'] }, alice, {}, 'allow: grantee'],
    ['the root of the account', {}, root(), {}, 'allow: issuing account'],
    ['somebody of the account', {}, bob, {}, 'refuse: grant-silent'],
    ['somebody of the account whom an identity policy lets', {}, bob, mayRetire, 'allow: issuing account'],
    [
      'somebody of another account whom an identity policy lets',
      {},
      user('bob', AWAY),
      mayRetire,
      'refuse: grant-silent',
    ],
    [
      'the retiring account, by an identity policy',
      { retiring: root(AWAY).arn },
      user('bob', AWAY),
      mayRetire,
      'allow: retiring principal',
    ],
    ['the retiring account, without', { retiring: root(AWAY).arn }, user('bob', AWAY), {}, 'refuse: grant-silent'],
    ['somebody the key policy alone lets', {}, bob, { key: [allow({ Principal: '*' })] }, 'refuse: grant-silent'],
    [
      'the retiring principal, denied',
      { retiring: bob.arn },
      bob,
      { identity: [deny({ Action: 'kms:RetireGrant' })] },
      'refuse: explicit-deny',
    ],
    [
      'the retiring principal, outside its boundary',
      { retiring: bob.arn },
      bob,
      { boundary: [allow({ Action: 'kms:Sign' })] },
      'refuse: boundary-silent',
    ],
  ])('%s', (_who, changes, principal, parts, expected) => {
    expect(retire(grant(changes), principal, parts)).toBe(expected);
  });
});
