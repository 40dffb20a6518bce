/** Conditions of reads and writes, with the ETags clients see: as S3 answers them where the backend decides, refused where it does not. */
import { randomBytes } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { S3Error } from '../../../src/s3/errors.ts';
import { SEALED_OPERATIONS } from '../../../src/s3/operations/index-table.ts';
import { AWS_CAPABILITIES } from '../../../src/s3/upstream/capabilities.ts';
import { sign, statusIn, talk } from '../../support/s3/raw-s3.ts';
import { CLIENT, startEdge, type TestEdge } from '../../support/s3/edge.ts';
import { hookUpstream } from '../../support/s3/hooked-upstream.ts';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { BUCKET, startSealed, type SealedSetup } from '../../support/s3/sealed.ts';

const HOUR_MS = 3_600_000;

describe.each(['s3rver', 'radosgw'] as const)('Conditions on sealed objects in front of %s', (name) => {
  let setup: SealedSetup;
  let client: S3Client;
  let looking: TestEdge;
  let lookingClient: S3Client;

  inFrontOf(name, async (backend) => {
    setup = await startSealed(backend);
    [client] = setup.clients;
    await createBuckets(client, name);
    looking = await startEdge({
      store: backend,
      rules: setup.edges[0].gateway.rules.forBucket(BUCKET),
      capabilities: AWS_CAPABILITIES,
      operations: SEALED_OPERATIONS,
      dataKeys: setup.manager,
      options: { emulateConditions: true },
    });
    const [endpoint, region] = [looking.url, 'us-east-1'];
    lookingClient = new S3Client({ endpoint, region, credentials: CLIENT, forcePathStyle: true, maxAttempts: 1 });
    return [{ close: () => lookingClient.destroy() }, looking, setup];
  });

  const outcome = (sent: Promise<unknown>): Promise<string> =>
    sent.then(
      () => 'ok',
      (error: { name: string }) => error.name,
    );
  const put = (Key: string, more: object = {}, by = client) =>
    by.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: randomBytes(100), ...more }));
  const exists = async (Key: string): Promise<boolean> =>
    (await outcome(client.send(new HeadObjectCommand({ Bucket: BUCKET, Key })))) === 'ok';

  test('reads: each condition alone, lists, weak ETags, and which of two counts', async () => {
    const Body = randomBytes(70_000);
    const { ETag = '' } = await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'read', Body }));
    const { LastModified = new Date(0) } = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'read' }));
    const before = new Date(LastModified.getTime() - HOUR_MS).toUTCString();
    const at = LastModified.toUTCString();
    // What a backend that knows the plain MD5 would match.
    const unmarked = ETag.replace('-0', '');
    const cases: readonly (readonly [headers: Record<string, string>, status: number])[] = [
      [{ 'if-match': ETag }, 200],
      [{ 'if-match': ETag.replaceAll('"', '') }, 200],
      [{ 'if-match': `"other", ${ETag}` }, 200],
      [{ 'if-match': '*' }, 200],
      [{ 'if-match': '"other"' }, 412],
      [{ 'if-match': unmarked }, 412],
      [{ 'if-none-match': ETag }, 304],
      [{ 'if-none-match': `W/${ETag}` }, 304],
      [{ 'if-none-match': `"a", "b", ${ETag}` }, 304],
      [{ 'if-none-match': '*' }, 304],
      [{ 'if-none-match': '"other"' }, 200],
      [{ 'if-none-match': unmarked }, 200],
      [{ 'if-modified-since': before }, 200],
      [{ 'if-modified-since': at }, 304],
      [{ 'if-unmodified-since': at }, 200],
      [{ 'if-unmodified-since': before }, 412],
      [{ 'if-modified-since': 'no date' }, 200],
      [{ 'if-match': ETag, 'if-unmodified-since': before }, 200],
      [{ 'if-match': '"other"', 'if-unmodified-since': at }, 412],
      [{ 'if-none-match': ETag, 'if-modified-since': before }, 304],
      [{ 'if-none-match': '"other"', 'if-modified-since': at }, 200],
      [{ 'if-match': '"other"', 'if-none-match': ETag }, 412],
      [{ range: 'bytes=5-6', 'if-range': ETag }, 206],
      [{ range: 'bytes=5-6', 'if-range': at }, 206],
      [{ range: 'bytes=5-6', 'if-range': '"other"' }, 200],
      [{ range: 'bytes=5-6', 'if-range': before }, 200],
      [{ range: 'bytes=5-6', 'if-match': '"other"' }, 412],
      [{ range: 'bytes=5-6', 'if-none-match': ETag }, 304],
    ];
    const { port } = setup.edges[0];
    for (const [headers, status] of cases) {
      for (const method of ['GET', 'HEAD']) {
        // To HEAD nothing follows the head of the answer.
        const done = (text: string): boolean => text.includes('\r\n\r\n');
        const request = sign(port, { method, path: `/${BUCKET}/read`, headers: { ...headers, connection: 'close' } });
        const answer = await talk(port, [request.head], method === 'HEAD' ? done : () => false);
        expect([method, headers, statusIn(answer)]).toEqual([method, headers, status]);
        // It says of the object what clients keep it by (RFC 9110 15.4.5).
        if (status === 304) expect(answer).toMatch(new RegExp(`^etag: ${ETag}\\r$`, 'imu'));
        if (status === 304) expect(answer).toMatch(new RegExp(`^last-modified: ${at}\\r$`, 'imu'));
      }
    }
  });

  test('a read that the store said is not modified stays so where it says no more of the object', async () => {
    await put('unmodified');
    const { ETag = '' } = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'unmodified' }));
    let looks = 0;
    using _silent = hookUpstream(setup.edges[0].gateway, (request, send) => {
      if (request.method !== 'HEAD') return send(request);
      looks += 1;
      return Promise.reject(new S3Error('ERR_S3_UPSTREAM_UNREACHABLE'));
    });
    const headers = { 'if-none-match': ETag, connection: 'close' };
    const { port } = setup.edges[0];
    const request = sign(port, { method: 'GET', path: `/${BUCKET}/unmodified`, headers });
    const answer = await talk(port, [request.head], () => false);
    expect([statusIn(answer), looks]).toEqual([304, 1]);
    expect(answer).toMatch(new RegExp(`^etag: ${ETag}\\r$`, 'imu'));
  });

  test('every form of range, and what is no range', async () => {
    const Body = randomBytes(200_000);
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'ranges', Body }));
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'empty', Body: '' }));
    const cases: readonly (readonly [key: string, range: string, status: number, from?: number, to?: number])[] = [
      ['ranges', 'bytes=0-', 206, 0, 199_999],
      ['ranges', 'bytes=199999-', 206, 199_999, 199_999],
      ['ranges', 'bytes=-1', 206, 199_999, 199_999],
      ['ranges', 'bytes=-200001', 206, 0, 199_999],
      ['ranges', 'bytes=65415-65416', 206, 65_415, 65_416],
      ['ranges', 'bytes=10-99999999999999999999', 206, 10, 199_999],
      ['ranges', 'BYTES=3-4', 206, 3, 4],
      ['ranges', 'bytes=200000-', 416],
      ['ranges', 'bytes=-0', 416],
      ['ranges', 'bytes=0-1,5-6', 200],
      ['ranges', 'bytes=5-4', 200],
      ['ranges', 'bytes=a-b', 200],
      ['ranges', 'lines=0-1', 200],
      ['empty', 'bytes=0-0', 416],
      ['empty', 'bytes=-5', 416],
    ];
    const { port } = setup.edges[0];
    for (const [key, range, status, from = 0, to = 199_999] of cases) {
      const { head } = sign(port, { method: 'GET', path: `/${BUCKET}/${key}`, headers: { range } });
      const answer = Buffer.from(await talk(port, [head]), 'latin1');
      const end = answer.indexOf('\r\n\r\n');
      expect([key, range, statusIn(answer.subarray(0, end).toString())]).toEqual([key, range, status]);
      if (status === 416) continue;
      expect(answer.subarray(end + 4).equals(Body.subarray(from, to + 1)), range).toBe(true);
      if (status === 206) expect(answer.toString()).toContain(`bytes ${from}-${to}/200000\r\n`);
    }
  });

  test('a PUT on a condition is decided by the backend, or refused with nothing stored', async () => {
    if (name === 's3rver') {
      expect(await outcome(put('lock', { IfNoneMatch: '*' }))).toBe('NotImplemented');
      expect(await exists('lock')).toBe(false);
      const { ETag } = await put('kept');
      expect(await outcome(put('kept', { IfMatch: ETag }))).toBe('NotImplemented');
      return;
    }
    const locks = await Promise.all(
      Array.from({ length: 24 }, (_, i) =>
        outcome(put('lock', { IfNoneMatch: '*' }, setup.clients[i % 2 === 0 ? 0 : 1])),
      ),
    );
    // Who lost is told so, at once or by the backend; one holds the lock.
    expect(locks.filter((one) => one === 'ok')).toEqual(['ok']);
    expect(
      locks.filter((one) => one !== 'ok' && !/^(?:PreconditionFailed|ConditionalRequestConflict)$/u.test(one)),
    ).toEqual([]);
    const { ETag } = await put('replaced');
    expect(await outcome(put('replaced', { IfMatch: '"other"' }))).toBe('PreconditionFailed');
    expect(await outcome(put('replaced', { IfMatch: ETag }))).toBe('ok');
    expect(await outcome(put('replaced', { IfMatch: ETag }))).toBe('PreconditionFailed');
    expect(await outcome(put('not-there', { IfMatch: ETag }))).toBe('NoSuchKey');
  });

  test('a write on another condition than S3 has is refused', async () => {
    expect(await outcome(put('other-condition', { IfNoneMatch: '"etag"' }))).toBe('NotImplemented');
    expect(await exists('other-condition')).toBe(false);
  });

  const uploaded = async (Key: string) => {
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key }));
    const upload = { Bucket: BUCKET, Key, UploadId };
    const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: randomBytes(9) }));
    return { ...upload, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } };
  };

  test('what no backend here decides on is refused, and nothing was done', async () => {
    const upload = await uploaded('completed');
    const conditional = new CompleteMultipartUploadCommand({ ...upload, IfNoneMatch: '*' });
    expect(await outcome(client.send(conditional))).toBe('NotImplemented');
    expect(await exists('completed')).toBe(false);
    expect(await outcome(client.send(new CompleteMultipartUploadCommand(upload)))).toBe('ok');
    const { ETag } = await put('deleted');
    const one = { Bucket: BUCKET, Key: 'deleted' };
    expect(await outcome(client.send(new DeleteObjectCommand({ ...one, IfMatch: ETag })))).toBe('NotImplemented');
    expect(await outcome(client.send(new DeleteObjectCommand({ ...one, IfMatchSize: 100 })))).toBe('NotImplemented');
    const Objects = [{ Key: 'deleted', ETag }];
    const { Errors, Deleted } = await client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects } }));
    expect([Errors?.map(({ Code }) => Code), Deleted]).toEqual([['NotImplemented'], undefined]);
    expect(await exists('deleted')).toBe(true);
  });

  test('where the configuration asks for it, the gateway looks before it writes', async () => {
    expect(await outcome(put('looked', { IfNoneMatch: '*' }, lookingClient))).toBe('ok');
    expect(await outcome(put('looked', { IfNoneMatch: '*' }, lookingClient))).toBe('PreconditionFailed');
    const upload = await uploaded('looked');
    const complete = (more: object) =>
      outcome(lookingClient.send(new CompleteMultipartUploadCommand({ ...upload, ...more })));
    expect(await complete({ IfNoneMatch: '*' })).toBe('PreconditionFailed');
    const { ETag } = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'looked' }));
    expect(await complete({ IfMatch: '"other"' })).toBe('PreconditionFailed');
    expect(await complete({ IfMatch: ETag })).toBe('ok');
    const made = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'looked' }));
    const remove = (IfMatch: string | undefined) =>
      outcome(lookingClient.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'looked', IfMatch })));
    expect(await remove(ETag)).toBe('PreconditionFailed');
    expect(await remove(made.ETag)).toBe('ok');
    expect(await remove(made.ETag)).toBe('NoSuchKey');
  });

  test('a part that is not there, and a part and a range at once, are refused as by S3', async () => {
    await put('parts');
    const read = (more: object) => client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'parts', ...more }));
    expect(await read({ PartNumber: 1 })).toMatchObject({ ContentLength: 100, ContentRange: 'bytes 0-99/100' });
    await expect(read({ PartNumber: 2 })).rejects.toMatchObject({
      name: 'InvalidPartNumber',
      $metadata: { httpStatusCode: 416 },
    });
    await expect(read({ PartNumber: 10_001 })).rejects.toMatchObject({ name: 'InvalidArgument' });
    await expect(read({ PartNumber: 1, Range: 'bytes=0-1' })).rejects.toMatchObject({ name: 'InvalidRequest' });
  });

  test('in a bucket that keeps versions, where the store obeys no condition, none is presumed from buckets that keep none', async () => {
    if (name === 's3rver') return;
    const set = (Status: 'Enabled' | 'Suspended') =>
      client.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration: { Status } }));
    expect(await outcome(put('lock-before', { IfNoneMatch: '*' }))).toBe('ok');
    await set('Enabled');
    const locks = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        outcome(put('versioned-lock', { IfNoneMatch: '*' }, setup.clients[i % 2 === 0 ? 0 : 1])),
      ),
    );
    expect(new Set(locks)).toEqual(new Set(['NotImplemented']));
    expect(await exists('versioned-lock')).toBe(false);
    const { ETag } = await put('versioned-kept');
    expect(await outcome(put('versioned-kept', { IfMatch: ETag }))).toBe('NotImplemented');
    await set('Suspended');
    expect(await outcome(put('versioned-kept', { IfNoneMatch: '*' }))).toBe('PreconditionFailed');
    const again = await Promise.all(Array.from({ length: 8 }, () => outcome(put('lock-after', { IfNoneMatch: '*' }))));
    expect(again.filter((one) => one === 'ok')).toEqual(['ok']);
  });

  test('a copy of a version onto a key that is not there misses the key, not the version', async () => {
    if (name === 's3rver') return;
    const Status = 'Enabled';
    await client.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration: { Status } }));
    const { VersionId } = await put('of-versions');
    const CopySource = `${BUCKET}/of-versions?versionId=${VersionId}`;
    const copy = new CopyObjectCommand({ Bucket: BUCKET, Key: 'not-there', CopySource, IfMatch: '"x"' });
    await expect(lookingClient.send(copy)).rejects.toMatchObject({ name: 'NoSuchKey', Key: 'not-there' });
  });
});
