import { describe, expect, test } from 'vitest';
import { request, TEST_KEY, user } from '../../../../test/support/keys/access.ts';
import type { AccessRequest } from '../request.ts';
import { compileCondition } from './condition.ts';

type Values = string | readonly string[];

function holds(
  operator: string,
  key: string,
  values: Values,
  asked: AccessRequest,
  effect: 'Allow' | 'Deny' = 'Allow',
) {
  const list = typeof values === 'string' ? [values] : values;
  return compileCondition(operator, key, list, true, 'statement 1').holds(asked, effect);
}

/** A request whose `kms:EncryptionContext:v` is this value. */
const withValue = (value: string | undefined): AccessRequest =>
  request({ encryptionContext: value === undefined ? {} : { v: value } });
const KEY = 'kms:EncryptionContext:v';

describe('operators', () => {
  test.each([
    ['StringEquals', 'a', 'a', true],
    ['StringEquals', 'a', 'A', false],
    ['StringEquals', 'a*', 'ab', false],
    ['StringNotEquals', 'a', 'b', true],
    ['StringNotEquals', 'a', 'a', false],
    ['StringEqualsIgnoreCase', 'aB', 'Ab', true],
    ['StringNotEqualsIgnoreCase', 'aB', 'Ab', false],
    ['StringLike', 'a?c*', 'abcd', true],
    ['StringLike', 'a?c*', 'ac', false],
    ['StringNotLike', 'a*', 'abc', false],
    ['NumericEquals', '5', '5.0', true],
    ['NumericNotEquals', '5', '6', true],
    ['NumericLessThan', '5', '4.99', true],
    ['NumericLessThan', '5', '5', false],
    ['NumericLessThanEquals', '5', '5', true],
    ['NumericGreaterThan', '-1', '0', true],
    ['NumericGreaterThanEquals', '1e3', '1000', true],
    ['NumericEquals', '5', 'five', false],
    ['DateEquals', '2027-01-31T12:00:00Z', '2027-01-31T13:00:00+01:00', true],
    ['DateNotEquals', '2027-01-31', '2027-01-30', true],
    ['DateLessThan', '2027-01-31', '2027-01-30T23:59:59Z', true],
    ['DateLessThanEquals', '1800000000', '2027-01-15T08:00:00Z', true],
    ['DateGreaterThan', '2027-01-31', '2027-01-31', false],
    ['DateGreaterThanEquals', '2027-01-31', '2027-01-31T00:00:00Z', true],
    ['DateEquals', '2027-01-31', 'yesterday', false],
    ['Bool', 'true', 'TRUE', true],
    ['Bool', 'false', 'true', false],
    ['BinaryEquals', 'AAEC', 'AAEC', true],
    ['BinaryEquals', 'AAEC', 'AAED', false],
    ['IpAddress', '192.0.2.0/24', '192.0.2.255', true],
    ['IpAddress', '192.0.2.0/24', '192.0.3.0', false],
    ['IpAddress', '192.0.2.1', '::ffff:192.0.2.1', true],
    ['IpAddress', '::ffff:192.0.2.0/120', '192.0.2.77', true],
    ['IpAddress', '2001:db8::/32', '2001:db8:ffff::1', true],
    ['IpAddress', '2001:db8::/32', '2001:db9::', false],
    ['IpAddress', '0.0.0.0/0', '::1', false],
    ['IpAddress', '192.0.2.0/24', 'no address', false],
    ['NotIpAddress', '192.0.2.0/24', '198.51.100.1', true],
    ['ArnEquals', 'arn:aws:s3:::bucket/*', 'arn:aws:s3:::bucket/a:b', true],
    ['ArnLike', 'arn:aws:*:::bucket', 'arn:aws:s3:::bucket', true],
    ['ArnLike', 'arn:aws:*:bucket:a:b', 'arn:aws:s3:x:y:z', false],
    ['ArnLike', 'arn:*:bucket:*:*:*', 'arn:aws:s3:::bucket', false],
    ['ArnLike', '*', 'arn:aws:s3:::bucket', true],
    ['ArnLike', '*', 'no arn', false],
    ['ArnNotEquals', 'arn:aws:s3:::bucket', 'arn:aws:s3:::other', true],
    ['ArnNotLike', 'arn:aws:s3:::b*', 'arn:aws:s3:::bucket', false],
  ])('%s "%s" on "%s" is %s', (operator, policy, value, expected) => {
    expect(holds(operator, KEY, policy, withValue(value))).toBe(expected);
  });

  test.each([
    ['StringEquals', false],
    ['StringNotEquals', true],
    ['NumericLessThan', false],
    ['NumericNotEquals', true],
    ['NotIpAddress', true],
    ['ArnNotLike', true],
    ['StringEqualsIfExists', true],
    ['StringNotEqualsIfExists', true],
    ['ForAnyValue:StringLike', false],
    ['ForAnyValue:StringNotLike', false],
    ['ForAnyValue:StringLikeIfExists', true],
  ])('%s on an absent key is %s', (operator, expected) => {
    const value = /Ip/.test(operator) ? '192.0.2.1' : /Arn/.test(operator) ? '*' : '1';
    expect(holds(operator, KEY, value, withValue(undefined))).toBe(expected);
  });

  test('Of several values one must fit, and of a negated operator none', () => {
    expect(holds('StringEquals', KEY, ['a', 'b'], withValue('b'))).toBe(true);
    expect(holds('StringNotEquals', KEY, ['a', 'b'], withValue('b'))).toBe(false);
    expect(holds('StringNotEquals', KEY, ['a', 'b'], withValue('c'))).toBe(true);
  });

  test('Null asks whether a key is there', () => {
    expect(holds('Null', KEY, 'true', withValue(undefined))).toBe(true);
    expect(holds('Null', KEY, 'false', withValue(undefined))).toBe(false);
    expect(holds('Null', KEY, 'false', withValue(''))).toBe(true);
    expect(holds('Null', 'kms:EncryptionContextKeys', 'true', withValue(undefined))).toBe(true);
  });
});

describe('sets', () => {
  const names = 'kms:EncryptionContextKeys';
  const context = (...keys: readonly string[]): AccessRequest =>
    request({ encryptionContext: Object.fromEntries(keys.map((key) => [key, 'x'])) });

  test.each([
    ['ForAllValues:StringEquals', ['a'], true],
    ['ForAllValues:StringEquals', ['a', 'b'], true],
    ['ForAllValues:StringEquals', ['a', 'c'], false],
    ['ForAllValues:StringEquals', [], true],
    ['ForAnyValue:StringEquals', ['a', 'c'], true],
    ['ForAnyValue:StringEquals', ['c'], false],
    ['ForAnyValue:StringEquals', [], false],
    ['ForAllValues:StringNotEquals', ['c', 'd'], true],
    ['ForAllValues:StringNotEquals', ['a', 'd'], false],
    ['ForAnyValue:StringNotEquals', ['a', 'd'], true],
    ['ForAnyValue:StringNotEquals', ['a', 'b'], false],
    // Without a set operator: the strict reading.
    ['StringEquals', ['a', 'c'], true],
    ['StringNotEquals', ['a', 'c'], false],
    ['StringNotEquals', ['c'], true],
  ])('%s {a, b} on %j is %s', (operator, keys, expected) => {
    expect(holds(operator, names, ['a', 'b'], context(...keys))).toBe(expected);
  });

  test.each(['kms:EncryptionContext:team', 'KMS:encryptioncontext:team', 'aws:RequestTag/team'])(
    'ForAllValues with the single-valued %s is refused: it would match requests without it',
    (key) => {
      for (const operator of ['ForAllValues:StringEquals', 'ForAllValues:StringLikeIfExists']) {
        expect(() => holds(operator, key, 'x', request())).toThrow(/OverlyPermissiveCondition/);
      }
    },
  );
});

describe('keys', () => {
  const full = request({
    principal: user('alice', '111122223333', { organizationId: 'o-1', userId: 'AIDA', tags: { Team: 'red' } }),
    viaService: 's3.eu-central-1.amazonaws.com',
    encryptionContext: { Dept: 'x' },
    facts: {
      parameters: { GrantOperations: ['Decrypt', 'Encrypt'], KeySpec: 'RSA_2048', RotationPeriodInDays: '90' },
      tags: { team: 'blue' },
      tagKeys: ['old'],
      sourceIp: '192.0.2.1',
      secureTransport: true,
      multiFactorAuthPresent: false,
      userAgent: 'agent',
    },
  });

  test.each([
    ['kms:EncryptionContext:dept', 'x'],
    ['KMS:ENCRYPTIONCONTEXT:DEPT', 'x'],
    ['kms:CallerAccount', '111122223333'],
    ['kms:ViaService', 's3.eu-central-1.amazonaws.com'],
    ['kms:KeySpec', 'RSA_2048'],
    ['kms:CustomerMasterKeySpec', 'RSA_2048'],
    ['kms:KeyUsage', TEST_KEY.usage],
    ['kms:KeyOrigin', 'AWS_KMS'],
    ['kms:MultiRegion', 'false'],
    ['kms:RotationPeriodInDays', '90'],
    ['kms:ResourceAliases', 'alias/objects'],
    ['kms:GrantOperations', 'Encrypt'],
    ['aws:ResourceTag/team', 'red'],
    ['aws:RequestTag/Team', 'blue'],
    ['aws:PrincipalTag/team', 'red'],
    ['aws:TagKeys', 'old'],
    ['aws:CalledVia', 's3.amazonaws.com'],
    ['aws:CalledViaLast', 's3.amazonaws.com'],
    ['aws:ViaAWSService', 'true'],
    ['aws:PrincipalArn', 'arn:aws:iam::111122223333:user/alice'],
    ['aws:PrincipalAccount', '111122223333'],
    ['aws:PrincipalType', 'User'],
    ['aws:PrincipalOrgID', 'o-1'],
    ['aws:PrincipalIsAWSService', 'false'],
    ['aws:username', 'alice'],
    ['aws:userid', 'AIDA'],
    ['aws:ResourceAccount', '111122223333'],
    ['aws:RequestedRegion', 'eu-central-1'],
    ['aws:SourceIp', '192.0.2.1'],
    ['aws:SecureTransport', 'true'],
    ['aws:MultiFactorAuthPresent', 'false'],
    ['aws:UserAgent', 'agent'],
    ['aws:CurrentTime', '2027-01-31T12:00:00.000Z'],
    ['aws:EpochTime', '1801396800'],
  ])('%s shows %s', (key, value) => {
    expect(holds('StringEquals', key, value, full)).toBe(true);
    expect(holds('StringEquals', key, `${value}x`, full)).toBe(false);
  });

  test('A key that is not known is absent, as in a policy written for other services', () => {
    expect(holds('StringEquals', 's3:prefix', 'x', full)).toBe(false);
    expect(holds('StringEqualsIfExists', 's3:prefix', 'x', full)).toBe(true);
  });

  test('Names that differ only in case leave the condition in doubt: nothing is allowed, everything denied', () => {
    const asked = request({ encryptionContext: { team: 'red', Team: 'blue' } });
    for (const operator of ['StringEquals', 'StringNotEquals', 'StringEqualsIfExists']) {
      expect(holds(operator, 'kms:EncryptionContext:team', 'red', asked, 'Allow')).toBe(false);
      expect(holds(operator, 'kms:EncryptionContext:team', 'red', asked, 'Deny')).toBe(true);
    }
  });
});

describe('policy variables', () => {
  const asked = request({ principal: user('alice', '111122223333', { tags: { team: 'r*d' } }) });

  test.each([
    ['StringEquals', 'x-${aws:username}', 'x-alice', true],
    ['StringEquals', '${aws:PrincipalTag/team}', 'r*d', true],
    ['StringLike', '${aws:PrincipalTag/team}', 'red', false],
    ['StringLike', '${aws:PrincipalTag/team}-*', 'r*d-1', true],
    ['StringEquals', "${aws:PrincipalTag/none, 'other'}", 'other', true],
    ['StringEquals', '${aws:PrincipalTag/none}', '', false],
    ['StringLike', 'a${*}b', 'a*b', true],
    ['StringLike', 'a${*}b', 'axb', false],
    ['StringLike', '${$}{x}', '${x}', true],
    ['StringEqualsIgnoreCase', '${aws:username}', 'ALICE', true],
    ['ArnEquals', 'arn:aws:iam::${aws:PrincipalAccount}:user/*', 'arn:aws:iam::111122223333:user/x', true],
  ])('%s "%s" on "%s" is %s', (operator, policy, value, expected) => {
    expect(holds(operator, KEY, policy, { ...asked, encryptionContext: { v: value } })).toBe(expected);
  });

  test('A variable that stands for nothing allows nothing, also under a negated operator', () => {
    const value = { ...asked, encryptionContext: { v: 'x' } };
    expect(holds('StringNotEquals', KEY, '${aws:PrincipalTag/none}', value, 'Allow')).toBe(false);
    expect(holds('StringNotEquals', KEY, '${aws:PrincipalTag/none}', value, 'Deny')).toBe(true);
  });
});
