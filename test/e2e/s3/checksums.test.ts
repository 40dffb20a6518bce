/** Every checksum an SDK computes: verified on the plaintext, kept sealed, shown again as S3 shows it. */
import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  ChecksumType,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  S3Client,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { createDigest, type ChecksumAlgorithm as Algorithm } from '../../../src/s3/bodies/checksums.ts';
import { sign, statusIn, talk } from '../../support/s3/raw-s3.ts';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { CLIENT } from '../../support/s3/edge.ts';
import { SDK_CHECKSUMS } from '../../support/s3/sdk-checksums.ts';
import { BUCKET, startSealed, type SealedSetup } from '../../support/s3/sealed.ts';

const MIB = 1024 * 1024;
/** The SDK computes none of these: their values are given. */
const GIVEN = ['MD5', 'SHA512', 'XXHASH64', 'XXHASH3', 'XXHASH128'] as const;
const ALGORITHMS = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256', ...GIVEN] as const;
const TYPES = [
  ['CRC32', 'COMPOSITE'],
  ['CRC32', 'FULL_OBJECT'],
  ['CRC32C', 'COMPOSITE'],
  ['CRC32C', 'FULL_OBJECT'],
  ['CRC64NVME', 'FULL_OBJECT'],
  ['SHA1', 'COMPOSITE'],
  ['SHA256', 'COMPOSITE'],
  ...GIVEN.map((algorithm) => [algorithm, 'COMPOSITE'] as const),
] as const;

async function digestOf(algorithm: string, bytes: Uint8Array): Promise<Buffer> {
  const digest = await createDigest(algorithm.toLowerCase() as Algorithm);
  digest.update(bytes);
  return Buffer.from(digest.digest());
}

/** How a body's checksum is asked for. */
const given = async (algorithm: (typeof ALGORITHMS)[number], body: Uint8Array): Promise<object> =>
  GIVEN.some((name) => name === algorithm)
    ? { [`Checksum${algorithm}`]: (await digestOf(algorithm, body)).toString('base64') }
    : { ChecksumAlgorithm: algorithm };

const checksumIn = (answer: object, algorithm: string): unknown =>
  (answer as Record<string, unknown>)[`Checksum${algorithm}`];

describe.each(['s3rver', 'radosgw'] as const)('Checksums of sealed objects in front of %s', (name) => {
  let setup: SealedSetup;
  let client: S3Client;
  let other: S3Client;

  inFrontOf(name, async (backend) => {
    setup = await startSealed(backend);
    [client] = setup.clients;
    other = new S3Client({
      endpoint: setup.edges[1].url,
      region: 'us-east-1',
      credentials: CLIENT,
      forcePathStyle: true,
      maxAttempts: 1,
      checksumAlgorithms: SDK_CHECKSUMS,
    });
    await createBuckets(client, name);
    return [{ close: () => other.destroy() }, setup];
  });

  const get = async (Key: string, more: object = {}) => {
    const answer = await other.send(new GetObjectCommand({ Bucket: BUCKET, Key, ChecksumMode: 'ENABLED', ...more }));
    return { answer, bytes: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) };
  };
  const head = (Key: string, more: object = {}) =>
    other.send(new HeadObjectCommand({ Bucket: BUCKET, Key, ChecksumMode: 'ENABLED', ...more }));
  const create = async (Key: string, more: object) => {
    const made = await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key, ...more }));
    return { made, upload: { Bucket: BUCKET, Key, UploadId: made.UploadId } };
  };

  const refused = async (sent: Promise<unknown>): Promise<string> =>
    sent.then(
      () => 'accepted',
      (error: { name: string; message: string }) => `${error.name}: ${error.message}`,
    );

  test.each(
    ALGORITHMS.flatMap((algorithm) => [0, 1000, 70_000, 3 * MIB].map((length) => [algorithm, length] as const)),
  )('a PUT with %s of %i bytes: verified, kept, and shown when asked for', async (algorithm, length) => {
    const Body = randomBytes(length);
    const Key = `put/${algorithm}-${length}`;
    const value = (await digestOf(algorithm, Body)).toString('base64');
    const made = await client.send(
      new PutObjectCommand({
        Bucket: BUCKET,
        Key,
        Body,
        ...(await given(algorithm, Body)),
      }),
    );
    expect([checksumIn(made, algorithm), made.ChecksumType]).toEqual([value, 'FULL_OBJECT']);
    const whole = await get(Key);
    expect(whole.bytes.equals(Body)).toBe(true);
    for (const answer of [whole.answer, await head(Key), await head(Key, { PartNumber: 1 })])
      expect([checksumIn(answer, algorithm), answer.ChecksumType]).toEqual([value, 'FULL_OBJECT']);
    const silent = await other.send(new HeadObjectCommand({ Bucket: BUCKET, Key }));
    expect([checksumIn(silent, algorithm), silent.ChecksumType]).toEqual([undefined, undefined]);
    if (length === 0) return;
    const range = await get(Key, { Range: 'bytes=0-1' });
    expect(checksumIn(range.answer, algorithm)).toBe(undefined);
    expect(checksumIn(await head(Key, { Range: 'bytes=0-1' }), algorithm)).toBe(undefined);
  });

  test.each(TYPES)('an upload with %s, %s: of its parts and of the whole', async (algorithm, type) => {
    const Key = `multipart/${algorithm}-${type}`;
    const bodies = [randomBytes(5 * MIB + 1), randomBytes(5 * MIB), randomBytes(11)];
    const { made, upload } = await create(Key, { ChecksumAlgorithm: algorithm, ChecksumType: type });
    expect([made.ChecksumAlgorithm, made.ChecksumType]).toEqual([algorithm, type]);
    const Parts: CompletedPart[] = [];
    for (const [index, Body] of bodies.entries()) {
      const PartNumber = index + 1;
      const sent = await client.send(
        new UploadPartCommand({ ...upload, PartNumber, Body, ...(await given(algorithm, Body)) }),
      );
      const value = (await digestOf(algorithm, Body)).toString('base64');
      expect(checksumIn(sent, algorithm)).toBe(value);
      Parts.push({ PartNumber, ETag: sent.ETag, [`Checksum${algorithm}`]: value });
    }
    const size = bodies.reduce((sum, { length }) => sum + length, 0);
    const whole = Buffer.concat(bodies);
    const digests = await Promise.all(bodies.map((body) => digestOf(algorithm, body)));
    const full = (await digestOf(algorithm, type === 'COMPOSITE' ? Buffer.concat(digests) : whole)).toString('base64');
    const shown = type === 'COMPOSITE' ? `${full}-3` : full;
    const complete = (more: object) =>
      client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts }, ...more }));
    await expect(complete({ MpuObjectSize: size - 1 })).rejects.toMatchObject({
      name: 'InvalidRequest',
      message: `The provided 'x-amz-mp-object-size' header value ${size - 1} does not match what was computed: ${size}`,
    });
    const wrong = (await digestOf(algorithm, Buffer.from('wrong'))).toString('base64');
    await expect(complete({ [`Checksum${algorithm}`]: wrong })).rejects.toMatchObject({ name: 'BadDigest' });
    const otherType = type === 'COMPOSITE' ? ChecksumType.FULL_OBJECT : ChecksumType.COMPOSITE;
    await expect(complete({ ChecksumType: otherType })).rejects.toMatchObject({
      message: `The upload was created using the ${type} checksum mode. The complete request must use the same checksum mode.`,
    });
    const completed = await complete({ MpuObjectSize: size, [`Checksum${algorithm}`]: shown, ChecksumType: type });
    expect([checksumIn(completed, algorithm), completed.ChecksumType]).toEqual([shown, type]);
    const again = await complete({});
    expect([again.ETag, checksumIn(again, algorithm), again.ChecksumType]).toEqual([completed.ETag, shown, type]);

    const read = await get(Key);
    expect(read.bytes.equals(whole)).toBe(true);
    for (const answer of [read.answer, await head(Key)])
      expect([checksumIn(answer, algorithm), answer.ChecksumType]).toEqual([shown, type]);
    for (const [index, body] of bodies.entries()) {
      const part = await get(Key, { PartNumber: index + 1 });
      const expected = type === 'COMPOSITE' ? digests[index]?.toString('base64') : undefined;
      expect(part.bytes.equals(body)).toBe(true);
      expect(part.answer).toMatchObject({ PartsCount: 3, ContentLength: body.length });
      for (const answer of [part.answer, await head(Key, { PartNumber: index + 1 })])
        expect(checksumIn(answer, algorithm)).toBe(expected);
    }
  });

  const attributes = (Key: string, more: object = {}) =>
    other.send(
      new GetObjectAttributesCommand({
        Bucket: BUCKET,
        Key,
        ObjectAttributes: ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'],
        ...more,
      }),
    );

  test('attributes of a single PUT are those of its plaintext', async () => {
    const Body = randomBytes(70_000);
    const { ETag } = await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'attributes', Body }));
    const { $metadata: _metadata, LastModified, ...rest } = await attributes('attributes');
    expect(LastModified).toBeInstanceOf(Date);
    expect(rest).toEqual({
      ETag: ETag?.replaceAll('"', ''),
      ObjectSize: 70_000,
      StorageClass: 'STANDARD',
      Checksum: { ChecksumCRC32: (await digestOf('CRC32', Body)).toString('base64'), ChecksumType: 'FULL_OBJECT' },
    });
    const {
      $metadata: _more,
      LastModified: _date,
      ...size
    } = await attributes('attributes', { ObjectAttributes: ['ObjectSize'] });
    expect(size).toEqual({ ObjectSize: 70_000 });
    await expect(attributes('attributes', { ObjectAttributes: ['Colour'] })).rejects.toMatchObject({
      name: 'InvalidArgument',
    });
    await expect(attributes('no-such-key')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test.each([
    ['COMPOSITE', [5 * MIB + 7, 6 * MIB, 10]],
    ['FULL_OBJECT', [5 * MIB, 5 * MIB]],
  ] as const)(
    'attributes of an upload with a %s checksum list parts as S3 does, without the footer',
    async (type, lengths) => {
      const Key = `attributes-${type}`;
      const { upload } = await create(Key, { ChecksumAlgorithm: 'CRC32', ChecksumType: type });
      const Parts: CompletedPart[] = [];
      for (const [index, length] of lengths.entries()) {
        // A gap in the numbers.
        const PartNumber = 2 * index + 1;
        const sent = await client.send(new UploadPartCommand({ ...upload, PartNumber, Body: randomBytes(length) }));
        Parts.push({ PartNumber, ETag: sent.ETag, ChecksumCRC32: sent.ChecksumCRC32 });
      }
      const made = await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
      const all = await attributes(Key);
      expect(all).toMatchObject({
        ETag: made.ETag?.replaceAll('"', ''),
        ObjectSize: lengths.reduce((sum, length) => sum + length, 0),
        Checksum: { ChecksumCRC32: made.ChecksumCRC32?.replace(/-3$/u, ''), ChecksumType: type },
      });
      const rows = Parts.map(({ PartNumber, ChecksumCRC32 }, i) => ({ PartNumber, ChecksumCRC32, Size: lengths[i] }));
      if (type === 'FULL_OBJECT') return expect(all.ObjectParts).toEqual({ TotalPartsCount: 2 });
      expect(all.ObjectParts).toMatchObject({ TotalPartsCount: 3, IsTruncated: false, Parts: rows });
      const first = await attributes(Key, { MaxParts: 2 });
      expect(first.ObjectParts).toMatchObject({ IsTruncated: true, MaxParts: 2, Parts: rows.slice(0, 2) });
      const PartNumberMarker = first.ObjectParts?.NextPartNumberMarker;
      const second = await attributes(Key, { MaxParts: 2, PartNumberMarker });
      expect(second.ObjectParts).toMatchObject({ IsTruncated: false, PartNumberMarker: '3', Parts: rows.slice(2) });
    },
  );

  test('listings of an open upload say which checksum it has', async ({ skip }) => {
    skip(name !== 'radosgw', 's3rver lists neither uploads nor parts');
    const { upload } = await create('open', { ChecksumAlgorithm: 'SHA256' });
    const Body = randomBytes(5 * MIB);
    const parts = [Body, randomBytes(3)];
    for (const [index, body] of parts.entries())
      await client.send(
        new UploadPartCommand({ ...upload, PartNumber: index + 1, Body: body, ChecksumAlgorithm: 'SHA256' }),
      );
    const listed = await client.send(new ListPartsCommand(upload));
    expect(listed).toMatchObject({ ChecksumAlgorithm: 'SHA256', ChecksumType: 'COMPOSITE' });
    const values = await Promise.all(parts.map(async (body) => (await digestOf('SHA256', body)).toString('base64')));
    expect(listed.Parts?.map(({ ChecksumSHA256 }) => ChecksumSHA256)).toEqual(values);
    const { Uploads } = await other.send(new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix: 'open' }));
    expect(Uploads).toMatchObject([
      { ChecksumAlgorithm: 'SHA256', ChecksumType: 'COMPOSITE', UploadId: upload.UploadId },
    ]);
    await client.send(new AbortMultipartUploadCommand(upload));
  });

  test('what S3 refuses of checksums is refused in its words', async () => {
    expect(await refused(create('x', { ChecksumAlgorithm: 'SHA256', ChecksumType: 'FULL_OBJECT' }))).toBe(
      'InvalidRequest: The FULL_OBJECT checksum type cannot be used with the sha256 checksum algorithm.',
    );
    expect(await refused(create('x', { ChecksumAlgorithm: 'CRC64NVME', ChecksumType: 'COMPOSITE' }))).toBe(
      'InvalidRequest: The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm.',
    );
    expect(await refused(create('x', { ChecksumAlgorithm: 'ROT13' }))).toMatch(
      /^InvalidRequest: Checksum algorithm provided is unsupported\. /u,
    );
    const { upload } = await create('mismatch', { ChecksumAlgorithm: 'SHA1' });
    const part = { ...upload, PartNumber: 1, Body: randomBytes(7) };
    expect(await refused(client.send(new UploadPartCommand({ ...part, ChecksumAlgorithm: 'CRC32C' })))).toBe(
      'InvalidRequest: Checksum Type mismatch occurred, expected checksum Type: sha1, actual checksum Type: crc32c',
    );
    const { ETag } = await client.send(new UploadPartCommand({ ...part, ChecksumAlgorithm: 'SHA1' }));
    const complete = (more: object) =>
      refused(
        client.send(
          new CompleteMultipartUploadCommand({
            ...upload,
            MultipartUpload: { Parts: [{ PartNumber: 1, ETag, ...more }] },
          }),
        ),
      );
    expect(await complete({ ChecksumSHA1: (await digestOf('SHA1', Buffer.from('x'))).toString('base64') })).toMatch(
      /^InvalidPart: /u,
    );
    expect(await complete({ ChecksumCRC32: 'AAAAAA==' })).toBe(
      'BadDigest: The crc32 you specified for part 1 did not match what we received.',
    );
    expect(await complete({ ChecksumSHA1: 'AAAA' })).toBe(
      'InvalidArgument: Invalid Base64 or multiple checksums present in request',
    );
  });

  test('of an upload that was created with none, what is said of a part and of the whole is held against the parts', async () => {
    for (const algorithm of GIVEN) {
      const { upload } = await create('unsaid', { ChecksumAlgorithm: undefined });
      const Body = Buffer.from('x');
      const [right, wrong] = await Promise.all(
        [Body, Buffer.from('y')].map(async (bytes) => (await digestOf(algorithm, bytes)).toString('base64')),
      );
      const name = `Checksum${algorithm}`;
      const part = { ...upload, PartNumber: 1, Body };
      expect(await refused(client.send(new UploadPartCommand({ ...part, [name]: wrong })))).toBe(
        `BadDigest: The ${algorithm} you specified did not match the calculated checksum.`,
      );
      const { ETag } = await client.send(new UploadPartCommand({ ...part, [name]: right }));
      const complete = (Part: object, more: object) =>
        refused(
          client.send(
            new CompleteMultipartUploadCommand({
              ...upload,
              MultipartUpload: { Parts: [{ PartNumber: 1, ETag, ...Part }] },
              ...more,
            }),
          ),
        );
      expect(await complete({ [name]: wrong }, {})).toMatch(/^InvalidPart: /u);
      // Of parts that are hashed apart no hash of the whole can be had.
      expect(await complete({}, { [name]: right })).toMatch(/^InvalidRequest: /u);
      expect(await complete({}, { [name]: right, ChecksumCRC32: 'AAAAAA==' })).toBe(
        'InvalidRequest: Expecting a single x-amz-checksum- header',
      );
      expect(await complete({ [name]: right }, {})).toBe('accepted');
      expect((await get('unsaid')).bytes.equals(Body)).toBe(true);
    }
  });

  test('attributes of parts have the checksums that S3 took in later', async () => {
    for (const algorithm of GIVEN) {
      const { upload } = await create('attributes-later', { ChecksumAlgorithm: algorithm });
      const body = randomBytes(70_000);
      const value = (await digestOf(algorithm, body)).toString('base64');
      const name = `Checksum${algorithm}`;
      const part = new UploadPartCommand({ ...upload, PartNumber: 3, Body: body, [name]: value });
      const Parts = [{ PartNumber: 3, ETag: (await client.send(part)).ETag, [name]: value }];
      const made = await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
      const { Checksum, ObjectParts } = await attributes('attributes-later');
      expect(Checksum).toEqual({
        [name]: String(checksumIn(made, algorithm)).replace(/-1$/u, ''),
        ChecksumType: 'COMPOSITE',
      });
      expect(ObjectParts?.Parts).toEqual([{ PartNumber: 3, [name]: value, Size: 70_000 }]);
    }
  });

  test.each([
    [
      'a header that does not match',
      { 'x-amz-checksum-crc32': 'AAAAAA==' },
      'BadDigest',
      'The CRC32 you specified did not match the calculated checksum.',
    ],
    [
      'a header that is none',
      { 'x-amz-checksum-crc32': '!' },
      'InvalidRequest',
      'Value for x-amz-checksum-crc32 header is invalid.',
    ],
    [
      'two headers',
      { 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-crc32c': 'AAAAAA==' },
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    ],
    [
      'an unknown algorithm',
      { 'x-amz-checksum-rot13': 'AAAAAA==' },
      'InvalidRequest',
      'The algorithm type you specified in x-amz-checksum- header is invalid.',
    ],
    [
      'an announced algorithm without a value',
      { 'x-amz-sdk-checksum-algorithm': 'CRC32' },
      'InvalidRequest',
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    ],
    [
      'another algorithm than the announced',
      { 'x-amz-sdk-checksum-algorithm': 'SHA1', 'x-amz-checksum-crc32': 'AAAAAA==' },
      'InvalidRequest',
      'Value for x-amz-sdk-checksum-algorithm header is invalid.',
    ],
    [
      'a Content-MD5 that does not match',
      { 'content-md5': createHash('md5').update('x').digest('base64') },
      'BadDigest',
      'The Content-MD5 you specified did not match what we received.',
    ],
    [
      'a Content-MD5 that is none',
      { 'content-md5': 'AAAA' },
      'InvalidDigest',
      'The Content-MD5 you specified was invalid.',
    ],
  ] as const)('a PUT with %s is refused, and nothing is stored', async (title, headers, code, message) => {
    const { port } = setup.edges[0];
    const path = `/${BUCKET}/refused-${encodeURIComponent(title)}`;
    const request = sign(port, { method: 'PUT', path, headers: { ...headers, 'content-length': '9' } });
    const answer = await talk(port, [request.head, 'plaintext']);
    expect(answer).toContain(`<Code>${code}</Code><Message>${message}</Message>`);
    expect(statusIn(await talk(port, [sign(port, { method: 'GET', path }).head]))).toBe(404);
  });

  test.each([
    ['matches', true],
    ['does not match', false],
  ] as const)('a trailing checksum that %s, beside a coding that stays', async (title, matches) => {
    const { port } = setup.edges[0];
    const data = randomBytes(300_000);
    const value = Buffer.alloc(4);
    value.writeUInt32BE(matches ? crc32(data) : 1);
    const trailer = `x-amz-checksum-crc32:${value.toString('base64')}\r\n\r\n`;
    const body = Buffer.concat([
      Buffer.from(`${data.length.toString(16)}\r\n`),
      data,
      Buffer.from(`\r\n0\r\n${trailer}`),
    ]);
    const path = `/${BUCKET}/trailing-${matches}`;
    const { head: sent } = sign(port, {
      method: 'PUT',
      path,
      payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      headers: {
        'content-encoding': 'aws-chunked,gzip',
        'content-length': String(body.length),
        'x-amz-decoded-content-length': String(data.length),
        'x-amz-trailer': 'x-amz-checksum-crc32',
      },
    });
    const answer = await talk(port, [sent, body]);
    if (!matches) {
      expect(answer, title).toContain('<Code>BadDigest</Code>');
      // s3rver keeps what came before the connection broke: it does not open.
      const there = statusIn(await talk(port, [sign(port, { method: 'GET', path }).head]));
      return expect(name === 's3rver' ? [404, 500] : [404]).toContain(there);
    }
    expect(statusIn(answer)).toBe(200);
    const there = await head(`trailing-${matches}`);
    expect(there).toMatchObject({
      ContentEncoding: 'gzip',
      ChecksumCRC32: value.toString('base64'),
      ContentLength: data.length,
    });
    expect((await get(`trailing-${matches}`)).bytes.equals(data)).toBe(true);
  });
});
