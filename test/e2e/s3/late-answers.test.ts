/** Answers that begin before the work is done: real clients, and the bytes on the wire. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  UploadPartCopyCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hookUpstream } from '../../support/s3/hooked-upstream.ts';
import { BUCKET, startBackend, startSealed, type Backend, type SealedSetup } from '../../support/s3/sealed.ts';

let backend: Backend;
let setup: SealedSetup;
let client: S3Client;
const body = randomBytes(400_000);

beforeAll(async () => {
  const started = await startBackend('s3rver');
  if (typeof started === 'string') throw new Error(started);
  backend = started;
  setup = await startSealed(backend, undefined, undefined, { options: { lateAnswers: { afterMs: 100, everyMs: 30 } } });
  [client] = setup.clients;
  await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'source', Body: body }));
});

afterAll(async () => {
  await setup.close();
  await backend.close();
});

/** Whatever writes at the store takes so long, or fails then. */
const slowWrites = (
  after: () => void = () => undefined,
  during: () => Promise<unknown> = () => sleep(400),
): Disposable =>
  hookUpstream(setup.edges[0].gateway, async (request, send) => {
    const isWrite = request.method === 'PUT' || (request.method === 'POST' && request.query?.has('uploadId') === true);
    if (!isWrite) return send(request);
    await during();
    after();
    return send(request);
  });

const read = async (Key: string): Promise<Buffer> => {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
};
const copy = { Bucket: BUCKET, CopySource: `${BUCKET}/source` };

test('a copy that takes long begins with spaces, and clients read its document', async () => {
  using _slow = slowWrites();
  const made = await client.send(new CopyObjectCommand({ ...copy, Key: 'late' }));
  expect(made.CopyObjectResult?.ETag).toMatch(/^"[0-9a-f]{32}-0"$/u);
  expect((await read('late')).equals(body)).toBe(true);
});

test('spaces come for as long as it takes, each by itself', async () => {
  const written = Promise.withResolvers<undefined>();
  using _slow = slowWrites(undefined, () => written.promise);
  const url = await getSignedUrl(client, new CopyObjectCommand({ ...copy, Key: 'raw' }));
  const answer = await fetch(url, { method: 'PUT' });
  expect([answer.status, answer.headers.get('content-length')]).toEqual([200, null]);
  let text = '';
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString('latin1');
    if (text.endsWith('   ')) written.resolve(undefined);
  }
  expect(text).toMatch(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n {3,}<CopyObjectResult .*<\/CopyObjectResult>$/u);
});

test('parts that are copied, and completions, likewise', async () => {
  const upload = { Bucket: BUCKET, Key: 'parts' };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(upload));
  using _slow = slowWrites();
  const part = { ...upload, UploadId, PartNumber: 1, CopySource: copy.CopySource };
  const { CopyPartResult } = await client.send(new UploadPartCopyCommand(part));
  const Parts = [{ PartNumber: 1, ETag: CopyPartResult?.ETag }];
  const done = { ...upload, UploadId, MultipartUpload: { Parts } };
  expect((await client.send(new CompleteMultipartUploadCommand(done))).ETag).toMatch(/^"\S+"$/u);
  expect((await read('parts')).equals(body)).toBe(true);
});

test('a failure that comes late is an error to the client, and nothing is stored', async () => {
  using _slow = slowWrites(() => {
    throw new Error('the wire was cut');
  });
  await expect(client.send(new CopyObjectCommand({ ...copy, Key: 'never' }))).rejects.toMatchObject({
    name: 'InternalError',
  });
  await expect(read('never')).rejects.toMatchObject({ name: 'NoSuchKey' });
});

test('what is refused before is refused by its status', async () => {
  const missing = new CopyObjectCommand({ ...copy, Key: 'x', CopySource: `${BUCKET}/nothing` });
  await expect(client.send(missing)).rejects.toMatchObject({ $metadata: { httpStatusCode: 404 } });
});

test('a client that leaves meanwhile ends the work', async () => {
  let ended: Error | undefined;
  const leaving = new AbortController();
  using _slow = hookUpstream(setup.edges[0].gateway, async (request, send) => {
    if (request.method !== 'PUT') return send(request);
    // By then its answer has begun.
    setTimeout(() => leaving.abort(), 300);
    try {
      await sleep(60_000, undefined, { signal: request.signal });
    } catch (error) {
      ended = error as Error;
      throw error;
    }
    return send(request);
  });
  const asking = client.send(new CopyObjectCommand({ ...copy, Key: 'left' }), { abortSignal: leaving.signal });
  await expect(asking).rejects.toThrow();
  await expect.poll(() => ended?.name).toBe('AbortError');
});
