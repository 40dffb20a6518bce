/** Settings of sealed objects and their buckets at a backend that knows few of them: nothing is lost by asking. */
import { randomBytes } from 'node:crypto';
import {
  DeleteBucketOwnershipControlsCommand,
  DeleteObjectTaggingCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  ListObjectVersionsCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUCKET, startBackend, startSealed, type Backend, type SealedSetup } from '../../support/s3/sealed.ts';

describe('Sealed buckets in front of s3rver', () => {
  let backend: Backend;
  let setup: SealedSetup;
  beforeAll(async () => {
    const started = await startBackend('s3rver');
    if (typeof started === 'string') throw new Error(started);
    backend = started;
    setup = await startSealed(backend);
  });
  afterAll(async () => {
    await setup.close();
    await backend.close();
  });

  const Bucket = BUCKET;
  const nameOf = (run: Promise<unknown>): Promise<string> =>
    run.then(
      () => 'ok',
      (error: { name: string }) => error.name,
    );

  test('no setting of an object reads, overwrites or deletes the object', async () => {
    const [client] = setup.clients;
    const Key = 'k';
    const Body = randomBytes(3_000);
    await client.send(new PutObjectCommand({ Bucket, Key, Body }));
    const Tagging = { TagSet: [{ Key: 'a', Value: '1' }] };
    const names = [
      await nameOf(client.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging }))),
      await nameOf(client.send(new GetObjectTaggingCommand({ Bucket, Key }))),
      await nameOf(client.send(new DeleteObjectTaggingCommand({ Bucket, Key }))),
      await nameOf(client.send(new PutObjectAclCommand({ Bucket, Key, ACL: 'private' }))),
      await nameOf(client.send(new PutObjectLegalHoldCommand({ Bucket, Key, LegalHold: { Status: 'ON' } }))),
      await nameOf(client.send(new PutObjectRetentionCommand({ Bucket, Key, Retention: { Mode: 'GOVERNANCE' } }))),
    ];
    expect(names.filter((one) => one !== 'ok' && one !== 'NotImplemented')).toEqual([]);
    for (const one of [Key, 'none']) {
      await nameOf(client.send(new PutObjectTaggingCommand({ Bucket, Key: one, Tagging })));
      await nameOf(client.send(new DeleteObjectTaggingCommand({ Bucket, Key: one })));
    }
    const read = await client.send(new GetObjectCommand({ Bucket, Key }));
    expect(Buffer.from((await read.Body?.transformToByteArray()) ?? []).equals(Body)).toBe(true);
    expect(await nameOf(client.send(new GetObjectCommand({ Bucket, Key: 'none' })))).toBe('NoSuchKey');
  });

  test('no setting of a bucket deletes it or lists it', async () => {
    const [client] = setup.clients;
    const names = [
      await nameOf(client.send(new DeleteBucketOwnershipControlsCommand({ Bucket }))),
      await nameOf(
        client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } })),
      ),
      await nameOf(client.send(new ListObjectVersionsCommand({ Bucket }))),
      await nameOf(client.send(new PutBucketPolicyCommand({ Bucket, Policy: '{}' }))),
    ];
    expect(names).toEqual(['NotImplemented', 'NotImplemented', 'MethodNotAllowed', 'NotImplemented']);
    expect(await nameOf(client.send(new HeadBucketCommand({ Bucket })))).toBe('ok');
  });
});
