/** Reads by part number and by ranges, of each layout, with HEAD and with GET: the same answer but for the body, and the same refusals. */
import { randomBytes } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { sign, statusIn, talk } from '../../support/s3/raw-s3.ts';
import { BUCKET, startSealed, type SealedSetup } from '../../support/s3/sealed.ts';

const MIB = 1024 * 1024;
/** Parts by number: with gaps, with an end that is sealed apart, with one that is not. */
const UPLOADS = {
  short: [
    [2, 5 * MIB + 9],
    [7, 300],
  ],
  long: [
    [1, 5 * MIB],
    [4, 5 * MIB + 1],
  ],
  'empty-end': [
    [1, 5 * MIB],
    [2, 0],
  ],
} as const;
type Answer = { readonly status: number; readonly head: Readonly<Record<string, string>>; readonly body: Buffer };

describe.each(['s3rver', 'radosgw'] as const)('in front of %s', (name) => {
  let setup: SealedSetup;
  const stored = new Map<string, Buffer>();

  inFrontOf(name, async (backend) => {
    setup = await startSealed(backend, undefined, undefined, { rule: { readsPlainUntil: Infinity } });
    const [client] = setup.clients;
    await createBuckets(client, name);
    for (const [Key, length] of [
      ['single', 70_000],
      ['nothing', 0],
    ] as const)
      await put(client, Key, length);
    await put(setup.direct, 'plain', 70_000);
    for (const [Key, parts] of Object.entries(UPLOADS)) await upload(client, Key, parts);
    return [setup];
  });

  async function put(client: S3Client, Key: string, length: number): Promise<void> {
    const Body = randomBytes(length);
    stored.set(Key, Body);
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
  }

  async function upload(client: S3Client, Key: string, parts: readonly (readonly [number, number])[]): Promise<void> {
    const place = { Bucket: BUCKET, Key };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(place));
    const Parts = [];
    for (const [PartNumber, length] of parts) {
      const Body = randomBytes(length);
      stored.set(Key, Buffer.concat([stored.get(Key) ?? Buffer.alloc(0), Body]));
      const { ETag } = await client.send(new UploadPartCommand({ ...place, UploadId, PartNumber, Body }));
      Parts.push({ PartNumber, ETag });
    }
    await client.send(new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload: { Parts } }));
  }

  /** Of either gateway: the second has not seen the object before. */
  async function ask(method: string, key: string, query?: string, headers: Record<string, string> = {}, edge = 0) {
    const port = setup.edges[edge === 0 ? 0 : 1].port;
    const request = { method, path: `/${BUCKET}/${key}`, headers: { ...headers, connection: 'close' } };
    const { head } = sign(port, query === undefined ? request : { ...request, query });
    const text = await talk(port, [head], () => false);
    const end = text.indexOf('\r\n\r\n');
    const lines = text
      .slice(0, end)
      .split('\r\n')
      .slice(1)
      .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]);
    const answer: Answer = {
      status: statusIn(text),
      head: Object.fromEntries(lines) as Record<string, string>,
      body: Buffer.from(text.slice(end + 4), 'latin1'),
    };
    return answer;
  }

  const SAID = ['content-length', 'content-range', 'x-amz-mp-parts-count', 'etag'] as const;
  const said = ({ head }: Answer) => Object.fromEntries(SAID.map((one) => [one, head[one]]));

  /** GET and HEAD of both gateways agree; what GET answers. */
  async function both(key: string, query: string | undefined, headers: Record<string, string> = {}): Promise<Answer> {
    const got = await ask('GET', key, query, headers);
    const again = await ask('GET', key, query, headers, 1);
    const head = await ask('HEAD', key, query, headers, 1);
    expect([again.status, head.status, head.body.length]).toEqual([got.status, got.status, 0]);
    expect(again.body.equals(got.body) || got.status >= 400).toBe(true);
    if (got.status < 400) expect([said(again), said(head)]).toEqual([said(got), said(got)]);
    return got;
  }

  test.each(Object.entries(UPLOADS))('each part of an upload (%s) by its number', async (key, parts) => {
    const whole = stored.get(key) ?? Buffer.alloc(0);
    let from = 0;
    for (const [number, length] of parts) {
      const { status, head, body } = await both(key, `partNumber=${number}`);
      expect([status, head['x-amz-mp-parts-count'], head['content-length']]).toEqual([
        206,
        String(parts.length),
        String(length),
      ]);
      // Of an empty part there are no bytes to name.
      const named = length === 0 ? undefined : `bytes ${from}-${from + length - 1}/${whole.length}`;
      expect(head['content-range']).toBe(named);
      expect(body.equals(whole.subarray(from, from + length))).toBe(true);
      from += length;
    }
  });

  test.each(['single', 'plain'])('the only part of %s is all of it', async (key) => {
    const { status, head, body } = await both(key, 'partNumber=1');
    expect([status, head['content-range'], head['x-amz-mp-parts-count']]).toEqual([
      206,
      'bytes 0-69999/70000',
      undefined,
    ]);
    expect(body.equals(stored.get(key) ?? Buffer.alloc(0))).toBe(true);
  });

  test.each([
    ['single', 2, 416],
    ['nothing', 2, 416],
    ['empty-end', 3, 416],
    ['short', 1, 416],
    ['short', 3, 416],
    ['short', 8, 416],
    ['long', 10_000, 416],
    ['single', 0, 400],
    ['single', 10_001, 400],
    ['single', -1, 400],
  ])('%s has no part %i', async (key, number, status) => {
    expect((await both(key, `partNumber=${number}`)).status).toBe(status);
  });

  test.each(['single', 'short', 'long', 'empty-end', 'plain'])('ranges of %s, and what is none', async (key) => {
    const whole = stored.get(key) ?? Buffer.alloc(0);
    const end = whole.length - 1;
    for (const [range, from, to] of [
      ['bytes=0-0', 0, 0],
      [`bytes=${end}-`, end, end],
      ['bytes=-1', end, end],
      [`bytes=-${end + 99}`, 0, end],
      [`bytes=5-${end + 99}`, 5, end],
    ] as const) {
      const { status, head, body } = await both(key, undefined, { range });
      expect([range, status, head['content-range']]).toEqual([range, 206, `bytes ${from}-${to}/${end + 1}`]);
      expect(body.equals(whole.subarray(from, to + 1)), range).toBe(true);
    }
    const unmet = await both(key, undefined, { range: `bytes=${end + 1}-` });
    expect(unmet.status).toBe(416);
    // Of what lies plain the store says what it reads out of these.
    if (key === 'plain') return;
    for (const range of ['bytes=0-1,5-6', 'bytes=5-4', 'items=0-1', 'bytes=', 'bytes=a-1']) {
      const { status, body } = await both(key, undefined, { range });
      expect([range, status, body.equals(whole)]).toEqual([range, 200, true]);
    }
  });

  test('a part and a range at once are refused', async () => {
    for (const key of ['single', 'short', 'plain'])
      expect((await both(key, 'partNumber=1', { range: 'bytes=0-1' })).status).toBe(400);
  });
});
