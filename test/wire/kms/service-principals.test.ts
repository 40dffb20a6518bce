/** Service principals over the wire: grants to them as AWS has them, in force for the resource they ask for and no other. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allow, deny, document } from '../../support/keys/access.ts';
import { callsOf, type Json } from '../../support/kms/calls.ts';
import { ACCOUNT, CALLER, startKms, type TestKms } from '../../support/kms/edge.ts';

const BACKUP = { accessKeyId: 'KMSBACKUP', secretAccessKey: 'the secret of backup', principal: 'backup.example.com' };
const BOB = { accessKeyId: 'KMSBOB', secretAccessKey: 'bob', principal: `arn:aws:iam::${ACCOUNT}:user/bob` };
const OTHER = { accessKeyId: 'KMSOTHER', secretAccessKey: 'other', principal: 'other.example.com' };
const DENIED = { accessKeyId: 'KMSDENIED', secretAccessKey: 'denied', principal: 'denied.example.com' };
const SOURCE = `arn:aws:dynamodb:eu-central-1:${ACCOUNT}:table/one`;
const OTHER_SOURCE = `arn:aws:dynamodb:eu-central-1:${ACCOUNT}:table/two`;
const CONTEXT = { tenant: 'a' };

let kms: TestKms;
beforeAll(async () => {
  const policies = [{ name: 'admin', document: document(allow()) }];
  // Who makes grants for a tenant is told so by the encryption context that the grant would be for.
  const granter = [
    { name: 'grants', document: document(allow({ Action: ['kms:CreateGrant', 'kms:RetireGrant'] })) },
    {
      name: 'not-for-b',
      document: document(
        deny({ Action: '*', Condition: { StringEquals: { 'kms:EncryptionContext:tenant': 'b' } } }),
        deny({
          Action: '*',
          Condition: { ArnLike: { 'kms:GrantConstraintSourceArn': 'arn:aws:dynamodb:*:*:table/secret' } },
        }),
        deny({ Action: '*', Condition: { StringEquals: { 'kms:GranteeServicePrincipal': 'bad.example.com' } } }),
        deny({ Action: '*', Condition: { StringEquals: { 'kms:RetiringServicePrincipal': 'bad.example.com' } } }),
      ),
    },
  ];
  const notDenied = deny({
    Action: 'kms:ListRetirableGrants',
    Condition: { StringEquals: { 'aws:PrincipalServiceName': DENIED.principal } },
  });
  kms = await startKms({
    accessKeys: [CALLER, BACKUP, BOB, OTHER, DENIED],
    access: {
      identities: [
        { arn: CALLER.principal, policies },
        { arn: BOB.principal, policies: granter },
      ],
      organizationPolicies: [{ name: 'services', document: document(allow(), notDenied) }],
      unlistedStorageCallers: 'use-keys',
      grantsCrossAccounts: false,
    },
  });
});
afterAll(() => kms[Symbol.asyncDispose]());
const { ok, fails } = callsOf(() => kms);

async function by(credentials: typeof BOB, action: string, input: object, source?: string): Promise<unknown> {
  const headers = source === undefined ? {} : { 'x-amz-source-arn': source };
  const { json, status } = await kms.call(action, input, { credentials, headers });
  return status === 200 ? 200 : json?.['__type'];
}

const toService = (KeyId: string, more: object = {}): Promise<Json> =>
  ok('CreateGrant', {
    KeyId,
    GranteeServicePrincipal: BACKUP.principal,
    RetiringServicePrincipal: BACKUP.principal,
    Operations: ['Decrypt', 'GenerateDataKey', 'DescribeKey'],
    Constraints: { SourceArn: SOURCE },
    ...more,
  });

describe('a grant to a service', () => {
  test('lets it for the resource the grant names, and for no other', async () => {
    const KeyId = await kms.key();
    const { GrantId, GrantToken } = await toService(KeyId);
    const asked = { KeyId, NumberOfBytes: 32 };
    // In this order: what is decided for one source is kept, and must not be for another.
    expect(await by(BACKUP, 'GenerateDataKey', asked, SOURCE)).toBe(200);
    expect(await by(BACKUP, 'GenerateDataKey', asked, OTHER_SOURCE)).toBe('AccessDeniedException');
    expect(await by(BACKUP, 'GenerateDataKey', asked)).toBe('AccessDeniedException');
    expect(await by(BACKUP, 'GenerateDataKey', { ...asked, GrantTokens: [GrantToken] })).toBe('AccessDeniedException');
    expect(await by(BACKUP, 'GenerateDataKey', asked, SOURCE)).toBe(200);
    expect(await by(BACKUP, 'DescribeKey', { KeyId }, SOURCE)).toBe(200);
    expect(await by(BACKUP, 'DescribeKey', { KeyId })).toBe('AccessDeniedException');
    await ok('RevokeGrant', { KeyId, GrantId });
    expect(await by(BACKUP, 'GenerateDataKey', asked, SOURCE)).toBe('AccessDeniedException');
  });

  test('is no use to anybody who only says the same', async () => {
    const KeyId = await kms.key();
    await toService(KeyId);
    await ok('CreateGrant', {
      KeyId,
      GranteePrincipal: BOB.principal,
      Operations: ['GenerateDataKey'],
      Constraints: { SourceArn: SOURCE },
    });
    expect(await by(BOB, 'GenerateDataKey', { KeyId, NumberOfBytes: 32 }, SOURCE)).toBe('AccessDeniedException');
  });

  test('is listed with the members of AWS, by its key and to the service itself', async () => {
    const KeyId = await kms.key();
    const { GrantId } = await toService(KeyId, {
      Constraints: { SourceArn: SOURCE, EncryptionContextSubset: CONTEXT },
      Operations: ['Decrypt'],
    });
    const { Grants } = await ok('ListGrants', { KeyId });
    const [entry = {}] = Grants as Json[];
    expect(entry).toMatchObject({
      GrantId,
      GranteeServicePrincipal: BACKUP.principal,
      RetiringServicePrincipal: BACKUP.principal,
      Constraints: { SourceArn: SOURCE, EncryptionContextSubset: CONTEXT },
    });
    expect(Object.keys(entry)).not.toContain('GranteePrincipal');
    expect(Object.keys(entry)).not.toContain('RetiringPrincipal');
    const GranteeServicePrincipal = BACKUP.principal;
    expect((await fails('ListGrants', { KeyId, GranteeServicePrincipal }))[0]).toBe('ValidationException');
    const asked = { RetiringServicePrincipal: BACKUP.principal };
    expect((await fails('ListRetirableGrants', asked))[0]).toBe('ValidationException');
    const policy = document(
      allow({ Principal: { Service: BACKUP.principal } }),
      allow({ Principal: { AWS: ACCOUNT } }),
    );
    await ok('PutKeyPolicy', { KeyId, Policy: policy });
    const mine = await kms.call('ListGrants', { KeyId, GranteeServicePrincipal }, { credentials: BACKUP });
    expect(mine.json).toMatchObject({ Grants: [{ GrantId }] });
    const others = { KeyId, GranteeServicePrincipal: 'other.example.com' };
    expect((await kms.call('ListGrants', others, { credentials: BACKUP })).json).toMatchObject({ Grants: [] });
  });

  test('is listed to the service that may retire it, and to no other service; a deny holds', async () => {
    const KeyId = await kms.key();
    const { GrantId } = await toService(KeyId);
    const listed = async (credentials: typeof BOB, service: string): Promise<Json | undefined> => {
      const asked = { RetiringServicePrincipal: service, Limit: 1000 };
      return (await kms.call('ListRetirableGrants', asked, { credentials })).json;
    };
    const { Grants } = (await listed(BACKUP, BACKUP.principal)) ?? {};
    expect(Grants).toContainEqual(expect.objectContaining({ GrantId, RetiringServicePrincipal: BACKUP.principal }));
    expect(await listed(OTHER, BACKUP.principal)).toMatchObject({ __type: 'AccessDeniedException' });
    expect(await listed(OTHER, OTHER.principal)).toMatchObject({ Grants: [] });
    expect(await listed(DENIED, DENIED.principal)).toMatchObject({ __type: 'AccessDeniedException' });
  });

  test('is retired by its retiring service', async () => {
    const KeyId = await kms.key();
    const { GrantId } = await toService(KeyId);
    expect(await by(BOB, 'RetireGrant', { KeyId, GrantId, DryRun: true })).toBe('DryRunOperationException');
    expect(await by(BACKUP, 'RetireGrant', { KeyId, GrantId })).toBe(200);
    expect(await ok('ListGrants', { KeyId })).toMatchObject({ Grants: [] });
  });

  test.each<[string, object]>([
    ['without a source', { Constraints: {} }],
    ['with an encryption context alone', { Constraints: { EncryptionContextSubset: CONTEXT } }],
    ['with nobody to retire it', { RetiringServicePrincipal: undefined }],
    ['beside a grantee', { GranteePrincipal: BOB.principal }],
    ['with two who retire it', { RetiringPrincipal: BOB.principal }],
    ['with a source that is no ARN', { Constraints: { SourceArn: 'arn:aws:s3:::bucket-without-account' } }],
  ])('%s is refused', async (_what, more) => {
    const KeyId = await kms.key();
    const asked = {
      KeyId,
      GranteeServicePrincipal: BACKUP.principal,
      RetiringServicePrincipal: BACKUP.principal,
      Operations: ['Decrypt'],
      Constraints: { SourceArn: SOURCE },
      ...more,
    };
    expect((await fails('CreateGrant', asked))[0]).toBe('ValidationException');
    expect(await ok('ListGrants', { KeyId })).toMatchObject({ Grants: [] });
  });

  test('The name of a service is no GranteePrincipal', async () => {
    const KeyId = await kms.key();
    const asked = { KeyId, GranteePrincipal: BACKUP.principal, Operations: ['Decrypt'] };
    expect((await fails('CreateGrant', asked))[0]).toBe('InvalidArnException');
  });
});

test('Conditions look at what a grant would be for, and at what one that is retired is for', async () => {
  const KeyId = await kms.key();
  const grantOf = (Constraints: object, more: object = {}): object => ({
    ...{ KeyId, GranteePrincipal: BOB.principal, Operations: ['Decrypt'], Constraints, ...more },
  });
  expect(await by(BOB, 'CreateGrant', grantOf({ EncryptionContextEquals: { tenant: 'a' } }))).toBe(200);
  const forB = grantOf({ EncryptionContextEquals: { tenant: 'b' } });
  expect(await by(BOB, 'CreateGrant', forB)).toBe('AccessDeniedException');
  const secret = `arn:aws:dynamodb:eu-central-1:${ACCOUNT}:table/secret`;
  expect(await by(BOB, 'CreateGrant', grantOf({ SourceArn: secret }))).toBe('AccessDeniedException');
  expect(await by(BOB, 'CreateGrant', grantOf({ SourceArn: SOURCE }))).toBe(200);
  const bad = { GranteePrincipal: undefined, RetiringServicePrincipal: 'good.example.com' };
  const toBad = grantOf({ SourceArn: SOURCE }, { ...bad, GranteeServicePrincipal: 'bad.example.com' });
  expect(await by(BOB, 'CreateGrant', toBad)).toBe('AccessDeniedException');
  const byBad = grantOf({}, { RetiringServicePrincipal: 'bad.example.com' });
  expect(await by(BOB, 'CreateGrant', byBad)).toBe('AccessDeniedException');
  const { GrantId } = await ok('CreateGrant', forB);
  expect(await by(BOB, 'RetireGrant', { KeyId, GrantId })).toBe('AccessDeniedException');
});

test('A key policy names a service, and the resource it asks for', async () => {
  const KeyId = await kms.key();
  const Condition = { StringEquals: { 'aws:SourceArn': SOURCE, 'aws:SourceAccount': ACCOUNT } };
  const toBackup = allow({ Principal: { Service: BACKUP.principal }, Condition });
  await ok('PutKeyPolicy', { KeyId, Policy: document(toBackup, allow({ Principal: { AWS: ACCOUNT } })) });
  const asked = { KeyId, NumberOfBytes: 32 };
  const headers = { 'x-amz-source-arn': SOURCE, 'x-amz-source-account': ACCOUNT };
  expect((await kms.call('GenerateDataKey', asked, { credentials: BACKUP, headers })).status).toBe(200);
  expect(await by(BACKUP, 'GenerateDataKey', asked, SOURCE)).toBe('AccessDeniedException');
  expect((await kms.call('GenerateDataKey', asked, { credentials: BOB, headers })).status).toBe(400);
  // Never what no other account's caller may.
  const denied = await kms.call('ScheduleKeyDeletion', { KeyId }, { credentials: BACKUP, headers });
  expect(denied.json).toMatchObject({ __type: 'AccessDeniedException' });
});
