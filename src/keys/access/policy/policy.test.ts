import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allow, deny, document, type Json } from '../../../../test/support/keys/access.ts';
import { defaultKeyPolicy, storageUsePolicy } from '../default-policies.ts';
import { MAX_POLICY_BYTES, parsePolicy } from './policy.ts';

const everyone = { Principal: '*' };
const condition = (value: unknown): Json => allow({ ...everyone, Condition: value });

describe('what is refused', () => {
  test.each<[string, unknown]>([
    ['no JSON', '{'],
    ['no object', []],
    ['no Statement', { Version: '2012-10-17' }],
    ['an empty list of statements', { Version: '2012-10-17', Statement: [] }],
    ['an unknown version', { Version: '2012-10-18', Statement: [allow(everyone)] }],
    ['an unknown element', { Version: '2012-10-17', Statement: [allow(everyone)], Statments: [] }],
    ['an unknown element of a statement', document(allow({ ...everyone, Conditions: {} }))],
    ['no Effect', document({ Principal: '*', Action: '*', Resource: '*' })],
    ['an Effect of another case', document(allow({ ...everyone, Effect: 'allow' }))],
    ['no Principal', document(allow())],
    ['Principal and NotPrincipal', document(deny({ ...everyone, NotPrincipal: '*' }))],
    ['NotPrincipal with Allow', document(allow({ NotPrincipal: { AWS: '111122223333' } }))],
    ['an empty Principal', document(allow({ Principal: {} }))],
    ['an empty list of principals', document(allow({ Principal: { AWS: [] } }))],
    ['a Principal that is a bare ARN', document(allow({ Principal: 'arn:aws:iam::111122223333:root' }))],
    ['a wildcard inside a principal', document(allow({ Principal: { AWS: 'arn:aws:iam::111122223333:user/*' } }))],
    ['a group', document(allow({ Principal: { AWS: 'arn:aws:iam::111122223333:group/g' } }))],
    ['an account of eleven digits', document(allow({ Principal: { AWS: '11112222333' } }))],
    ['a kind of principal KMS has not', document(allow({ Principal: { CanonicalUser: '79a5' } }))],
    ['Action and NotAction', document(allow({ ...everyone, NotAction: 'kms:Decrypt' }))],
    ['an action without a service', document(allow({ ...everyone, Action: 'Decrypt' }))],
    ['a wildcard in the service', document(allow({ ...everyone, Action: 'k*:Decrypt' }))],
    ['an empty list of actions', document(allow({ ...everyone, Action: [] }))],
    ['a Resource that is no ARN', document(allow({ ...everyone, Resource: 'key/1' }))],
    ['a Condition that is a list', document(condition([]))],
    ['an unknown operator', document(condition({ StringMatches: { 'aws:username': 'a' } }))],
    ['an operator of another case', document(condition({ stringEquals: { 'aws:username': 'a' } }))],
    ['Null with IfExists', document(condition({ NullIfExists: { 'aws:username': 'true' } }))],
    ['Null with another value', document(condition({ Null: { 'aws:username': 'yes' } }))],
    ['a key without a service', document(condition({ StringEquals: { username: 'a' } }))],
    ['a value that is null', document(condition({ StringEquals: { 'aws:username': null } }))],
    ['no values', document(condition({ StringEquals: { 'aws:username': [] } }))],
    ['a number that is none', document(condition({ NumericEquals: { 'aws:x': 'five' } }))],
    ['a date that is none', document(condition({ DateLessThan: { 'aws:CurrentTime': '2027-02-30' } }))],
    ['a boolean that is none', document(condition({ Bool: { 'aws:SecureTransport': 'yes' } }))],
    ['an address that is none', document(condition({ IpAddress: { 'aws:SourceIp': '192.0.2.0/33' } }))],
    ['base64 that is none', document(condition({ BinaryEquals: { 'aws:x': 'AA' } }))],
    ['an ARN of five parts', document(condition({ ArnLike: { 'aws:SourceArn': 'arn:aws:s3::bucket' } }))],
    ['a variable that does not end', document(condition({ StringLike: { 'aws:username': '${aws:username' } }))],
    ['a variable without a name', document(condition({ StringLike: { 'aws:username': '${}' } }))],
    ['one Sid twice', document(allow({ ...everyone, Sid: 'a' }), allow({ ...everyone, Sid: 'a' }))],
    ['one element twice', '{"Version":"2012-10-17","Statement":[],"Statement":[]}'],
    ['more than 32 KB', document(allow({ ...everyone, Sid: 'x'.repeat(MAX_POLICY_BYTES) }))],
    ['half a surrogate pair', `{"Id":"\ud800","Statement":[]}`],
  ])('%s', (_what, policy) => {
    const text = typeof policy === 'string' ? policy : JSON.stringify(policy);
    expect(() => parsePolicy(text, 'key')).toThrow(expect.objectContaining({ code: 'ERR_KEYS_POLICY_MALFORMED' }));
  });

  test('An identity policy names no principal, and every statement has Action and Resource', () => {
    expect(() => parsePolicy(document(allow(everyone)), 'identity')).toThrow(/Principal/);
    expect(() => parsePolicy(document({ Effect: 'Allow', Action: '*' }), 'identity')).toThrow(/Resource/);
    expect(() => parsePolicy(document({ Effect: 'Allow', Resource: '*' }), 'identity')).toThrow(/Action/);
  });

  test('The message names the statement', () => {
    expect(() => parsePolicy(document(allow(everyone), allow()), 'key')).toThrow(/statement 2/);
  });
});

describe('what is taken', () => {
  test.each<[string, unknown]>([
    ['the AWS default', JSON.parse(defaultKeyPolicy('111122223333'))],
    ['one statement that is no list', { Version: '2012-10-17', Statement: allow(everyone) }],
    ['no version', { Statement: [allow(everyone)] }],
    ['an empty Sid twice', { Statement: [allow({ ...everyone, Sid: '' }), allow({ ...everyone, Sid: '' })] }],
    [
      'every form of principal',
      {
        Version: '2012-10-17',
        Statement: allow({
          Principal: {
            AWS: [
              '111122223333',
              'arn:aws:iam::111122223333:root',
              'arn:aws-cn:iam::111122223333:user/path/to/alice',
              'arn:aws:iam::111122223333:role/service-role/admin',
              'arn:aws:sts::111122223333:assumed-role/admin/session@example',
              'arn:aws:sts::111122223333:federated-user/bob',
              '*',
            ],
            Service: 's3.amazonaws.com',
            Federated: 'arn:aws:iam::111122223333:saml-provider/idp',
          },
        }),
      },
    ],
    [
      'a statement without Resource, or without Action',
      {
        Statement: [
          { Effect: 'Allow', Principal: '*', Action: 'kms:*' },
          { Effect: 'Deny', Principal: '*', Resource: '*' },
        ],
      },
    ],
    [
      'numbers and booleans as values',
      {
        Statement: condition({
          NumericLessThan: { 'kms:RotationPeriodInDays': 91 },
          Bool: { 'aws:SecureTransport': true },
        }),
      },
    ],
    [
      'actions of other services',
      { Statement: allow({ ...everyone, Action: ['s3:GetObject', 'execute-api:*', '*'] }) },
    ],
  ])('%s', (_what, policy) => {
    expect(parsePolicy(JSON.stringify(policy), 'key').kind).toBe('key');
  });

  test('In a policy of the first version of the language `${` is text', () => {
    const first = {
      Version: '2008-10-17',
      Statement: condition({ StringEquals: { 'aws:username': '${aws:username' } }),
    };
    expect(parsePolicy(JSON.stringify(first), 'key').statements).toHaveLength(1);
  });

  test('The policy of callers without an identity parses', () => {
    expect(parsePolicy(storageUsePolicy(['s3.eu-central-1.amazonaws.com']), 'identity').statements).toHaveLength(1);
  });
});

describe('any input', () => {
  const total = (text: string, kind: 'key' | 'identity'): void => {
    try {
      parsePolicy(text, kind);
    } catch (error) {
      expect(error).toMatchObject({ name: 'KeysError', code: 'ERR_KEYS_POLICY_MALFORMED' });
    }
  };
  const kind = fc.constantFrom('key' as const, 'identity' as const);

  test('Any text gives a policy or the one error', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), kind, total), { numRuns: 3000 });
  });

  test('Any JSON in the shape of a policy gives a policy or the one error', () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '*',
        'kms:*',
        'arn:aws:kms:*',
        '${aws:username}',
        'true',
        '5',
        '2027-01-01',
        '10.0.0.0/8',
        'ForAllValues:',
      ),
    );
    const some = (value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
      fc.oneof(value, fc.array(value, { maxLength: 3 }), fc.jsonValue());
    const operator = fc.constantFrom(
      'StringLike',
      'ForAllValues:ArnLike',
      'NumericEqualsIfExists',
      'Null',
      'IpAddress',
      'DateEquals',
      'x',
    );
    const statement = fc.record(
      {
        Sid: text,
        Effect: fc.constantFrom('Allow', 'Deny', 'x'),
        Principal: fc.oneof(
          some(text),
          fc.dictionary(fc.constantFrom('AWS', 'Service', 'Federated', '__proto__'), some(text)),
        ),
        NotPrincipal: some(text),
        Action: some(text),
        NotAction: some(text),
        Resource: some(text),
        Condition: fc.dictionary(operator, fc.dictionary(fc.oneof(text, fc.constant('aws:username')), some(text))),
      },
      { requiredKeys: [] },
    );
    const policy = fc.record(
      { Version: fc.constantFrom('2012-10-17', '2008-10-17', 1), Statement: some(statement) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(policy, kind, (value, of) => total(JSON.stringify(value), of)),
      { numRuns: 5000 },
    );
  });

  test('A policy with any one character changed gives a policy or the one error', () => {
    const source = document(
      deny({
        NotPrincipal: { AWS: ['arn:aws:iam::111122223333:user/a'] },
        Condition: { StringLike: { 'aws:username': '${aws:username}*' } },
      }),
    );
    for (let at = 0; at < source.length; at++) {
      total(source.slice(0, at), 'key');
      for (const character of ['"', '{', '\\', '*', '$', '\u0000']) {
        total(source.slice(0, at) + character + source.slice(at + 1), 'key');
      }
    }
  });
});
