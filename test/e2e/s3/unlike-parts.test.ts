/**
 * An object of more unlike parts than its sealed list has room for: how many reads it takes to find a range in it, who has to make them, and what
 * a store may not do meanwhile. Parts and the list are small here: the least size of a part that is not the last is lowered, and so is the list's room.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  UploadPartCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type * as Limits from '../../../src/envelope/limits.ts';
import type * as FooterModule from '../../../src/envelope/object/footer.ts';
import { BODY_PREFIX_BYTES, PART_OVERHEAD } from '../../../src/envelope/object/sizes.ts';
import { mapBounded } from '../../../src/s3/sealing/bounded-map.ts';
import { hookUpstream } from '../../support/s3/hooked-upstream.ts';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { BUCKET, startSealed, type Backend, type SealedSetup } from '../../support/s3/sealed.ts';

/** The rest of the block is 162 bytes before the numbers, 1250 of numbers, and 60 for where parts begin. */
vi.mock(import('../../../src/envelope/limits.ts'), async (original) => ({
  ...(await original()),
  SHORT_PART_BYTES: 200,
  // The type is the one number that it is at rest.
  FOOTER_BLOCK_BYTES: (162 + 1250 + 60) as typeof Limits.FOOTER_BLOCK_BYTES,
}));

/** Lists as they were written before there were groups. */
const older = vi.hoisted(() => ({ hasNoGroups: false }));
vi.mock(import('../../../src/envelope/object/footer.ts'), async (original) => {
  const module = await original();
  const openFooter: typeof FooterModule.openFooter = (...block) => {
    const footer = module.openFooter(...block);
    return older.hasNoGroups ? { ...footer, groups: undefined } : footer;
  };
  return { ...module, openFooter };
});

const COUNT = 400;
const AT_ONCE = 16;
const lengthOf = (index: number): number => (index === COUNT - 1 ? 7 : 300 + ((index * 7919) % 4001));
const BODIES = Array.from({ length: COUNT }, (_, index) => randomBytes(lengthOf(index)));
const WHOLE = Buffer.concat(BODIES);
const EDGES = [1, 17, 200, COUNT - 1].map((count) => Buffer.concat(BODIES.slice(0, count)).length);

describe.each(['s3rver', 'radosgw'] as const)(`${COUNT} unlike parts in front of %s`, (name) => {
  const object = { Bucket: BUCKET, Key: 'unlike' };
  let setup: SealedSetup;

  const begin = async (backend: Backend): Promise<readonly SealedSetup[]> => {
    setup = await startSealed(backend);
    if (name === 'radosgw') {
      const config = ['-c', join(backend.directory, 'ceph.conf'), 'config', 'set'];
      await promisify(execFile)('ceph', [...config, 'client.rgw.main', 'rgw_multipart_min_part_size', '1']);
      await createBuckets(setup.clients[0], name);
    }
    const [client] = setup.clients;
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(object));
    const Parts = await mapBounded([...BODIES.entries()], AT_ONCE, async ([index, Body]): Promise<CompletedPart> => {
      const part = { ...object, UploadId, PartNumber: index + 1, Body };
      return { PartNumber: index + 1, ETag: (await client.send(new UploadPartCommand(part))).ETag };
    });
    await client.send(
      new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts: [...Parts] } }),
    );
    return [setup];
  };
  // It changes the settings of its cluster.
  inFrontOf(name, begin, true);
  beforeEach(() => {
    older.hasNoGroups = false;
    setup.edges[1].gateway.caches.layouts.clear();
  });

  async function range(which: 0 | 1, from: number, to: number): Promise<Buffer> {
    const { Body } = await setup.clients[which].send(new GetObjectCommand({ ...object, Range: `bytes=${from}-${to}` }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  /** The reads that a range makes of the store, or several at the same time, and how many there were at once. */
  async function readsOf(
    which: 0 | 1,
    from: number,
    to: number,
    times = 1,
  ): Promise<{ count: number; atOnce: number }> {
    let [count, now, atOnce] = [0, 0, 0];
    using _hook = hookUpstream(setup.edges[which].gateway, async (request, send) => {
      count += 1;
      atOnce = Math.max(atOnce, (now += 1));
      try {
        return await send(request);
      } finally {
        now -= 1;
      }
    });
    const got = await Promise.all(Array.from({ length: times }, () => range(which, from, to)));
    expect(got.every((bytes) => bytes.equals(WHOLE.subarray(from, to + 1)))).toBe(true);
    return { count, atOnce };
  }

  test('who completed it knows where they lie', async () => {
    for (const edge of EDGES) expect((await readsOf(0, edge - 5, edge + 2)).count).toBeLessThanOrEqual(2);
  });

  test('others read the headers once, many at a time', async () => {
    const first = await readsOf(1, 1000, 2000);
    expect(first.count).toBeGreaterThanOrEqual(COUNT);
    expect(first.count).toBeLessThanOrEqual(COUNT + 5);
    expect(first.atOnce).toBe(AT_ONCE);
    for (const edge of EDGES) expect((await readsOf(1, edge - 5, edge + 2)).count).toBeLessThanOrEqual(2);
    const part = new GetObjectCommand({ ...object, PartNumber: 201 });
    const { Body, PartsCount } = await setup.clients[1].send(part);
    expect([Buffer.from((await Body?.transformToByteArray()) ?? []), PartsCount]).toEqual([BODIES[200], COUNT]);
  });

  test('of many that come at once one reads them for all', async () => {
    const { count } = await readsOf(1, 1000, 2000, 8);
    expect(count).toBeLessThan(COUNT + 8 * 5);
  });

  test('a list of before there were groups is followed from the first header', async () => {
    older.hasNoGroups = true;
    const { count, atOnce } = await readsOf(1, 1000, 2000);
    expect(count).toBeGreaterThanOrEqual(COUNT);
    expect(atOnce).toBeLessThan(AT_ONCE);
  });

  test.each([
    ['the header of another part', (at: number) => at + PART_OVERHEAD + lengthOf(100)],
    ['bytes of no header', (at: number) => at + 1],
  ])('a store that answers %s is refused', async (_what, elsewhere) => {
    const start = BODIES.slice(0, 100).reduce((sum, body) => sum + body.length + PART_OVERHEAD, 0);
    const asked = `bytes=${start}-${start + BODY_PREFIX_BYTES - 1}`;
    let lies = 0;
    using _hook = hookUpstream(setup.edges[1].gateway, async (request, send) => {
      if (request.headers?.['range'] !== asked) return send(request);
      lies += 1;
      const at = elsewhere(start);
      const range = `bytes=${at}-${at + BODY_PREFIX_BYTES - 1}`;
      const answer = await send({ ...request, headers: { ...request.headers, range } });
      const said = (answer.headers['content-range'] ?? '').replace(/\d+-\d+/u, asked.slice(6));
      return { ...answer, headers: { ...answer.headers, 'content-range': said } };
    });
    await expect(range(1, 1000, 2000)).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
    expect(lies).toBeGreaterThan(0);
    expect(setup.edges[1].gateway.caches.layouts.size).toBe(0);
  });
});
