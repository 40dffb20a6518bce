/** Objects and parts of every length around the edges of segments, buffers and parts; read whole, by part, and over each edge. */
import { randomBytes } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { BUCKET, startSealed, type SealedSetup } from '../../support/s3/sealed.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** By docs/FORMAT.md: 64 KiB of ciphertext, 16 of tag in each, 40 of the stream's header in the first. */
const FIRST = 64 * KIB - 56;
const NEXT = 64 * KIB - 16;
const around = (edge: number): readonly number[] => [edge - 1, edge, edge + 1];

const SINGLES = [0, 1, 2, ...[FIRST, FIRST + NEXT, FIRST + 2 * NEXT, 256 * KIB - 376, 256 * KIB].flatMap(around)];
const UPLOADS: readonly (readonly number[])[] = [
  [0],
  [1],
  ...around(5 * MIB).map((length) => [length]),
  ...around(5 * MIB).map((length) => [5 * MIB, length]),
  [5 * MIB + 1, 7 * MIB - 1, 6 * MIB + 12_345, 1],
  // Exponential, as ClickHouse makes them.
  [5 * MIB, 10 * MIB, 20 * MIB, FIRST],
];

describe.each(['s3rver', 'radosgw'] as const)('Lengths of sealed objects in front of %s', (name) => {
  let setup: SealedSetup;

  inFrontOf(name, async (backend) => {
    setup = await startSealed(backend);
    await createBuckets(setup.clients[0], name);
    return [setup];
  });

  const read = async (Key: string, more: object = {}): Promise<Buffer> => {
    const { Body } = await setup.clients[1].send(new GetObjectCommand({ Bucket: BUCKET, Key, ...more }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  };

  async function checkLength(Key: string, body: Buffer, edges: readonly number[]): Promise<void> {
    expect((await read(Key)).equals(body), Key).toBe(true);
    const { ContentLength } = await setup.clients[1].send(new HeadObjectCommand({ Bucket: BUCKET, Key }));
    const { Contents } = await setup.clients[1].send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: Key }));
    expect([Key, ContentLength, Contents?.map(({ Size }) => Size)]).toEqual([Key, body.length, [body.length]]);
    for (const edge of edges) {
      const [from, to] = [Math.max(0, edge - 2), Math.min(body.length, edge + 2)];
      if (from >= to) continue;
      const range = await read(Key, { Range: `bytes=${from}-${to - 1}` });
      expect(range.equals(body.subarray(from, to)), `${Key} over ${edge}`).toBe(true);
    }
  }

  test.each(SINGLES)('a PUT of %i bytes', async (length) => {
    const body = randomBytes(length);
    const Key = `single/${length}.`;
    await setup.clients[0].send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: body }));
    await checkLength(Key, body, [0, FIRST, FIRST + NEXT, FIRST + 2 * NEXT, length]);
  });

  test.each(UPLOADS.map((lengths) => [lengths.join(', '), lengths] as const))(
    'an upload of parts of %s bytes',
    async (title, lengths) => {
      const Key = `upload/${title.replaceAll(', ', '-')}.`;
      const { UploadId } = await setup.clients[0].send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key }));
      const upload = { Bucket: BUCKET, Key, UploadId };
      const parts: Buffer[] = [];
      const Parts: CompletedPart[] = [];
      for (const [index, length] of lengths.entries()) {
        const [Body, PartNumber] = [randomBytes(length), index + 1];
        const { ETag } = await setup.clients[index % 2 === 0 ? 0 : 1].send(
          new UploadPartCommand({ ...upload, PartNumber, Body }),
        );
        parts.push(Body);
        Parts.push({ PartNumber, ETag });
      }
      await setup.clients[1].send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
      const starts = lengths.map((_, index) => lengths.slice(0, index).reduce((sum, length) => sum + length, 0));
      const body = Buffer.concat(parts);
      await checkLength(Key, body, [
        ...starts.flatMap((start) => [start, start + FIRST, start + FIRST + NEXT]),
        body.length,
      ]);
      for (const [index, part] of parts.entries())
        expect((await read(Key, { PartNumber: index + 1 })).equals(part), `${Key} part ${index + 1}`).toBe(true);
    },
  );
});
