/** Keys of our services over the wire: nobody says from outside that a service asks, and another Sealgate is no service of ours. */
import { expect, test } from 'vitest';
import type { AccessOptions } from '../../../src/keys/access/options.ts';
import type { KeyUse } from '../../../src/keys/uses/data-keys.ts';
import { KmsClient } from '../../../src/kms/client/kms-client.ts';
import { fixedCredentials } from '../../../src/sigv4/credentials.ts';
import { allow, document } from '../../support/keys/access.ts';
import { keyFolder } from '../../support/keys/keys.ts';
import { ACCOUNT, CALLER, REGION, startKms } from '../../support/kms/edge.ts';

const S3 = 'alias/aws/s3';
const context = Object.freeze({ 'aws:s3:arn': 'arn:aws:s3:::b/k' });
const viaS3 = (account: string): KeyUse => ({
  principal: `arn:aws:iam::${account}:user/app`,
  via: 's3',
  resource: 's3://b/k',
});
/** Whoever asks may everything that a key policy leaves to the account. */
const ACCESS: AccessOptions = {
  identities: [{ arn: CALLER.principal, policies: [{ name: 'all', document: document(allow()) }] }],
  organizationPolicies: [],
  unlistedStorageCallers: 'use-keys',
  grantsCrossAccounts: false,
};

test('Headers and members that name a service are no service', async () => {
  await using kms = await startKms({ access: ACCESS });
  const { wrapped } = await kms.keys.generateDataKey({ keyId: S3, context }, viaS3(ACCOUNT));
  const service = `s3.${REGION}.amazonaws.com`;
  const headers = {
    'kms-viaservice': service,
    'x-amz-via-service': service,
    'x-amz-source-service': 's3.amazonaws.com',
    'x-amz-source-account': ACCOUNT,
    'aws-calledvia': 's3.amazonaws.com',
    'user-agent': 's3.amazonaws.com',
    'x-forwarded-for': '127.0.0.1',
  };
  const claims = { ViaService: service, 'kms:ViaService': service, via: 's3' };
  const asked = {
    GenerateDataKey: { KeyId: S3, KeySpec: 'AES_256' },
    Encrypt: { KeyId: S3, Plaintext: 'eA==' },
    Decrypt: { KeyId: S3, CiphertextBlob: Buffer.from(wrapped).toString('base64'), EncryptionContext: context },
    'Sealgate.BatchGenerateDataKey': { Entries: [{ KeyId: S3, KeySpec: 'AES_256', ...claims }] },
  };
  for (const [action, input] of Object.entries(asked)) {
    const { text } = await kms.call(action, { ...input, ...claims }, { headers });
    expect([action, text]).toEqual([action, expect.stringContaining('AccessDeniedException')]);
  }
});

test('A Sealgate that asks from afar, on behalf of its S3 clients, is refused as any other client', async () => {
  await using far = await startKms({ access: ACCESS });
  await using folder = await keyFolder({ access: ACCESS });
  const remote = new KmsClient({
    endpoint: new URL(far.url),
    ...{ region: REGION, credentials: fixedCredentials(CALLER), timeoutMs: 60_000, now: Date.now },
  });
  const near = await folder.open({}, { remote });
  const use = viaS3('000000000000');
  // It may look, and by looking makes the key, as on AWS.
  expect(await near.resolveKey(S3)).toMatch(/^arn:aws:kms:.*:key\//u);
  await expect(near.generateDataKey({ keyId: S3, context }, use)).rejects.toMatchObject({
    code: 'ERR_KEYS_ACCESS_DENIED',
  });
  const { wrapped } = await far.keys.generateDataKey({ keyId: S3, context }, viaS3(ACCOUNT));
  await expect(near.decrypt({ wrapped, context }, use)).rejects.toMatchObject({ code: 'ERR_KEYS_ACCESS_DENIED' });
  // Of its own it makes none while its keys are elsewhere.
  expect(await near.listKeys({ ...use, via: 'cli' })).toEqual([]);
});
