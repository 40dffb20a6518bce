/** Names of keys as a caller of another account gives them: an id or alias by itself is one of its own account, as on AWS. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allow, deny, document } from '../../support/keys/access.ts';
import { ACCOUNT, CALLER, REGION, startKms, type TestKms } from '../../support/kms/edge.ts';

const ELSEWHERE = '444455556666';
const AWAY = { accessKeyId: 'KMSAWAY', secretAccessKey: 'away', principal: `arn:aws:iam::${ELSEWHERE}:user/away` };
const DENIED = {
  accessKeyId: 'KMSDENIED',
  secretAccessKey: 'denied',
  principal: `arn:aws:iam::${ELSEWHERE}:user/denied`,
};
const SERVICE = { accessKeyId: 'KMSSERVICE', secretAccessKey: 'service', principal: 'backup.example.com' };
const UNKNOWN = '11111111-2222-3333-4444-555555555555';
const arn = (account: string, resource: string): string => `arn:aws:kms:${REGION}:${account}:${resource}`;

let kms: TestKms;
let keyId: string;

beforeAll(async () => {
  const policies = [{ name: 'all', document: document(allow()) }];
  kms = await startKms({
    accessKeys: [CALLER, AWAY, DENIED, SERVICE],
    access: {
      identities: [
        ...[CALLER, AWAY].map(({ principal }) => ({ arn: principal, policies })),
        { arn: DENIED.principal, policies: [{ name: 'none', document: document(deny()) }] },
      ],
      organizationPolicies: [],
      unlistedStorageCallers: 'nothing',
      grantsCrossAccounts: false,
    },
  });
  keyId = await kms.key();
  await kms.call('CreateAlias', { AliasName: 'alias/shared', TargetKeyId: keyId });
  const everybody = allow({ Principal: { AWS: [ACCOUNT, ELSEWHERE], Service: SERVICE.principal } });
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [everybody] });
  expect((await kms.call('PutKeyPolicy', { KeyId: keyId, PolicyName: 'default', Policy })).status).toBe(200);
});
afterAll(() => kms[Symbol.asyncDispose]());

async function answer(action: string, input: object, credentials = AWAY): Promise<unknown> {
  const { status, json } = await kms.call(action, input, { credentials });
  return status === 200 ? 200 : [json?.['__type'], json?.['message']];
}
const noKey = (name: string) => ['NotFoundException', `Key '${arn(ELSEWHERE, `key/${name}`)}' does not exist`];
const noAlias = (name: string) => ['NotFoundException', `Alias ${arn(ELSEWHERE, name)} is not found.`];

const notShared = (action: string, { principal } = AWAY) => [
  'AccessDeniedException',
  `User: ${principal} is not authorized to perform: kms:${action} on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access`,
];

test('An id or alias alone is one of the caller’s account, whether there is one here or not', async () => {
  for (const name of [keyId, UNKNOWN])
    expect(await answer('Encrypt', { KeyId: name, Plaintext: 'AA==' })).toEqual(noKey(name));
  for (const name of ['alias/shared', 'alias/none'])
    expect(await answer('DescribeKey', { KeyId: name })).toEqual(noAlias(name));
  expect((await answer('DescribeKey', { KeyId: 'no key' })) as string[]).toContain('NotFoundException');
});

test('By ARN the key is found, of its account and no other, and in every place of an action', async () => {
  const KeyId = arn(ACCOUNT, `key/${keyId}`);
  for (const name of [KeyId, arn(ACCOUNT, 'alias/shared')])
    expect(await answer('Encrypt', { KeyId: name, Plaintext: 'AA==' })).toBe(200);
  expect(await answer('DescribeKey', { KeyId: arn(ELSEWHERE, `key/${keyId}`) })).toEqual(noKey(keyId));
  const { json } = await kms.call('Encrypt', { KeyId, Plaintext: 'AA==' });
  const source = { CiphertextBlob: json?.['CiphertextBlob'] };
  expect(await answer('Decrypt', source)).toBe(200);
  expect(await answer('Decrypt', { ...source, KeyId: keyId })).toEqual(noKey(keyId));
  expect(await answer('ReEncrypt', { ...source, DestinationKeyId: KeyId })).toBe(200);
  expect(await answer('ReEncrypt', { ...source, DestinationKeyId: keyId })).toEqual(noKey(keyId));
  const both = { ...source, SourceKeyId: keyId, DestinationKeyId: KeyId };
  expect(await answer('ReEncrypt', both)).toEqual(noKey(keyId));
});

test('Of a key that is not shared it is told nothing else than of one that is not there', async () => {
  const hidden = await kms.key();
  await kms.call('CreateAlias', { AliasName: 'alias/hidden', TargetKeyId: hidden });
  const { json } = await kms.call('Encrypt', { KeyId: keyId, Plaintext: 'AA==' });
  const shared = { CiphertextBlob: json?.['CiphertextBlob'] };
  const asked: readonly [string, string, (name: string) => object][] = [
    ['DescribeKey', 'DescribeKey', (KeyId) => ({ KeyId })],
    ['Encrypt', 'Encrypt', (KeyId) => ({ KeyId, Plaintext: 'AA==' })],
    ['GenerateDataKey', 'GenerateDataKey', (KeyId) => ({ KeyId, KeySpec: 'AES_256' })],
    ['DisableKey', 'DisableKey', (KeyId) => ({ KeyId })],
    ['ListGrants', 'ListGrants', (KeyId) => ({ KeyId })],
    ['ReEncrypt', 'ReEncryptTo', (DestinationKeyId) => ({ ...shared, DestinationKeyId })],
  ];
  for (const [action, permission, input] of asked)
    for (const name of [`key/${hidden}`, `key/${UNKNOWN}`])
      expect.soft(await answer(action, input(arn(ACCOUNT, name)))).toEqual(notShared(permission));
  for (const name of ['alias/hidden', 'alias/none'])
    expect.soft(await answer('DescribeKey', { KeyId: arn(ACCOUNT, name) })).toEqual(notShared('DescribeKey'));
  const same = (name: string) => ({ ...shared, SourceKeyId: arn(ACCOUNT, name), DestinationKeyId: arn(ACCOUNT, name) });
  const grant = { GranteePrincipal: CALLER.principal, Operations: ['Decrypt'] };
  const { json: granted } = await kms.call('CreateGrant', { KeyId: hidden, ...grant });
  const GrantId = granted?.['GrantId'];
  const unknownGrant = 'f'.repeat(64);
  for (const name of [`key/${hidden}`, `key/${UNKNOWN}`]) {
    const KeyId = arn(ACCOUNT, name);
    for (const id of [GrantId, unknownGrant])
      expect.soft(await answer('RetireGrant', { KeyId, GrantId: id })).toEqual(notShared('RetireGrant'));
    expect
      .soft(await answer('RetireGrant', { KeyId, GrantId: 'no grant' }))
      .toEqual(expect.arrayContaining(['InvalidGrantIdException']));
    expect.soft(await answer('ReEncrypt', same(name))).toEqual(notShared('ReEncryptFrom'));
    expect.soft(await answer('Decrypt', { ...shared, KeyId })).toEqual(notShared('Decrypt'));
    expect.soft(await answer('DescribeKey', { KeyId }, DENIED)).toEqual(notShared('DescribeKey', DENIED));
  }
  for (const AliasName of ['alias/hidden', 'alias/none']) {
    expect.soft(await answer('DeleteAlias', { AliasName })).toEqual(noAlias(AliasName));
    expect.soft(await answer('UpdateAlias', { AliasName, TargetKeyId: keyId })).toEqual(noAlias(AliasName));
  }
  const others = await kms.call('Encrypt', { KeyId: hidden, Plaintext: 'AA==' });
  expect(await answer('Decrypt', { CiphertextBlob: others.json?.['CiphertextBlob'] })).toEqual([
    'AccessDeniedException',
    'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.',
  ]);
  const unknown = { KeyId: UNKNOWN };
  expect(await answer('DescribeKey', unknown, CALLER)).toEqual([
    'NotFoundException',
    `Key '${arn(ACCOUNT, `key/${UNKNOWN}`)}' does not exist`,
  ]);
});

test('Who is of the account, and a service, which is of none, give what they like', async () => {
  for (const credentials of [CALLER, SERVICE])
    for (const name of [keyId, 'alias/shared'])
      expect(await answer('Encrypt', { KeyId: name, Plaintext: 'AA==' }, credentials)).toBe(200);
});
