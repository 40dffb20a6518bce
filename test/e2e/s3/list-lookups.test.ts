/** Listings of sealed objects: their ETags, and what they ask of the store beside the page: nothing where ETags count parts, else each row once. */
import { randomBytes } from 'node:crypto';
import {
  HeadObjectCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import type { UpstreamRequest } from '../../../src/s3/upstream/client.ts';
import { hookUpstream } from '../../support/s3/hooked-upstream.ts';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { BUCKET, startSealed, type SealedSetup } from '../../support/s3/sealed.ts';
import { completeUpload, createUpload, MIB, sendPart } from '../../support/s3/uploads.ts';

const PUTS = 40;
/** Of parts. */
const UPLOADS: readonly (readonly number[])[] = [[0], [7], [5 * MIB + 1, 3], [5 * MIB, 5 * MIB, 6 * MIB]];
const AT_ONCE = 16;

describe.each(['s3rver', 'radosgw'] as const)('A listing in front of %s', (name) => {
  let setup: SealedSetup;
  const sizes = new Map<string, number>();

  inFrontOf(name, async (backend) => {
    setup = await startSealed(backend);
    const [client] = setup.clients;
    await createBuckets(client, name);
    for (let index = 0; index < PUTS; index += 1) {
      const Key = `put-${String(index).padStart(2, '0')}`;
      sizes.set(Key, index * 1717);
      await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: randomBytes(index * 1717) }));
    }
    for (const [index, lengths] of UPLOADS.entries()) {
      const upload = await createUpload(setup, `upload-${index}`);
      const parts = [];
      for (const [at, length] of lengths.entries())
        parts.push(await sendPart(setup, upload, at + 1, randomBytes(length)));
      await completeUpload(setup, upload, parts);
      sizes.set(
        upload.Key,
        lengths.reduce((sum, length) => sum + length, 0),
      );
    }
    return [setup];
  });

  /** Its rows, what it asked of the store, and how much of that at once. Gateway 1 has written none of them. */
  async function listed(list: 'v1' | 'v2' | 'versions') {
    const asked: UpstreamRequest[] = [];
    let [now, atOnce] = [0, 0];
    using _counting = hookUpstream(setup.edges[1].gateway, async (request, send) => {
      asked.push(request);
      atOnce = Math.max(atOnce, (now += 1));
      try {
        return await send(request);
      } finally {
        now -= 1;
      }
    });
    const [, client] = setup.clients;
    const query = { Bucket: BUCKET };
    const rows =
      list === 'versions'
        ? (await client.send(new ListObjectVersionsCommand(query))).Versions
        : (await client.send(list === 'v1' ? new ListObjectsCommand(query) : new ListObjectsV2Command(query))).Contents;
    return {
      rows: new Map(rows?.map(({ Key = '', Size }) => [Key, Size])),
      etags: new Map(rows?.map(({ Key = '', ETag }) => [Key, ETag])),
      asked,
      atOnce,
    };
  }

  test('asks for nothing beside its page where sizes follow from ETags, by all three', async ({ skip }) => {
    skip(name === 's3rver', 's3rver’s ETags do not count parts');
    // What the store can do is found out once.
    await listed('v2');
    for (const list of ['v1', 'v2', 'versions'] as const) {
      const { rows, asked } = await listed(list);
      expect(rows).toEqual(sizes);
      expect(
        asked.map(({ method, key }) => [method, key]),
        list,
      ).toEqual([['GET', undefined]]);
    }
  });

  test('asks for each row once where they do not, few at a time, and not again', async ({ skip }) => {
    skip(name === 'radosgw', 'Ceph RGW’s ETags count parts');
    const first = await listed('v2');
    expect(first.rows).toEqual(sizes);
    const looked = first.asked.filter(
      ({ method, key }) => method === 'HEAD' && key?.startsWith('.sealgate/') === false,
    );
    expect(looked.length).toBe(new Set(looked.map(({ key }) => key)).size);
    expect(looked.length).toBeLessThanOrEqual(sizes.size);
    expect(looked.length).toBeGreaterThan(0);
    expect(first.atOnce).toBeLessThanOrEqual(AT_ONCE);
    for (const list of ['v1', 'v2'] as const) {
      const { rows, asked } = await listed(list);
      expect(rows).toEqual(sizes);
      expect(
        asked.map(({ method, key }) => [method, key]),
        list,
      ).toEqual([['GET', undefined]]);
    }
    // A row that changed is another row.
    await setup.clients[0].send(new PutObjectCommand({ Bucket: BUCKET, Key: 'put-03', Body: randomBytes(99) }));
    sizes.set('put-03', 99);
    const { rows, asked } = await listed('v2');
    expect(rows).toEqual(sizes);
    expect(asked.filter(({ method }) => method === 'HEAD').map(({ key }) => key)).toEqual(['put-03']);
  });

  test('has the ETags that HEAD has, none of which looks like an MD5', async () => {
    const heads = new Map<string, string | undefined>();
    for (const Key of sizes.keys())
      heads.set(Key, (await setup.clients[0].send(new HeadObjectCommand({ Bucket: BUCKET, Key }))).ETag);
    // s3rver has no versions.
    for (const list of name === 's3rver' ? (['v1', 'v2'] as const) : (['v1', 'v2', 'versions'] as const))
      expect((await listed(list)).etags, list).toEqual(heads);
    for (const etag of heads.values()) expect(etag).toMatch(/^"[0-9a-f]{32}-\d+"$/u);
  });
});
