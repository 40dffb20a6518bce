/** Whose the bucket has to be, and who pays, as a client says it: told to the storage with each request under the client's own name. */
import { randomBytes } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { hookUpstream } from '../../support/s3/hooked-upstream.ts';
import { sealedOnRadosgw } from '../../support/s3/in-front-of.ts';
import { BUCKET } from '../../support/s3/sealed.ts';

const sealed = sealedOnRadosgw();
const MIB = 1024 * 1024;
const SAID = { ExpectedBucketOwner: '111122223333', RequestPayer: 'requester' } as const;
const OBJECT = { Bucket: BUCKET, Key: 'k', ...SAID };

/** A source is asked for in its own name: whose bucket that is, is said apart. */
const SOURCE = 'other';
/** What is not the client's own: questions about the storage, hidden objects. */
const isOwn = (key: string | undefined): boolean => key?.startsWith('.sealgate/') === true;

/** What was said with each request to the storage that `run` led to. */
async function saidIn(run: () => Promise<unknown>): Promise<readonly string[]> {
  const said: string[] = [];
  const own: string[] = [];
  using _hooked = hookUpstream(sealed.setup.edges[0].gateway, (request, send) => {
    const headers = request.headers ?? {};
    const words = `${headers['x-amz-expected-bucket-owner'] ?? '-'} ${headers['x-amz-request-payer'] ?? '-'}`;
    if (request.key === SOURCE || isOwn(request.query?.get('prefix'))) return send(request);
    (isOwn(request.key) ? own : said).push(words);
    return send(request);
  });
  await run();
  expect(own.filter((words) => words !== '- -')).toEqual([]);
  return said;
}

test('every operation on an object or an upload says so, and what the gateway asks for itself does not', async () => {
  const [client] = sealed.setup.clients;
  const all = `${SAID.ExpectedBucketOwner} ${SAID.RequestPayer}`;
  const each = async (what: string, run: () => Promise<unknown>): Promise<void> => {
    const said = await saidIn(run);
    expect([what, ...new Set(said)]).toEqual([what, all]);
  };
  // What the storage can do is found out before.
  await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: SOURCE, Body: 'x', IfNoneMatch: '*' }));
  await each('PutObject', () => client.send(new PutObjectCommand({ ...OBJECT, Body: randomBytes(200_000) })));
  await each('GetObject', () =>
    client.send(new GetObjectCommand(OBJECT)).then(({ Body }) => Body?.transformToByteArray()),
  );
  await each('GetObject, a range', () =>
    client
      .send(new GetObjectCommand({ ...OBJECT, Range: 'bytes=70000-70009' }))
      .then(({ Body }) => Body?.transformToByteArray()),
  );
  await each('HeadObject', () => client.send(new HeadObjectCommand(OBJECT)));
  await each('GetObjectAttributes', () =>
    client.send(new GetObjectAttributesCommand({ ...OBJECT, ObjectAttributes: ['ObjectSize'] })),
  );
  await each('GetObjectTagging', () => client.send(new GetObjectTaggingCommand(OBJECT)));
  await each('CopyObject', () =>
    client.send(
      new CopyObjectCommand({
        ...OBJECT,
        Key: 'copy',
        CopySource: `${BUCKET}/${SOURCE}`,
      }),
    ),
  );
  await each('ListObjectsV2', () => client.send(new ListObjectsV2Command({ Bucket: BUCKET, ...SAID })));
  await each('ListMultipartUploads', () => client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET, ...SAID })));
  let UploadId: string | undefined;
  const create = async (): Promise<void> => {
    ({ UploadId } = await client.send(new CreateMultipartUploadCommand(OBJECT)));
  };
  await each('CreateMultipartUpload', create);
  let ETag: string | undefined;
  await each('UploadPart', async () => {
    const part = { ...OBJECT, UploadId, PartNumber: 1, Body: randomBytes(5 * MIB) };
    ({ ETag } = await client.send(new UploadPartCommand(part)));
  });
  await each('ListParts', () => client.send(new ListPartsCommand({ ...OBJECT, UploadId })));
  await each('CompleteMultipartUpload', () =>
    client.send(
      new CompleteMultipartUploadCommand({
        ...OBJECT,
        UploadId,
        MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
      }),
    ),
  );
  await each('GetObject, of parts', () =>
    client.send(new GetObjectCommand({ ...OBJECT, PartNumber: 1 })).then(({ Body }) => Body?.transformToByteArray()),
  );
  await create();
  await each('AbortMultipartUpload', () => client.send(new AbortMultipartUploadCommand({ ...OBJECT, UploadId })));
  await each('DeleteObject', () => client.send(new DeleteObjectCommand(OBJECT)));
});
