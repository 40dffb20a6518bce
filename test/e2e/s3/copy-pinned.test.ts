/**
 * Copies under trouble: a source that is replaced under them, a backend that copies other bytes than it was asked for or fails within its
 * answer, clients that leave; objects copied to themselves, along their parts, from older versions, under names that need encoding.
 */
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CopyObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import type { ByteSource } from '../../../src/s3/bodies/byte-source.ts';
import type { ProbedCapabilities } from '../../../src/s3/check.ts';
import { WholeBody } from '../../../src/s3/upstream/upstream-body.ts';
import { hookUpstream, isServerCopy } from '../../support/s3/hooked-upstream.ts';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { BUCKET, startSealed, type Backend, type SealedSetup } from '../../support/s3/sealed.ts';

const MIB = 1024 * 1024;
const RULES = [{ bucket: 'plain', prefix: '', rule: { type: 'pass', name: 'plain' } }] as const;

describe.each(['s3rver', 'radosgw'] as const)('Copies under trouble in front of %s', (name) => {
  let backend: Backend;
  let setup: SealedSetup;
  let client: S3Client;

  inFrontOf(name, async (started) => {
    backend = started;
    setup = await startSealed(backend, undefined, undefined, { rules: RULES });
    [client] = setup.clients;
    await createBuckets(client, name);
    await client.send(new CreateBucketCommand({ Bucket: 'plain' }));
    return [setup];
  });

  const put = async (Key: string, Body: Uint8Array, more: object = {}): Promise<string | undefined> =>
    (await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, ...more }))).VersionId;
  const upload = async (Key: string, parts: readonly Uint8Array[]): Promise<void> => {
    const object = { Bucket: BUCKET, Key };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(object));
    const Parts = [];
    for (const [index, Body] of parts.entries()) {
      const { ETag } = await client.send(new UploadPartCommand({ ...object, UploadId, PartNumber: index + 1, Body }));
      Parts.push({ PartNumber: index + 1, ETag });
    }
    await client.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } }));
  };
  const read = async (Key: string, Range?: string): Promise<Buffer> => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key, Range }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  };
  const head = (Key: string) => client.send(new HeadObjectCommand({ Bucket: BUCKET, Key }));
  const rowOf = async (Key: string) => {
    const { Contents } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: Key }));
    return Contents?.find((row) => row.Key === Key);
  };
  const copy = (from: string, Key: string, more: Partial<CopyObjectCommandInput> = {}) =>
    client.send(new CopyObjectCommand({ Bucket: BUCKET, Key, CopySource: `${BUCKET}/${from}`, ...more }));
  const nameOf = (run: Promise<unknown>): Promise<string> =>
    run.then(
      () => 'success',
      (error: unknown) => (error instanceof Error ? error.name : 'none'),
    );
  const gateway = () => setup.edges[0].gateway;
  /** As in front of a backend whose copies lose the number of parts, and of which the parts can be pinned. */
  const alongParts = async (work: () => Promise<void>): Promise<void> => {
    const { backend: knowledge } = gateway().caches;
    const found = await knowledge.learn(gateway(), BUCKET);
    const learn = knowledge.learn.bind(knowledge);
    const told = { ...found, copiesKeepPartCount: false, conditionalPartCopies: true } as ProbedCapabilities;
    knowledge.learn = () => Promise.resolve(told);
    try {
      await work();
    } finally {
      knowledge.learn = learn;
    }
  };
  /** Hidden objects, and uploads nobody completes. */
  const leftOver = async (): Promise<readonly string[]> => {
    if (name === 's3rver') {
      const files = await readdir(join(backend.directory, BUCKET), { recursive: true });
      return files.filter((file) => file.startsWith('.sealgate/'));
    }
    const { Contents = [] } = await setup.direct.send(new ListObjectsCommand({ Bucket: BUCKET }));
    const { Uploads = [] } = await setup.direct.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
    const hidden = Contents.map(({ Key = '' }) => Key).filter((Key) => Key.startsWith('.sealgate/'));
    return [...hidden, ...Uploads.map(({ Key = '' }) => Key)];
  };

  test('what the backend obeys was found out', async () => {
    const found = await gateway().caches.backend.learn(gateway(), BUCKET);
    expect(found).toMatchObject(
      name === 's3rver'
        ? { copyCondition: undefined, copiesKeepPartCount: false, conditionalPartCopies: false }
        : { copyCondition: 'x-amz-copy-if-match', copiesKeepPartCount: true, conditionalPartCopies: false },
    );
    expect(await leftOver()).toEqual([]);
  });

  test.each([0, 3, 300_000, 3 * MIB])(
    'an object of %d bytes copied to itself has other metadata and the same bytes',
    async (length) => {
      const bytes = randomBytes(length);
      await put('itself', bytes, { Metadata: { a: '1' } });
      expect(await nameOf(copy('itself', 'itself'))).toBe('InvalidRequest');
      const replaced = { MetadataDirective: 'REPLACE', Metadata: { b: '2' }, ContentType: 'text/b' } as const;
      const { CopyObjectResult } = await copy('itself', 'itself', replaced);
      const { Metadata, ContentType, ContentLength, ETag } = await head('itself');
      expect({ Metadata, ContentType, ContentLength, ETag }).toEqual({
        Metadata: { b: '2' },
        ContentType: 'text/b',
        ContentLength: length,
        ETag: CopyObjectResult?.ETag,
      });
      expect((await read('itself')).equals(bytes)).toBe(true);
      const before = (await head('itself')).ETag;
      const middle = length >> 1;
      const range = `bytes=${middle}-${middle + 9}`;
      if (length > 0) expect((await read('itself', range)).equals(bytes.subarray(middle, middle + 10))).toBe(true);
      await copy('itself', 'itself', { StorageClass: 'STANDARD' });
      // What is remembered of an object is remembered by its ETag.
      expect((await head('itself')).ETag === before).toBe(name === 'radosgw');
      if (length > 0) expect((await read('itself', range)).equals(bytes.subarray(middle, middle + 10))).toBe(true);
      expect(await head('itself')).toMatchObject({ Metadata: { b: '2' }, ContentType: 'text/b' });
      expect((await read('itself')).equals(bytes)).toBe(true);
      expect(await leftOver()).toEqual([]);
    },
  );

  test('nor is it lost where the copy names its version, which a store without versions reads past', async () => {
    const bytes = randomBytes(5 * MIB);
    await put('named', bytes);
    await copy('named?versionId=null', 'named', { MetadataDirective: 'REPLACE', Metadata: { b: '2' } });
    expect((await head('named')).Metadata).toEqual({ b: '2' });
    expect((await read('named')).equals(bytes)).toBe(true);
    expect(await leftOver()).toEqual([]);
  });

  test('a multipart object copied to itself too', async () => {
    const parts = [randomBytes(5 * MIB), randomBytes(70_000)];
    await upload('parts-itself', parts);
    await copy('parts-itself', 'parts-itself', { MetadataDirective: 'REPLACE', Metadata: { b: '2' } });
    expect(await head('parts-itself')).toMatchObject({ Metadata: { b: '2' }, ContentLength: 5 * MIB + 70_000 });
    expect((await read('parts-itself')).equals(Buffer.concat(parts))).toBe(true);
    expect((await rowOf('parts-itself'))?.Size).toBe(5 * MIB + 70_000);
    expect(await leftOver()).toEqual([]);
  });

  test('of a source that is replaced meanwhile the copy is the one or the other, and opens', async () => {
    for (const make of [randomBytes(40_000), randomBytes(400_000)]) {
      const [old, other] = [make, randomBytes(make.length)];
      await put('replaced', old, { Metadata: { is: 'old' } });
      let times = 0;
      using _hook = hookUpstream(gateway(), async (request, send) => {
        if (isServerCopy(request) && times < 2) {
          times += 1;
          const Metadata = { is: `other ${times}` };
          await setup.clients[1].send(new PutObjectCommand({ Bucket: BUCKET, Key: 'replaced', Body: other, Metadata }));
        }
        return send(request);
      });
      await copy('replaced', 'of-replaced');
      const { Metadata } = await head('of-replaced');
      expect(times).toBe(name === 's3rver' ? 0 : 2);
      expect(Metadata).toEqual({ is: times === 0 ? 'old' : 'other 2' });
      expect((await read('of-replaced')).equals(times === 0 ? old : other)).toBe(true);
    }
  });

  test('a source that is replaced again and again makes the client try again', async () => {
    if (name === 's3rver') return;
    await put('restless', randomBytes(10));
    using _hook = hookUpstream(gateway(), async (request, send) => {
      if (isServerCopy(request)) {
        const Body = randomBytes(10);
        await setup.clients[1].send(new PutObjectCommand({ Bucket: BUCKET, Key: 'restless', Body }));
      }
      return send(request);
    });
    expect(await nameOf(copy('restless', 'of-restless'))).toBe('SlowDown');
    expect(await nameOf(head('of-restless'))).toBe('NotFound');
  });

  test('a backend that copies another object than it was asked for is found out at every read', async () => {
    if (name === 's3rver') return;
    await put('asked', randomBytes(100_000));
    await put('swapped', randomBytes(100_000));
    {
      using _hook = hookUpstream(gateway(), (request, send) => {
        if (!isServerCopy(request)) return send(request);
        const { 'x-amz-copy-if-match': _pin, ...headers } = request.headers ?? {};
        return send({ ...request, headers: { ...headers, 'x-amz-copy-source': `${BUCKET}/swapped` } });
      });
      await copy('asked', 'lied-about');
    }
    expect(await nameOf(read('lied-about'))).toBe('InternalError');
    expect(await nameOf(read('lied-about', 'bytes=0-9'))).toBe('InternalError');
    expect(await nameOf(read('lied-about', 'bytes=90000-90009'))).toBe('InternalError');
    // Nor is it copied on as if it were right: neither by the backend nor through the gateway.
    await copy('lied-about', 'lied-about-again');
    expect(await nameOf(read('lied-about-again'))).toBe('InternalError');
    const out = { Bucket: 'plain', Key: 'lied-about', CopySource: `${BUCKET}/lied-about` };
    expect(await nameOf(client.send(new CopyObjectCommand(out)))).toBe('InternalError');
    expect(await nameOf(client.send(new HeadObjectCommand({ Bucket: 'plain', Key: 'lied-about' })))).toBe('NotFound');
  });

  test('an error within an answer of success is an error', async () => {
    if (name === 's3rver') return;
    await put('failing', randomBytes(10));
    using _hook = hookUpstream(gateway(), (request, send) => {
      if (!isServerCopy(request)) return send(request);
      const text = '   <?xml version="1.0"?><Error><Code>SlowDown</Code><Message>later</Message></Error>';
      return Promise.resolve({ status: 200, headers: {}, body: new WholeBody(Buffer.from(text)) });
    });
    expect(await nameOf(copy('failing', 'of-failing'))).toBe('SlowDown');
    expect(await nameOf(head('of-failing'))).toBe('NotFound');
  });

  test('a multipart object is copied along its parts where a copy would lose their number', async () => {
    if (name === 's3rver') return;
    for (const lengths of [
      [5 * MIB, 5 * MIB + 3, 80_000],
      [5 * MIB + 7, 6 * MIB],
    ]) {
      const parts = lengths.map((length) => randomBytes(length));
      const whole = Buffer.concat(parts);
      await upload('along', parts);
      await alongParts(async () => {
        const { CopyObjectResult } = await copy('along', 'of-along', { CacheControl: 'no-store' });
        const { ETag, ContentLength } = await head('of-along');
        expect(ETag).toMatch(/^"[0-9a-f]{32}-3"$/u);
        expect(CopyObjectResult?.ETag).toBe(ETag);
        expect([ContentLength, (await rowOf('of-along'))?.Size]).toEqual([whole.length, whole.length]);
        expect((await read('of-along')).equals(whole)).toBe(true);
        const at = 5 * MIB - 10;
        expect((await read('of-along', `bytes=${at}-${at + 70_000}`)).equals(whole.subarray(at, at + 70_001))).toBe(
          true,
        );
      });
      expect(await leftOver()).toEqual([]);
    }
  });

  test('parts that the backend copies from elsewhere are found out, and a copy that fails leaves no upload', async () => {
    if (name === 's3rver') return;
    await upload('sources', [randomBytes(5 * MIB), randomBytes(5 * MIB), randomBytes(10)]);
    const isPart = (query: ReadonlyMap<string, string> | undefined, number: number): boolean =>
      query?.get('partNumber') === String(number);
    await alongParts(async () => {
      {
        using _hook = hookUpstream(gateway(), (request, send) => {
          if (!isServerCopy(request) || !isPart(request.query, 2)) return send(request);
          const range = `bytes=0-${5 * MIB + 8488 - 1}`;
          return send({ ...request, headers: { ...request.headers, 'x-amz-copy-source-range': range } });
        });
        await copy('sources', 'twice-the-first');
      }
      expect(await nameOf(read('twice-the-first'))).not.toBe('success');
      expect(await nameOf(read('twice-the-first', `bytes=${5 * MIB}-${5 * MIB + 9}`))).toBe('InternalError');
      using _hook = hookUpstream(gateway(), (request, send) => {
        if (!isServerCopy(request) || !isPart(request.query, 2)) return send(request);
        const text = '<Error><Code>InternalError</Code><Message>disk</Message></Error>';
        return Promise.resolve({ status: 200, headers: {}, body: new WholeBody(Buffer.from(text)) });
      });
      expect(await nameOf(copy('sources', 'never-made'))).toBe('InternalError');
    });
    expect(await nameOf(head('never-made'))).toBe('NotFound');
    expect(await leftOver()).toEqual([]);
  });

  test('a client that leaves, or a gateway that ends, within a streamed copy leaves nothing at the key', async () => {
    if (name === 's3rver') return;
    const CopySource = 'plain/long';
    await setup.direct.send(new PutObjectCommand({ Bucket: 'plain', Key: 'long', Body: randomBytes(8 * MIB) }));
    await put('kept', Buffer.from('kept'));
    for (const Key of ['unborn', 'kept']) {
      const leaving = new AbortController();
      using _hook = hookUpstream(gateway(), async (request, send) => {
        const { body } = request;
        if (request.method !== 'PUT' || body === undefined || body instanceof Uint8Array) return send(request);
        return send({ ...request, body: leavingWithin(body, request.signal, () => leaving.abort()) });
      });
      const options = { abortSignal: leaving.signal };
      expect(await nameOf(client.send(new CopyObjectCommand({ Bucket: BUCKET, Key, CopySource }), options))).not.toBe(
        'success',
      );
    }
    expect(await nameOf(head('unborn'))).toBe('NotFound');
    expect((await read('kept')).toString()).toBe('kept');
    expect((await rowOf('unborn'))?.Size).toBe(undefined);
  });

  /** Half of it flows; the rest comes when nobody waits for it. */
  const leavingWithin = (body: ByteSource, signal: AbortSignal | undefined, leave: () => void): ByteSource => ({
    pour: (take) => {
      let bytes = 0;
      return body.pour(async (pieces) => {
        for (const piece of pieces) bytes += piece.length;
        if (bytes > 4 * MIB) {
          leave();
          await expect.poll(() => signal?.aborted).toBe(true);
        }
        await take(pieces);
      });
    },
  });

  test.each(['a b+c', 'q?versionId=1&x=%41', 'ünï/çode #1', "it's (a) key!*~", '日本/語'])(
    'a source named %s',
    async (Key) => {
      if (name === 's3rver' && /[?#]/u.test(Key)) return;
      const bytes = randomBytes(2000);
      await put(Key, bytes);
      const encoded = Key.split('/').map(encodeURIComponent).join('/');
      await copy(encoded, `copy of ${Key}`);
      expect((await read(`copy of ${Key}`)).equals(bytes)).toBe(true);
      await client.send(
        new CopyObjectCommand({ Bucket: 'plain', Key: 'named', CopySource: encodeURIComponent(`/${BUCKET}/${Key}`) }),
      );
      const { Body } = await setup.direct.send(new GetObjectCommand({ Bucket: 'plain', Key: 'named' }));
      expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(bytes)).toBe(true);
    },
  );

  test('an older version is copied, also back in front of the newer', async () => {
    if (name === 's3rver') return;
    const Status = 'Enabled';
    await client.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration: { Status } }));
    const [first, second] = [randomBytes(90_000), randomBytes(500)];
    const version = await put('versioned', first, { Metadata: { n: '1' } });
    await put('versioned', second, { Metadata: { n: '2' } });
    const CopySource = `${BUCKET}/versioned?versionId=${version}`;
    const made = await client.send(new CopyObjectCommand({ Bucket: BUCKET, Key: 'of-version', CopySource }));
    expect(made.CopySourceVersionId).toBe(version);
    expect((await read('of-version')).equals(first)).toBe(true);
    await client.send(new CopyObjectCommand({ Bucket: BUCKET, Key: 'versioned', CopySource }));
    expect((await head('versioned')).Metadata).toEqual({ n: '1' });
    expect((await read('versioned')).equals(first)).toBe(true);
    const missing = { Bucket: BUCKET, Key: 'x', CopySource: `${BUCKET}/versioned?versionId=${version}x` };
    expect(await nameOf(client.send(new CopyObjectCommand(missing)))).not.toBe('success');
  });

  test('what is not there is not copied', async () => {
    expect(await nameOf(copy('never-was', 'x'))).toMatch(/^(?:NoSuchKey|NotFound)$/u);
    const from = { Bucket: 'plain', Key: 'x', CopySource: `${BUCKET}/never-was` };
    expect(await nameOf(client.send(new CopyObjectCommand(from)))).toBe('NoSuchKey');
  });
});
