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
} from '../../../test/support/keys/access.ts';
import {
  naiveDecision,
  type NaiveGrant,
  type NaiveRules,
  type NaiveStatement,
} from '../../../test/support/keys/naive-access.ts';
import { accessDeniedMessage, formatDecision, type Decision } from './decision.ts';
import { evaluate } from './evaluate.ts';
import { isGrantOperation, type Grant, type GrantPermissions } from './grants/grant.ts';
import type { AccessRequest } from './request.ts';

const toAccount = { Principal: { AWS: `arn:aws:iam::${HOME}:root` } };
const toAlice = { Principal: { AWS: user('alice').arn } };
const home = user('alice');
const away = user('alice', AWAY);

type Proposed = Pick<GrantPermissions, 'operations' | 'constraint'>;

function decide(parts: RuleParts, changes: Partial<AccessRequest> = {}): Decision {
  const asked = request(changes);
  return evaluate(asked, rules(asked.principal, parts));
}

/** What decided, without the statements. */
const outcome = (decision: Decision): string => `${decision.allow ? 'allow' : 'refuse'}: ${decision.by.type}`;

describe('one account', () => {
  test.each<[string, RuleParts, string]>([
    ['nothing', {}, 'refuse: key-policy-silent'],
    [
      'an identity policy alone: the key policy is the root of trust',
      { identity: [allow()] },
      'refuse: key-policy-silent',
    ],
    ['a key policy that names the caller', { key: [allow(toAlice)] }, 'allow: key-policy'],
    ['a key policy for everyone', { key: [allow({ Principal: '*' })] }, 'allow: key-policy'],
    ['delegation alone', { key: [allow(toAccount)] }, 'refuse: identity-policies-silent'],
    ['delegation and an identity policy', { key: [allow(toAccount)], identity: [allow()] }, 'allow: delegation'],
    [
      'delegation of another action',
      { key: [allow({ ...toAccount, Action: 'kms:Encrypt' })], identity: [allow()] },
      'refuse: key-policy-silent',
    ],
    [
      'delegation to another account',
      { key: [allow({ Principal: { AWS: AWAY } })], identity: [allow()] },
      'refuse: key-policy-silent',
    ],
    ['a grant', { grants: [grant()] }, 'allow: grant'],
    ['a grant of another operation', { grants: [grant({ operations: ['Encrypt'] })] }, 'refuse: key-policy-silent'],
    ['a grant to somebody else', { grants: [grant({ grantee: user('bob').arn })] }, 'refuse: key-policy-silent'],
    ['a grant to the account alone', { grants: [grant({ grantee: root().arn })] }, 'refuse: key-policy-silent'],
    [
      'a grant to the account and an identity policy',
      { grants: [grant({ grantee: root().arn })], identity: [allow()] },
      'allow: grant',
    ],
    ['a deny in the key policy', { key: [allow(toAlice), deny({ Principal: '*' })] }, 'refuse: explicit-deny'],
    ['a deny of the whole account', { key: [allow(toAlice), deny(toAccount)] }, 'refuse: explicit-deny'],
    ['a deny in an identity policy', { key: [allow(toAlice)], identity: [deny()] }, 'refuse: explicit-deny'],
    ['a deny against a grant', { key: [deny(toAlice)], grants: [grant()] }, 'refuse: explicit-deny'],
    [
      'a boundary that does not allow',
      { key: [allow(toAlice)], boundary: [allow({ Action: 'kms:Encrypt' })] },
      'refuse: boundary-silent',
    ],
    ['a boundary that allows too', { key: [allow(toAlice)], boundary: [allow()] }, 'allow: key-policy'],
    ['a boundary alone', { key: [allow(toAccount)], boundary: [allow()] }, 'refuse: identity-policies-silent'],
    [
      'a boundary that denies',
      { key: [allow(toAlice)], boundary: [allow(), deny({ Action: 'kms:Decrypt' })] },
      'refuse: explicit-deny',
    ],
    [
      'a grant past a boundary',
      { grants: [grant()], boundary: [allow({ Action: 'kms:Encrypt' })] },
      'refuse: boundary-silent',
    ],
  ])('%s', (_what, parts, expected) => {
    expect(outcome(decide(parts))).toBe(expected);
  });

  test('The root of the account needs an identity policy for nothing, but the key policy must leave it to the account', () => {
    expect(outcome(decide({}, { principal: root() }))).toBe('refuse: key-policy-silent');
    expect(outcome(decide({ key: [allow(toAccount)] }, { principal: root() }))).toBe('allow: key-policy');
    expect(outcome(decide({ key: [allow(toAccount)], boundary: [deny()] }, { principal: root() }))).toBe(
      'refuse: explicit-deny',
    );
  });

  test('A role’s session is named by its own ARN and by its role’s', () => {
    const principal = roleSession('admin', 's1');
    for (const arn of [principal.arn, principal.roleArn]) {
      expect(outcome(decide({ key: [allow({ Principal: { AWS: arn } })] }, { principal }))).toBe('allow: key-policy');
    }
    const other = { Principal: { AWS: roleSession('admin', 's2').arn } };
    expect(outcome(decide({ key: [allow(other)] }, { principal }))).toBe('refuse: key-policy-silent');
    expect(outcome(decide({ grants: [grant({ grantee: principal.roleArn ?? '' })] }, { principal }))).toBe(
      'allow: grant',
    );
  });

  test('Services and identity providers are named by their own kinds of principal', () => {
    const service = {
      type: 'service',
      arn: 's3.amazonaws.com',
      account: undefined,
      provider: 's3.amazonaws.com',
      tags: {},
    } as const;
    expect(
      outcome(decide({ key: [allow({ Principal: { Service: 's3.amazonaws.com' } })] }, { principal: service })),
    ).toBe('allow: key-policy');
    expect(
      outcome(decide({ key: [allow({ Principal: { Service: 'ec2.amazonaws.com' } })] }, { principal: service })),
    ).toBe('refuse: key-policy-silent');
    const provider = `arn:aws:iam::${HOME}:saml-provider/idp`;
    const federated = {
      type: 'federated',
      arn: `arn:aws:sts::${HOME}:federated-user/bob`,
      account: HOME,
      provider,
      tags: {},
    } as const;
    expect(outcome(decide({ key: [allow({ Principal: { Federated: provider } })] }, { principal: federated }))).toBe(
      'allow: key-policy',
    );
    expect(outcome(decide({ key: [allow({ Principal: { AWS: federated.arn } })] }, { principal: federated }))).toBe(
      'allow: key-policy',
    );
  });

  test('NotPrincipal spares only whom it lists together with the account, as AWS checks one after the other', () => {
    const all = allow({ Principal: '*' });
    const except = (...arns: readonly string[]): RuleParts => ({ key: [all, deny({ NotPrincipal: { AWS: arns } })] });
    expect(outcome(decide(except(home.arn, HOME)))).toBe('allow: key-policy');
    expect(outcome(decide(except(home.arn)))).toBe('refuse: explicit-deny');
    expect(outcome(decide(except(HOME)))).toBe('refuse: explicit-deny');
    expect(outcome(decide(except(user('bob').arn, HOME)))).toBe('refuse: explicit-deny');
    expect(outcome(decide(except(HOME), { principal: root() }))).toBe('allow: key-policy');
    const session = roleSession('admin', 's1');
    expect(outcome(decide(except(session.roleArn ?? '', HOME), { principal: session }))).toBe('refuse: explicit-deny');
    expect(outcome(decide(except(session.roleArn ?? '', session.arn, HOME), { principal: session }))).toBe(
      'allow: key-policy',
    );
  });

  test('A statement without Action or Resource does nothing, whichever its effect', () => {
    const { Resource: _resource, ...withoutResource } = allow(toAlice);
    const { Action: _action, ...withoutAction } = deny(toAlice);
    expect(outcome(decide({ key: [withoutResource] }))).toBe('refuse: key-policy-silent');
    expect(outcome(decide({ key: [allow(toAlice), withoutAction] }))).toBe('allow: key-policy');
  });

  test('NotAction and NotResource are everything else', () => {
    expect(outcome(decide({ key: [allow({ ...toAlice, Action: undefined, NotAction: 'kms:Put*' })] }))).toBe(
      'allow: key-policy',
    );
    expect(outcome(decide({ key: [allow({ ...toAlice, Action: undefined, NotAction: 'kms:De*' })] }))).toBe(
      'refuse: key-policy-silent',
    );
    const mine = { Resource: undefined, NotResource: TEST_KEY.arn };
    expect(outcome(decide({ key: [allow(toAccount)], identity: [allow(mine)] }))).toBe(
      'refuse: identity-policies-silent',
    );
  });

  test('A key’s policy speaks of that key under `*` and under its ARN, and of no other', () => {
    expect(outcome(decide({ key: [allow({ ...toAlice, Resource: TEST_KEY.arn })] }))).toBe('allow: key-policy');
    expect(outcome(decide({ key: [allow({ ...toAlice, Resource: `${TEST_KEY.arn}x` })] }))).toBe(
      'refuse: key-policy-silent',
    );
  });
});

describe('another account', () => {
  const trusted = { key: [allow({ Principal: { AWS: AWAY } })] };

  test.each<[string, RuleParts, string]>([
    ['a key policy alone that names the account', trusted, 'refuse: identity-policies-silent'],
    [
      'a key policy alone that names the caller',
      { key: [allow({ Principal: { AWS: away.arn } })] },
      'refuse: identity-policies-silent',
    ],
    ['an identity policy alone', { identity: [allow()] }, 'refuse: key-policy-silent'],
    ['both, by account', { ...trusted, identity: [allow()] }, 'allow: delegation'],
    ['both, by name', { key: [allow({ Principal: { AWS: away.arn } })], identity: [allow()] }, 'allow: key-policy'],
    ['a grant alone', { grants: [grant({ grantee: away.arn })] }, 'refuse: key-policy-silent'],
    ['a grant and an identity policy', { grants: [grant({ grantee: away.arn })], identity: [allow()] }, 'allow: grant'],
    [
      'a grant alone, where that is enough',
      { grants: [grant({ grantee: away.arn })], grantsCrossAccounts: true },
      'allow: grant',
    ],
    [
      'a grant to its account, where that is enough',
      { grants: [grant({ grantee: root(AWAY).arn })], grantsCrossAccounts: true },
      'refuse: key-policy-silent',
    ],
  ])('%s', (_what, parts, expected) => {
    expect(outcome(decide(parts, { principal: away }))).toBe(expected);
  });

  test('Management actions are never allowed to it', () => {
    const parts = { ...trusted, identity: [allow()] };
    for (const action of [
      'PutKeyPolicy',
      'DisableKey',
      'ScheduleKeyDeletion',
      'CreateAlias',
      'TagResource',
      'GetKeyPolicy',
      'ListResourceTags',
    ]) {
      expect(outcome(decide(parts, { principal: away, action }))).toBe('refuse: other-account');
    }
    for (const action of [
      'DescribeKey',
      'GetPublicKey',
      'GetKeyRotationStatus',
      'CreateGrant',
      'ListGrants',
      'RevokeGrant',
      'ReEncryptTo',
    ]) {
      expect(outcome(decide(parts, { principal: away, action }))).toBe('allow: delegation');
    }
  });
});

describe('grants', () => {
  const one = (parts: RuleParts['grants'], changes: Partial<AccessRequest> = {}): string =>
    outcome(decide({ grants: parts ?? [] }, changes));

  test('Constraints bind operations with an encryption context, exactly, and no others', () => {
    const context = { a: '1', b: '2' };
    const subset = grant({
      operations: ['Decrypt', 'DescribeKey', 'RetireGrant'],
      constraint: { type: 'subset', context: { a: '1' } },
    });
    const equals = grant({ operations: ['Decrypt'], constraint: { type: 'equals', context: { a: '1' } } });
    expect(one([subset], { encryptionContext: context })).toBe('allow: grant');
    expect(one([equals], { encryptionContext: context })).toBe('refuse: key-policy-silent');
    expect(one([equals], { encryptionContext: { a: '1' } })).toBe('allow: grant');
    for (const encryptionContext of [{}, { a: '2' }, { A: '1' }, { b: '1' }]) {
      expect(one([subset, equals], { encryptionContext })).toBe('refuse: key-policy-silent');
    }
    expect(one([subset], { action: 'DescribeKey' })).toBe('allow: grant');
  });

  test('What objects inherit is in no encryption context', () => {
    const constraint = { type: 'subset', context: { constructor: 'x' } } as const;
    expect(one([grant({ constraint })], { encryptionContext: {} })).toBe('refuse: key-policy-silent');
    expect(one([grant({ constraint })], { encryptionContext: { constructor: 'x' } })).toBe('allow: grant');
  });

  test('Through a grant only what it allows itself is passed on', () => {
    const constraint = { type: 'subset', context: { a: '1' } } as const;
    const parent = grant({ operations: ['CreateGrant', 'Decrypt', 'Encrypt'], constraint });
    const passBy = (by: Grant, given: Proposed | undefined): string => {
      const proposed = given && { sourceArn: undefined, ...given };
      return outcome(decide({ grants: [by], proposed }, { action: 'CreateGrant' }));
    };
    const pass = (given: Proposed | undefined): string => passBy(parent, given);
    expect(pass({ operations: ['Decrypt'], constraint })).toBe('allow: grant');
    expect(
      pass({ operations: ['CreateGrant', 'Decrypt'], constraint: { type: 'equals', context: { a: '1', b: '2' } } }),
    ).toBe('allow: grant');
    expect(pass({ operations: ['Decrypt'], constraint: { type: 'subset', context: { a: '1', b: '2' } } })).toBe(
      'allow: grant',
    );
    expect(pass({ operations: ['Decrypt', 'Sign'], constraint })).toBe('refuse: key-policy-silent');
    expect(pass({ operations: ['Decrypt'], constraint: undefined })).toBe('refuse: key-policy-silent');
    expect(pass({ operations: ['Decrypt'], constraint: { type: 'subset', context: { b: '1' } } })).toBe(
      'refuse: key-policy-silent',
    );
    expect(pass(undefined)).toBe('refuse: key-policy-silent');
    const exact = grant({
      operations: ['CreateGrant', 'Decrypt'],
      constraint: { type: 'equals', context: { a: '1' } },
    });
    const passExact = (given: Proposed): string => passBy(exact, given);
    expect(passExact({ operations: ['Decrypt'], constraint: { type: 'equals', context: { a: '1' } } })).toBe(
      'allow: grant',
    );
    expect(passExact({ operations: ['Decrypt'], constraint: { type: 'subset', context: { a: '1' } } })).toBe(
      'refuse: key-policy-silent',
    );
    expect(passExact({ operations: ['Decrypt'], constraint: { type: 'equals', context: { a: '1', b: '2' } } })).toBe(
      'refuse: key-policy-silent',
    );
  });
});

describe('resources that are no key', () => {
  test('Identity policies alone decide, and a principal of another account is refused', () => {
    const asked = { action: 'CreateKey', resource: { type: 'none', account: HOME } } as const;
    const policies = (parts: RuleParts, principal = home): string =>
      outcome(evaluate(request({ ...asked, principal }), { ...rules(principal, parts), keyPolicy: undefined }));
    expect(policies({})).toBe('refuse: identity-policies-silent');
    expect(policies({ identity: [allow({ Action: 'kms:CreateKey' })] })).toBe('allow: identity-policy');
    expect(policies({ identity: [allow({ Resource: TEST_KEY.arn })] })).toBe('refuse: identity-policies-silent');
    expect(policies({}, root())).toBe('allow: identity-policy');
    expect(policies({ identity: [allow()] }, away)).toBe('refuse: other-account');
  });
});

describe('words', () => {
  test('The record names the policy and the statement, or the grant', () => {
    const sid = { Sid: 'Enable IAM User Permissions' };
    expect(formatDecision(decide({ key: [allow({ ...toAccount, ...sid })], identity: [allow()] }))).toBe(
      'key policy, "Enable IAM User Permissions" and identity policy p, statement 1',
    );
    const given = grant();
    expect(formatDecision(decide({ grants: [given] }))).toBe(`grant ${given.grantId}`);
    expect(formatDecision(decide({ key: [allow(toAlice), deny({ Principal: '*' })] }))).toBe(
      'denied by key policy, statement 2',
    );
  });

  test('The caller is told in AWS’s words', () => {
    const told = (parts: RuleParts): string => {
      const decision = decide(parts);
      return decision.allow ? '' : accessDeniedMessage(request(), decision.by);
    };
    const start = `User: ${home.arn} is not authorized to perform: kms:Decrypt on resource: ${TEST_KEY.arn}`;
    expect(told({ key: [allow(toAccount)] })).toBe(
      `${start} because no identity-based policy allows the kms:Decrypt action`,
    );
    expect(told({})).toBe(`${start} because no resource-based policy allows the kms:Decrypt action`);
    expect(told({ key: [deny(toAlice)] })).toBe(`${start} with an explicit deny in a resource-based policy`);
    expect(told({ identity: [deny()] })).toBe(`${start} with an explicit deny in an identity-based policy`);
    expect(told({ key: [allow(toAlice)], boundary: [allow({ Action: 'kms:Sign' })] })).toBe(
      `${start} because no permissions boundary allows the kms:Decrypt action`,
    );
  });
});

describe('any rules', () => {
  const session = roleSession('admin', 's1');
  const principals = [home, away, root(), root(AWAY), session, user('bob')];
  const arns = [...principals.map(({ arn }) => arn), session.roleArn ?? '', HOME, AWAY];
  const action = fc.constantFrom('Decrypt', 'Encrypt', 'DescribeKey', 'PutKeyPolicy', 'ListGrants');
  const actions = fc.array(
    fc.oneof(
      action.map((name) => `kms:${name.toUpperCase()}`),
      fc.constant('*'),
    ),
    { minLength: 1, maxLength: 2 },
  );
  const names = fc.subarray(arns, { minLength: 1 }).map((AWS) => ({ AWS }));
  const values = fc.subarray(['x', 'y', 's3.eu-central-1.amazonaws.com'], { minLength: 1 });
  const conditions = fc.dictionary(
    fc.constantFrom('StringEquals', 'StringNotEquals'),
    fc.dictionary(fc.constantFrom('kms:ViaService', 'kms:EncryptionContext:c'), values, {
      maxKeys: 2,
      minKeys: 1,
      noNullPrototype: true,
    }),
    { maxKeys: 1, noNullPrototype: true },
  );
  const statement = fc
    .record({
      Effect: fc.constantFrom('Allow' as const, 'Allow' as const, 'Deny' as const),
      actions,
      not: fc.boolean(),
      Resource: fc.constantFrom('*', '*', TEST_KEY.arn, 'arn:x'),
      Condition: conditions,
    })
    .map(({ actions: list, not, ...rest }): NaiveStatement => ({
      ...rest,
      ...(not ? { NotAction: list } : { Action: list }),
    }));
  const keyStatement = fc
    .record({
      statement,
      names,
      kind: fc.constantFrom('names' as const, 'names' as const, 'not' as const, 'all' as const),
    })
    .map(({ statement: one, names: listed, kind }): NaiveStatement => {
      if (kind === 'all') return { ...one, Principal: '*' };
      return kind === 'not' && one.Effect === 'Deny' ? { ...one, NotPrincipal: listed } : { ...one, Principal: listed };
    });
  const naiveGrant: fc.Arbitrary<NaiveGrant> = fc.record({
    grantee: fc.constantFrom(...arns),
    operations: fc.uniqueArray(fc.constantFrom('Decrypt', 'Encrypt', 'DescribeKey'), { minLength: 1 }),
    pairs: fc.dictionary(fc.constant('c'), fc.constantFrom('x', 'y'), { noNullPrototype: true }),
  });
  const naiveRules: fc.Arbitrary<NaiveRules> = fc.record({
    key: fc.array(keyStatement, { maxLength: 4 }),
    identity: fc.array(statement, { maxLength: 3 }),
    boundary: fc.option(fc.array(statement, { minLength: 1, maxLength: 2 }), { nil: undefined, freq: 3 }),
    grants: fc.array(naiveGrant, { maxLength: 3 }),
  });
  const question = fc.record({
    principal: fc.constantFrom(...principals),
    action,
    encryptionContext: fc.dictionary(fc.constant('c'), fc.constantFrom('x', 'y', 'z'), { noNullPrototype: true }),
    viaService: fc.option(fc.constant('s3.eu-central-1.amazonaws.com'), { nil: undefined }),
  });

  test('The decision is the one that the procedure, written down naively, gives', () => {
    const seen = { allow: 0, deny: 0, silent: 0 };
    fc.assert(
      fc.property(naiveRules, question, (given, changes) => {
        const { boundary, ...parts } = given;
        const grants = given.grants.map(({ grantee, operations, pairs }) =>
          grant({
            grantee,
            operations: operations.filter(isGrantOperation),
            constraint: Object.keys(pairs).length === 0 ? undefined : { type: 'subset', context: pairs },
          }),
        );
        const asked = request(changes);
        const ours = rules(asked.principal, { ...parts, grants, ...(boundary === undefined ? {} : { boundary }) });
        const expected = naiveDecision(asked, given);
        seen[expected] += 1;
        const decision = evaluate(asked, ours);
        expect(decision.allow ? 'allow' : decision.by.type === 'explicit-deny' ? 'deny' : 'silent').toBe(expected);
        // Listening in changes nothing.
        const listener = { statement: () => undefined, grant: () => undefined };
        expect(evaluate(asked, ours, listener)).toEqual(decision);
      }),
      { numRuns: 10_000 },
    );
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(200);
  });
});
