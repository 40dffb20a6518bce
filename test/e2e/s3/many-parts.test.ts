/**
 * An upload of very many parts, from the first to what its object answers afterwards. Lengths and numbers are as wild as S3 allows, but
 * small: the least size of a part that is not the last (5 MiB) is lowered here and at Ceph, since 10 000 such parts have 50 GiB.
 * All 10 000 that S3 allows: `SEALGATE_PARTS=10000 npm test -- test/e2e/s3/many-parts.test.ts`, some minutes.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  UploadPartCommand,
  type CompletedPart,
  type Part,
} from '@aws-sdk/client-s3';
import { describe, expect, test, vi } from 'vitest';
import { SHORT_PART_BYTES } from '../../../src/envelope/limits.ts';
import { mapBounded } from '../../../src/s3/sealing/bounded-map.ts';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { BUCKET, startSealed, type Backend, type SealedSetup } from '../../support/s3/sealed.ts';

vi.mock(import('../../../src/envelope/limits.ts'), async (original) => ({
  ...(await original()),
  SHORT_PART_BYTES: 4096,
}));

const COUNT = Number(process.env['SEALGATE_PARTS'] ?? 1000);
const LAST = 10_000;
/** With segments of its own size. */
const LAST_BYTES = 7_000_007;
const AT_ONCE = 16;

/** Fewer than 10 000 have gaps, and all have the first and the last number there is. */
const NUMBERS = Array.from({ length: COUNT }, (_, index) =>
  index === COUNT - 1 ? LAST : 1 + Math.floor((index * (LAST - 1)) / (COUNT - 1)),
);

/** In runs of unlike lengths, the last one longer than any. All unlike: `s3-unlike-parts.test.ts`. */
const lengthOf = (number: number): number =>
  number === LAST ? LAST_BYTES : SHORT_PART_BYTES + ((Math.ceil(number / 10) * 7919) % 5000);

/** Of the part, and of its attempt: what an earlier one had must not be there. */
function bytesOf(number: number, attempt = 'last'): Buffer {
  const seed = createHash('sha256').update(`${number} ${attempt}`).digest();
  return Buffer.alloc(lengthOf(number), seed);
}

/** The same numbers in an order of their own: 7919 is prime, and no divisor of the count. */
const SHUFFLED = NUMBERS.map((_, index) => NUMBERS[(index * 7919 + 11) % COUNT] ?? 0);

/** Far above what it takes, on a machine that does other things as well. */
const TIMEOUT_MS = 180_000 + 200 * COUNT;

describe.each(['s3rver', 'radosgw'] as const)(
  `An upload of ${COUNT} parts in front of %s`,
  { timeout: TIMEOUT_MS },
  (name) => {
    const Key = 'many';
    const whole = Buffer.concat(NUMBERS.map((number) => bytesOf(number)));
    let setup: SealedSetup;

    const begin = async (backend: Backend): Promise<readonly SealedSetup[]> => {
      setup = await startSealed(backend);
      if (name === 's3rver') return [setup];
      const config = ['-c', join(backend.directory, 'ceph.conf'), 'config', 'set'];
      await promisify(execFile)('ceph', [...config, 'client.rgw.main', 'rgw_multipart_min_part_size', '1']);
      await createBuckets(setup.clients[0], name);
      return [setup];
    };
    // It changes the settings of its cluster, and fills it.
    inFrontOf(name, begin, true);

    const client = (which: number) => setup.clients[which % 2 === 0 ? 0 : 1];

    test('parts come in any order and more than once, by two gateways, and are listed page by page', async () => {
      const { UploadId } = await client(0).send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key }));
      const upload = { Bucket: BUCKET, Key, UploadId };
      const send = async (PartNumber: number, Body: Buffer): Promise<CompletedPart> => {
        const { ETag } = await client(PartNumber).send(new UploadPartCommand({ ...upload, PartNumber, Body }));
        return { PartNumber, ETag };
      };
      const twice = new Set([...NUMBERS.filter((_, index) => index % 50 === 3), LAST]);
      const sent = await mapBounded(SHUFFLED, AT_ONCE, async (number) => {
        if (twice.has(number)) await send(number, bytesOf(number, 'first'));
        return send(number, bytesOf(number));
      });
      const Parts = sent.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
      expect(Parts.map(({ PartNumber }) => PartNumber)).toEqual(NUMBERS);
      if (name === 'radosgw') {
        const listed: Part[] = [];
        let PartNumberMarker: string | undefined;
        do {
          const page = await client(1).send(new ListPartsCommand({ ...upload, PartNumberMarker, MaxParts: 700 }));
          expect(page.Parts?.length).toBeLessThanOrEqual(700);
          listed.push(...(page.Parts ?? []));
          PartNumberMarker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
        } while (PartNumberMarker !== undefined);
        const rows = listed.map(({ PartNumber, ETag, Size }) => ({ PartNumber, ETag, Size }));
        expect(rows).toEqual(Parts.map((part) => ({ ...part, Size: lengthOf(part.PartNumber ?? 0) })));
      }
      await client(0).send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
    });

    /** What any reader asks of it; `which` gateway has not seen the object before. */
    const readsRight = async (key: string, which: number, hasParts: boolean): Promise<void> => {
      const object = { Bucket: BUCKET, Key: key };
      const get = async (more: object) => {
        const answer = await client(which).send(new GetObjectCommand({ ...object, ...more }));
        return { answer, bytes: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) };
      };
      const { ContentLength } = await client(which).send(new HeadObjectCommand(object));
      expect(ContentLength).toBe(whole.length);
      const list = await client(which).send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: key }));
      expect(list.Contents).toMatchObject([{ Key: key, Size: whole.length }]);
      const edges = [1, Math.floor(COUNT / 2), COUNT - 1].map((index) =>
        NUMBERS.slice(0, index).reduce((sum, number) => sum + lengthOf(number), 0),
      );
      for (const edge of edges) {
        const { bytes } = await get({ Range: `bytes=${edge - 9}-${edge + 4}` });
        expect(bytes.equals(whole.subarray(edge - 9, edge + 5)), `across ${edge}`).toBe(true);
      }
      const tail = await get({ Range: 'bytes=-20000' });
      expect(tail.bytes.equals(whole.subarray(-20_000))).toBe(true);
      for (const number of hasParts ? [1, NUMBERS[COUNT >> 1] ?? 0, LAST] : []) {
        const { answer, bytes } = await get({ PartNumber: number });
        expect(answer.PartsCount).toBe(COUNT);
        expect(bytes.equals(bytesOf(number)), `part ${number}`).toBe(true);
      }
      expect((await get({})).bytes.equals(whole)).toBe(true);
      const { ObjectParts, ObjectSize } = await client(which).send(
        new GetObjectAttributesCommand({ ...object, ObjectAttributes: ['ObjectParts', 'ObjectSize'] }),
      );
      expect({ ObjectParts, ObjectSize }).toMatchObject({
        ...(hasParts ? { ObjectParts: { TotalPartsCount: COUNT } } : {}),
        ObjectSize: whole.length,
      });
    };

    test('its sizes, ranges across the edges of parts, parts by number and the whole are right', () =>
      readsRight(Key, 1, true));

    test('an empty part 10000 is refused, and so is a number beyond', async () => {
      const upload = { Bucket: BUCKET, Key: 'refused' };
      const { UploadId } = await client(0).send(new CreateMultipartUploadCommand(upload));
      const send = (PartNumber: number, length: number) =>
        client(0).send(new UploadPartCommand({ ...upload, UploadId, PartNumber, Body: Buffer.alloc(length) }));
      await expect(send(LAST, 0)).rejects.toMatchObject({
        name: 'InvalidArgument',
        message: 'In a sealed bucket part number 10000 must have at least 1 byte',
      });
      await expect(send(LAST + 1, 1)).rejects.toMatchObject({
        name: 'InvalidArgument',
        message: 'Part number must be an integer between 1 and 10000, inclusive',
      });
      // Whatever an ETag claims of it, it is looked for among the held.
      for (const ETag of [
        '"0123456789abcdef0123456789abcdef-0"',
        '"0123456789abcdef0123456789abcdef-0-3a8g-0123456789abcdef"',
      ])
        await expect(
          client(0).send(
            new CompleteMultipartUploadCommand({
              ...upload,
              UploadId,
              MultipartUpload: { Parts: [{ PartNumber: LAST, ETag }] },
            }),
          ),
        ).rejects.toMatchObject({ name: 'InvalidPart' });
    });

    test('and so are those of a copy', async () => {
      await client(0).send(new CopyObjectCommand({ Bucket: BUCKET, Key: 'copy', CopySource: `${BUCKET}/${Key}` }));
      // Streamed, as in front of s3rver, it is written by one PUT.
      await readsRight('copy', 0, name === 'radosgw');
    });
  },
);
