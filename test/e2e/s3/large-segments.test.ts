/** Parts beyond 32 MiB have segments beyond 64 KiB: what readers hold of them together has a bound, and all of it comes back. */
import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { segmentSizeOf } from '../../../src/envelope/object/sizes.ts';
import { MAX_LARGE_SEGMENT_BYTES } from '../../../src/s3/limits.ts';
import type { GatewayParts } from '../../../src/s3/gateway.ts';
import { SEALED_OPERATIONS } from '../../../src/s3/operations/index-table.ts';
import { sign, talk } from '../../support/s3/raw-s3.ts';
import { CLIENT, startEdge, type TestEdge } from '../../support/s3/edge.ts';
import { BUCKET, startBackend, startSealed, type SealedSetup } from '../../support/s3/sealed.ts';

const MIB = 2 ** 20;
const PARTS = [48 * MIB, 5 * MIB];
const SEGMENT = segmentSizeOf({ layout: 'part', partNumber: 1, plainLength: PARTS[0] ?? 0 });
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
    const share = SEGMENT;
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

describe('where there is room for two readers', () => {
  const share = SEGMENT;
  const NEVER_MS = 600_000;
  const SOON = { timeout: 60_000 };

  async function withEdge(waiting: GatewayParts['waiting'], run: (edge: TestEdge) => Promise<void>): Promise<void> {
    const edge = await startEdge({
      store: setup.backend,
      rules: [{ bucket: BUCKET, prefix: '', rule: { type: 'seal', keyId: 'alias/a', name: 'sealed' } }],
      operations: SEALED_OPERATIONS,
      dataKeys: setup.manager,
      bounds: { maxSegmentBytes: 2 * share, waiting: waiting ?? {} },
    });
    try {
      await run(edge);
      await expect.poll(() => edge.gateway.segments.usedBytes, SOON).toBe(0);
      await expect.poll(() => edge.gateway.governor.usedBytes, SOON).toBe(0);
    } finally {
      await edge.close();
    }
  }

  const head = ({ port }: TestEdge, range?: string): string =>
    sign(port, { method: 'GET', path: `/${BUCKET}/large`, headers: range === undefined ? {} : { range } }).head;
  const read = async ({ url }: TestEdge, Range?: string): Promise<string> => {
    const client = new S3Client({ endpoint: url, region: 'us-east-1', credentials: CLIENT, forcePathStyle: true });
    const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'large', Range }));
    const hash = createHash('sha256');
    for await (const chunk of Body as AsyncIterable<Uint8Array>) hash.update(chunk);
    client.destroy();
    return hash.digest('hex');
  };
  /** Takes a little now and then, for ever. */
  const trickle = (edge: TestEdge): Socket => {
    const socket = connect({ port: edge.port, host: '127.0.0.1' });
    const timer = setInterval(() => void socket.read(100), 5);
    socket.on('close', () => clearInterval(timer)).on('error', () => undefined);
    socket.pause().write(head(edge));
    return socket;
  };

  test.each([undefined, 'bytes=1000000-50000000'])(
    'six that read %s have their turns, and all of it',
    async (range) => {
      await withEdge({ patienceMs: NEVER_MS, maxWaitMs: NEVER_MS }, async (edge) => {
        const expected = range === undefined ? bytes : bytes.subarray(1_000_000, 50_000_001);
        let most = 0;
        const watch = setInterval(() => (most = Math.max(most, edge.gateway.segments.usedBytes)), 1);
        const found = await Promise.all(Array.from({ length: 6 }, () => read(edge, range)));
        clearInterval(watch);
        expect(new Set(found)).toEqual(new Set([hashOf(expected)]));
        expect(most).toBe(2 * share);
      });
    },
  );

  test('readers that take next to nothing are given up when others wait, and not before', async () => {
    await withEdge({ patienceMs: 300, maxWaitMs: NEVER_MS }, async (edge) => {
      const slow = [trickle(edge), trickle(edge)];
      await expect.poll(() => edge.gateway.segments.usedBytes, SOON).toBe(2 * share);
      expect(slow.map((socket) => socket.destroyed)).toEqual([false, false]);
      expect(await read(edge)).toBe(hashOf(bytes));
      await expect.poll(() => edge.outcomes.map(({ code }) => code)).toContain('ERR_S3_REQUEST_TIMEOUT');
      for (const socket of slow) socket.destroy();
    });
  });

  test.each([
    ['too long', { maxWaitMs: 50 }],
    ['in too long a line', { maxWaitMs: NEVER_MS, maxWaiting: 0 }],
  ])('who would wait %s is answered SlowDown, before anything else', async (_title, waiting) => {
    await withEdge({ patienceMs: NEVER_MS, ...waiting }, async (edge) => {
      const slow = [trickle(edge), trickle(edge)];
      await expect.poll(() => edge.gateway.segments.usedBytes, SOON).toBe(2 * share);
      for (const range of [undefined, 'bytes=0-', 'bytes=-20000000', 'bytes=30000000-30000001']) {
        const isBegun = (text: string): boolean => text.includes('\r\n\r\n<?xml') || text.length > 10_000;
        // While the slow ones still fill the buffers of the kernel, each segment gives others a turn.
        const answer = (): Promise<string> => talk(edge.port, [head(edge, range)], isBegun);
        await expect.poll(answer, SOON).toMatch(/^HTTP\/1\.1 503 [^]*<Code>SlowDown<\/Code>/u);
      }
      for (const socket of slow) socket.destroy();
    });
  });
});
