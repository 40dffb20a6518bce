/** What a backend gets of what the gateway seals: ciphertext, one checksum of ours over it, and a Content-Type that is signed. */
import { randomBytes } from 'node:crypto';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDigest } from '../../../src/s3/bodies/checksums.ts';
import { SEALED_OPERATIONS } from '../../../src/s3/operations/index-table.ts';
import { AWS_CAPABILITIES } from '../../../src/s3/upstream/capabilities.ts';
import type { KeyManager } from '../../../src/keys/key-manager.ts';
import { keyFolder, TEST_USE } from '../../support/keys/keys.ts';
import { startRecordingStore, type RecordingStore, type Seen } from '../../support/s3/recording-store.ts';
import { CLIENT, startEdge } from '../../support/s3/edge.ts';

let store: RecordingStore;
let keys: Awaited<ReturnType<typeof keyFolder>>;
let manager: KeyManager;

beforeAll(async () => {
  store = await startRecordingStore();
  store.reply = { status: 200, headers: { etag: '"0123456789abcdef0123456789abcdef"' }, body: '' };
  keys = await keyFolder({});
  manager = await keys.open();
  await manager.createKey({ alias: 'alias/a' }, TEST_USE);
});
afterAll(async () => {
  await store.close();
  await keys[Symbol.asyncDispose]();
});

type Own = 'none' | 'md5' | 'crc32' | 'crc32c' | 'crc64nvme' | 'sha256';

async function put(ownChecksum: Own, bucket: string, Body: Uint8Array, trailingChecksums: boolean): Promise<Seen> {
  const edge = await startEdge({
    store,
    rules: [{ bucket: 'sealed', prefix: '', rule: { type: 'seal', keyId: 'alias/a', name: 'sealed' } }],
    capabilities: { ...AWS_CAPABILITIES, trailingChecksums, ownChecksum },
    operations: SEALED_OPERATIONS,
    dataKeys: manager,
  });
  const [endpoint, region] = [edge.url, 'us-east-1'];
  const client = new S3Client({ endpoint, region, credentials: CLIENT, forcePathStyle: true, maxAttempts: 1 });
  store.seen.length = 0;
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'k', Body, ContentType: 'text/x-own' }));
  client.destroy();
  await edge.close();
  const [seen] = store.seen;
  if (seen === undefined || store.seen.length > 1) throw new Error('not one request');
  return seen;
}

/** The bytes in unsigned chunks, and the trailer behind them. */
function unframe(body: Buffer): { readonly data: Buffer; readonly trailer: string } {
  const pieces: Buffer[] = [];
  for (let at = 0; ;) {
    const end = body.indexOf('\r\n', at);
    const length = Number.parseInt(body.subarray(at, end).toString(), 16);
    if (length === 0) return { data: Buffer.concat(pieces), trailer: body.subarray(end + 2).toString() };
    pieces.push(body.subarray(end + 2, end + 2 + length));
    at = end + 2 + length + 2;
  }
}

const checksumNames = ({ headers }: Seen): string[] =>
  Object.keys(headers).filter((name) => name === 'content-md5' || name.startsWith('x-amz-checksum-'));

test.each(['none', 'md5', 'crc32', 'crc32c', 'crc64nvme', 'sha256'] as const)(
  'a short sealed object comes with exactly %s over its ciphertext',
  async (own) => {
    const Body = randomBytes(1000);
    const seen = await put(own, 'sealed', Body, false);
    const name = own === 'md5' ? 'content-md5' : `x-amz-checksum-${own}`;
    expect(checksumNames(seen)).toEqual(own === 'none' ? [] : [name]);
    expect(seen.body.includes(Body)).toBe(false);
    expect(seen.headers['content-type']).toBe('text/x-own');
    expect(seen.headers.authorization).toMatch(/SignedHeaders=[^,]*content-type/u);
    if (own === 'none') return;
    const digest = await createDigest(own);
    digest.update(seen.body);
    expect(seen.headers[name]).toBe(Buffer.from(digest.digest()).toString('base64'));
  },
);

test.each(['crc32', 'crc32c', 'crc64nvme', 'sha256'] as const)(
  'a long sealed object is followed by exactly %s over its ciphertext',
  async (own) => {
    const seen = await put(own, 'sealed', randomBytes(700_000), true);
    expect(checksumNames(seen)).toEqual([]);
    expect(seen.headers).toMatchObject({ 'x-amz-trailer': `x-amz-checksum-${own}`, 'content-encoding': 'aws-chunked' });
    const { data, trailer } = unframe(seen.body);
    const digest = await createDigest(own);
    digest.update(data);
    expect(trailer).toBe(`x-amz-checksum-${own}:${Buffer.from(digest.digest()).toString('base64')}\r\n\r\n`);
    expect(String(data.length)).toBe(seen.headers['x-amz-decoded-content-length']);
  },
);

test.each([
  ['crc32', false],
  ['md5', true],
] as const)('a long sealed object goes without %s where the backend could not take it', async (own, trailing) => {
  const seen = await put(own, 'sealed', randomBytes(700_000), trailing);
  expect([checksumNames(seen), seen.headers['x-amz-trailer']]).toEqual([[], undefined]);
});

test("a forwarded object keeps the client's checksum and gets no second one", async () => {
  const seen = await put('sha256', 'plain', Buffer.from('plain'), true);
  expect(checksumNames(seen)).toEqual(['x-amz-checksum-crc32']);
});
