/** What uploads leave behind that end past the gateway is swept; what belongs to an open upload, or to one nobody can be sure of, is not. */
import { randomBytes } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { createCaches } from '../../../src/s3/caches.ts';
import { sweepBucket, sweepWhenDue } from '../../../src/s3/multipart/sweep-bucket.ts';
import type { GatewayContext } from '../../../src/s3/operation.ts';
import { SWEEP_AGE_MS, SWEEP_EVERY_MS } from '../../../src/s3/sealing/limits.ts';
import { sendingBy, type UpstreamRequest } from '../../../src/s3/upstream/client.ts';
import { WholeBody } from '../../../src/s3/upstream/upstream-body.ts';
import { hookUpstream } from '../../support/s3/hooked-upstream.ts';
import { BUCKET } from '../../support/s3/sealed.ts';
import { sealedOnRadosgw } from '../../support/s3/in-front-of.ts';

const MIB = 1024 * 1024;

const ceph = sealedOnRadosgw();

type Upload = { readonly Bucket: string; readonly Key: string; readonly UploadId: string | undefined };

/** With one short part, which is held. */
async function start(Key: string, body: Uint8Array): Promise<{ upload: Upload; part: CompletedPart }> {
  const [client] = ceph.setup.clients;
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key }));
  const upload = { Bucket: BUCKET, Key, UploadId };
  const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: body }));
  return { upload, part: { PartNumber: 1, ETag } };
}
const complete = ({ upload, part }: { upload: Upload; part: CompletedPart }) =>
  ceph.setup.clients[0].send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: [part] } }));
async function read(Key: string): Promise<Buffer> {
  const { Body } = await ceph.setup.clients[0].send(new GetObjectCommand({ Bucket: BUCKET, Key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

/** Of hidden objects, by the folder of their upload. */
async function hidden(): Promise<ReadonlySet<string>> {
  const query = new Map([['prefix', '.sealgate/']]);
  const listed = await ceph.setup.edges[0].gateway.upstream.send({ method: 'GET', bucket: BUCKET, query });
  const keys = [...(await listed.body.text(MIB)).matchAll(/<Key>([^<]*)<\/Key>/gu)].map(([, key = '']) => key);
  return new Set(keys.map((key) => key.split('/').slice(0, 3).join('/')));
}
/** The uploads that the store knows, as who has its disks sees them. */
const known = async () =>
  (await ceph.setup.direct.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }))).Uploads ?? [];
/** As a lifecycle rule does. */
async function abortPast(Key: string): Promise<void> {
  const found = (await known()).find((one) => one.Key === Key);
  await ceph.setup.direct.send(new AbortMultipartUploadCommand({ Bucket: BUCKET, Key, UploadId: found?.UploadId }));
}

/** The gateway's context so much later. */
const later = (gateway: GatewayContext, byMs: number): GatewayContext => ({ ...gateway, now: () => Date.now() + byMs });
const sweep = (byMs = SWEEP_AGE_MS + 60_000): Promise<number> =>
  sweepBucket(later(ceph.setup.edges[1].gateway, byMs), BUCKET);
const isUploadList = ({ method, query }: UpstreamRequest): boolean =>
  method === 'GET' && query?.has('uploads') === true;

test('what is left of uploads that are over goes, and an open one goes on', async () => {
  const [body, other] = [randomBytes(1000), randomBytes(2000)];
  const before = await hidden();
  const open = await start('open', body);
  await start('aborted-by-a-rule', other);
  await abortPast('aborted-by-a-rule');
  const completed = await start('completed', other);
  {
    // A gateway that dies before it has swept deletes nothing.
    using _dying = hookUpstream(ceph.setup.edges[0].gateway, (request, send) =>
      request.method === 'DELETE' ? Promise.reject(new Error('it has died')) : send(request),
    );
    await complete(completed);
  }
  const closed = await start('closed', other);
  {
    // One that dies between closing an upload and aborting it.
    using _dying = hookUpstream(ceph.setup.edges[0].gateway, (request, send) =>
      request.method === 'DELETE' && request.query !== undefined
        ? Promise.reject(new Error('it has died'))
        : send(request),
    );
    await expect(ceph.setup.clients[0].send(new AbortMultipartUploadCommand(closed.upload))).rejects.toThrow();
  }
  expect((await hidden()).size - before.size).toBe(4);

  expect(await sweep(0)).toBe(0);
  expect((await hidden()).size - before.size).toBe(4);
  expect(await sweep()).toBe(3);
  expect((await hidden()).size - before.size).toBe(1);
  expect(await sweep()).toBe(0);

  expect((await known()).map(({ Key }) => Key).sort()).toEqual(['closed', 'open']);
  await complete(open);
  expect([(await read('open')).equals(body), (await read('completed')).equals(other)]).toEqual([true, true]);
  expect((await hidden()).size).toBe(before.size);
  await abortPast('closed');
});

test.each([
  ['lists no uploads', (text: string) => text.replace(/<Upload>.*<\/Upload>/su, '')],
  ['lists the first upload alone', (text: string) => text.replace(/(<Upload>.*?<\/Upload>).*<\/Upload>/su, '$1')],
  ['lists uploads without an end', (text: string) => text.replace('>false</IsTruncated>', '>true</IsTruncated>')],
  [
    'cuts its list and does not say so',
    (text: string) =>
      text.replace(/^(.*<\/Upload>)\s*<Upload>.*<\/Upload>/su, '$1').replace(/<MaxUploads>\d+/u, '<MaxUploads>2'),
  ],
  ['has no list of uploads', () => '<ListBucketResult></ListBucketResult>'],
] as const)('in front of a store that %s nothing is lost', async (_what, change) => {
  const body = randomBytes(1000);
  // First in the order of names, and last.
  const uploads = [await start('!first', body), await start('~last', body)];
  const before = await hidden();
  {
    using _lying = hookUpstream(ceph.setup.edges[1].gateway, async (request, send) => {
      const response = await send(request);
      if (!isUploadList(request)) return response;
      const text = change(await response.body.text(MIB));
      return { ...response, body: new WholeBody(Buffer.from(text)) };
    });
    expect(await sweepBucket(later(ceph.setup.edges[1].gateway, 2 * SWEEP_AGE_MS), BUCKET)).toBe(0);
  }
  expect(await hidden()).toEqual(before);
  for (const upload of uploads) await complete(upload);
  expect((await read('~last')).equals(body)).toBe(true);
  // Nor is anything left of the looking.
  expect(await known()).toEqual([]);
});

test('an upload whose abortion failed, and whose token comes back while it is looked for, goes on', async () => {
  const body = randomBytes(1000);
  const open = await start('not-aborted', body);
  const before = await hidden();
  const Key = `${[...before][0] ?? ''}/token`;
  const token = await ceph.setup.direct.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
  const Body = (await token.Body?.transformToByteArray()) ?? new Uint8Array();
  await ceph.setup.direct.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));
  {
    using _late = hookUpstream(ceph.setup.edges[1].gateway, async (request, send) => {
      const { Metadata } = token;
      if (isUploadList(request))
        await ceph.setup.direct.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, Metadata }));
      return send(request);
    });
    expect([before.size, await sweep()]).toEqual([1, 0]);
  }
  await complete(open);
  expect((await read('not-aborted')).equals(body)).toBe(true);
  expect((await hidden()).size).toBe(0);
});

test('open uploads of any name are told from those that are over', async () => {
  const keys = ['a b', 'a+b', 'a%20b', 'ü€😀', 'n\nl', ' x ', 'q?x=1&y'];
  const uploads = [];
  for (const Key of keys) uploads.push(await start(Key, randomBytes(10)));
  await start('over', randomBytes(10));
  await abortPast('over');
  expect(await sweep()).toBe(1);
  for (const upload of uploads) await complete(upload);
  expect((await hidden()).size).toBe(0);
});

test('page by page too, unless a page begins at a name that may be read in two ways', async () => {
  await start('over', randomBytes(10));
  await abortPast('over');
  using _paging = hookUpstream(ceph.setup.edges[1].gateway, (request, send) =>
    send(
      isUploadList(request)
        ? { ...request, query: new Map([...(request.query ?? []), ['max-uploads', '1']]) }
        : request,
    ),
  );
  const twofold = await start('a b', randomBytes(10));
  // The pages after it begin there.
  const uploads = [await start('p/1', randomBytes(10)), await start('p/2', randomBytes(10))];
  expect(await sweep()).toBe(0);
  await complete(twofold);
  expect(await sweep()).toBe(1);
  for (const upload of uploads) await complete(upload);
  expect((await hidden()).size).toBe(0);
});

test('uploads made in a bucket have it swept, when that is due', async () => {
  await start('left', randomBytes(10));
  await abortPast('left');
  const [edge] = ceph.setup.edges;
  const { now } = edge.gateway;
  try {
    // As if a day had passed: it was seen before, and is due.
    Object.assign(edge.gateway, { now: () => Date.now() + SWEEP_AGE_MS + SWEEP_EVERY_MS });
    const { upload } = await start('next', randomBytes(10));
    await expect.poll(async () => (await hidden()).size).toBe(1);
    await ceph.setup.clients[0].send(new AbortMultipartUploadCommand(upload));
  } finally {
    Object.assign(edge.gateway, { now });
  }
  expect(await known()).toEqual([]);
});

test('where what uploads left cannot be swept, what probes left is', async () => {
  const { direct, edges } = ceph.setup;
  const Key = `.sealgate/probe/${'0'.repeat(32)}`;
  await direct.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'x' }));
  const { upstream } = edges[1].gateway;
  const refusing = sendingBy(upstream, (request) =>
    request.query?.get('prefix') === '.sealgate/' ? Promise.reject(new Error('it may not')) : upstream.send(request),
  );
  const gateway = { ...edges[1].gateway, caches: createCaches(), upstream: refusing };
  sweepWhenDue(gateway, BUCKET);
  sweepWhenDue(later(gateway, SWEEP_AGE_MS), BUCKET);
  await expect.poll(hidden).not.toContain('.sealgate/probe/' + '0'.repeat(32));
});
