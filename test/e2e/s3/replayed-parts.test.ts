/**
 * A store that keeps an earlier attempt of a part where it was given a later one, of the same upload and number: noticed on completion where their
 * lengths differ, at the end of a whole read where who completes has taken the parts. What remains is in docs/SECURITY.md.
 */
import { randomBytes } from 'node:crypto';
import { GetObjectCommand, type CompletedPart } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import type { UpstreamRequest, UpstreamResponse } from '../../../src/s3/upstream/client.ts';
import { hookUpstream } from '../../support/s3/hooked-upstream.ts';
import { sealedOnRadosgw } from '../../support/s3/in-front-of.ts';
import { BUCKET } from '../../support/s3/sealed.ts';
import {
  completeUpload,
  createUpload,
  MIB,
  outcomeOf,
  readObject,
  sendPart,
  type By,
  type Upload,
} from '../../support/s3/uploads.ts';

const ceph = sealedOnRadosgw();

type Replayed = {
  readonly upload: Upload;
  readonly parts: readonly CompletedPart[];
  readonly bodies: readonly Buffer[];
};

/** Three parts that gateway 0 takes; of the second two attempts, and the store keeps the first of them for the second. */
async function replayed(Key: string, earlierBytes: number): Promise<Replayed> {
  const { setup } = ceph;
  const upload = await createUpload(setup, Key);
  const bodies = [randomBytes(5 * MIB), randomBytes(6 * MIB), randomBytes(5 * MIB)] as const;
  const earlier = randomBytes(earlierBytes);
  let kept: Uint8Array | undefined;
  using _replaying = hookUpstream(setup.edges[0].gateway, async (request, send): Promise<UpstreamResponse> => {
    if (request.method !== 'PUT' || request.query?.get('partNumber') !== '2') return send(request);
    // The later one is taken all the same.
    const given = await bytesOf(request);
    kept ??= given;
    const { contentLength: _given, ...rest } = request;
    return send({ ...rest, body: kept });
  });
  const parts = [await sendPart(setup, upload, 1, bodies[0])];
  await sendPart(setup, upload, 2, earlier);
  parts.push(await sendPart(setup, upload, 2, bodies[1]), await sendPart(setup, upload, 3, bodies[2]));
  return { upload, parts, bodies: [bodies[0], bodies[1], bodies[2], earlier] };
}

async function bytesOf({ body }: UpstreamRequest): Promise<Uint8Array> {
  if (body === undefined || body instanceof Uint8Array) return body ?? new Uint8Array();
  const pieces: Buffer[] = [];
  await body.pour((taken) => {
    // They are lent.
    pieces.push(...taken.map((piece) => Buffer.from(piece)));
    return Promise.resolve();
  });
  return Buffer.concat(pieces);
}

test('is found out on completion where the lengths differ', async () => {
  const { upload, parts } = await replayed('longer', 7 * MIB);
  const { outcomes } = ceph.setup.edges[0];
  expect(await outcomeOf(completeUpload(ceph.setup, upload, parts, 0))).toBe('InternalError');
  expect(outcomes.at(-1)?.code).toBe('ERR_S3_UPSTREAM_PROTOCOL');
  expect(await outcomeOf(readObject(ceph.setup, upload.Key))).toBe('NoSuchKey');
});

test.each([0, 1] as const)(
  'is found out by gateway %i at the end of a whole read, where who took the parts completed',
  async (by) => {
    const { upload, parts } = await replayed(`same-${by}`, 6 * MIB);
    await completeUpload(ceph.setup, upload, parts, 0);
    const { outcomes } = ceph.setup.edges[by];
    const before = outcomes.length;
    expect(await outcomeOf(readObject(ceph.setup, upload.Key, by))).not.toBe('ok');
    await expect.poll(() => outcomes.length).toBe(before + 1);
    expect(outcomes.at(-1)?.code).toBe('ERR_S3_SEALED_OBJECT_INVALID');
  },
);

test('passes in a range, and where who completes has not taken the parts: a residual risk, and no more than that', async () => {
  const read = async (Key: string, by: By, Range?: string): Promise<Buffer> => {
    const { Body } = await ceph.setup.clients[by].send(new GetObjectCommand({ Bucket: BUCKET, Key, Range }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  };
  for (const by of [0, 1] as const) {
    const { upload, parts, bodies } = await replayed(`passes-${by}`, 6 * MIB);
    const [first = Buffer.alloc(0), , last = Buffer.alloc(0), earlier = Buffer.alloc(0)] = bodies;
    await completeUpload(ceph.setup, upload, parts, by);
    const whole = Buffer.concat([first, earlier, last]);
    const range = await read(upload.Key, 0, `bytes=${5 * MIB}-${5 * MIB + 99}`);
    expect(range.equals(whole.subarray(5 * MIB, 5 * MIB + 100))).toBe(true);
    if (by === 1) expect((await read(upload.Key, 0)).equals(whole)).toBe(true);
  }
});
