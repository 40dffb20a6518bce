/**
 * One gateway, two stores that trust each other in nothing: what each of them is sent, byte for byte, and what it may answer. Neither sees the
 * other's credentials, the client's, or a key that was given for the other; and no answer leads to the other, or into its buckets.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  CopyObjectCommand,
  GetObjectCommand,
  ListBucketsCommand,
  S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { SEALED_OPERATIONS } from '../../../src/s3/operations/index-table.ts';
import { CLIENT, startEdge, type TestEdge } from '../../support/s3/edge.ts';
import { sign, statusIn, talk } from '../../support/s3/raw-s3.ts';
import { startRecordingStore, type RecordingStore, type Seen } from '../../support/s3/recording-store.ts';

const NEAR = { accessKeyId: 'NEARKEY', secretAccessKey: 'near secret' };
const FAR = { accessKeyId: 'FARKEY', secretAccessKey: 'far secret' };
const DATA = 'the data of the source';

let near: RecordingStore;
let far: RecordingStore;
let edge: TestEdge;
let client: S3Client;

beforeAll(async () => {
  [near, far] = [await startRecordingStore(), await startRecordingStore()];
  edge = await startEdge({
    store: { ...near, ...NEAR },
    otherStores: [{ buckets: ['far-*', 'exactly'], store: { ...far, ...FAR } }],
    operations: SEALED_OPERATIONS,
  });
  client = new S3Client({
    ...{ endpoint: edge.url, region: 'us-east-1', credentials: CLIENT, forcePathStyle: true, maxAttempts: 1 },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
});
afterEach(() => {
  for (const store of [near, far]) {
    store.seen.length = 0;
    store.reply = undefined;
  }
});
afterAll(async () => {
  client.destroy();
  await edge.close();
  await Promise.all([near.close(), far.close()]);
});

const answer = (body: string, headers: Record<string, string> = {}) => ({
  ...{ status: 200, body },
  headers: { etag: '"0123456789abcdef0123456789abcdef"', 'content-length': String(body.length), ...headers },
});
const textOf = (seen: readonly Seen[]): string =>
  seen.map(({ url, headers, body }) => `${url} ${JSON.stringify(headers)} ${body.toString('latin1')}`).join('\n');

/** A customer's key, and all that could be said of it. */
function customer() {
  const key = randomBytes(32);
  const md5 = createHash('md5').update(key).digest('base64');
  return { key: key.toString('base64'), md5 };
}

test('a copy from one to the other shows each of them its own credentials, and its own key of the customer', async () => {
  const [source, destination] = [customer(), customer()];
  near.reply = answer(DATA, { 'x-amz-meta-note': 'goes along', 'x-amz-meta-sealgate-of': 'not ours' });
  far.reply = answer('');
  await client.send(
    new CopyObjectCommand({
      ...{ Bucket: 'far-a', Key: 'to', CopySource: 'near-a/from' },
      ...{ SSECustomerAlgorithm: 'AES256', SSECustomerKey: destination.key, SSECustomerKeyMD5: destination.md5 },
      CopySourceSSECustomerAlgorithm: 'AES256',
      CopySourceSSECustomerKey: source.key,
      CopySourceSSECustomerKeyMD5: source.md5,
    }),
  );
  const put = far.seen.find(({ method }) => method === 'PUT');
  expect([put?.url, put?.body.toString(), put?.headers['x-amz-meta-note']]).toEqual(['/far-a/to', DATA, 'goes along']);
  expect(near.seen.every(({ url }) => url.startsWith('/near-a/from'))).toBe(true);
  const [toNear, toFar] = [textOf(near.seen), textOf(far.seen)];
  expect(toNear).toContain(NEAR.accessKeyId);
  expect(toFar).toContain(FAR.accessKeyId);
  expect(toNear).toContain(source.key);
  expect(toFar).toContain(destination.key);
  for (const secret of [FAR.accessKeyId, FAR.secretAccessKey, destination.key, destination.md5, 'far-a'])
    expect(toNear).not.toContain(secret);
  for (const secret of [
    NEAR.accessKeyId,
    NEAR.secretAccessKey,
    source.key,
    source.md5,
    'near-a',
    'sealgate',
    'copy-source',
  ])
    expect(toFar).not.toContain(secret);
  for (const seen of [toNear, toFar])
    for (const ours of [CLIENT.accessKeyId, CLIENT.secretAccessKey]) expect(seen).not.toContain(ours);
});

test.each([301, 302, 307, 308])('a redirect (%i) of one leads nowhere', async (status) => {
  const reply = { status, headers: { location: `${far.url}/far-a/k` }, body: '' };
  near.reply = reply;
  const moved = { $metadata: { httpStatusCode: 500 } };
  await expect(client.send(new GetObjectCommand({ Bucket: 'near-a', Key: 'k' }))).rejects.toMatchObject(moved);
  const copy = { Bucket: 'far-a', Key: 'to', CopySource: 'near-a/from' };
  await expect(client.send(new CopyObjectCommand(copy))).rejects.toMatchObject(moved);
  await expect(client.send(new ListBucketsCommand({}))).rejects.toMatchObject(moved);
  const part = { ...copy, UploadId: 'u', PartNumber: 1 };
  await expect(client.send(new UploadPartCopyCommand(part))).rejects.toMatchObject(moved);
  // It was asked for its own buckets, and of the upload that the part is for.
  expect(far.seen.filter(({ method }) => method !== 'GET')).toEqual([]);
  expect(far.seen.filter(({ url }) => url.startsWith('/far-a/k'))).toEqual([]);
});

const list = (...names: readonly string[]): string =>
  `<ListAllMyBucketsResult><Owner><ID>o</ID></Owner><Buckets>${names
    .map((name) => `<Bucket><Name>${name}</Name><CreationDate>2026-01-01T00:00:00.000Z</CreationDate></Bucket>`)
    .join('')}</Buckets></ListAllMyBucketsResult>`;

test('a store that lists buckets of the other shows none of them', async () => {
  near.reply = answer(list('near-a', 'far-b', 'exactly', 'exactly-not'));
  far.reply = answer(list('far-a', 'near-b', 'exactly', 'Far-c', 'far'));
  const { Buckets } = await client.send(new ListBucketsCommand({}));
  expect(Buckets?.map(({ Name }) => Name)).toEqual(['exactly', 'exactly-not', 'far-a', 'near-a']);
  expect(textOf(near.seen)).not.toContain(FAR.accessKeyId);
  expect(textOf(far.seen)).not.toContain(NEAR.accessKeyId);
});

test('a list that is none, or does not end, is an error and no shorter list', async () => {
  far.reply = answer(list('far-a'));
  for (const text of ['', '<html/>', '<Error><Code>AccessDenied</Code></Error>', '<ListAllMyBucketsResult>']) {
    near.reply = answer(text);
    await expect(client.send(new ListBucketsCommand({}))).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
  }
  near.reply = answer(list('near-a').replace('</Owner>', '</Owner><ContinuationToken>again</ContinuationToken>'));
  await expect(client.send(new ListBucketsCommand({}))).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
  expect(near.seen.length).toBeLessThan(1100);
});

test.each([
  ['x-obs-copy-source', '/far-a/secret'],
  ['x-oss-copy-source', '/near-b/secret'],
  ['x-goog-copy-source', 'near-b/secret'],
  ['x-cos-rename-source', 'secret'],
])('a source that %s names is asked of nobody', async (name, source) => {
  const headers = { [name]: source, 'content-length': '0' };
  const told = await talk(edge.port, [sign(edge.port, { method: 'PUT', path: '/near-a/k', headers }).head]);
  expect([statusIn(told), /<Code>(\w+)</u.exec(told)?.[1]]).toEqual([400, 'InvalidArgument']);
  expect([near.seen, far.seen]).toEqual([[], []]);
});
