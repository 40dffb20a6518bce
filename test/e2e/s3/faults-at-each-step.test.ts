/**
 * A fault of the store at each request that an operation makes of it: not sent, refused, done and told otherwise, answered by half. What was there
 * is there still or what was written is, whole; what was told to be done is; and a second try goes through.
 */
import { randomBytes } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { S3Error } from '../../../src/s3/errors.ts';
import type { UpstreamBody, UpstreamRequest, UpstreamResponse } from '../../../src/s3/upstream/client.ts';
import { WholeBody } from '../../../src/s3/upstream/upstream-body.ts';
import { hookUpstream, type Hook } from '../../support/s3/hooked-upstream.ts';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { BUCKET, startSealed, type SealedSetup } from '../../support/s3/sealed.ts';
import { completeUpload, createUpload, MIB, readObject, sendPart } from '../../support/s3/uploads.ts';

const PLAIN = 'plain';
type Fault = (
  request: UpstreamRequest,
  send: (request: UpstreamRequest) => Promise<UpstreamResponse>,
) => Promise<UpstreamResponse>;

const refusal = (status: number, code: string): UpstreamResponse => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: new WholeBody(Buffer.from(`<Error><Code>${code}</Code><Message>no</Message></Error>`)),
});
const reset = (): S3Error => new S3Error('ERR_S3_UPSTREAM_UNREACHABLE');

async function doneButLost(...[request, send]: Parameters<Fault>): Promise<never> {
  await (await send(request)).body.release();
  throw reset();
}
async function doneButRefused(...[request, send]: Parameters<Fault>): Promise<UpstreamResponse> {
  await (await send(request)).body.release();
  return refusal(500, 'InternalError');
}
async function halfAnswered(...[request, send]: Parameters<Fault>): Promise<UpstreamResponse> {
  const response = await send(request);
  return { ...response, body: halfOf(response.body) };
}

/** Half of it, and then the connection is gone. */
function halfOf(body: UpstreamBody): UpstreamBody {
  const pour: UpstreamBody['pour'] = async (take) => {
    const bytes = await body.bytes(64 * MIB);
    const waited = take([bytes.subarray(0, bytes.length >> 1)]);
    if (waited !== undefined) await waited;
    throw reset();
  };
  const failing = (): Promise<never> => body.release().then(() => Promise.reject(reset()));
  return { pour, bytes: failing, text: failing, release: () => body.release() };
}

/** Not a fault of one request: it and all behind it are not sent, as where the gateway dies. */
const DIES = 'and all behind it are not sent';

const FAULTS: Readonly<Record<string, Fault>> = {
  'is not sent': () => Promise.reject(reset()),
  [DIES]: () => Promise.reject(reset()),
  'is refused': () => Promise.resolve(refusal(503, 'SlowDown')),
  'is done and lost': doneButLost,
  'is done and refused': doneButRefused,
  'is answered by half': halfAnswered,
};

/** Faults the request of this number alone, or with all behind it. */
function faultAt(at: number, fault: Fault, andBehind: boolean): { readonly hook: Hook; seen: number; what: string } {
  const state = { seen: 0, what: '', hook: ((request, send) => send(request)) as Hook };
  state.hook = (request, send) => {
    const number = (state.seen += 1);
    if (number < at || (number > at && !andBehind)) return send(request);
    const { method, key = '', query } = request;
    if (number === at) state.what = `${method} ${key}?${[...(query?.keys() ?? [])].join('&')}`;
    return fault(request, send);
  };
  return state;
}

describe.each(['s3rver', 'radosgw'] as const)('In front of %s', (name) => {
  let setup: SealedSetup;
  let client: S3Client;

  inFrontOf(name, async (backend) => {
    setup = await startSealed(backend, undefined, undefined, {
      rules: [{ bucket: PLAIN, prefix: '', rule: { type: 'pass', name: 'plain' } }],
    });
    [client] = setup.clients;
    await createBuckets(client, name, PLAIN);
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'source', Body: SOURCE }));
    await client.send(new PutObjectCommand({ Bucket: PLAIN, Key: 'source', Body: SOURCE }));
    // What the store can do is found out before: a fault in that has tests of its own.
    const first = await createUpload(setup, 'first');
    await completeUpload(setup, first, [await sendPart(setup, first, 1, SOURCE)]);
    return [setup];
  });

  const SOURCE = randomBytes(100_000);
  const OLD = randomBytes(300);
  const at = { Bucket: BUCKET };

  /** What is asked, and what the object is afterwards; undefined where it is gone. */
  type Asked = { readonly send: () => Promise<unknown>; readonly made: Buffer | undefined | 'same' };
  const big = randomBytes(400_000);
  const copy =
    (CopySource: string, more: object = {}) =>
    (Key: string) =>
      Promise.resolve({
        send: () => client.send(new CopyObjectCommand({ ...at, Key, CopySource, ...more })),
        made: SOURCE,
      });
  async function completing(Key: string, lengths: readonly (readonly [number, number])[]): Promise<Asked> {
    const upload = await createUpload(setup, Key);
    const Parts: CompletedPart[] = [];
    const bodies: Buffer[] = [];
    for (const [number, length] of lengths) {
      const body = randomBytes(length);
      bodies.push(body);
      Parts.push(await sendPart(setup, upload, number, body));
    }
    const complete = new CompleteMultipartUploadCommand({ ...at, ...upload, MultipartUpload: { Parts } });
    return { send: () => client.send(complete), made: Buffer.concat(bodies) };
  }
  async function sending(
    Key: string,
    part: (place: object) => Promise<{ readonly ETag?: string | undefined }>,
    body: Buffer,
  ) {
    const upload = await createUpload(setup, Key);
    let ETag: string | undefined;
    const place = { ...at, ...upload, PartNumber: 1 };
    const send = async (): Promise<void> => {
      ({ ETag } = await part(place));
      await client.send(
        new CompleteMultipartUploadCommand({ ...at, ...upload, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } }),
      );
    };
    return { send, made: body };
  }

  const ACTS: Readonly<Record<string, (Key: string) => Promise<Asked>>> = {
    'a short PUT': (Key) =>
      Promise.resolve({ send: () => client.send(new PutObjectCommand({ ...at, Key, Body: SOURCE })), made: SOURCE }),
    'a longer PUT': (Key) =>
      Promise.resolve({ send: () => client.send(new PutObjectCommand({ ...at, Key, Body: big })), made: big }),
    'a copy': copy(`${BUCKET}/source`),
    'a copy with other metadata and tags': copy(`${BUCKET}/source`, {
      MetadataDirective: 'REPLACE',
      Metadata: { a: 'b' },
      TaggingDirective: 'REPLACE',
      Tagging: 'a=b',
    }),
    'a copy with another checksum': copy(`${BUCKET}/source`, { ChecksumAlgorithm: 'SHA256' }),
    'a copy of what is plain': copy(`${PLAIN}/source`),
    'a copy to itself': (Key) =>
      Promise.resolve({
        send: () =>
          client.send(
            new CopyObjectCommand({ ...at, Key, CopySource: `${BUCKET}/${Key}`, MetadataDirective: 'REPLACE' }),
          ),
        made: 'same' as const,
      }),
    'a deletion': (Key) =>
      Promise.resolve({ send: () => client.send(new DeleteObjectCommand({ ...at, Key })), made: undefined }),
    'a deletion of several': (Key) =>
      Promise.resolve({
        send: async () => {
          const Delete = { Objects: [{ Key }, { Key: 'none' }] };
          const { Errors = [] } = await client.send(new DeleteObjectsCommand({ ...at, Delete }));
          if (Errors.some((row) => row.Key === Key)) throw new Error(Errors[0]?.Code);
        },
        made: undefined,
      }),
    'a read': (Key) =>
      Promise.resolve({ send: async () => expect(await readObject(setup, Key)).toEqual(OLD), made: 'same' as const }),
    'a read of a range': () =>
      Promise.resolve({
        send: async () => {
          const { Body } = await client.send(new GetObjectCommand({ ...at, Key: 'source', Range: 'bytes=10-70000' }));
          expect(Buffer.from((await Body?.transformToByteArray()) ?? [])).toEqual(SOURCE.subarray(10, 70_001));
        },
        made: 'same' as const,
      }),
    'a HEAD': (Key) =>
      Promise.resolve({
        send: async () =>
          expect((await client.send(new HeadObjectCommand({ ...at, Key }))).ContentLength).toBe(OLD.length),
        made: 'same' as const,
      }),
    'a list': (Key) =>
      Promise.resolve({
        send: async () => {
          const { Contents = [] } = await client.send(new ListObjectsV2Command({ ...at, Prefix: Key }));
          expect(Contents.map((row) => [row.Key, row.Size])).toEqual([[Key, OLD.length]]);
        },
        made: 'same' as const,
      }),
    'a part, and its completion': (Key) =>
      sending(Key, (place) => client.send(new UploadPartCommand({ ...place, Body: big } as never)), big),
    'a copied part': (Key) =>
      sending(
        Key,
        async (place) => {
          const CopySource = `${BUCKET}/source`;
          const asked = { ...place, CopySource, CopySourceRange: 'bytes=5-70004' };
          const { CopyPartResult = {} } = await client.send(new UploadPartCopyCommand(asked as never));
          return CopyPartResult;
        },
        SOURCE.subarray(5, 70_005),
      ),
    'a completion with a short last part': (Key) =>
      completing(Key, [
        [1, 5 * MIB],
        [2, 1000],
      ]),
    'a completion with long parts': (Key) =>
      completing(Key, [
        [1, 5 * MIB],
        [4, 5 * MIB + 1],
      ]),
    'a completion with a part 10000': (Key) =>
      completing(Key, [
        [1, 5 * MIB],
        [10_000, 300_000],
      ]),
  };

  const readOr = (Key: string): Promise<Buffer | string> =>
    readObject(setup, Key, 1).catch((error: { name: string }) => error.name);

  async function tryAt(act: string, kind: string, fault: Fault, number: number): Promise<number> {
    const Key = `${act} that ${kind} at ${number}`;
    await client.send(new PutObjectCommand({ ...at, Key, Body: OLD }));
    const make = ACTS[act];
    if (make === undefined) throw new Error(act);
    const { send, made } = await make(Key);
    const state = faultAt(number, fault, kind === DIES);
    let told: string;
    {
      using _faulty = hookUpstream(setup.edges[0].gateway, state.hook);
      told = await send().then(
        () => 'done',
        (error: { name: string; message: string }) => `${error.name} ${error.message}`,
      );
    }
    const wanted = made === 'same' ? OLD : (made ?? 'NoSuchKey');
    const now = await readOr(Key);
    const where = `${Key} (${state.what}): ${told}`;
    const isNew = Buffer.compare(Buffer.from(now), Buffer.from(wanted)) === 0;
    const isOld = Buffer.compare(Buffer.from(now), OLD) === 0;
    expect([where, isNew || (isOld && told !== 'done') ? 'sound' : String(now.length < 50 ? now : now.length)]).toEqual(
      [where, 'sound'],
    );
    // Once more, as SDKs do: it is done.
    const again =
      told === 'done'
        ? 'done'
        : await send().then(
            () => 'done',
            (error: { name: string }) => error.name,
          );
    expect([where, again, Buffer.compare(Buffer.from(await readOr(Key)), Buffer.from(wanted))]).toEqual([
      where,
      'done',
      0,
    ]);
    return state.seen;
  }

  describe.each(Object.keys(ACTS))('%s', (act) => {
    test.each(Object.entries(FAULTS))('of which a request %s', { timeout: 120_000 }, async (kind, fault) => {
      for (let number = 1, seen = 1; number <= seen; number += 1) seen = await tryAt(act, kind, fault, number);
    });
  });
});
