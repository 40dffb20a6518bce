/** The default encryption of buckets that a rule seals: said by the rule, and changed by nobody else. */
import {
  CreateBucketCommand,
  DeleteBucketEncryptionCommand,
  GetBucketEncryptionCommand,
  PutBucketEncryptionCommand,
  PutObjectCommand,
  type S3Client,
  type ServerSideEncryptionRule,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startS3rver } from '../../support/s3/s3rver.ts';
import { BUCKET, startSealed, type Backend, type SealedSetup } from '../../support/s3/sealed.ts';

describe('The default encryption of a sealed bucket', () => {
  let backend: Backend;
  let setup: SealedSetup;
  let other: SealedSetup;
  let keyArn: string;

  beforeAll(async () => {
    backend = await startS3rver({ buckets: [BUCKET] });
    setup = await startSealed(backend);
    other = await startSealed(backend, undefined, undefined, {
      rule: { shownAs: 'AES256', customerKeys: 'block' },
      options: { customerKeysWithoutTls: true },
    });
    keyArn = await setup.manager.resolveKey('alias/a');
  });
  afterAll(async () => {
    await setup.close();
    await other.close();
    await backend.close();
  });

  const get = async (client: S3Client): Promise<readonly ServerSideEncryptionRule[] | undefined> =>
    (await client.send(new GetBucketEncryptionCommand({ Bucket: BUCKET }))).ServerSideEncryptionConfiguration?.Rules;
  const put = (client: S3Client, ...Rules: ServerSideEncryptionRule[]) =>
    client.send(new PutBucketEncryptionCommand({ Bucket: BUCKET, ServerSideEncryptionConfiguration: { Rules } })).then(
      () => 'ok',
      (error: { name: string; message: string }) => `${error.name}: ${error.message}`,
    );
  const byKms = (KMSMasterKeyID?: string) => ({
    ApplyServerSideEncryptionByDefault: {
      SSEAlgorithm: 'aws:kms',
      ...(KMSMasterKeyID === undefined ? {} : { KMSMasterKeyID }),
    } as const,
  });

  test('is what the rule says, and what is put is what is got', async () => {
    const [client] = setup.clients;
    const said = { ...byKms(keyArn), BucketKeyEnabled: false, BlockedEncryptionTypes: { EncryptionType: ['NONE'] } };
    expect(await get(client)).toEqual([said]);
    for (const rule of [
      said as ServerSideEncryptionRule,
      byKms(keyArn),
      byKms('alias/a'),
      byKms(keyArn.split('/')[1]),
      byKms(),
      { BlockedEncryptionTypes: { EncryptionType: ['NONE'] } } as ServerSideEncryptionRule,
    ])
      expect(await put(client, rule)).toBe('ok');
    await client.send(new DeleteBucketEncryptionCommand({ Bucket: BUCKET }));
    expect(await get(client)).toEqual([said]);
  });

  test('is not changed to anything else, and the refusal says what it is', async () => {
    const [client] = setup.clients;
    for (const rule of [
      { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } },
      { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms:dsse', KMSMasterKeyID: keyArn } },
      byKms('alias/b'),
      { ...byKms(keyArn), BucketKeyEnabled: true },
      { ...byKms(keyArn), BlockedEncryptionTypes: { EncryptionType: ['SSE-C'] } },
    ] satisfies ServerSideEncryptionRule[]) {
      const answer = await put(client, rule);
      expect(answer).toContain('AccessDenied');
      expect(answer).toContain(`aws:kms with the key ${keyArn}, bucket keys not enabled, blocked: NONE`);
    }
    expect(await put(client)).toContain('MalformedXML');
    expect(await put(client, byKms(), byKms())).toContain('MalformedXML');
    const aes = { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256', KMSMasterKeyID: 'x' } } as const;
    expect(await put(client, aes)).toContain('a KMSMasterKeyID is not applicable');
  });

  test('may be shown as AES256, with customers’ keys blocked', async () => {
    const [client] = other.clients;
    const said = {
      ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' },
      BucketKeyEnabled: false,
      BlockedEncryptionTypes: { EncryptionType: ['SSE-C'] },
    } as const;
    expect(await get(client)).toEqual([said]);
    expect(await put(client, { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } })).toBe('ok');
    expect(await put(client, byKms())).toContain('AccessDenied');
    const plain = await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'a', Body: 'x' }));
    expect(plain.ServerSideEncryption).toBe('AES256');
    const kms = { Bucket: BUCKET, Key: 'a', Body: 'x', ServerSideEncryption: 'aws:kms' } as const;
    expect((await client.send(new PutObjectCommand(kms))).ServerSideEncryption).toBe('aws:kms');
    const SSECustomerKey = Buffer.alloc(32, 1).toString('base64');
    const blocked = { Bucket: BUCKET, Key: 'a', Body: 'x', SSECustomerAlgorithm: 'AES256', SSECustomerKey } as const;
    await expect(client.send(new PutObjectCommand(blocked))).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining('blocked upload requests') as string,
    });
  });

  test('of a bucket that is not there is not told', async () => {
    const [client] = setup.clients;
    const gone = await startSealed(backend, undefined, undefined, { bucket: '*' });
    try {
      const Bucket = 'not-there';
      await expect(gone.clients[0].send(new GetBucketEncryptionCommand({ Bucket }))).rejects.toMatchObject({
        name: 'NoSuchBucket',
      });
      await gone.clients[0].send(new CreateBucketCommand({ Bucket }));
      expect(await gone.clients[0].send(new GetBucketEncryptionCommand({ Bucket }))).toHaveProperty(
        'ServerSideEncryptionConfiguration',
      );
      await expect(client.send(new GetBucketEncryptionCommand({ Bucket }))).rejects.toBeDefined();
    } finally {
      await gone.close();
    }
  });
});
