/**
 * Several workers of one `sealgate up` in front of Ceph RGW: what was changed through one is so through the others, whatever they remember, and one
 * that is killed in the middle of a write leaves the object as it was or as it was to be.
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCorsCommand,
  DeleteObjectCommand,
  GetBucketEncryptionCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutBucketCorsCommand,
  PutBucketEncryptionCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { cliFolder } from '../../support/cli.ts';
import { inFrontOf } from '../../support/s3/in-front-of.ts';
import { sealgate, type Program } from '../../support/run.ts';

const WORKERS = 3;
/** So many connections, spread by the system, come to each of them. */
const MANY = 8 * WORKERS;
const PART_BYTES = 5 * 1024 * 1024;
const Bucket = 'sealed';
const credentials = { accessKeyId: 'APP', secretAccessKey: 'application-secret' };
const soon = { timeout: 90_000, interval: 500 };

let up: Program;
let url: string;

inFrontOf('radosgw', async (backend) => {
  const cli = cliFolder();
  await cli.run('init');
  writeFileSync(
    cli.path('sealgate.yaml'),
    `version: 1
workers: ${WORKERS}
keys: { unseal: [{ type: keyFile, path: root.key }], audit: { file: audit.jsonl } }
observe: { listen: { port: 0 } }
s3:
  listen: { port: 0 }
  upstream:
    endpoint: ${backend.url}
    credentials: { type: static, accessKeyId: ${backend.accessKeyId}, secretAccessKey: ${backend.secretAccessKey} }
  clients: [{ name: app, accessKeyId: APP, secretAccessKey: application-secret }]
  buckets: [{ bucket: ${Bucket}, seal: alias/a }]
`,
  );
  expect((await cli.run('keys', 'create', '--alias', 'a')).exit).toBe(0);
  up = sealgate(['up'], { cwd: cli.folder });
  await up.untilSays('observe ');
  url = `http://127.0.0.1:${/^s3 +\w+:\/\/127.0.0.1:(\d+)/mu.exec(up.said())?.[1] ?? ''}`;
  await client(5).send(new CreateBucketCommand({ Bucket }));
  const close = async (): Promise<void> => {
    up.child.kill('SIGTERM');
    await up.done;
    cli[Symbol.dispose]();
  };
  return [{ close }];
});

/** With connections of its own. */
function client(maxAttempts = 1): S3Client {
  return new S3Client({ endpoint: url, region: 'us-east-1', credentials, forcePathStyle: true, maxAttempts });
}

/** The same through many connections, so that each worker is asked. */
const everywhere = <T>(ask: (s3: S3Client) => Promise<T>): Promise<readonly T[]> =>
  Promise.all(
    Array.from({ length: MANY }, async () => {
      const s3 = client();
      try {
        return await ask(s3);
      } finally {
        s3.destroy();
      }
    }),
  );

const workerPids = (): readonly number[] => {
  const { pid = 0 } = up.child;
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
};
async function killOne(): Promise<void> {
  const [victim = 0] = workerPids();
  process.kill(victim, 'SIGKILL');
  await expect.poll(workerPids, soon).not.toContain(victim);
}

async function read(s3: S3Client, Key: string, more: object = {}): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, ...more }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

test('CORS that was changed through one is what browsers hear from all', async () => {
  const preflights = async (): Promise<readonly number[]> => {
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'GET', connection: 'close' };
    const asked = Array.from({ length: MANY }, () => fetch(`${url}/${Bucket}/k`, { method: 'OPTIONS', headers }));
    return [...new Set((await Promise.all(asked)).map(({ status }) => status))];
  };
  const CORSRules = [{ AllowedOrigins: ['https://app.example'], AllowedMethods: ['GET'] }];
  await client().send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } }));
  // Nobody remembers anything yet.
  expect(await preflights()).toEqual([200]);
  await client().send(new DeleteBucketCorsCommand({ Bucket }));
  await expect.poll(preflights, soon).toEqual([403]);
});

test('The default encryption is the rule’s through each of them', async () => {
  const Rules = [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' as const } }];
  await everywhere((s3) =>
    s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules } })),
  );
  const said = await everywhere(async (s3) => {
    const { ServerSideEncryptionConfiguration: found } = await s3.send(new GetBucketEncryptionCommand({ Bucket }));
    return JSON.stringify(found);
  });
  expect(new Set(said).size).toBe(1);
});

test('An object that is replaced through one is read anew through all, by ranges of what they remembered too', async () => {
  const Key = 'replaced';
  const contents = [300_000, 10, 0, 70_000, 6 * 1024 * 1024].map((length) => randomBytes(length));
  for (const body of contents) {
    await client().send(new PutObjectCommand({ Bucket, Key, Body: body }));
    const heads = await everywhere((s3) => s3.send(new HeadObjectCommand({ Bucket, Key })));
    expect([...new Set(heads.map(({ ContentLength }) => ContentLength))]).toEqual([body.length]);
    if (body.length === 0) continue;
    const from = body.length - 5;
    const ranges = await everywhere((s3) => read(s3, Key, { Range: `bytes=${from}-` }));
    expect(ranges.every((bytes) => bytes.equals(body.subarray(from)))).toBe(true);
  }
  await client().send(new DeleteObjectCommand({ Bucket, Key }));
  const gone = await everywhere((s3) => read(s3, Key, { Range: 'bytes=0-1' }).then(String, (e: Error) => e.name));
  expect([...new Set(gone)]).toEqual(['NoSuchKey']);
});

test('An upload is begun, filled, listed and ended through whichever', async () => {
  const Key = 'upload';
  const { UploadId } = await client().send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const listed = await everywhere((s3) => s3.send(new ListMultipartUploadsCommand({ Bucket })));
  for (const { Uploads } of listed) expect(Uploads).toMatchObject([{ Key, UploadId }]);
  await client().send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  const part = { Bucket, Key, UploadId, PartNumber: 1, Body: 'x' };
  const late = await everywhere((s3) => s3.send(new UploadPartCommand(part)).then(String, (e: Error) => e.name));
  expect([...new Set(late)]).toEqual(['NoSuchUpload']);
});

test('One that is killed within PUTs leaves each object as it was, or as it was to be where another had it', async () => {
  const before = randomBytes(1000);
  const keys = Array.from({ length: MANY }, (_, index) => `put-${index}`);
  for (const Key of keys) await client(5).send(new PutObjectCommand({ Bucket, Key, Body: before }));
  const after = randomBytes(2 * 1024 * 1024);
  const writes = keys.map((Key) => {
    const Body = new PassThrough();
    Body.on('error', () => undefined);
    const sent = client().send(new PutObjectCommand({ Bucket, Key, Body, ContentLength: after.length }));
    Body.write(after.subarray(0, after.length / 2));
    return {
      Key,
      Body,
      done: sent.then(
        () => true,
        () => false,
      ),
    };
  });
  await delay(1000);
  await killOne();
  for (const { Body } of writes) Body.end(after.subarray(after.length / 2));
  const outcomes = await Promise.all(writes.map(({ done }) => done));
  expect(new Set(outcomes)).toEqual(new Set([true, false]));
  for (const [index, { Key }] of writes.entries())
    expect((await read(client(5), Key)).equals(outcomes[index] === true ? after : before)).toBe(true);
});

test.each([0, 20, 60, 150])(
  'One that is killed %d ms into completions leaves none that another cannot end',
  async (ms) => {
    const parts = [randomBytes(PART_BYTES), randomBytes(1000)];
    const uploads = await Promise.all(
      Array.from({ length: 4 }, async (_, index) => {
        const place = { Bucket, Key: `completed-${ms}-${index}` };
        const s3 = client(5);
        const { UploadId } = await s3.send(new CreateMultipartUploadCommand(place));
        const Parts = [];
        for (const [at, Body] of parts.entries()) {
          const { ETag } = await s3.send(new UploadPartCommand({ ...place, UploadId, PartNumber: at + 1, Body }));
          Parts.push({ PartNumber: at + 1, ETag });
        }
        return { ...place, UploadId, MultipartUpload: { Parts } };
      }),
    );
    const first = uploads.map((upload) =>
      client()
        .send(new CompleteMultipartUploadCommand(upload))
        .catch(() => undefined),
    );
    await delay(ms);
    await killOne();
    await Promise.all(first);
    for (const upload of uploads) {
      await client(10).send(new CompleteMultipartUploadCommand(upload));
      expect((await read(client(5), upload.Key)).equals(Buffer.concat(parts))).toBe(true);
    }
  },
);

test('Versions that one began to keep are kept through all, and each is read by whichever', async () => {
  await client(5).send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  const made = await everywhere(async (s3) => {
    const Body = randomBytes(100);
    const { VersionId } = await s3.send(new PutObjectCommand({ Bucket, Key: 'versions', Body }));
    return { VersionId, Body };
  });
  expect(new Set(made.map(({ VersionId }) => VersionId)).size).toBe(MANY);
  for (const { VersionId, Body } of made)
    expect((await read(client(5), 'versions', { VersionId, Range: 'bytes=10-' })).equals(Body.subarray(10))).toBe(true);
});
