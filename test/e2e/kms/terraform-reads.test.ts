/**
 * What today's aws provider of Terraform asks besides the older one that runs in `kms-terraform.test.ts`: it reads every attribute back for
 * each kind of key, and takes a key for deleted by an error's text.
 */
import {
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyRotationCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  KMSInvalidStateException,
  ListResourceTagsCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KMS_ACCOUNT, startKms, type RunningKms } from '../../support/kms/installation.ts';

let kms: RunningKms;
beforeAll(async () => {
  kms = await startKms();
});
afterAll(() => kms.close());

test.each([
  ['SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT'],
  ['HMAC_256', 'GENERATE_VERIFY_MAC'],
  ['RSA_2048', 'ENCRYPT_DECRYPT'],
  ['ECC_NIST_P256', 'SIGN_VERIFY'],
  ['ML_DSA_44', 'SIGN_VERIFY'],
] as const)('rotation, policy and tags of a key of %s can be read, disabled or not', async (KeySpec, KeyUsage) => {
  const Tags = [{ TagKey: 'team', TagValue: 'shop' }];
  const KeyId = await kms.createKey({ KeySpec, KeyUsage, Tags });
  const read = async (): Promise<unknown> => [
    (await kms.client.send(new GetKeyRotationStatusCommand({ KeyId }))).KeyRotationEnabled,
    (await kms.client.send(new ListResourceTagsCommand({ KeyId }))).Tags,
    (await kms.client.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }))).PolicyName,
  ];
  expect(await read()).toEqual([false, Tags, 'default']);
  await kms.client.send(new DisableKeyCommand({ KeyId }));
  expect(await read()).toEqual([false, Tags, 'default']);
});

test('a policy reads back as it was given, and a rotation period at once', async () => {
  const principal = { AWS: [`arn:aws:iam::${KMS_ACCOUNT}:root`] };
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Id: 'of terraform',
    Statement: [{ Sid: 'all', Effect: 'Allow', Principal: principal, Action: ['kms:*'], Resource: ['*'] }],
  });
  const KeyId = await kms.createKey({ Policy });
  const given = await kms.client.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }));
  expect(JSON.parse(given.Policy ?? '')).toEqual(JSON.parse(Policy));
  await kms.client.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }));
  expect(await kms.client.send(new GetKeyRotationStatusCommand({ KeyId }))).toMatchObject({
    KeyRotationEnabled: true,
    RotationPeriodInDays: 90,
  });
});

test('a key that is pending deletion says so, in the words that mean it is gone', async () => {
  const KeyId = await kms.createKey();
  await kms.client.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
  const again = kms.client.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
  await expect(again).rejects.toThrow(KMSInvalidStateException);
  await expect(again).rejects.toThrow(/is pending deletion/u);
  const { KeyMetadata } = await kms.client.send(new DescribeKeyCommand({ KeyId }));
  expect(KeyMetadata).toMatchObject({ KeyState: 'PendingDeletion', Enabled: false });
});
