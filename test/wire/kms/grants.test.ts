/** Grants and key policies over the wire: names, texts and members as AWS has them, and in force at once. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allow, document } from '../../support/keys/access.ts';
import { arn, base64, HEX64, SECONDS, callsOf, type Json } from '../../support/kms/calls.ts';
import { ACCOUNT, CALLER, startKms, type TestKms } from '../../support/kms/edge.ts';

const principal = (name: string): string => `arn:aws:iam::${ACCOUNT}:user/${name}`;
const BOB = { accessKeyId: 'KMSBOB', secretAccessKey: 'the secret of bob', principal: principal('bob') };
const CONTEXT = { tenant: 'a' };

let kms: TestKms;
beforeAll(async () => {
  const policies = [{ name: 'admin', document: document(allow()) }];
  kms = await startKms({
    accessKeys: [CALLER, BOB],
    access: {
      identities: [{ arn: CALLER.principal, policies }],
      organizationPolicies: [],
      unlistedStorageCallers: 'use-keys',
      grantsCrossAccounts: false,
    },
  });
});
afterAll(() => kms[Symbol.asyncDispose]());
const { ok, fails } = callsOf(() => kms);

async function byBob(action: string, input: object): Promise<readonly unknown[]> {
  const { json, status } = await kms.call(action, input, { credentials: BOB });
  return status === 200 ? [200] : [json?.['__type'], json?.['message']];
}

const grantTo = (KeyId: string, more: object = {}): Promise<Json> =>
  ok('CreateGrant', { KeyId, GranteePrincipal: BOB.principal, Operations: ['GenerateDataKey', 'Decrypt'], ...more });

describe('a grant', () => {
  test('lets its grantee at once, and no longer once it is revoked', async () => {
    const KeyId = await kms.key();
    const asked = { KeyId, NumberOfBytes: 32, EncryptionContext: CONTEXT };
    expect(await byBob('GenerateDataKey', asked)).toEqual([
      'AccessDeniedException',
      `User: ${BOB.principal} is not authorized to perform: kms:GenerateDataKey on resource: ${arn(`key/${KeyId}`)} because no identity-based policy allows the kms:GenerateDataKey action`,
    ]);
    const { GrantId, GrantToken } = await grantTo(KeyId, { Constraints: { EncryptionContextSubset: CONTEXT } });
    expect(GrantId).toEqual(HEX64);
    expect(await byBob('GenerateDataKey', asked)).toEqual([200]);
    expect(await byBob('GenerateDataKey', { ...asked, GrantTokens: [GrantToken] })).toEqual([200]);
    expect((await byBob('GenerateDataKey', { KeyId, NumberOfBytes: 32 }))[0]).toBe('AccessDeniedException');
    expect((await byBob('GenerateDataKey', { ...asked, GrantTokens: ['AQpA'] }))[0]).toBe('InvalidGrantTokenException');
    const { KeyId: key, CiphertextBlob } = await ok('Encrypt', {
      KeyId,
      Plaintext: base64('x'),
      EncryptionContext: CONTEXT,
    });
    expect(key).toBe(arn(`key/${KeyId}`));
    expect(await byBob('Decrypt', { CiphertextBlob, EncryptionContext: CONTEXT })).toEqual([200]);
    expect((await kms.call('RevokeGrant', { KeyId, GrantId })).text).toBe('');
    expect((await byBob('GenerateDataKey', asked))[0]).toBe('AccessDeniedException');
    expect(await byBob('Decrypt', { CiphertextBlob, EncryptionContext: CONTEXT })).toEqual([
      'AccessDeniedException',
      'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.',
    ]);
  });

  test('is listed with exactly the members of AWS, page by page', async () => {
    const KeyId = await kms.key();
    const { GrantId } = await grantTo(KeyId, {
      Name: 'n',
      RetiringPrincipal: BOB.principal,
      Constraints: { EncryptionContextEquals: CONTEXT },
    });
    const { GrantId: second } = await grantTo(KeyId);
    const entry = {
      KeyId: arn(`key/${KeyId}`),
      GrantId,
      Name: 'n',
      CreationDate: SECONDS,
      GranteePrincipal: BOB.principal,
      RetiringPrincipal: BOB.principal,
      IssuingAccount: `arn:aws:iam::${ACCOUNT}:root`,
      Operations: ['Decrypt', 'GenerateDataKey'],
      Constraints: { EncryptionContextEquals: CONTEXT },
    };
    expect(await ok('ListGrants', { KeyId, GrantId })).toEqual({ Grants: [entry], Truncated: false });
    expect(await ok('ListRetirableGrants', { RetiringPrincipal: BOB.principal })).toEqual({
      Grants: [entry],
      Truncated: false,
    });
    const { RetiringPrincipal: _retiring, Constraints: _constraints, ...plain } = entry;
    expect(await ok('ListGrants', { KeyId, GrantId: second })).toEqual({
      Grants: [{ ...plain, GrantId: second, Name: '' }],
      Truncated: false,
    });
    const first = await ok('ListGrants', { KeyId, Limit: 1 });
    expect(first).toMatchObject({ Truncated: true });
    const rest = await ok('ListGrants', { KeyId, Limit: 1, Marker: first['NextMarker'] });
    const ids = [first, rest].flatMap(({ Grants }) => (Grants as { GrantId: string }[]).map((grant) => grant.GrantId));
    expect(ids.sort()).toEqual([GrantId, second].sort());
    for (const forged of ['x', 'grants:', 'grants:zz', `grants:${'a'.repeat(63)}`, `keys:${GrantId as string}`]) {
      const Marker = forged === 'x' ? forged : Buffer.from(forged).toString('base64url');
      expect((await fails('ListGrants', { KeyId, Marker }))[0], forged).toBe('InvalidMarkerException');
    }
  });

  test('is retired by whom it says, by token or by id', async () => {
    const KeyId = await kms.key();
    const { GrantId } = await grantTo(KeyId);
    expect((await byBob('RetireGrant', { KeyId, GrantId }))[0]).toBe('AccessDeniedException');
    const { GrantToken } = await grantTo(KeyId, { RetiringPrincipal: BOB.principal });
    expect((await byBob('RetireGrant', { GrantToken, DryRun: true }))[0]).toBe('DryRunOperationException');
    expect(await byBob('RetireGrant', { GrantToken })).toEqual([200]);
    expect((await byBob('RetireGrant', { GrantToken }))[0]).toBe('InvalidGrantTokenException');
    for (const input of [{}, { KeyId }, { GrantId }, { KeyId, GrantId, GrantToken }])
      expect((await fails('RetireGrant', input))[0]).toBe('ValidationException');
  });

  test('of a name is made once', async () => {
    const KeyId = await kms.key();
    const [one, two] = [await grantTo(KeyId, { Name: 'once' }), await grantTo(KeyId, { Name: 'once' })];
    expect(two['GrantId']).toBe(one['GrantId']);
    expect(two['GrantToken']).not.toBe(one['GrantToken']);
  });

  test.each<[string, object, string]>([
    ['an unknown operation', { Operations: ['PutKeyPolicy'] }, 'ValidationException'],
    ['an operation of another kind of key', { Operations: ['Sign'] }, 'ValidationException'],
    ['no operation', { Operations: [] }, 'ValidationException'],
    ['a name with a space', { Name: 'a b' }, 'ValidationException'],
    ['a principal with a space', { GranteePrincipal: 'a b' }, 'ValidationException'],
    ['a group as grantee', { GranteePrincipal: `arn:aws:iam::${ACCOUNT}:group/g` }, 'InvalidArnException'],
    [
      'both constraints',
      { Constraints: { EncryptionContextSubset: CONTEXT, EncryptionContextEquals: CONTEXT } },
      'ValidationException',
    ],
    ['a key that is not there', { KeyId: '00000000-0000-4000-8000-000000000000' }, 'NotFoundException'],
    ['a dry run', { DryRun: true }, 'DryRunOperationException'],
  ])('with %s is refused', async (_what, more, expected) => {
    const KeyId = await kms.key();
    const request = { KeyId, GranteePrincipal: BOB.principal, Operations: ['Decrypt'], ...more };
    expect((await fails('CreateGrant', request))[0]).toBe(expected);
    expect(await ok('ListGrants', { KeyId })).toMatchObject({ Grants: [] });
  });

  test('Grants take no alias, and an id that is none is told from one that is not there', async () => {
    const KeyId = await kms.key();
    await ok('CreateAlias', { AliasName: 'alias/granted', TargetKeyId: KeyId });
    expect((await fails('ListGrants', { KeyId: 'alias/granted' }))[0]).toBe('NotFoundException');
    expect((await fails('RevokeGrant', { KeyId, GrantId: 'x' }))[0]).toBe('InvalidGrantIdException');
    expect((await fails('RevokeGrant', { KeyId, GrantId: 'a'.repeat(64) }))[0]).toBe('NotFoundException');
  });
});

describe('a key policy', () => {
  test('that is none, or locks its maker out, is refused by its name', async () => {
    const KeyId = await kms.key();
    expect((await fails('PutKeyPolicy', { KeyId, Policy: '{}' }))[0]).toBe('MalformedPolicyDocumentException');
    const Policy = document(allow({ Principal: { AWS: BOB.principal } }));
    expect(await fails('PutKeyPolicy', { KeyId, Policy })).toEqual([
      'MalformedPolicyDocumentException',
      'The new key policy will not allow you to update the key policy in the future.',
    ]);
    await ok('PutKeyPolicy', { KeyId, Policy, BypassPolicyLockoutSafetyCheck: true });
    expect((await fails('DescribeKey', { KeyId }))[0]).toBe('AccessDeniedException');
    expect(await byBob('DescribeKey', { KeyId })).toEqual([200]);
  });
});
