/** Grants to services, and the source they are for. */
import { describe, expect, test } from 'vitest';
import {
  allow,
  deny,
  grant,
  request,
  rules,
  TEST_KEY,
  user,
  type RuleParts,
} from '../../../../test/support/keys/access.ts';
import { decidingValues } from '../decision-cache.ts';
import { evaluate } from '../evaluate.ts';
import { explain } from '../explain.ts';
import { isServiceName, principalOf } from '../principal.ts';
import type { AccessRequest, RequestFacts } from '../request.ts';
import { checkNewGrant, isSameGrant, type GrantRequest } from './new-grant.ts';
import { evaluateRetirement } from './retire.ts';

const BACKUP = 'backup.example.com';
const service = principalOf(BACKUP);
const SOURCE = 'arn:aws:dynamodb:eu-central-1:111122223333:table/one';
const OTHER_SOURCE = 'arn:aws:dynamodb:eu-central-1:111122223333:table/two';

function outcome(parts: RuleParts, changes: Partial<AccessRequest> & { readonly facts?: RequestFacts } = {}): string {
  const asked = request({ principal: service, ...changes });
  const decision = evaluate(asked, rules(asked.principal, parts));
  return `${decision.allow ? 'allow' : 'refuse'}: ${decision.by.type}`;
}

test.each([
  [BACKUP, true],
  ['us-east-1.backup.amazonaws.com', true],
  ['amazonaws.com', false],
  ['backup.example.', false],
  ['backup..example.com', false],
  ['arn:aws:iam::111122223333:user/a.b.c', false],
  ['111122223333', false],
  ['sealgate', false],
  [`${'a'.repeat(130)}.example.com`, false],
])('%s is the name of a service: %s', (text, expected) => {
  expect(isServiceName(text)).toBe(expected);
  expect(principalOf(text).type === 'service').toBe(expected);
});

describe('a service', () => {
  const given = grant({ grantee: BACKUP, operations: ['Decrypt', 'DescribeKey'], sourceArn: SOURCE });

  test('uses a key by a grant just on behalf of the resource that the grant names', () => {
    expect(outcome({ grants: [given] }, { facts: { sourceArn: SOURCE } })).toBe('allow: grant');
    expect(outcome({ grants: [given] }, { facts: { sourceArn: SOURCE }, action: 'DescribeKey' })).toBe('allow: grant');
    for (const facts of [{}, { sourceArn: OTHER_SOURCE }, { sourceArn: `${SOURCE}/x` }]) {
      expect(outcome({ grants: [given] }, { facts })).toBe('refuse: key-policy-silent');
      expect(outcome({ grants: [given] }, { facts, action: 'DescribeKey' })).toBe('refuse: key-policy-silent');
    }
  });

  test('does not use a grant of another service, nor of an account', () => {
    const facts = { sourceArn: SOURCE };
    for (const grantee of ['other.example.com', `x${BACKUP}`, user('alice').arn, 'arn:aws:iam::111122223333:root'])
      expect(outcome({ grants: [{ ...given, grantee }] }, { facts })).toBe('refuse: key-policy-silent');
    expect(outcome({ grants: [given] }, { facts, principal: user('alice') })).toBe('refuse: key-policy-silent');
  });

  test('is held to both constraints of a grant', () => {
    const both = { ...given, constraint: { type: 'subset', context: { a: '1' } } } as const;
    const facts = { sourceArn: SOURCE };
    expect(outcome({ grants: [both] }, { facts, encryptionContext: { a: '1' } })).toBe('allow: grant');
    expect(outcome({ grants: [both] }, { facts })).toBe('refuse: key-policy-silent');
    expect(outcome({ grants: [both] }, { encryptionContext: { a: '1' } })).toBe('refuse: key-policy-silent');
  });

  test('is denied by a key policy whatever grants say, and told by what it is', () => {
    const facts = { sourceArn: SOURCE, sourceAccount: '111122223333' };
    const denying = (Condition: object): string =>
      outcome({ key: [deny({ Principal: '*', Condition })], grants: [given] }, { facts });
    const equal = (key: string, value: string): object => ({ StringEquals: { [key]: value } });
    expect(denying(equal('aws:SourceArn', SOURCE))).toBe('refuse: explicit-deny');
    expect(denying(equal('aws:SourceAccount', '111122223333'))).toBe('refuse: explicit-deny');
    expect(denying(equal('aws:PrincipalServiceName', BACKUP))).toBe('refuse: explicit-deny');
    expect(denying({ 'ForAnyValue:StringEquals': { 'aws:PrincipalServiceNamesList': BACKUP } })).toBe(
      'refuse: explicit-deny',
    );
    expect(denying({ Null: { 'aws:PrincipalArn': 'true' } })).toBe('refuse: explicit-deny');
    expect(denying({ Bool: { 'aws:PrincipalIsAWSService': 'true' } })).toBe('refuse: explicit-deny');
    expect(denying(equal('aws:SourceArn', OTHER_SOURCE))).toBe('allow: grant');
  });

  test('is named by key policies, for some sources alone', () => {
    const Condition = { ArnLike: { 'aws:SourceArn': 'arn:aws:dynamodb:*:111122223333:table/*' } };
    const key = [allow({ Principal: { Service: BACKUP }, Condition })];
    expect(outcome({ key }, { facts: { sourceArn: SOURCE } })).toBe('allow: key-policy');
    expect(outcome({ key }, {})).toBe('refuse: key-policy-silent');
    // What other accounts never may, services may not either.
    expect(outcome({ key }, { facts: { sourceArn: SOURCE }, action: 'PutKeyPolicy' })).toBe('refuse: other-account');
  });

  test('passes on through a grant no more than for the same source', () => {
    const parent = grant({ grantee: BACKUP, operations: ['CreateGrant', 'Decrypt'], sourceArn: SOURCE });
    const pass = (sourceArn: string | undefined): string => {
      const proposed = { operations: ['Decrypt'], constraint: undefined, sourceArn } as const;
      return outcome({ grants: [parent], proposed }, { action: 'CreateGrant', facts: { sourceArn: SOURCE } });
    };
    expect(pass(SOURCE)).toBe('allow: grant');
    expect(pass(OTHER_SOURCE)).toBe('refuse: key-policy-silent');
    expect(pass(undefined)).toBe('refuse: key-policy-silent');
  });

  test('retires what it is the retiring principal of, wherever that is for', () => {
    const asked = request({ principal: service, action: 'RetireGrant' });
    const may = (changes: Parameters<typeof grant>[0]): boolean =>
      evaluateRetirement(asked, rules(service, {}), grant({ sourceArn: SOURCE, ...changes })).allow;
    expect(may({ retiring: BACKUP })).toBe(true);
    expect(may({ grantee: BACKUP, operations: ['Decrypt', 'RetireGrant'] })).toBe(true);
    expect(may({ grantee: BACKUP })).toBe(false);
    expect(may({ retiring: 'other.example.com' })).toBe(false);
  });

  test('is told by explanations which resource a grant is for another of', () => {
    const asked = request({ principal: service, facts: { sourceArn: OTHER_SOURCE } });
    const { grants, missing } = explain(asked, rules(service, { grants: [given] }));
    expect(grants).toMatchObject([{ matches: false, because: expect.stringContaining('another resource') as string }]);
    expect(missing.join()).not.toContain('undefined');
  });
});

test('A user whom a grant with a source is given has no use of it alone', () => {
  const given = grant({ sourceArn: SOURCE });
  expect(outcome({ grants: [given] }, { principal: user('alice') })).toBe('refuse: key-policy-silent');
});

test('A decision by a grant with a source is none for another source', () => {
  const values = (facts: RequestFacts): string => decidingValues(request({ facts }), [], true);
  expect(values({ sourceArn: SOURCE })).not.toBe(values({ sourceArn: OTHER_SOURCE }));
  expect(values({ sourceArn: SOURCE })).not.toBe(values({}));
});

describe('a new grant to a service', () => {
  const asked: GrantRequest = {
    grantee: { service: BACKUP },
    retiring: user('alice').arn,
    operations: ['Decrypt'],
    constraints: { sourceArn: SOURCE },
  };

  test('keeps its name and its source, on keys of every kind', () => {
    expect(checkNewGrant(asked, TEST_KEY)).toMatchObject({ grantee: BACKUP, sourceArn: SOURCE });
    const rsa = { ...TEST_KEY, spec: 'RSA_2048' };
    expect(checkNewGrant({ ...asked, retiring: { service: BACKUP } }, rsa)).toMatchObject({ retiring: BACKUP });
  });

  test.each<[string, Partial<GrantRequest>, string]>([
    ['no source', { constraints: { subset: { a: '1' } } }, 'ERR_KEYS_INVALID_REQUEST'],
    ['nobody to retire it', { retiring: undefined }, 'ERR_KEYS_INVALID_REQUEST'],
    ['a source that is no ARN', { constraints: { sourceArn: 'table/one' } }, 'ERR_KEYS_INVALID_REQUEST'],
    ['a name that is none', { grantee: { service: 'backup' } }, 'ERR_KEYS_INVALID_REQUEST'],
    ['an ARN as a name', { grantee: { service: user('alice').arn } }, 'ERR_KEYS_INVALID_REQUEST'],
    ['its name as an ARN', { grantee: BACKUP }, 'ERR_KEYS_INVALID_ARN'],
  ])('with %s is refused', (_what, changes, code) => {
    expect(() => checkNewGrant({ ...asked, ...changes }, TEST_KEY)).toThrow(expect.objectContaining({ code }));
  });

  test('is another one for another source', () => {
    const one = checkNewGrant(asked, TEST_KEY);
    expect(isSameGrant(one, checkNewGrant(asked, TEST_KEY))).toBe(true);
    const other = checkNewGrant({ ...asked, constraints: { sourceArn: OTHER_SOURCE } }, TEST_KEY);
    expect(isSameGrant(one, other)).toBe(false);
  });
});
