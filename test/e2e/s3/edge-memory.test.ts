/** What all requests hold in memory together has bounds, and slow or greedy clients do not keep it from the others. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CompleteMultipartUploadCommand, CreateMultipartUploadCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import {
  LISTING_COST_BYTES,
  MAX_DOCUMENT_BYTES,
  MAX_DOCUMENTS_BYTES,
  STREAM_COST_BYTES,
} from '../../../src/s3/limits.ts';
import { SEALED_OPERATIONS } from '../../../src/s3/operations/index-table.ts';
import { startRecordingStore, type Reply } from '../../support/s3/recording-store.ts';
import { keyFolder, TEST_USE } from '../../support/keys/keys.ts';
import { sign, statusIn, talk } from '../../support/s3/raw-s3.ts';
import { startEdge } from '../../support/s3/edge.ts';
import { BUCKET, startBackend, startSealed } from '../../support/s3/sealed.ts';

const SOON = { timeout: 60_000 };

test('completions with the largest documents there are, many at once, stay within a common bound', async () => {
  const backend = await startBackend('s3rver');
  if (typeof backend === 'string') throw new Error(backend);
  const setup = await startSealed(backend);
  const [{ port, gateway }] = setup.edges;
  const [s3] = setup.clients;
  const object = { Bucket: BUCKET, Key: 'documents' };
  const { UploadId = '' } = await s3.send(new CreateMultipartUploadCommand(object));
  const { ETag } = await s3.send(new UploadPartCommand({ ...object, UploadId, PartNumber: 1, Body: 'x' }));
  const checksum = `<ChecksumSHA256>${'A'.repeat(43)}=</ChecksumSHA256>`;
  const parts = Array.from(
    { length: 9_999 },
    (_, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>"e"</ETag>${checksum}</Part>`,
  ).join('');
  const text = `<CompleteMultipartUpload>${parts}</CompleteMultipartUpload>`;
  const document = Buffer.from(text + ' '.repeat(MAX_DOCUMENT_BYTES - text.length));
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, gateway.documents.usedBytes)), 1);
  const complete = async (): Promise<string> => {
    const { head } = sign(port, {
      method: 'POST',
      path: `/${BUCKET}/documents`,
      query: `uploadId=${UploadId}`,
      headers: { 'content-length': String(document.length) },
    });
    return talk(port, [head, document]);
  };
  const answers = await Promise.all(Array.from({ length: 10 }, complete));
  clearInterval(watch);
  // Each was read and judged, or told to come again.
  for (const answer of answers) expect(answer).toMatch(/<Code>(?:InvalidPart|SlowDown)<\/Code>/u);
  expect(answers.some((answer) => answer.includes('InvalidPart'))).toBe(true);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(MAX_DOCUMENTS_BYTES);
  await expect.poll(() => [gateway.documents.usedBytes, gateway.governor.usedBytes], SOON).toEqual([0, 0]);
  const Parts = [{ PartNumber: 1, ETag }];
  await s3.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } }));
  await setup.close();
  await backend.close();
});

test('deletions of many keys and completions that pass through have their room too', async () => {
  const store = await startRecordingStore();
  store.reply = { status: 200, headers: {}, body: '<DeleteResult/>' };
  const edge = await startEdge({ store });
  for (const [query, bound] of [
    ['delete=', edge.gateway.documents],
    ['uploadId=x', edge.gateway.governor],
  ] as const) {
    const body = '<Delete><Object><Key>k</Key></Object></Delete>';
    const path = query === 'delete=' ? '/plain' : '/plain/k';
    const headers = { 'content-length': String(body.length) };
    const socket = connect(edge.port, '127.0.0.1');
    socket.write(sign(edge.port, { method: 'POST', path, query, headers }).head);
    await expect.poll(() => bound.usedBytes, SOON).toBeGreaterThan(0);
    socket.destroy();
    await expect.poll(() => bound.usedBytes, SOON).toBe(0);
  }
  await edge.close();
  await store.close();
});

test('a listing that is read, parsed and written anew counts for more than a stream', async () => {
  const store = await startRecordingStore();
  const rules = [{ bucket: 'mixed', prefix: 'closed/', rule: { type: 'refuse', name: 'closed' } }] as const;
  const edge = await startEdge({ store, rules, operations: SEALED_OPERATIONS });
  let most = 0;
  const watched = (): Reply => {
    most = Math.max(most, edge.gateway.governor.usedBytes);
    return { status: 200, headers: {}, body: '<ListBucketResult/>' };
  };
  Object.defineProperty(store, 'reply', { get: watched });
  const answer = await talk(edge.port, [sign(edge.port, { method: 'GET', path: '/mixed' }).head]);
  expect([statusIn(answer), most]).toEqual([200, LISTING_COST_BYTES]);
  await edge.close();
  await store.close();
});

test('uploads that come byte by byte are given up when others wait, and not before', async () => {
  const store = await startRecordingStore();
  const bounds = { maxBytesInFlight: 2 * STREAM_COST_BYTES, waiting: { patienceMs: 200 } };
  const edge = await startEdge({ store, bounds });
  const upload = { method: 'PUT', path: '/plain/slow', headers: { 'content-length': '1000000' } };
  const slow = [1, 2].map(() => {
    const socket = connect({ port: edge.port, host: '127.0.0.1', noDelay: true });
    const timer = setInterval(() => socket.write('x'), 10);
    socket.on('error', () => undefined).on('close', () => clearInterval(timer));
    socket.write(sign(edge.port, upload).head);
    return socket;
  });
  await expect.poll(() => edge.gateway.governor.usedBytes, SOON).toBe(2 * STREAM_COST_BYTES);
  // Much longer than the patience there is once somebody waits.
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect([edge.outcomes, slow.map((socket) => socket.destroyed)]).toEqual([[], [false, false]]);
  const answer = await talk(
    edge.port,
    [sign(edge.port, { method: 'GET', path: '/plain/k' }).head],
    (text) => text !== '',
  );
  expect(statusIn(answer)).toBe(200);
  await expect.poll(() => edge.outcomes.map(({ code }) => code)).toContain('ERR_S3_REQUEST_TIMEOUT');
  for (const socket of slow) socket.destroy();
  await expect.poll(() => edge.gateway.governor.usedBytes, SOON).toBe(0);
  await edge.close();
  await store.close();
});

test('sealed uploads that a store does not take hold no more than their shares', async () => {
  const uploads = 24;
  const body = Buffer.alloc(30_000_000);
  await using keys = await keyFolder();
  const dataKeys = await keys.open();
  await dataKeys.createKey({ alias: 'alias/a' }, TEST_USE);
  const taken: Socket[] = [];
  const store = createServer({ pauseOnConnect: true }, (socket) => {
    taken.push(socket.on('error', () => undefined));
  });
  await once(store.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(store.address() as AddressInfo).port}`; // A TCP server has an address object.
  const edge = await startEdge({
    store: { url, accessKeyId: 'UP', secretAccessKey: 'up' },
    rules: [{ bucket: BUCKET, prefix: '', rule: { type: 'seal', keyId: 'alias/a', name: 's' } }],
    operations: SEALED_OPERATIONS,
    dataKeys,
  });
  const held = collectedArrayBuffers();
  const sockets = Array.from({ length: uploads }, (_, index) => {
    const socket = connect({ port: edge.port, host: '127.0.0.1' }).on('error', () => undefined);
    const headers = { 'content-length': String(body.length) };
    socket.write(sign(edge.port, { method: 'PUT', path: `/${BUCKET}/stalled-${index}`, headers }).head);
    socket.write(body);
    return socket;
  });
  await expect.poll(() => edge.gateway.governor.usedBytes, SOON).toBe(uploads * STREAM_COST_BYTES);
  await untilStill(() => process.memoryUsage().arrayBuffers);
  expect((collectedArrayBuffers() - held) / uploads).toBeLessThanOrEqual(STREAM_COST_BYTES);
  expect((collectedArrayBuffers() - held) / uploads).toBeGreaterThan(64 * 1024);
  for (const socket of taken) socket.destroy();
  await expect.poll(() => edge.gateway.governor.usedBytes, SOON).toBe(0);
  for (const socket of sockets) socket.destroy();
  await edge.close();
  store.close();
});

/** Bytes of buffers that somebody holds. */
function collectedArrayBuffers(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void; // The flag makes it.
  for (let time = 0; time < 3; time += 1) collect();
  return process.memoryUsage().arrayBuffers;
}

/** Resolves when the value has not changed for a while. */
async function untilStill(value: () => number): Promise<void> {
  let same = 0;
  for (let last = value(); same < 10; same = value() === last ? same + 1 : 0) {
    last = value();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
