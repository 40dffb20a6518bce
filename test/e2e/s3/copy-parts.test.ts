/** Parts of uploads copied from sealed, multipart and plain objects, whole and by ranges, into sealed and plain uploads. */
import { randomBytes } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
  type CreateMultipartUploadCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { BUCKET, startSealed, type SealedSetup } from '../../support/s3/sealed.ts';

const MIB = 1024 * 1024;
const RULES = [{ bucket: 'plain', prefix: '', rule: { type: 'pass', name: 'plain' } }] as const;

describe.each(['s3rver', 'radosgw'] as const)('Parts copied in front of %s', (name) => {
  let setup: SealedSetup;
  let client: S3Client;
  const whole = randomBytes(12 * MIB);
  const sources = { single: BUCKET, parts: BUCKET, flat: 'plain' } as const;

  inFrontOf(name, async (backend) => {
    setup = await startSealed(backend, undefined, undefined, { rules: RULES });
    [client] = setup.clients;
    await createBuckets(client, name);
    await client.send(new CreateBucketCommand({ Bucket: 'plain' }));
    for (const [Key, Bucket] of Object.entries(sources)) {
      if (Key !== 'parts') await client.send(new PutObjectCommand({ Bucket, Key, Body: whole }));
    }
    const object = { Bucket: BUCKET, Key: 'parts' };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(object));
    const Parts = [];
    for (const [index, Body] of [whole.subarray(0, 5 * MIB), whole.subarray(5 * MIB)].entries()) {
      const { ETag } = await client.send(new UploadPartCommand({ ...object, UploadId, PartNumber: index + 1, Body }));
      Parts.push({ PartNumber: index + 1, ETag });
    }
    await client.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } }));
    return [setup];
  });

  const create = async (Bucket: string, Key: string, more: Partial<CreateMultipartUploadCommandInput> = {}) => {
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }));
    return { Bucket, Key, UploadId };
  };
  type Upload = Awaited<ReturnType<typeof create>>;
  const copyPart = async (
    upload: Upload,
    PartNumber: number,
    CopySource: string,
    range?: readonly [number, number],
  ) => {
    const CopySourceRange = range && `bytes=${range[0]}-${range[1]}`;
    const asked = { ...upload, PartNumber, CopySource, ...(range === undefined ? {} : { CopySourceRange }) };
    const { CopyPartResult = {} } = await client.send(new UploadPartCopyCommand(asked));
    const { LastModified, ...part } = CopyPartResult;
    expect(LastModified).toBeInstanceOf(Date);
    return { PartNumber, ...part };
  };
  const complete = async (upload: Upload, Parts: object[]): Promise<Buffer> => {
    await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
    const { Bucket, Key } = upload;
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  };
  const nameOf = (run: Promise<unknown>): Promise<string> =>
    run.then(
      () => 'success',
      (error: unknown) => (error instanceof Error ? error.name : 'none'),
    );

  const pairs = Object.entries(sources).flatMap(([key, bucket]) =>
    [BUCKET, 'plain']
      .filter((to) => bucket !== 'plain' || to !== 'plain')
      .map((to) => [`${bucket}/${key}`, to] as const),
  );

  test.each(pairs)('from %s to an upload in %s, by ranges across segments and parts', async (source, to) => {
    const upload = await create(to, 'copied');
    const ranges = [
      [1, 5 * MIB + 65_481],
      [5 * MIB - 7, 11 * MIB],
      [12 * MIB - 99_999, 12 * MIB - 1],
    ] as const;
    const parts = [];
    for (const [index, range] of ranges.entries()) parts.push(await copyPart(upload, 3 * index + 1, source, range));
    const expected = Buffer.concat(ranges.map(([from, end]) => whole.subarray(from, end + 1)));
    expect((await complete(upload, parts)).equals(expected)).toBe(true);
    const { ContentLength } = await client.send(new HeadObjectCommand({ Bucket: to, Key: 'copied' }));
    expect(ContentLength).toBe(expected.length);
  });

  test.each(pairs)('from %s to an upload in %s, whole and beside a part that is uploaded', async (source, to) => {
    const upload = await create(to, 'beside');
    const parts: object[] = [await copyPart(upload, 1, source)];
    const Body = Buffer.from('the end');
    const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber: 2, Body }));
    parts.push({ PartNumber: 2, ETag });
    expect((await complete(upload, parts)).equals(Buffer.concat([whole, Body]))).toBe(true);
  });

  test('a part has the checksum that the upload was created with', async () => {
    const upload = await create(BUCKET, 'summed', { ChecksumAlgorithm: 'SHA256' });
    const part = await copyPart(upload, 1, `${BUCKET}/single`, [0, 6 * MIB - 1]);
    expect(part).toMatchObject({ ChecksumSHA256: expect.stringMatching(/^[\w+/]{43}=$/u) as string });
    expect((await complete(upload, [part])).equals(whole.subarray(0, 6 * MIB))).toBe(true);
  });

  test('a range that the source has not is refused, and so is a part of an upload that is none', async () => {
    const upload = await create(BUCKET, 'refused');
    for (const source of [`${BUCKET}/single`, `${BUCKET}/parts`, 'plain/flat']) {
      for (const range of [
        [0, 12 * MIB],
        [12 * MIB, 12 * MIB + 1],
        [9, 2],
      ] as const)
        expect(await nameOf(copyPart(upload, 1, source, range)), `${source} ${range.join('-')}`).toBe(
          'InvalidArgument',
        );
    }
    expect(await nameOf(copyPart(upload, 1, `${BUCKET}/missing`))).toBe('NoSuchKey');
    expect(await nameOf(copyPart({ ...upload, UploadId: 'none' }, 1, `${BUCKET}/single`))).toBe('NoSuchUpload');
  });
});
