/** Buckets of which a part still lies plain, by a rule that lets it be read: real clients, real stores, and a store that takes envelopes away. */
import { randomBytes } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { ENVELOPE_METADATA_NAME } from '../../../src/envelope/object/object-envelope.ts';
import { plaintextSize } from '../../../src/s3/listing/plaintext-size.ts';
import type { S3Request } from '../../../src/s3/operation.ts';
import { hookUpstream } from '../../support/s3/hooked-upstream.ts';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { BUCKET, startSealed, type SealedSetup } from '../../support/s3/sealed.ts';

const SEAL = { type: 'seal', keyId: 'alias/a', name: 'narrow' } as const;
const RULES = [
  { bucket: BUCKET, prefix: 'strict/', rule: SEAL },
  { bucket: BUCKET, prefix: 'over/', rule: { ...SEAL, readsPlainUntil: Date.parse('2020-01-01') } },
];
const PART = 5 * 1024 * 1024;
/** Some of them could be the stored size of a sealed object, some could not. */
const SIZES = [0, 1, 15, 400, 8_192, 70_000, 300_000, 700_000] as const;

describe.each(['s3rver', 'radosgw'] as const)('%s', (name) => {
  let setup: SealedSetup;
  let client: S3Client;
  let bodies: Map<string, Buffer>;

  inFrontOf(name, async (backend) => {
    setup = await startSealed(backend, undefined, undefined, { rule: { readsPlainUntil: Infinity }, rules: RULES });
    [client] = setup.clients;
    const { direct } = setup;
    await createBuckets(direct, name);
    bodies = new Map(SIZES.map((size) => [`plain/${size}`, randomBytes(size)]));
    for (const [Key, Body] of bodies) {
      const Metadata = { made: 'before' };
      await direct.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, ContentType: 'image/png', Metadata }));
    }
    bodies.set('plain/parts', await putParts(direct, 'plain/parts', [PART, 1_000]));
    for (const size of SIZES) {
      const Body = randomBytes(size);
      await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: `sealed/${size}`, Body }));
      bodies.set(`sealed/${size}`, Body);
    }
    bodies.set('sealed/parts', await putParts(client, 'sealed/parts', [PART, 2_000]));
    return [setup];
  });

  const get = async (Key: string, more: object = {}): Promise<Buffer> => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key, ...more }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  };

  test('every object is read whole and by ranges, sealed or plain, again and again', async () => {
    for (const [key, body] of bodies) {
      expect((await get(key)).equals(body)).toBe(true);
      if (body.length < 2) continue;
      for (const [Range, from, to] of [
        [`bytes=0-0`, 0, 1],
        [`bytes=${body.length - 1}-`, body.length - 1, body.length],
        [`bytes=-1`, body.length - 1, body.length],
        [`bytes=1-${body.length * 2}`, 1, body.length],
        [`bytes=${body.length >> 1}-${(body.length >> 1) + 9}`, body.length >> 1, (body.length >> 1) + 10],
      ] as const)
        for (const again of [1, 2])
          expect((await get(key, { Range })).equals(body.subarray(from, to)), `${key} ${Range} ${again}`).toBe(true);
      await expect(get(key, { Range: `bytes=${body.length}-` })).rejects.toMatchObject({ name: 'InvalidRange' });
    }
  });

  test('sizes and ETags are the same in HEAD, LIST and attributes, and conditions hold by them', async () => {
    const rows = (await client.send(new ListObjectsV2Command({ Bucket: BUCKET }))).Contents ?? [];
    const first = (await client.send(new ListObjectsCommand({ Bucket: BUCKET }))).Contents ?? [];
    expect(rows.map(({ Key, Size }) => [Key, Size])).toEqual(
      [...bodies].map(([key, { length }]) => [key, length]).sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
    );
    expect(first.map(({ Size, ETag }) => [Size, ETag])).toEqual(rows.map(({ Size, ETag }) => [Size, ETag]));
    for (const { Key = '', Size, ETag } of rows) {
      const head = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key, IfMatch: ETag }));
      expect([head.ContentLength, head.ETag]).toEqual([Size, ETag]);
      expect(ETag).not.toMatch(/^"[0-9a-f]{32}"$/u);
      await expect(get(Key, { IfNoneMatch: ETag })).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } });
      const wanted = ['ETag', 'ObjectSize', 'StorageClass'] as const;
      const asked = { Bucket: BUCKET, Key, ObjectAttributes: [...wanted] };
      const attributes = await client.send(new GetObjectAttributesCommand(asked));
      expect(attributes).toMatchObject({ ObjectSize: Size, ETag: ETag?.replaceAll('"', ''), StorageClass: 'STANDARD' });
    }
  });

  test('a listing looks each row up once that may be either, by any client, until it changes', async () => {
    const { gateway } = setup.edges[1];
    const looked: string[] = [];
    using _hook = hookUpstream(gateway, (request, send) => {
      if (request.method === 'HEAD') looked.push(request.key ?? '');
      return send(request);
    });
    const list = new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'plain/' });
    const sizes = async () => (await setup.clients[1].send(list)).Contents?.map(({ Size }) => Size);
    const first = await sizes();
    const keys = looked.filter((key) => key.startsWith('plain/'));
    // No sealed object is as short as these.
    for (const key of ['plain/0', 'plain/15']) expect(keys.includes(key)).toBe(name === 's3rver');
    expect(new Set(keys).size).toBe(keys.length);
    looked.length = 0;
    expect(await sizes()).toEqual(first);
    expect(looked).toEqual([]);
  });

  test('with `listSizes: stored` nothing is looked up, and what cannot be told has its stored size', async () => {
    const { gateway } = setup.edges[1];
    const told = { ...gateway, options: { ...gateway.options, listSizes: 'stored' } } as const;
    using _hook = hookUpstream(told, (request, send) => {
      if (request.method === 'HEAD' && request.key?.startsWith('.sealgate/') !== true) throw new Error('looked up');
      return send(request);
    });
    const row = { key: 'plain/70000', lastModified: '', etag: '"x"', size: 70_000 } as const;
    const request = { bucket: BUCKET, signal: undefined } as unknown as S3Request;
    expect(await plaintextSize({ ...row, storageClass: undefined, owner: undefined }, request, told)).toBe(70_000);
  });

  test('what plain objects say of themselves is shown, and they are not said to be encrypted', async () => {
    const head = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'plain/400' }));
    expect(head).toMatchObject({ ContentType: 'image/png', Metadata: { made: 'before' }, AcceptRanges: 'bytes' });
    expect(head.ServerSideEncryption).toBeUndefined();
    const asked = { Bucket: BUCKET, Key: 'plain/400', ResponseContentType: 'text/css', PartNumber: 1 };
    const part = await client.send(new GetObjectCommand(asked));
    expect(part).toMatchObject({ ContentType: 'text/css', ContentRange: 'bytes 0-399/400' });
    await part.Body?.transformToByteArray();
    await expect(get('plain/400', { PartNumber: 2 })).rejects.toMatchObject({ name: 'InvalidPartNumber' });
    const ranged = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'plain/400', Range: 'bytes=10-19' }));
    expect(ranged).toMatchObject({ ContentLength: 10, ContentRange: 'bytes 10-19/400' });
    const SSECustomerKey = randomBytes(32).toString('base64');
    const given = { SSECustomerAlgorithm: 'AES256', SSECustomerKey };
    await expect(get('plain/400', given)).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
  });

  test('each read is on record with its caller and object', async () => {
    await get('plain/15');
    const records = (await setup.auditText()).split('\n').filter((line) => line.includes('s3://sealed/plain/15"'));
    expect(JSON.parse(records.at(-1) ?? '')).toMatchObject({
      ...{ action: 'ReadUnsealed', principal: 'arn:aws:iam::000000000000:user/app', via: 's3', decision: 'allow' },
      context: { 'aws:s3:arn': 'arn:aws:s3:::sealed/plain/15' },
    });
  });

  test('writes and copies are sealed, also of an object to itself', async () => {
    const { direct } = setup;
    const body = randomBytes(600_000);
    const put = { Bucket: BUCKET, Key: 'moves/one', Body: body, Metadata: { made: 'before' } };
    await direct.send(new PutObjectCommand(put));
    const CopySource = `${BUCKET}/moves/one`;
    await client.send(new CopyObjectCommand({ Bucket: BUCKET, Key: 'moves/two', CopySource }));
    const toItself = { Bucket: BUCKET, Key: 'moves/one', CopySource, ServerSideEncryption: 'aws:kms' } as const;
    await client.send(new CopyObjectCommand(toItself));
    const upload = { Bucket: BUCKET, Key: 'moves/three' };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(upload));
    const part = { ...upload, UploadId, PartNumber: 1, CopySource: `${BUCKET}/plain/300000` };
    const { CopyPartResult } = await client.send(
      new UploadPartCopyCommand({ ...part, CopySourceRange: 'bytes=10-99' }),
    );
    const Parts = [{ PartNumber: 1, ETag: CopyPartResult?.ETag }];
    await client.send(new CompleteMultipartUploadCommand({ ...upload, UploadId, MultipartUpload: { Parts } }));
    for (const key of ['moves/one', 'moves/two', 'moves/three']) {
      const stored = await direct.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
      expect(stored.Metadata?.[ENVELOPE_METADATA_NAME.replace('x-amz-meta-', '')]).toBeDefined();
      expect(Buffer.from((await stored.Body?.transformToByteArray()) ?? []).includes(body.subarray(10, 40))).toBe(
        false,
      );
    }
    expect((await get('moves/one')).equals(body)).toBe(true);
    expect((await get('moves/two')).equals(body)).toBe(true);
    expect((await get('moves/three')).equals((bodies.get('plain/300000') ?? body).subarray(10, 100))).toBe(true);
    const head = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'moves/one' }));
    expect(head).toMatchObject({ Metadata: { made: 'before' }, ServerSideEncryption: 'aws:kms' });
  });

  test.each(['strict/', 'over/'])('under %s what is not sealed is refused, whoever asks', async (prefix) => {
    const { direct } = setup;
    const Key = `${prefix}object`;
    await direct.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'not sealed at all' }));
    const refused = prefix === 'over/' ? 403 : 500;
    const asked = [
      new GetObjectCommand({ Bucket: BUCKET, Key }),
      new GetObjectCommand({ Bucket: BUCKET, Key, Range: 'bytes=0-3' }),
      new HeadObjectCommand({ Bucket: BUCKET, Key }),
      new GetObjectAttributesCommand({ Bucket: BUCKET, Key, ObjectAttributes: ['ObjectSize'] }),
      new CopyObjectCommand({ Bucket: BUCKET, Key: 'plain/taken', CopySource: `${BUCKET}/${Key}` }),
    ] as const;
    // One type of command at a time, for the client's overloads.
    for (const command of asked)
      await expect(client.send(command as GetObjectCommand)).rejects.toMatchObject({
        $metadata: { httpStatusCode: refused },
      });
  });

  test('a store that takes the envelope away shows nobody ciphertext as content', async () => {
    for (const size of [400, 700_000]) {
      const stored = await setup.direct.send(new GetObjectCommand({ Bucket: BUCKET, Key: `sealed/${size}` }));
      const Key = `stripped/${size}`;
      const Body = (await stored.Body?.transformToByteArray()) ?? new Uint8Array();
      await setup.direct.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
      await expect(get(Key)).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
      for (const Range of ['bytes=0-9', 'bytes=200-300'])
        await expect(get(Key, { Range })).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
      const copy = { Bucket: BUCKET, Key: 'stripped/copy', CopySource: `${BUCKET}/${Key}` };
      await expect(client.send(new CopyObjectCommand(copy))).rejects.toMatchObject({
        $metadata: { httpStatusCode: 500 },
      });
    }
  });

  test('an object that was replaced is read as what it is now', async () => {
    const Key = 'changes';
    const Range = 'bytes=100-199';
    for (const [writer, size] of [
      [setup.direct, 200_000],
      [client, 100_000],
      [setup.direct, 150_000],
      [client, 200_000],
    ] as const) {
      const body = randomBytes(size);
      await writer.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: body }));
      for (const again of [1, 2])
        expect([again, (await get(Key, { Range })).equals(body.subarray(100, 200))]).toEqual([again, true]);
      expect((await get(Key)).equals(body)).toBe(true);
    }
  });

  test('versions, some of them plain, are listed with their sizes and read', async ({ skip }) => {
    skip(name === 's3rver', 's3rver has no versions');
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await setup.direct.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration }));
    const Key = 'versions';
    const sizes = [900, 1_000, 1_100];
    for (const [index, size] of sizes.entries())
      await (index === 1 ? client : setup.direct).send(
        new PutObjectCommand({ Bucket: BUCKET, Key, Body: randomBytes(size) }),
      );
    const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket: BUCKET, Prefix: Key }));
    expect(Versions.map(({ Size }) => Size)).toEqual(sizes.toReversed());
    for (const { VersionId, Size } of Versions) expect((await get(Key, { VersionId })).length).toBe(Size);
  });
});

async function putParts(client: S3Client, Key: string, sizes: readonly number[]): Promise<Buffer> {
  const upload = { Bucket: BUCKET, Key };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(upload));
  const bodies = sizes.map((size) => randomBytes(size));
  const Parts = [];
  for (const [index, Body] of bodies.entries()) {
    const part = { ...upload, UploadId, PartNumber: index + 1 };
    const { ETag } = await client.send(new UploadPartCommand({ ...part, Body }));
    Parts.push({ PartNumber: index + 1, ETag });
  }
  await client.send(new CompleteMultipartUploadCommand({ ...upload, UploadId, MultipartUpload: { Parts } }));
  return Buffer.concat(bodies);
}
