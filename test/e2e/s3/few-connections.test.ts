/** One connection to the store must be enough for every operation: one that held it and waited for another would wait for ever. */
import { randomBytes } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { SEALED_OPERATIONS } from '../../../src/s3/operations/index-table.ts';
import { CLIENT, startEdge } from '../../support/s3/edge.ts';
import { BUCKET, startBackend, startSealed } from '../../support/s3/sealed.ts';

const MIB = 2 ** 20;

test('whole reads of multipart objects that were never seen, with one connection', async () => {
  const backend = await startBackend('s3rver');
  if (typeof backend === 'string') throw new Error(backend);
  const setup = await startSealed(backend);
  const edge = await startEdge({
    store: backend,
    rules: [{ bucket: BUCKET, prefix: '', rule: { type: 'seal', keyId: 'alias/a', name: 'sealed' } }],
    operations: SEALED_OPERATIONS,
    dataKeys: setup.manager,
    maxConnections: 1,
  });
  const s3 = new S3Client({ endpoint: edge.url, region: 'us-east-1', credentials: CLIENT, forcePathStyle: true });
  const bodies = new Map(['a', 'b', 'c'].map((Key) => [Key, randomBytes(7 * MIB)]));
  for (const [Key, body] of bodies) {
    const object = { Bucket: BUCKET, Key };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(object));
    const Parts = [];
    for (const [PartNumber, Body] of [
      [1, body.subarray(0, 5 * MIB)],
      [2, body.subarray(5 * MIB)],
    ] as const) {
      const { ETag } = await s3.send(new UploadPartCommand({ ...object, UploadId, PartNumber, Body }));
      Parts.push({ PartNumber, ETag });
    }
    await s3.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } }));
  }
  const read = async (Key: string): Promise<Buffer> => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  };
  const found = await Promise.all([...bodies.keys()].map(read));
  expect(found.map((body, index) => body.equals([...bodies.values()][index] ?? Buffer.alloc(0)))).toEqual([
    true,
    true,
    true,
  ]);
  const head = await s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'a', ChecksumMode: 'ENABLED' }));
  expect(head.ContentLength).toBe(7 * MIB);
  const { Contents } = await s3.send(new ListObjectsCommand({ Bucket: BUCKET }));
  expect(Contents?.map(({ Size }) => Size)).toEqual([7 * MIB, 7 * MIB, 7 * MIB]);
  s3.destroy();
  await edge.close();
  await setup.close();
  await backend.close();
});
