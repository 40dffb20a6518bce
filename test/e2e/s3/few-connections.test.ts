/**
 * One connection to the store must be enough for every operation, several of each at once: one that held it and waited for another would wait
 * for ever. In front of the narrow gateway nothing was seen before, so that it looks up all that it can.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { MAX_WHOLE_PARTS_BYTES } from '../../../src/s3/limits.ts';
import { SEALED_OPERATIONS } from '../../../src/s3/operations/index-table.ts';
import { AWS_CAPABILITIES, type UpstreamCapabilities } from '../../../src/s3/upstream/capabilities.ts';
import { CLIENT, startEdge, type TestEdge } from '../../support/s3/edge.ts';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { BUCKET, startSealed } from '../../support/s3/sealed.ts';

const MIB = 2 ** 20;
/** More at once than any lane would have, were the lanes as narrow as the common one. */
const AT_ONCE = 4;
const PLAIN = 'plain';
const LOCKED = 'locked';
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe.each(['s3rver', 'radosgw'] as const)('In front of %s', (name) => {
  /** Through as many connections as it likes. */
  let wide: S3Client;
  let narrow: S3Client;
  /** Likewise narrow; the store wants a digest of each part in a bucket with Object Lock. */
  let digesting: TestEdge;
  let narrowToo: S3Client;
  const bodies = new Map<string, Uint8Array>();

  inFrontOf(name, async (backend) => {
    const setup = await startSealed(backend);
    [wide] = setup.clients;
    const startNarrow = (capabilities: UpstreamCapabilities) =>
      startEdge({
        store: backend,
        rules: [
          { bucket: BUCKET, prefix: '', rule: { type: 'seal', keyId: 'alias/a', name: 'sealed' } },
          { bucket: LOCKED, prefix: '', rule: { type: 'seal', keyId: 'alias/a', name: 'locked' } },
          { bucket: PLAIN, prefix: '', rule: { type: 'pass', name: 'plain' } },
        ],
        operations: SEALED_OPERATIONS,
        capabilities,
        dataKeys: setup.manager,
        maxConnections: 1,
      });
    const clientOf = ({ url: endpoint }: TestEdge): S3Client =>
      new S3Client({ endpoint, region: 'us-east-1', credentials: CLIENT, forcePathStyle: true, maxAttempts: 1 });
    const edge = await startNarrow(AWS_CAPABILITIES);
    digesting = await startNarrow({ ...AWS_CAPABILITIES, trailingChecksums: false, ownChecksum: 'crc32' });
    [narrow, narrowToo] = [clientOf(edge), clientOf(digesting)];
    await createBuckets(wide, name, PLAIN);
    for (let index = 0; index < AT_ONCE; index += 1) {
      await upload(wide, `parts-${index}`, [5 * MIB, 5 * MIB + 1, 300_000]);
      await put(wide, BUCKET, `whole-${index}`, 2 * MIB);
      await put(wide, PLAIN, `plain-${index}`, 2 * MIB);
    }
    if (name === 'radosgw')
      await wide.send(new CreateBucketCommand({ Bucket: LOCKED, ObjectLockEnabledForBucket: true }));
    return [edge, digesting, ...[narrow, narrowToo].map((client) => ({ close: () => client.destroy() })), setup];
  });

  async function put(client: S3Client, Bucket: string, Key: string, length: number): Promise<void> {
    const Body = randomBytes(length);
    bodies.set(Key, Body);
    await client.send(new PutObjectCommand({ Bucket, Key, Body }));
  }

  async function upload(client: S3Client, Key: string, lengths: readonly number[], last?: number): Promise<void> {
    const object = { Bucket: BUCKET, Key };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(object));
    const pieces = lengths.map((length) => randomBytes(length));
    bodies.set(Key, Buffer.concat(pieces));
    const numbers = pieces.map((_, index) => (index === pieces.length - 1 ? (last ?? index + 1) : index + 1));
    const Parts = await Promise.all(
      pieces.map(async (Body, index) => {
        const part = { ...object, UploadId, PartNumber: numbers[index], Body };
        const { ETag } = await client.send(new UploadPartCommand(part));
        return { PartNumber: numbers[index], ETag };
      }),
    );
    await client.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } }));
  }

  const hashOfStored = async (Bucket: string, Key: string, Range?: string): Promise<string> => {
    const { Body } = await narrow.send(new GetObjectCommand({ Bucket, Key, Range }));
    return hashOf((await Body?.transformToByteArray()) ?? new Uint8Array());
  };
  const body = (key: string): Uint8Array => bodies.get(key) ?? new Uint8Array();
  /** Several at once. */
  const each = async <T>(run: (index: number) => Promise<T>): Promise<readonly T[]> =>
    Promise.all(Array.from({ length: AT_ONCE }, (_, index) => run(index)));
  const expectStored = async (Bucket: string, to: (index: number) => string, from: (index: number) => string) => {
    expect(await each((index) => hashOfStored(Bucket, to(index)))).toEqual(
      Array.from({ length: AT_ONCE }, (_, index) => hashOf(body(from(index)))),
    );
  };

  const KEYS = {
    parts: (index: number) => `parts-${index}`,
    whole: (index: number) => `whole-${index}`,
    plain: (index: number) => `plain-${index}`,
  };

  test('objects in parts are read whole and by ranges that touch all of them, and described', async () => {
    // Ranges first: they find the parts by reads of their own.
    const ranges = each((index) => hashOfStored(BUCKET, KEYS.parts(index), `bytes=${MIB}-${10 * MIB + 100_000}`));
    await Promise.all([expectStored(BUCKET, KEYS.parts, KEYS.parts), expectStored(BUCKET, KEYS.whole, KEYS.whole)]);
    expect(await ranges).toEqual(
      (await each((index) => Promise.resolve(body(KEYS.parts(index))))).map((bytes) =>
        hashOf(bytes.subarray(MIB, 10 * MIB + 100_001)),
      ),
    );
    const sizes = await each(async (index) => {
      const object = { Bucket: BUCKET, Key: KEYS.parts(index) };
      const head = await narrow.send(new HeadObjectCommand({ ...object, ChecksumMode: 'ENABLED' }));
      const attributes = { ...object, ObjectAttributes: ['ObjectSize', 'ObjectParts', 'Checksum'] as const };
      const { ObjectSize } = await narrow.send(
        new GetObjectAttributesCommand({ ...attributes, ObjectAttributes: [...attributes.ObjectAttributes] }),
      );
      return [head.ContentLength, ObjectSize];
    });
    const length = 10 * MIB + 1 + 300_000;
    expect(sizes).toEqual(Array.from({ length: AT_ONCE }, () => [length, length]));
  });

  test('objects are written, whole and in parts, with a last part that is short, and one of number 10 000', async () => {
    await each((index) => put(narrow, BUCKET, `put-${index}`, 2 * MIB));
    await each((index) => put(narrow, PLAIN, `put-plain-${index}`, 2 * MIB));
    await each((index) => upload(narrow, `uploaded-${index}`, [5 * MIB, 100_000]));
    // Long enough to flow while it is read.
    await each((index) => upload(narrow, `ended-${index}`, [5 * MIB, 6 * MIB], 10_000));
    for (const key of ['put-', 'uploaded-', 'ended-']) {
      await expectStored(
        BUCKET,
        (index) => `${key}${index}`,
        (index) => `${key}${index}`,
      );
    }
    const plain = (index: number): string => `put-plain-${index}`;
    await expectStored(PLAIN, plain, plain);
  });

  test('copies from sealed to plain, from plain to sealed, within both, and onto themselves', async () => {
    const copy = (from: string, source: (index: number) => string, Bucket: string, to: string) =>
      each((index) =>
        narrow.send(new CopyObjectCommand({ Bucket, Key: `${to}-${index}`, CopySource: `${from}/${source(index)}` })),
      );
    await copy(BUCKET, KEYS.parts, PLAIN, 'opened');
    await copy(PLAIN, KEYS.plain, BUCKET, 'sealed');
    await copy(BUCKET, KEYS.parts, BUCKET, 'copied');
    await copy(PLAIN, KEYS.plain, PLAIN, 'copied-plain');
    await each((index) =>
      narrow.send(
        new CopyObjectCommand({
          ...{ Bucket: BUCKET, Key: KEYS.whole(index), CopySource: `${BUCKET}/${KEYS.whole(index)}` },
          ...{ MetadataDirective: 'REPLACE', Metadata: { again: 'yes' } },
        }),
      ),
    );
    await expectStored(PLAIN, (index) => `opened-${index}`, KEYS.parts);
    await expectStored(BUCKET, (index) => `sealed-${index}`, KEYS.plain);
    await expectStored(BUCKET, (index) => `copied-${index}`, KEYS.parts);
    await expectStored(PLAIN, (index) => `copied-plain-${index}`, KEYS.plain);
    await expectStored(BUCKET, KEYS.whole, KEYS.whole);
  });

  test('parts that are copied from objects in parts', async () => {
    await each(async (index) => {
      const object = { Bucket: BUCKET, Key: `of-parts-${index}` };
      const { UploadId } = await narrow.send(new CreateMultipartUploadCommand(object));
      const part = { ...object, UploadId, CopySource: `${BUCKET}/${KEYS.parts(index)}` };
      const copied = await Promise.all(
        ['bytes=0-6000000', 'bytes=6000001-7000000'].map(async (CopySourceRange, at) => {
          const { CopyPartResult } = await narrow.send(
            new UploadPartCopyCommand({ ...part, PartNumber: at + 1, CopySourceRange }),
          );
          return { PartNumber: at + 1, ETag: CopyPartResult?.ETag };
        }),
      );
      const MultipartUpload = { Parts: copied };
      await narrow.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload }));
      bodies.set(object.Key, body(KEYS.parts(index)).subarray(0, 7_000_001));
    });
    const key = (index: number): string => `of-parts-${index}`;
    await expectStored(BUCKET, key, key);
  });

  test('lists of objects, versions, uploads and parts, and what deletes many', async () => {
    await each(async (index) => {
      const object = { Bucket: BUCKET, Key: `open-${index}` };
      const { UploadId } = await narrow.send(new CreateMultipartUploadCommand(object));
      const upload_ = { ...object, UploadId };
      await narrow.send(new UploadPartCommand({ ...upload_, PartNumber: 1, Body: 'held' }));
      await narrow.send(new UploadPartCommand({ ...upload_, PartNumber: 2, Body: randomBytes(5 * MIB) }));
      if (name === 'radosgw') {
        const { Parts } = await narrow.send(new ListPartsCommand(upload_));
        expect(Parts?.map(({ Size }) => Size)).toEqual([4, 5 * MIB]);
        const { Uploads } = await narrow.send(new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix: object.Key }));
        expect(Uploads?.map(({ Key }) => Key)).toEqual([object.Key]);
        const { Versions } = await narrow.send(new ListObjectVersionsCommand({ Bucket: BUCKET, Prefix: 'parts-' }));
        expect(Versions?.map(({ Size }) => Size)).toEqual(Array.from({ length: AT_ONCE }, () => 10 * MIB + 300_001));
      }
      const { Contents } = await narrow.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'parts-' }));
      expect(Contents?.map(({ Size }) => Size)).toEqual(Array.from({ length: AT_ONCE }, () => 10 * MIB + 300_001));
      // s3rver aborts none.
      if (name === 'radosgw') await narrow.send(new AbortMultipartUploadCommand(upload_));
    });
    await each((index) => put(narrow, BUCKET, `gone-${index}`, 10));
    await each(async (index) => {
      const Objects = ['gone', 'never'].map((key) => ({ Key: `${key}-${index}` }));
      const { Deleted } = await narrow.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects } }));
      expect(Deleted?.length).toBe(2);
    });
    const { KeyCount } = await narrow.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'gone-' }));
    expect(KeyCount).toBe(0);
  });

  // s3rver has none.
  if (name === 's3rver') return;

  describe('into a bucket with Object Lock', () => {
    test('the bucket is asked while every connection is held', async () => {
      const { gateway } = digesting;
      const held = await gateway.upstream.send({ method: 'GET', bucket: PLAIN, key: 'plain-0' });
      expect(await gateway.caches.objectLocks.isLocked(LOCKED, gateway)).toBe(true);
      await held.body.release();
    });

    test('parts that are sent and parts that are copied, with room for one at a time', async () => {
      const { wholeParts } = digesting.gateway;
      const taken = await wholeParts.take(MAX_WHOLE_PARTS_BYTES - 7 * MIB);
      await each(async (index) => {
        const object = { Bucket: LOCKED, Key: `locked-${index}` };
        const { UploadId } = await narrowToo.send(new CreateMultipartUploadCommand(object));
        const part = { ...object, UploadId };
        const CopySource = `${BUCKET}/${KEYS.parts(index)}`;
        const Body = randomBytes(6 * MIB);
        const [copied, sent] = await Promise.all([
          narrowToo.send(
            new UploadPartCopyCommand({ ...part, PartNumber: 1, CopySource, CopySourceRange: 'bytes=0-6000000' }),
          ),
          narrowToo.send(new UploadPartCommand({ ...part, PartNumber: 2, Body })),
        ]);
        const Parts = [
          { PartNumber: 1, ETag: copied.CopyPartResult?.ETag },
          { PartNumber: 2, ETag: sent.ETag },
        ];
        await narrowToo.send(new CompleteMultipartUploadCommand({ ...part, MultipartUpload: { Parts } }));
        bodies.set(object.Key, Buffer.concat([body(KEYS.parts(index)).subarray(0, 6_000_001), Body]));
      });
      taken.giveBack();
      expect(wholeParts.usedBytes).toBe(0);
      const key = (index: number): string => `locked-${index}`;
      await expectStored(LOCKED, key, key);
    });
  });
});
