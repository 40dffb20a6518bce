/** What S3's error documents say beside code and message, as a client reads it: which key, bucket, version, upload or part was meant. */
import { randomBytes } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  UploadPartCommand,
  type ObjectAttributes,
  type Tag,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { BUCKET } from '../../support/s3/sealed.ts';
import { sealedOnRadosgw } from '../../support/s3/in-front-of.ts';

const sealed = sealedOnRadosgw();
const client = () => sealed.setup.clients[0];
const MIB = 1024 * 1024;

/** The error's own members, without those of the answer. */
async function refusal(run: Promise<unknown>): Promise<Record<string, unknown>> {
  const error: unknown = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error('it was not refused');
  const {
    RequestId: _id,
    HostId: _host,
    Resource: _resource,
    Message: _message,
    ...members
  } = { ...error } as Record<string, unknown>;
  const told = Object.entries(members).filter(([name]) => /^[A-Z]/u.test(name) && name !== 'Code' && name !== 'Type');
  return { name: error.name, ...Object.fromEntries(told) };
}

const get = (more: object) => client().send(new GetObjectCommand({ Bucket: BUCKET, Key: 'none', ...more }));

test('a key, a version and a bucket that are not there are named', async () => {
  expect(await refusal(get({ Key: 'a <b> & ü' }))).toEqual({ name: 'NoSuchKey', Key: 'a <b> & ü' });
  expect(await refusal(get({ Bucket: 'no-such-bucket' }))).toEqual({
    name: 'NoSuchBucket',
    BucketName: 'no-such-bucket',
  });
  // That one the storage named; of this one it is never asked.
  expect(await refusal(get({ Bucket: 'of-an-access-point-s3alias' }))).toEqual({
    name: 'InvalidBucketName',
    BucketName: 'of-an-access-point-s3alias',
  });
  expect(
    await refusal(
      client().send(new GetObjectAttributesCommand({ Bucket: BUCKET, Key: 'none', ObjectAttributes: ['ETag'] })),
    ),
  ).toEqual({ name: 'NoSuchKey', Key: 'none' });
});

test('of a copy it is not said which of its two objects is missing', async () => {
  const copy = new CopyObjectCommand({ Bucket: BUCKET, Key: 'copy', CopySource: `${BUCKET}/none` });
  expect(await refusal(client().send(copy))).toEqual({ name: 'NoSuchKey' });
});

test('a version that is not there is not a key that is not there, also of a copy', async () => {
  const object = { Bucket: BUCKET, Key: 'of-versions' };
  await client().send(new PutObjectCommand({ ...object, Body: 'x' }));
  const VersionId = '3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY';
  expect(await refusal(get({ ...object, VersionId }))).toEqual({ name: 'NoSuchVersion', Key: object.Key, VersionId });
  const CopySource = `${BUCKET}/${object.Key}?versionId=${encodeURIComponent(VersionId)}`;
  expect(await refusal(client().send(new CopyObjectCommand({ Bucket: BUCKET, Key: 'copy', CopySource })))).toEqual({
    name: 'NoSuchVersion',
  });
});

test('the condition that did not hold is named, and an ACL that is none', async () => {
  const object = { Bucket: BUCKET, Key: 'of-conditions' };
  const put = (more: object) => refusal(client().send(new PutObjectCommand({ ...object, Body: 'x', ...more })));
  await client().send(new PutObjectCommand({ ...object, Body: 'x' }));
  const failed = (Condition: string) => ({ name: 'PreconditionFailed', Condition });
  expect(await refusal(get({ ...object, IfMatch: '"other"' }))).toEqual(failed('If-Match'));
  expect(await put({ IfNoneMatch: '*' })).toEqual(failed('If-None-Match'));
  expect(await put({ IfMatch: '"other"' })).toEqual(failed('If-Match'));
  const CopySource = `${BUCKET}/${object.Key}`;
  expect(
    await refusal(
      client().send(new CopyObjectCommand({ ...object, Key: 'copy', CopySource, CopySourceIfMatch: '"other"' })),
    ),
  ).toEqual(failed('x-amz-copy-source-If-Match'));
  expect(await put({ ACL: 'everybody' })).toEqual({
    ...{ name: 'InvalidArgument', ArgumentName: 'x-amz-acl', ArgumentValue: 'everybody' },
  });
});

test('tags that S3 would not take are refused before they are stored', async () => {
  const object = { Bucket: BUCKET, Key: 'of-tags' };
  await client().send(new PutObjectCommand({ ...object, Body: 'x', Tagging: 'kept=1' }));
  const put = (Tagging: string) => refusal(client().send(new PutObjectCommand({ ...object, Body: 'y', Tagging })));
  const set = (...TagSet: Tag[]) =>
    refusal(client().send(new PutObjectTaggingCommand({ ...object, Tagging: { TagSet } })));
  expect(await put('a=1&a=2')).toEqual({
    ...{ name: 'InvalidArgument', ArgumentName: 'x-amz-tagging', ArgumentValue: 'a=1&a=2' },
  });
  const eleven = Array.from({ length: 11 }, (_, n) => ({ Key: `k${n}`, Value: '' }));
  expect(await put(eleven.map(({ Key }) => `${Key}=`).join('&'))).toEqual({ name: 'BadRequest' });
  expect(await set(...eleven)).toEqual({ name: 'BadRequest' });
  expect(await set({ Key: 'a', Value: '1' }, { Key: 'a', Value: '2' })).toEqual({ name: 'InvalidTag' });
  const { TagSet } = await client().send(new GetObjectTaggingCommand(object));
  expect(TagSet).toEqual([{ Key: 'kept', Value: '1' }]);
  const { ContentLength, TagCount } = await client().send(new GetObjectCommand(object));
  expect([ContentLength, TagCount]).toEqual([1, 1]);
});

test('an upload that is none, and parts that are missing or too small, are named', async () => {
  const object = { Bucket: BUCKET, Key: 'upload' };
  expect(await refusal(client().send(new ListPartsCommand({ ...object, UploadId: 'nonsense' })))).toEqual({
    name: 'NoSuchUpload',
    UploadId: 'nonsense',
  });
  const { UploadId } = await client().send(new CreateMultipartUploadCommand(object));
  const upload = { ...object, UploadId };
  const send = (PartNumber: number, Body: Uint8Array) =>
    client().send(new UploadPartCommand({ ...upload, PartNumber, Body }));
  const complete = (...Parts: object[]) =>
    refusal(client().send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } })));
  const short = await send(1, Buffer.from('short'));
  const long = await send(2, randomBytes(5 * MIB));
  expect(await complete({ PartNumber: 1, ETag: short.ETag }, { PartNumber: 2, ETag: long.ETag })).toEqual({
    name: 'EntityTooSmall',
    ProposedSize: '5',
    MinSizeAllowed: String(5 * MIB),
    PartNumber: '1',
    ETag: short.ETag,
  });
  for (const parts of [[3], [3, 4]])
    expect(await complete(...parts.map((PartNumber) => ({ PartNumber, ETag: long.ETag })))).toEqual({
      name: 'InvalidPart',
      UploadId,
      PartNumber: '3',
      ETag: long.ETag,
    });
  expect(await refusal(send(10_001, Buffer.from('x')))).toEqual({
    name: 'InvalidArgument',
    ArgumentName: 'partNumber',
    ArgumentValue: '10001',
  });
});

test('what cannot be used is named, with what was said', async () => {
  const Bucket = BUCKET;
  await client().send(new PutObjectCommand({ Bucket, Key: 'there', Body: 'five!' }));
  expect(await refusal(get({ Key: 'there', PartNumber: 3 }))).toEqual({
    name: 'InvalidPartNumber',
    ActualPartCount: '1',
    PartNumberRequested: '3',
  });
  expect(await refusal(get({ Key: 'k'.repeat(1025) }))).toEqual({
    name: 'KeyTooLongError',
    Size: '1025',
    MaxSizeAllowed: '1024',
  });
  // The type knows those that there are.
  const ObjectAttributes = ['Colour' as ObjectAttributes];
  expect(
    await refusal(client().send(new GetObjectAttributesCommand({ Bucket, Key: 'there', ObjectAttributes }))),
  ).toEqual({ name: 'InvalidArgument', ArgumentName: 'x-amz-object-attributes', ArgumentValue: 'Colour' });
  expect(await refusal(client().send(new ListObjectVersionsCommand({ Bucket, VersionIdMarker: 'v' })))).toEqual({
    name: 'InvalidArgument',
    ArgumentName: 'version-id-marker',
    ArgumentValue: 'v',
  });
  for (const CopySource of ['nothing', 'arn:aws:s3:::b/k'])
    expect(await refusal(client().send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource })))).toEqual({
      name: 'InvalidArgument',
      ArgumentName: 'x-amz-copy-source',
      ArgumentValue: CopySource,
    });
});

test('a refusal that is passed on is in the words of the storage', async () => {
  await client().send(new CreateBucketCommand({ Bucket: 'unruled' }));
  await client().send(new PutObjectCommand({ Bucket: 'unruled', Key: 'k', Body: 'x' }));
  expect(await refusal(client().send(new DeleteBucketCommand({ Bucket: 'unruled' })))).toMatchObject({
    name: 'BucketNotEmpty',
    BucketName: 'unruled',
  });
});
