/**
 * A part 10 000 of 5 MiB and more: Go's upload manager, aws CLI and rclone make exactly 10 000 parts of what is above some 50 GB. It is held
 * until the upload completes, and then sealed anew with the list of parts in its padding.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  ChecksumType,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { segmentSizeOf } from '../../../src/envelope/object/sizes.ts';
import { listHidden } from '../../../src/s3/listing/delete-hidden.ts';
import { createDigest } from '../../../src/s3/bodies/checksums.ts';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { BUCKET, startSealed, type SealedSetup } from '../../support/s3/sealed.ts';

const MIB = 1024 * 1024;
const LAST = 10_000;
/** The last of it: with segments of 64 KiB as any part has; with longer ones; with ones for which there is a bound of memory. */
const LENGTHS = [5 * MIB, 6 * MIB + 1, 41 * MIB + 13];

const base64 = (digest: Uint8Array): string => Buffer.from(digest).toString('base64');
async function crc(...pieces: readonly Uint8Array[]): Promise<Uint8Array> {
  const digest = await createDigest('crc32c');
  for (const piece of pieces) digest.update(piece);
  return Uint8Array.from(digest.digest());
}

describe.each(['s3rver', 'radosgw'] as const)('A long part 10000 in front of %s', (name) => {
  let setup: SealedSetup;

  inFrontOf(name, async (backend) => {
    setup = await startSealed(backend, undefined, undefined, {
      // Neither store decides on conditions here.
      options: { customerKeysWithoutTls: true, emulateConditions: true },
    });
    await createBuckets(setup.clients[0], name);
    return [setup];
  });

  type Upload = { readonly Bucket: string; readonly Key: string; readonly UploadId: string | undefined };

  const create = async (Key: string, more: object = {}): Promise<Upload> => {
    const place = { Bucket: BUCKET, Key };
    const { UploadId } = await setup.clients[0].send(new CreateMultipartUploadCommand({ ...place, ...more }));
    return { ...place, UploadId };
  };
  const send = async (
    upload: Upload,
    PartNumber: number,
    Body: Uint8Array,
    by: 0 | 1,
    more: object = {},
  ): Promise<CompletedPart> => {
    const { ETag } = await setup.clients[by].send(new UploadPartCommand({ ...upload, PartNumber, Body, ...more }));
    return { PartNumber, ETag };
  };
  const complete = (upload: Upload, Parts: CompletedPart[], by: 0 | 1, more: object = {}) =>
    setup.clients[by].send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts }, ...more }));
  const get = async (Key: string, by: 0 | 1, more: object = {}) => {
    const answer = await setup.clients[by].send(new GetObjectCommand({ Bucket: BUCKET, Key, ...more }));
    return { answer, bytes: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) };
  };
  /** s3rver knows no abortion: what the gateway kept goes all the same. */
  const abort = async (upload: Upload): Promise<void> => {
    const aborted = setup.clients[1].send(new AbortMultipartUploadCommand(upload));
    if (name === 's3rver') await expect(aborted).rejects.toMatchObject({ name: 'MethodNotAllowed' });
    else await aborted;
  };
  /** What is left of open uploads, as the gateway finds it. */
  const hidden = async (): Promise<number> => {
    const { upstream } = setup.edges[0].gateway;
    return (await listHidden({ upstream, bucket: BUCKET }, '.sealgate/uploads/')).length;
  };

  /** Whatever a reader asks of it, in gateway `by`. */
  async function readsRight(
    Key: string,
    parts: ReadonlyMap<number, Buffer>,
    by: 0 | 1,
    hasParts = true,
  ): Promise<void> {
    const whole = Buffer.concat([...parts.values()]);
    const last = [...parts.values()].at(-1) ?? Buffer.alloc(0);
    const head = await setup.clients[by].send(new HeadObjectCommand({ Bucket: BUCKET, Key }));
    expect(head.ContentLength).toBe(whole.length);
    const { Contents } = await setup.clients[by].send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: Key }));
    expect(Contents).toMatchObject([{ Key, Size: whole.length, ETag: head.ETag }]);
    const start = whole.length - last.length;
    const segment = segmentSizeOf({ layout: 'part', partNumber: LAST, plainLength: last.length }) - 16;
    const edges = [start, start + segment - 40, start + 7 * segment - 40, whole.length - 3].filter(
      (at) => at < whole.length,
    );
    for (const at of edges) {
      const from = Math.max(0, at - 9);
      const { bytes } = await get(Key, by, { Range: `bytes=${from}-${at + 4}` });
      expect(bytes.equals(whole.subarray(from, at + 5)), `${Key} across ${at}`).toBe(true);
    }
    const tail = await get(Key, by, { Range: 'bytes=-70000' });
    expect(tail.bytes.equals(whole.subarray(-70_000))).toBe(true);
    expect((await get(Key, by)).bytes.equals(whole), `${Key} whole`).toBe(true);
    if (!hasParts) return;
    for (const [PartNumber, bytes] of parts) {
      const got = await get(Key, by, { PartNumber });
      expect([got.answer.PartsCount, got.bytes.equals(bytes)], `part ${PartNumber}`).toEqual([parts.size, true]);
    }
    const { ObjectSize, ObjectParts } = await setup.clients[by].send(
      new GetObjectAttributesCommand({ Bucket: BUCKET, Key, ObjectAttributes: ['ObjectParts', 'ObjectSize'] }),
    );
    expect([ObjectSize, ObjectParts?.TotalPartsCount]).toEqual([whole.length, parts.size]);
  }

  test.each(LENGTHS)(
    'of %i bytes alone, and behind others, taken by the one gateway and completed by the other',
    async (length) => {
      for (const before of length > 10 * MIB ? [[2]] : [[], [1, 9999]]) {
        const Key = `behind-${before.length}-${length}`;
        const upload = await create(Key);
        const parts = new Map(
          [...before, LAST].map((number) => [number, randomBytes(number === LAST ? length : 5 * MIB + number)]),
        );
        const named: CompletedPart[] = [];
        for (const [number, body] of parts) named.push(await send(upload, number, body, 0));
        if (name === 'radosgw') {
          const { Parts } = await setup.clients[1].send(new ListPartsCommand(upload));
          expect(Parts?.map(({ PartNumber, ETag, Size }) => ({ PartNumber, ETag, Size }))).toEqual(
            named.map((part) => ({ ...part, Size: parts.get(part.PartNumber ?? 0)?.length })),
          );
        }
        await complete(upload, named, 1);
        for (const by of [0, 1] as const) await readsRight(Key, parts, by);
      }
      expect(await hidden()).toBe(0);
    },
  );

  test('of very many segments for which there is a bound of memory', { timeout: 300_000 }, async () => {
    const upload = await create('large');
    const parts = new Map([
      [7, randomBytes(5 * MIB)],
      [LAST, randomBytes(name === 'radosgw' ? 200 * MIB : 70 * MIB)],
    ]);
    const named: CompletedPart[] = [];
    for (const [number, body] of parts) named.push(await send(upload, number, body, 0));
    await complete(upload, named, 1);
    await readsRight('large', parts, 0);
    for (const { gateway } of setup.edges)
      expect([gateway.segments.usedBytes, gateway.governor.usedBytes]).toEqual([0, 0]);
  });

  test('is the attempt that is named, of whatever length; an earlier one is none any more; completing again answers the same', async () => {
    const upload = await create('again');
    const [first, long, short] = [randomBytes(5 * MIB), randomBytes(7 * MIB), randomBytes(900)];
    const one = await send(upload, 1, first, 0);
    const earlier = await send(upload, LAST, randomBytes(6 * MIB), 0);
    const middle = await send(upload, LAST, short, 1);
    const last = await send(upload, LAST, long, 1);
    for (const gone of [earlier, middle])
      for (const by of [0, 1] as const)
        await expect(complete(upload, [one, gone], by)).rejects.toMatchObject({ name: 'InvalidPart' });
    const { ETag } = await complete(upload, [one, last], 0);
    expect((await complete(upload, [one, last], 1)).ETag).toBe(ETag);
    await readsRight(
      'again',
      new Map([
        [1, first],
        [LAST, long],
      ]),
      1,
    );
  });

  test('goes when the upload is aborted', async () => {
    const upload = await create('aborted');
    const last = await send(upload, LAST, randomBytes(6 * MIB), 0);
    expect(await hidden()).toBe(2);
    await abort(upload);
    expect(await hidden()).toBe(0);
    await expect(complete(upload, [last], 0)).rejects.toMatchObject({ name: 'NoSuchUpload' });
    await expect(send(upload, LAST, randomBytes(6 * MIB), 0)).rejects.toMatchObject({ name: 'NoSuchUpload' });
    expect(await hidden()).toBe(0);
  });

  test.each([ChecksumType.COMPOSITE, ChecksumType.FULL_OBJECT])(
    'has its checksum, and the object has one: %s',
    async (type) => {
      const Key = `checksum-${type}`;
      const upload = await create(Key, { ChecksumAlgorithm: 'CRC32C', ChecksumType: type });
      const bodies = [randomBytes(5 * MIB + 1), randomBytes(6 * MIB + 5)];
      const crcs = await Promise.all(bodies.map((body) => crc(body)));
      const parts: CompletedPart[] = [];
      for (const [index, Body] of bodies.entries()) {
        const part = await send(upload, index === 0 ? 1 : LAST, Body, 0, { ChecksumAlgorithm: 'CRC32C' });
        parts.push({ ...part, ChecksumCRC32C: base64(crcs[index] ?? new Uint8Array(0)) });
      }
      if (name === 'radosgw') {
        const { Parts } = await setup.clients[0].send(new ListPartsCommand(upload));
        expect(Parts?.map(({ ChecksumCRC32C }) => ChecksumCRC32C)).toEqual(
          parts.map(({ ChecksumCRC32C }) => ChecksumCRC32C),
        );
      }
      const wrong = parts.with(-1, { ...parts.at(-1), ChecksumCRC32C: 'AAAAAA==' });
      await expect(complete(upload, wrong, 1)).rejects.toMatchObject({ name: 'InvalidPart' });
      await expect(complete(upload, parts, 1, { MpuObjectSize: 5 })).rejects.toMatchObject({ name: 'InvalidRequest' });
      const expected = type === 'COMPOSITE' ? `${base64(await crc(...crcs))}-2` : base64(await crc(...bodies));
      expect((await complete(upload, parts, 1)).ChecksumCRC32C).toBe(expected);
      const { ChecksumCRC32C, ContentLength } = await setup.clients[0].send(
        new HeadObjectCommand({ Bucket: BUCKET, Key, ChecksumMode: 'ENABLED' }),
      );
      expect([ChecksumCRC32C, ContentLength]).toEqual([expected, 11 * MIB + 6]);
      if (type === 'COMPOSITE') {
        const { answer } = await get(Key, 1, { PartNumber: LAST, ChecksumMode: 'ENABLED' });
        expect(answer.ChecksumCRC32C).toBe(parts.at(-1)?.ChecksumCRC32C);
      }
    },
  );

  test('is stored only where its Content-MD5 is right', async () => {
    const upload = await create('md5');
    const body = randomBytes(6 * MIB);
    const ContentMD5 = createHash('md5').update(body).digest('base64');
    await expect(send(upload, LAST, randomBytes(6 * MIB), 0, { ContentMD5 })).rejects.toMatchObject({
      name: 'BadDigest',
    });
    // s3rver keeps what came before the connection was cut: it is no whole body, and does not open.
    if (name === 'radosgw') expect(await hidden()).toBe(1);
    await complete(upload, [await send(upload, LAST, body, 0, { ContentMD5 })], 1);
    await readsRight('md5', new Map([[LAST, body]]), 0);
  });

  test('opens with the customer key it was sent with alone', async () => {
    const key = randomBytes(32);
    const ssec = {
      SSECustomerAlgorithm: 'AES256',
      SSECustomerKey: key.toString('base64'),
      SSECustomerKeyMD5: createHash('md5').update(key).digest('base64'),
    };
    const upload = await create('customer', ssec);
    const body = randomBytes(6 * MIB + 3);
    await expect(send(upload, LAST, body, 0)).rejects.toMatchObject({ name: 'InvalidRequest' });
    await complete(upload, [await send(upload, LAST, body, 0, ssec)], 1, ssec);
    expect((await get('customer', 0, ssec)).bytes.equals(body)).toBe(true);
    await expect(get('customer', 0)).rejects.toMatchObject({ name: 'InvalidRequest' });
  });

  test('is copied with its object, as a part of another and as that one’s last, and into one from elsewhere', async () => {
    const parts = new Map([
      [3, randomBytes(5 * MIB)],
      [LAST, randomBytes(8 * MIB)],
    ]);
    const source = await create('source');
    const named: CompletedPart[] = [];
    for (const [number, body] of parts) named.push(await send(source, number, body, 0));
    await complete(source, named, 1);
    const CopySource = `${BUCKET}/source`;
    await setup.clients[0].send(new CopyObjectCommand({ Bucket: BUCKET, Key: 'copied', CopySource }));
    // Streamed, as in front of s3rver, it is written by one PUT.
    await readsRight('copied', parts, 1, name === 'radosgw');
    await setup.clients[0].send(
      new PutObjectCommand({ Bucket: BUCKET, Key: 'single', Body: parts.get(LAST) ?? Buffer.alloc(0) }),
    );
    const whole = Buffer.concat([...parts.values()]);
    const upload = await create('of-copies');
    const copy = async (PartNumber: number, more: object): Promise<CompletedPart> => {
      const sent = new UploadPartCopyCommand({ ...upload, CopySource, PartNumber, ...more });
      const { CopyPartResult } = await setup.clients[1].send(sent);
      return { PartNumber, ETag: CopyPartResult?.ETag };
    };
    const range = [5 * MIB - 1000, 13 * MIB - 5] as const;
    const made = [
      await copy(1, {}),
      await copy(5, { CopySourceRange: `bytes=${range[0]}-${range[1] - 1}` }),
      await copy(LAST, { CopySource: `${BUCKET}/single` }),
    ];
    await complete(upload, made, 0);
    await readsRight(
      'of-copies',
      new Map([
        [1, whole],
        [5, whole.subarray(...range)],
        [LAST, parts.get(LAST) ?? Buffer.alloc(0)],
      ]),
      1,
    );
  });

  test('is written on condition like any other object', async () => {
    const body = randomBytes(6 * MIB);
    const upload = await create('once');
    const part = await send(upload, LAST, body, 0);
    await complete(upload, [part], 1, { IfNoneMatch: '*' });
    const second = await create('once');
    const other = await send(second, LAST, randomBytes(6 * MIB), 1);
    await expect(complete(second, [other], 0, { IfNoneMatch: '*' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
    await readsRight('once', new Map([[LAST, body]]), 0);
    await abort(second);
  });
});
