import { expect, test } from 'vitest';
import { allow, deny, document, type Json } from '../../../test/support/keys/access.ts';
import type { IdentitiesOptions, PolicyText } from './options.ts';
import { parsePolicy } from './policy/policy.ts';
import { S3Authorizer } from './s3-authorizer.ts';

const REALM = { region: 'eu-central-1', account: '111122223333' };
const APP = 'arn:aws:iam::111122223333:user/app';
const ANONYMOUS = 'arn:aws:iam::111122223333:user/sealgate/anonymous';

const text = (name: string, ...statements: readonly Json[]): PolicyText => ({
  name,
  document: document(...statements),
});

function authorizer(own: readonly Json[], more: Partial<IdentitiesOptions> = {}, boundary?: readonly Json[]) {
  const policies = own.length === 0 ? [] : [text('own', ...own)];
  const boundaries = boundary === undefined ? [] : [text('bound', ...boundary)];
  const options: IdentitiesOptions = {
    identities: [{ arn: APP, policies, boundaries }],
    organizationPolicies: [],
    unlistedStorageCallers: 'use-keys',
    ...more,
  };
  return new S3Authorizer(options, REALM, () => Date.parse('2027-01-31T12:00:00Z'));
}

const ask = (
  one: S3Authorizer,
  action: string,
  resource = 'arn:aws:s3:::docs/a',
  s3: Readonly<Record<string, string>> = {},
  principal = APP,
) => one.decide({ principal, action, resource, facts: { sourceIp: '10.0.0.1', secureTransport: false, s3 } });

test('A caller of whose objects no policy speaks may everything, and nothing need be asked', () => {
  const keysOnly = authorizer([allow()]);
  expect(keysOnly.isLimited(APP)).toBe(false);
  expect(ask(keysOnly, 's3:DeleteObject')).toEqual({ allow: true, why: 'identity policy s3-by-default, statement 1' });
  expect(authorizer([]).isLimited('arn:aws:iam::111122223333:user/unlisted')).toBe(false);
});

test('One statement about S3, whatever its effect, leaves only what statements allow', () => {
  const reads = authorizer([allow({ Action: 's3:Get*', Resource: 'arn:aws:s3:::docs/*' })]);
  expect(reads.isLimited(APP)).toBe(true);
  expect(ask(reads, 's3:GetObject').allow).toBe(true);
  expect(ask(reads, 's3:GetObject', 'arn:aws:s3:::other/a').allow).toBe(false);
  expect(ask(reads, 's3:PutObject')).toMatchObject({
    allow: false,
    message: `User: ${APP} is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::docs/a" because no identity-based policy allows the s3:PutObject action`,
  });
  expect(ask(authorizer([deny({ Action: 's3:DeleteObject' })]), 's3:GetObject').allow).toBe(false);
});

test('An explicit deny ends it, also where a policy written for keys has it', () => {
  const both = authorizer([allow({ Action: 's3:*' }), deny({ Action: 's3:GetObject', Resource: '*/secret/*' })]);
  expect(ask(both, 's3:GetObject', 'arn:aws:s3:::docs/secret/a')).toMatchObject({
    allow: false,
    message: expect.stringContaining('with an explicit deny in an identity-based policy') as unknown,
  });
  const insecure = { Bool: { 'aws:SecureTransport': 'false' } };
  const everywhere = authorizer([allow(), deny({ Action: '*', Condition: insecure })]);
  expect(everywhere.isLimited(APP)).toBe(true);
  expect(ask(everywhere, 's3:GetObject').allow).toBe(false);
});

test('Boundaries and organization policies written for keys do not bound objects, those that name S3 do', () => {
  expect(ask(authorizer([], {}, [allow()]), 's3:PutObject').allow).toBe(true);
  const bounded = authorizer([], {}, [allow({ Action: 's3:Get*' })]);
  expect(ask(bounded, 's3:GetObject').allow).toBe(true);
  expect(ask(bounded, 's3:PutObject').allow).toBe(false);
  const organization = authorizer([], { organizationPolicies: [text('rails', deny({ Action: 's3:Delete*' }))] });
  expect(ask(organization, 's3:DeleteObject').allow).toBe(false);
  expect(ask(organization, 's3:DeleteObject', undefined, {}, 'arn:aws:iam::111122223333:user/x').allow).toBe(false);
});

test('With `s3ByDefault: nothing` a caller without policies may nothing', () => {
  const closed = authorizer([], { s3ByDefault: 'nothing' });
  expect(closed.isLimited(APP)).toBe(true);
  expect(ask(closed, 's3:GetObject').allow).toBe(false);
  expect(ask(authorizer([allow({ Action: '*' })], { s3ByDefault: 'nothing' }), 's3:GetObject').allow).toBe(true);
});

test('Conditions see prefix, source address, headers and variables', () => {
  const home = authorizer([
    allow({
      Action: 's3:ListBucket',
      Resource: 'arn:aws:s3:::docs',
      Condition: { StringLike: { 's3:prefix': ['${aws:username}/*'] }, IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } },
    }),
    allow({ Action: 's3:*Object', Resource: 'arn:aws:s3:::docs/${aws:username}/*' }),
    deny({
      Action: 's3:PutObject',
      Condition: { StringNotEquals: { 's3:x-amz-server-side-encryption': 'aws:kms' } },
    }),
  ]);
  const list = (s3: Readonly<Record<string, string>>) => ask(home, 's3:ListBucket', 'arn:aws:s3:::docs', s3).allow;
  expect([list({ prefix: 'app/x' }), list({ prefix: 'bob/' }), list({})]).toEqual([true, false, false]);
  expect(ask(home, 's3:GetObject', 'arn:aws:s3:::docs/app/1').allow).toBe(true);
  expect(ask(home, 's3:GetObject', 'arn:aws:s3:::docs/apple/1').allow).toBe(false);
  const put = (s3: Readonly<Record<string, string>>) => ask(home, 's3:PutObject', 'arn:aws:s3:::docs/app/1', s3).allow;
  expect([put({}), put({ 'x-amz-server-side-encryption': 'aws:kms' })]).toEqual([false, true]);
});

test('A condition on what the gateway cannot know is refused in identity policies', () => {
  const tagged = { StringEquals: { 's3:ExistingObjectTag/secret': 'yes' } };
  expect(() => parsePolicy(document(deny({ Action: 's3:*', Condition: tagged })), 'identity')).toThrow(
    expect.objectContaining({ code: 'ERR_KEYS_POLICY_MALFORMED' }) as Error,
  );
});

test('Who asks without a signature gets what the rule gives, less what is denied', () => {
  const open = authorizer([]);
  expect(open.anonymous).toBe(ANONYMOUS);
  expect(open.isLimited(ANONYMOUS)).toBe(true);
  expect(ask(open, 's3:GetObject', undefined, {}, ANONYMOUS).allow).toBe(true);
  expect(ask(open, 's3:PutObject', undefined, {}, ANONYMOUS).allow).toBe(false);
  expect(ask(authorizer([], { s3ByDefault: 'nothing' }), 's3:GetObject', undefined, {}, ANONYMOUS).allow).toBe(true);
  const outside = deny({ Action: 's3:*', Condition: { NotIpAddress: { 'aws:SourceIp': '192.0.2.0/24' } } });
  const inside = authorizer([], { organizationPolicies: [text('inside', allow({ Action: '*' }), outside)] });
  expect(ask(inside, 's3:GetObject', undefined, {}, ANONYMOUS).allow).toBe(false);
});
