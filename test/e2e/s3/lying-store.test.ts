/** Whatever a hostile store tells, a GET gives right bytes or an error: never a wrong byte, a wrong range or a header nobody vouched for. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { sealedSize } from '../../../src/envelope/object/sizes.ts';
import { SEALED_OPERATIONS } from '../../../src/s3/operations/index-table.ts';
import { AWS_CAPABILITIES } from '../../../src/s3/upstream/capabilities.ts';
import { startLyingStore, type Lie, type LyingStore, type StoredObject } from '../../support/s3/lying-store.ts';
import { sign, statusIn, talk } from '../../support/s3/raw-s3.ts';
import { startEdge, type TestEdge } from '../../support/s3/edge.ts';
import { BUCKET, startSealed, type SealedSetup } from '../../support/s3/sealed.ts';
import { startS3rver, type TestStore } from '../../support/s3/s3rver.ts';

const MIB = 1024 * 1024;
const PARTS = { short: [5 * MIB, 5 * MIB, 1000], long: [5 * MIB, 5 * MIB + 7] } as const;
/** To the store: few, so that one which is not given back is missed. */
const CONNECTIONS = 4;
const ENVELOPE = 'x-amz-meta-sealgate';

let origin: TestStore;
let setup: SealedSetup;
let store: LyingStore;
let edge: TestEdge;
const plain = new Map<string, Buffer>();
const stored = new Map<string, StoredObject>();

beforeAll(async () => {
  origin = await startS3rver({ buckets: [BUCKET] });
  setup = await startSealed(origin);
  const [client] = setup.clients;
  for (const [Key, length] of [
    ['single', 300_000],
    ['other', 300_000],
    ['tiny', 50],
  ] as const) {
    const Body = randomBytes(length);
    plain.set(Key, Body);
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, ContentType: 'text/x' }));
  }
  for (const [Key, lengths] of Object.entries(PARTS)) {
    const bodies = lengths.map((length) => randomBytes(length));
    plain.set(Key, Buffer.concat(bodies));
    const place = { Bucket: BUCKET, Key };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...place, ContentType: 'text/x' }));
    const Parts = [];
    for (const [index, Body] of bodies.entries()) {
      const PartNumber = index + 1;
      const { ETag } = await client.send(new UploadPartCommand({ ...place, UploadId, PartNumber, Body }));
      Parts.push({ PartNumber, ETag });
    }
    await client.send(new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload: { Parts } }));
  }
  for (const key of plain.keys()) stored.set(key, await storedObject(key));
  store = await startLyingStore(stored);
  const rules = [{ bucket: BUCKET, prefix: '', rule: { type: 'seal', keyId: 'alias/a', name: 's' } as const }];
  const options = {
    capabilities: AWS_CAPABILITIES,
    operations: SEALED_OPERATIONS,
    dataKeys: setup.manager,
    maxConnections: CONNECTIONS,
  };
  edge = await startEdge({ store, rules, ...options });
});
afterAll(async () => {
  await edge.close();
  await store.close();
  await setup.close();
  await origin.close();
});
beforeEach(() => {
  store.lie = () => ({});
  edge.gateway.caches.layouts.clear();
});

async function storedObject(key: string): Promise<StoredObject> {
  const { headers, body } = await setup.edges[0].gateway.upstream.send({ method: 'GET', bucket: BUCKET, key });
  const kept = ['content-type', 'etag', 'last-modified', ENVELOPE].map((name) => [name, headers[name] ?? '']);
  return { headers: Object.fromEntries(kept) as Record<string, string>, body: Buffer.from(await body.bytes(20 * MIB)) };
}

const objectOf = (key: string): StoredObject => stored.get(key) ?? { headers: {}, body: Buffer.alloc(0) };
const bytesOf = (key: string): Buffer => plain.get(key) ?? Buffer.alloc(0);

/** The stored parts, the footer part among them: each costs the same number of bytes more than its plaintext. */
function storedParts(key: keyof typeof PARTS): readonly Buffer[] {
  const lengths = key === 'short' ? PARTS.short : [...PARTS.long, 0];
  const { body } = objectOf(key);
  const overhead = (body.length - bytesOf(key).length) / lengths.length;
  let at = 0;
  return lengths.map((length) => body.subarray(at, (at += length + overhead)));
}

/** Status, head and body of one GET, and whether all of the body came. */
function get(key: string, range?: string): Promise<{ head: string; body: Buffer; isWhole: boolean }> {
  const headers = { connection: 'close', ...(range === undefined ? {} : { range }) };
  const socket = connect(edge.port, '127.0.0.1');
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  socket.on('error', () => undefined);
  socket.write(sign(edge.port, { method: 'GET', path: `/${BUCKET}/${key}`, headers }).head);
  return new Promise((resolve) => {
    socket.on('close', () => {
      const all = Buffer.concat(received);
      const end = all.indexOf('\r\n\r\n');
      const head = all.subarray(0, Math.max(0, end)).toString('latin1');
      const body = all.subarray(end + 4);
      resolve({ head, body, isWhole: body.length === Number(/content-length: (\d+)/iu.exec(head)?.[1]) });
    });
  });
}

/** Reads whole and by ranges, fresh and with a remembered layout; `mayServe`: whether any of it may be answered whole. */
async function readsRightOrNot(key: string, lie: () => Lie, mayServe = true): Promise<void> {
  const want = bytesOf(key);
  const last = want.length - 1;
  const ranges = [undefined, [0, 9], [last - 5, last], [Math.floor(last / 2), Math.floor(last / 2) + 99_999]] as const;
  for (const remembered of [false, true]) {
    for (const range of ranges) {
      store.lie = () => ({});
      edge.gateway.caches.layouts.clear();
      if (remembered) await get(key, 'bytes=0-0');
      const told = lie();
      store.lie = () => told;
      const [from, to] = range === undefined ? [0, last] : [Math.max(0, range[0]), Math.min(range[1], last)];
      const { head, body, isWhole } = await get(key, range && `bytes=${from}-${to}`);
      const about = `${key} ${from}-${to} ${remembered ? 'remembered' : 'fresh'}: ${head.slice(0, 20)}`;
      if (statusIn(head) >= 300 || head === '') continue;
      // What came before an error is right as far as it goes.
      const expected = want.subarray(from, to + 1);
      expect(body.equals(expected.subarray(0, body.length)), about).toBe(true);
      if (!isWhole) continue;
      expect([mayServe, body.length], about).toEqual([true, expected.length]);
      expect(head, about).not.toMatch(/text\/html|evil|content-encoding/iu);
      if (range !== undefined) expect(head, about).toContain(`bytes ${from}-${to}/${want.length}`);
    }
  }
}

const KEYS = ['single', 'tiny', 'short', 'long'] as const;

test('the truth is served', async () => {
  for (const key of KEYS) {
    const { body, isWhole } = await get(key);
    expect([isWhole, body.equals(bytesOf(key))]).toEqual([true, true]);
  }
});

test.each(KEYS)('turned bits, shifted ranges, other sizes, broken-off answers: %s', async (key) => {
  for (const flip of [0, 0.0001, 0.3, 0.9999]) await readsRightOrNot(key, () => ({ flip }));
  for (const shift of [1, -1, 16, 65_536]) await readsRightOrNot(key, () => ({ shift }));
  for (const total of [1, -1, 65_536]) await readsRightOrNot(key, () => ({ total }));
  await readsRightOrNot(key, () => ({ breakOff: 0.5 }));
  await readsRightOrNot(key, () => ({ ignoresRange: true }));
});

test.each(KEYS)('forged lengths and places of what is sent: %s', async (key) => {
  for (const length of [1, -1, 192, -192, 65_536, -65_536]) await readsRightOrNot(key, () => ({ length }));
  for (const place of [1, 16, 65_536]) await readsRightOrNot(key, () => ({ place }));
});

/** What HEAD and listings say is the store's word (docs/SECURITY.md), but never a size that no sealed object has. */
test.each(['single', 'tiny'] as const)(
  'HEAD tells the size of what would be stored so, or an error: %s',
  async (key) => {
    for (const length of [0, 1, -1, 16, -16, 65_536, -1e9]) {
      store.lie = () => ({ length });
      const { head } = sign(edge.port, { method: 'HEAD', path: `/${BUCKET}/${key}` });
      const answer = await talk(edge.port, [head], (text) => text.includes('\r\n\r\n'));
      const told = Number(/content-length: (\d+)/iu.exec(answer)?.[1]);
      if (statusIn(answer) < 300) expect(sealedSize(told)).toBe(objectOf(key).body.length + length);
      else expect(edge.outcomes.at(-1)).toMatchObject({ code: 'ERR_S3_SEALED_OBJECT_INVALID' });
      if (length === 0) expect(told).toBe(bytesOf(key).length);
    }
  },
);

test.each(KEYS)('cut and lengthened objects: %s', async (key) => {
  const { body } = objectOf(key);
  for (const cut of [1, 16, 192, 8488])
    await readsRightOrNot(key, () => ({ body: body.subarray(0, Math.max(0, body.length - cut)) }), false);
  await readsRightOrNot(key, () => ({ body: Buffer.concat([body, Buffer.alloc(16)]) }), false);
});

test.each(KEYS)(
  'envelopes that are changed, taken away or of another object, and headers nobody vouched for: %s',
  async (key) => {
    const text = objectOf(key).headers[ENVELOPE] ?? '';
    const changed = `${text.slice(0, 60)}${text[60] === 'A' ? 'B' : 'A'}${text.slice(61)}`;
    for (const value of [undefined, '', changed, objectOf('other').headers[ENVELOPE]])
      await readsRightOrNot(key, () => ({ headers: { [ENVELOPE]: value } }), false);
    await readsRightOrNot(
      key,
      () => ({ headers: { [ENVELOPE]: undefined }, body: Buffer.from('evil plaintext') }),
      false,
    );
    await readsRightOrNot(key, () => ({ headers: { 'content-type': 'text/html' } }), false);
    await readsRightOrNot(key, () => ({ headers: { 'x-amz-meta-evil': '1' } }), false);
    await readsRightOrNot(key, () => ({ headers: { 'content-encoding': 'gzip' } }));
    await readsRightOrNot(key, () => ({ body: objectOf('other').body }), false);
    await readsRightOrNot(key, () => ({ ...objectOf('other') }), false);
  },
);

test.each(['short', 'long'] as const)('parts that are swapped, dropped or repeated: %s', async (key) => {
  const [first, second, end] = storedParts(key);
  if (first === undefined || second === undefined || end === undefined) throw new Error('three parts lie there');
  const orders = [
    [second, first, end],
    [first, end],
    [first, first, end],
    [first, second],
    [first, second, end, end],
    [end],
  ];
  for (const order of orders) await readsRightOrNot(key, () => ({ body: Buffer.concat(order) }));
});

test('an object that is another one at each look', async () => {
  for (const key of KEYS) {
    await readsRightOrNot(key, () => ({
      headers: { etag: `"${randomBytes(16).toString('hex')}"` },
      ignoresIfMatch: true,
    }));
  }
});

test.each(['bytes=200000-200009', 'bytes=100000-299999'])(
  'a header that was changed, of a part whose middle is read (%s), is the object’s fault and not ours, and holds no connection',
  async (range) => {
    for (let time = 0; time < 3 * CONNECTIONS; time += 1) {
      edge.gateway.caches.layouts.clear();
      store.lie = () => ({ flip: 0.3 });
      const { head, isWhole } = await get('single', range);
      expect(isWhole && statusIn(head) < 300).toBe(false);
      expect(edge.outcomes.at(-1)).toMatchObject({ code: 'ERR_S3_SEALED_OBJECT_INVALID' });
      expect(edge.gateway.caches.layouts.size).toBe(0);
    }
    store.lie = () => ({});
    const { body } = await get('single', range);
    const [from = 0, to = 0] = range.slice('bytes='.length).split('-').map(Number);
    expect(body.equals(bytesOf('single').subarray(from, to + 1))).toBe(true);
  },
);

test.each([undefined, 'bytes=100-9000000'])(
  'a client that leaves in the middle (of %s) does not make the layout forgotten',
  async (range) => {
    await get('long', 'bytes=0-0');
    expect(edge.gateway.caches.layouts.size).toBe(1);
    const before = edge.outcomes.length;
    const headers = range === undefined ? {} : { range };
    const socket = connect(edge.port, '127.0.0.1').on('error', () => undefined);
    socket.write(sign(edge.port, { method: 'GET', path: `/${BUCKET}/long`, headers }).head);
    await once(socket, 'data');
    socket.destroy();
    await expect.poll(() => edge.outcomes.length).toBe(before + 1);
    expect(edge.gateway.caches.layouts.size).toBe(1);
  },
);
