/**
 * Amazon's rules for checksums of parts (`test/support/s3/amazon-rules.ts`) in front of real stores: uploads complete with any part numbers,
 * and in a bucket with Object Lock every part has a digest. Amazon itself is not to be had here.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { MAX_WHOLE_PART_BYTES } from '../../../src/s3/limits.ts';
import { ObjectLocks } from '../../../src/s3/multipart/object-locks.ts';
import { SEALED_OPERATIONS } from '../../../src/s3/operations/index-table.ts';
import { AWS_CAPABILITIES } from '../../../src/s3/upstream/capabilities.ts';
import { keyFolder, TEST_USE } from '../../support/keys/keys.ts';
import { startAmazonRules, type AmazonRules } from '../../support/s3/amazon-rules.ts';
import { CLIENT, startEdge, type TestEdge } from '../../support/s3/edge.ts';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { sign, statusIn, talk } from '../../support/s3/raw-s3.ts';
import { BUCKET } from '../../support/s3/sealed.ts';

const MIB = 2 ** 20;
const LOCKED = 'locked';
/** Of which the store does not say at first that they have Object Lock. */
const LATE = ['late-1', 'late-2'] as const;
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe.each(['s3rver', 'radosgw'] as const)('In front of %s with the rules of Amazon', (name) => {
  let rules: AmazonRules;
  let edge: TestEdge;
  let client: S3Client;

  inFrontOf(name, async (backend) => {
    rules = await startAmazonRules(backend.url, [LOCKED, ...LATE]);
    const keys = await keyFolder();
    const manager = await keys.open();
    await manager.createKey({ alias: 'alias/a' }, TEST_USE);
    edge = await startEdge({
      store: { ...backend, url: rules.url },
      rules: [BUCKET, LOCKED, ...LATE].map((bucket) => ({
        ...{ bucket, prefix: '' },
        rule: { type: 'seal', keyId: 'alias/a', name: bucket },
      })),
      // Neither store takes trailers; what stands before the body each takes, or reads past it.
      capabilities: { ...AWS_CAPABILITIES, trailingChecksums: false, ownChecksum: 'crc32' },
      operations: SEALED_OPERATIONS,
      dataKeys: manager,
    });
    client = new S3Client({
      ...{ endpoint: edge.url, region: 'us-east-1', credentials: CLIENT, forcePathStyle: true, maxAttempts: 1 },
      requestChecksumCalculation: 'WHEN_REQUIRED',
    });
    await createBuckets(client, name);
    if (name === 'radosgw')
      for (const Bucket of [LOCKED, ...LATE])
        await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    return [{ close: () => client.destroy() }, edge, { close: () => keys[Symbol.asyncDispose]() }, rules];
  });

  type Part = readonly [number: number, body: Uint8Array];

  async function upload(Bucket: string, Key: string, parts: readonly Part[], more: object = {}): Promise<Uint8Array> {
    const object = { Bucket, Key };
    rules.parts.length = 0;
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...object, ...more }));
    const Parts = [];
    for (const [PartNumber, Body] of parts) {
      const { ETag } = await client.send(new UploadPartCommand({ ...object, UploadId, PartNumber, Body, ...more }));
      Parts.push({ PartNumber, ETag });
    }
    await client.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } }));
    const { Body } = await client.send(new GetObjectCommand(object));
    return (await Body?.transformToByteArray()) ?? new Uint8Array();
  }

  const whole = (parts: readonly Part[]): string => hashOf(Buffer.concat(parts.map(([, body]) => body)));

  const UPLOADS = {
    'with a short last part': [
      [1, randomBytes(5 * MIB)],
      [2, randomBytes(6 * MIB + 1)],
      [3, randomBytes(100_000)],
    ],
    'with a long last part': [
      [1, randomBytes(5 * MIB)],
      [2, randomBytes(6 * MIB + 1)],
    ],
    'with gaps between its numbers': [
      [3, randomBytes(5 * MIB)],
      [700, randomBytes(5 * MIB)],
    ],
    'of one short part': [[1, randomBytes(100)]],
  } as const satisfies Record<string, readonly Part[]>;

  test.each(Object.keys(UPLOADS) as (keyof typeof UPLOADS)[])('an upload %s completes', async (which) => {
    const parts = UPLOADS[which];
    expect(hashOf(await upload(BUCKET, which, parts))).toBe(whole(parts));
    // Ours at the end is whole, and has a digest; the client's flow.
    expect(rules.parts.at(-1)?.checksums).toEqual(['content-md5']);
    expect(rules.parts.slice(0, -1).flatMap(({ checksums }) => checksums)).toEqual([]);
    expect(rules.refused).toEqual([]);
  });

  test('so does one whose client names a checksum, and the store is not told of it', async () => {
    const parts = UPLOADS['with a long last part'];
    const read = await upload(BUCKET, 'named', parts, { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' });
    expect(hashOf(read)).toBe(whole(parts));
    expect(rules.refused).toEqual([]);
  });

  test('a store that never says whether a bucket has Object Lock is asked once, and holds no upload', async () => {
    const { caches } = edge.gateway;
    const usual = caches.objectLocks;
    rules.lockHangs = true;
    try {
      Object.assign(caches, { objectLocks: new ObjectLocks(100) });
      const parts = UPLOADS['with a short last part'];
      expect(hashOf(await upload(BUCKET, 'hung', parts))).toBe(whole(parts));
      expect([rules.hung, rules.refused, edge.gateway.governor.usedBytes]).toEqual([1, [], 0]);
    } finally {
      rules.lockHangs = false;
      Object.assign(caches, { objectLocks: usual });
    }
  });

  // s3rver has none.
  if (name === 's3rver') return;

  describe('into a bucket with Object Lock', () => {
    const digests = () => rules.parts.map(({ checksums }) => checksums);

    test.each(Object.keys(UPLOADS) as (keyof typeof UPLOADS)[])(
      'an upload %s has a digest for each part',
      async (which) => {
        const parts = UPLOADS[which];
        expect(hashOf(await upload(LOCKED, which, parts))).toBe(whole(parts));
        expect(rules.parts.length).toBeGreaterThan(0);
        expect(digests()).toEqual(rules.parts.map(() => ['content-md5']));
        expect([rules.refused, edge.gateway.wholeParts.usedBytes]).toEqual([[], 0]);
      },
    );

    test('so has a part 10 000, which is moved on completion, and one that is copied', async () => {
      const object = { Bucket: LOCKED, Key: 'copied' };
      rules.parts.length = 0;
      const source = await upload(LOCKED, 'source', [[1, randomBytes(6 * MIB)]]);
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(object));
      const upload_ = { ...object, UploadId };
      const { CopyPartResult } = await client.send(
        new UploadPartCopyCommand({ ...upload_, PartNumber: 1, CopySource: `${LOCKED}/source` }),
      );
      // Long enough to flow.
      const Body = randomBytes(2 * MIB);
      const { ETag } = await client.send(new UploadPartCommand({ ...upload_, PartNumber: 10_000, Body }));
      const Parts = [
        { PartNumber: 1, ETag: CopyPartResult?.ETag },
        { PartNumber: 10_000, ETag },
      ];
      await client.send(new CompleteMultipartUploadCommand({ ...upload_, MultipartUpload: { Parts } }));
      const read = await client.send(new GetObjectCommand(object));
      expect(hashOf((await read.Body?.transformToByteArray()) ?? new Uint8Array())).toBe(
        hashOf(Buffer.concat([source, Body])),
      );
      expect(digests()).toEqual(rules.parts.map(() => ['content-md5']));
      expect([rules.refused, edge.gateway.wholeParts.usedBytes]).toEqual([[], 0]);
    });

    test('one that is too long to be held is refused before it is sent', async () => {
      await refusesTooLong(LOCKED);
    });

    test('also where the store says only then that the bucket has Object Lock', async () => {
      rules.lockFailures = 1;
      await refusesTooLong(LATE[0]);
      expect(rules.lockFailures).toBe(0);
    });

    async function refusesTooLong(Bucket: string): Promise<void> {
      const { UploadId = '' } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'long' }));
      const { head } = sign(edge.port, {
        ...{ method: 'PUT', path: `/${Bucket}/long`, query: `partNumber=1&uploadId=${encodeURIComponent(UploadId)}` },
        headers: { 'content-length': String(MAX_WHOLE_PART_BYTES + 1), expect: '100-continue' },
      });
      const answer = await talk(edge.port, [head]);
      expect(statusIn(answer)).toBe(400);
      expect(answer).toMatch(
        /<Code>EntityTooLarge<\/Code>[^]*<ProposedSize>67108865<\/ProposedSize><MaxSizeAllowed>67108864<\/MaxSizeAllowed>/u,
      );
    }

    test('a part 10 000 that was taken and is too long is named on completion, and a shorter one ends the upload', async () => {
      const object = { Bucket: LATE[1], Key: 'long' };
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(object));
      const part = { ...object, UploadId, PartNumber: 10_000 };
      rules.lockFailures = 1;
      const long = await client.send(new UploadPartCommand({ ...part, Body: Buffer.alloc(MAX_WHOLE_PART_BYTES + 1) }));
      const complete = (ETag: string | undefined) =>
        client.send(
          new CompleteMultipartUploadCommand({
            ...{ ...object, UploadId },
            MultipartUpload: { Parts: [{ PartNumber: 10_000, ETag }] },
          }),
        );
      await expect(complete(long.ETag)).rejects.toMatchObject({ name: 'EntityTooLarge', PartNumber: '10000' });
      const Body = randomBytes(2 * MIB);
      await complete((await client.send(new UploadPartCommand({ ...part, Body }))).ETag);
      const read = await client.send(new GetObjectCommand(object));
      expect(hashOf((await read.Body?.transformToByteArray()) ?? new Uint8Array())).toBe(hashOf(Body));
      expect([rules.refused, edge.gateway.wholeParts.usedBytes, edge.gateway.governor.usedBytes]).toEqual([[], 0, 0]);
    });
  });
});
