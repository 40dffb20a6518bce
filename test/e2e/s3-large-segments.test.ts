/** Parts beyond 32 MiB have segments beyond 64 KiB: what readers hold of them together has a bound, and all of it comes back. */
import { createHash, randomBytes } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { segmentSizeFor } from '../../src/envelope/object/sizes.ts';
import { MAX_LARGE_SEGMENT_BYTES } from '../../src/s3/limits.ts';
import { BUCKET, startBackend, startSealed, type SealedSetup } from '../support/s3-sealed.ts';

const MIB = 2 ** 20;
const PARTS = [48 * MIB, 5 * MIB];
const bytes = randomBytes(PARTS.reduce((sum, part) => sum + part, 0));
const hashOf = (part: Uint8Array): string => createHash('sha256').update(part).digest('hex');

let setup: SealedSetup;

beforeAll(async () => {
  const backend = await startBackend('s3rver');
  if (typeof backend === 'string') throw new Error(backend);
  setup = await startSealed(backend);
  const [s3] = setup.clients;
  const object = { Bucket: BUCKET, Key: 'large' };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(object));
  const sent = [];
  let at = 0;
  for (const [index, length] of PARTS.entries()) {
    const PartNumber = index + 1;
    const Body = bytes.subarray(at, at + length);
    const { ETag } = await s3.send(new UploadPartCommand({ ...object, UploadId, PartNumber, Body }));
    sent.push({ PartNumber, ETag });
    at += length;
  }
  await s3.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts: sent } }));
});
afterAll(() => setup.close());

test.each([
  { name: 'whole', range: undefined, expected: bytes },
  { name: 'a range', range: 'bytes=1000000-50000000', expected: bytes.subarray(1_000_000, 50_000_001) },
])(
  '$name: every reader holds a share of the segments while it reads, and gives it back',
  async ({ range, expected }) => {
    const [s3] = setup.clients;
    const [{ gateway }] = setup.edges;
    const readers = 4;
    let most = 0;
    const read = async (): Promise<string> => {
      const { Body } = await s3.send(
        new GetObjectCommand({ Bucket: BUCKET, Key: 'large', ...(range && { Range: range }) }),
      );
      const hash = createHash('sha256');
      for await (const chunk of Body as AsyncIterable<Uint8Array>) {
        most = Math.max(most, gateway.segments.usedBytes);
        hash.update(chunk);
      }
      return hash.digest('hex');
    };
    const hashes = await Promise.all(Array.from({ length: readers }, read));
    expect(new Set(hashes)).toEqual(new Set([hashOf(expected)]));
    const share = segmentSizeFor(PARTS[0] ?? 0);
    expect(share).toBeGreaterThan(64 * 1024);
    expect(most).toBeGreaterThanOrEqual(share);
    expect(most).toBeLessThanOrEqual(Math.min(readers * share, MAX_LARGE_SEGMENT_BYTES));
    expect(gateway.segments.usedBytes).toBe(0);
  },
);

test('a reader that leaves in the middle gives its share back', async () => {
  const [s3] = setup.clients;
  const [{ gateway }] = setup.edges;
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'large' }));
  const stream = Body as AsyncIterable<Uint8Array> & { destroy(): void };
  for await (const _ of stream) break;
  stream.destroy();
  await expect.poll(() => gateway.segments.usedBytes).toBe(0);
});
