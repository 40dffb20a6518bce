/**
 * Keys that clients bring along (SSE-C), in good requests and every kind of bad one: afterwards they are nowhere in what `sealgate up` logged,
 * counted, recorded, stored, answered or sent to the storage, and not in its memory either.
 */
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cliFolder, type CliFolder } from '../../support/cli.ts';
import { startRelay } from '../../support/relay.ts';
import { sealgate, type Program } from '../../support/run.ts';
import { startS3rver, type TestStore } from '../../support/s3/s3rver.ts';

/** A key of letters, so that it could stand anywhere; and what is said of it. */
function customer(): { readonly text: string; readonly headers: Sent; readonly source: Sent } {
  const text = randomBytes(16).toString('hex');
  const [key, md5] = [Buffer.from(text).toString('base64'), createHash('md5').update(text).digest('base64')];
  return {
    text,
    headers: { SSECustomerAlgorithm: 'AES256', SSECustomerKey: key, SSECustomerKeyMD5: md5 },
    source: {
      CopySourceSSECustomerAlgorithm: 'AES256',
      CopySourceSSECustomerKey: key,
      CopySourceSSECustomerKeyMD5: md5,
    },
  };
}
type Sent = Readonly<Record<string, string>>;

const [KEY, OTHER, WRONG] = [customer(), customer(), customer()];
const CREDENTIALS = { accessKeyId: 'APP', secretAccessKey: 'application-secret' };
const PART_BYTES = 5 * 1024 * 1024;
const Bucket = 'sealed';

let cli: CliFolder;
let store: TestStore;
let up: Program;
let url: string;
let observe: string;
/** All that went to the storage. */
const forwarded: Uint8Array[] = [];
/** What clients were told when they were refused. */
const refusals: string[] = [];

beforeAll(async () => {
  cli = cliFolder();
  store = await startS3rver({ buckets: [Bucket] });
  const relay = await startRelay(Number(new URL(store.url).port), (bytes) => forwarded.push(Buffer.from(bytes)));
  await cli.run('init');
  writeFileSync(
    cli.path('sealgate.yaml'),
    `version: 1
keys: { unseal: [{ type: keyFile, path: root.key }], audit: { file: audit.jsonl } }
observe: { listen: { port: 0 }, log: { level: debug } }
s3:
  listen: { port: 0 }
  customerKeysWithoutTls: true
  upstream:
    endpoint: http://127.0.0.1:${relay.port}
    credentials: { type: static, accessKeyId: ${store.accessKeyId}, secretAccessKey: ${store.secretAccessKey} }
  clients: [{ name: app, accessKeyId: APP, secretAccessKey: application-secret }]
  buckets: [{ bucket: ${Bucket}, seal: alias/a }]
`,
  );
  expect((await cli.run('keys', 'create', '--alias', 'a')).exit).toBe(0);
  const NODE_OPTIONS = `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${cli.folder}`;
  up = sealgate(['up'], { cwd: cli.folder, env: { ...process.env, NODE_OPTIONS } });
  await up.untilSays('observe ');
  const portOf = (name: string): string =>
    new RegExp(`^${name} +\\w+://127.0.0.1:(\\d+)`, 'mu').exec(up.said())?.[1] ?? '';
  url = `http://127.0.0.1:${portOf('s3')}`;
  observe = `http://127.0.0.1:${portOf('observe')}`;
  return () => relay.cut();
});

afterAll(async () => {
  up.child.kill('SIGKILL');
  await up.done;
  await store.close();
  cli[Symbol.dispose]();
});

const client = (secretAccessKey = CREDENTIALS.secretAccessKey): S3Client =>
  new S3Client({
    endpoint: url,
    region: 'us-east-1',
    credentials: { ...CREDENTIALS, secretAccessKey },
    forcePathStyle: true,
    maxAttempts: 1,
  });

/** Must fail; keeps all that is said of it. */
async function refused(run: Promise<unknown>): Promise<void> {
  const error: unknown = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error('it was not refused');
  refusals.push(`${error.name} ${error.message} ${JSON.stringify(error)}`);
}

async function refusedRaw(answer: Promise<Response>): Promise<void> {
  const response = await answer;
  expect(response.status).toBeGreaterThanOrEqual(400);
  refusals.push(`${JSON.stringify([...response.headers])} ${await response.text()}`);
}

test('Objects are made, read, described and copied with keys, whole and in parts', async () => {
  const s3 = client();
  const { headers } = KEY;
  await s3.send(new PutObjectCommand({ Bucket, Key: 'mine', Body: 'body', ...headers }));
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'mine', ...headers }));
  expect(await Body?.transformToString()).toBe('body');
  await s3.send(new HeadObjectCommand({ Bucket, Key: 'mine', ...headers }));
  const ranged = await s3.send(new GetObjectCommand({ Bucket, Key: 'mine', Range: 'bytes=1-2', ...headers }));
  expect(await ranged.Body?.transformToString()).toBe('od');
  await s3.send(new GetObjectAttributesCommand({ Bucket, Key: 'mine', ObjectAttributes: ['ObjectSize'], ...headers }));
  const CopySource = `${Bucket}/mine`;
  await s3.send(new CopyObjectCommand({ Bucket, Key: 'theirs', CopySource, ...KEY.source, ...OTHER.headers }));
  const upload = { Bucket, Key: 'parts', ...headers };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(upload));
  const part = { ...upload, UploadId };
  const first = await s3.send(new UploadPartCommand({ ...part, PartNumber: 1, Body: Buffer.alloc(PART_BYTES) }));
  const second = await s3.send(new UploadPartCopyCommand({ ...part, PartNumber: 2, CopySource, ...KEY.source }));
  const Parts = [
    { PartNumber: 1, ETag: first.ETag },
    { PartNumber: 2, ETag: second.CopyPartResult?.ETag },
  ];
  await refused(s3.send(new ListPartsCommand({ ...part, UploadId: 'nonsense' })));
  await s3.send(new CompleteMultipartUploadCommand({ ...part, MultipartUpload: { Parts } }));
  const whole = await s3.send(new GetObjectCommand({ Bucket, Key: 'parts', ...headers }));
  expect((await whole.Body?.transformToByteArray())?.length).toBe(PART_BYTES + 4);
});

test('and refused with wrong ones, wrong digests of them, wrong signatures, in links and in forms', async () => {
  const s3 = client();
  const { headers } = KEY;
  const mine = { Bucket, Key: 'mine' };
  await refused(s3.send(new GetObjectCommand({ ...mine, ...WRONG.headers })));
  await refused(s3.send(new HeadObjectCommand({ ...mine, ...WRONG.headers })));
  const CopySource = `${Bucket}/mine`;
  await refused(s3.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource, ...WRONG.source, ...OTHER.headers })));
  await refused(client('wrong').send(new PutObjectCommand({ ...mine, Body: 'x', ...headers })));
  await refused(
    client('wrong').send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource, ...KEY.source, ...headers })),
  );
  const wrongDigest = client();
  // The SDK computes it anew, whatever it is told.
  wrongDigest.middlewareStack.add(
    (next) => (args) => {
      const { headers: sent } = args.request as { headers: Record<string, string> };
      sent[`${PREFIX}key-md5`] = createHash('md5').update('another').digest('base64');
      return next(args);
    },
    { step: 'build', priority: 'low' },
  );
  await refused(wrongDigest.send(new PutObjectCommand({ ...mine, Body: 'x', ...headers })));
  await refused(s3.send(new PutObjectCommand({ ...mine, Body: 'x', ...headers, SSECustomerAlgorithm: 'AES128' })));
  const conflict = { ...headers, ServerSideEncryption: 'AES256' } as const;
  await refused(s3.send(new PutObjectCommand({ ...mine, Body: 'x', ...conflict })));
  await refused(s3.send(new PutObjectCommand({ ...mine, Body: 'x', IfMatch: '"other"', ...headers })));
  const asQuery = new Set(Object.keys(prefixed(KEY)));
  const link = await getSignedUrl(s3, new GetObjectCommand({ ...mine, ...headers }), { unhoistableHeaders: new Set() });
  await refusedRaw(fetch(link));
  const forged = await getSignedUrl(client('wrong'), new GetObjectCommand({ ...mine, ...headers }), {
    hoistableHeaders: asQuery,
  });
  await refusedRaw(fetch(forged));
  for (const secret of [CREDENTIALS.secretAccessKey, 'wrong']) {
    const form = await createPresignedPost(client(secret), { Bucket, Key: 'form', Fields: prefixed(KEY) });
    const data = new FormData();
    for (const [field, value] of Object.entries(form.fields)) data.append(field, value);
    data.append('file', new Blob(['x']), 'f');
    const answer = await fetch(form.url, { method: 'POST', body: data });
    expect(answer.status).toBe(secret === 'wrong' ? 403 : 204);
    refusals.push(await answer.text());
  }
});

const PREFIX = 'x-amz-server-side-encryption-customer-';

/** As headers or fields of a form. */
function prefixed({ headers }: typeof KEY): Record<string, string> {
  return {
    [`${PREFIX}algorithm`]: headers['SSECustomerAlgorithm'] ?? '',
    [`${PREFIX}key`]: headers['SSECustomerKey'] ?? '',
    [`${PREFIX}key-md5`]: headers['SSECustomerKeyMD5'] ?? '',
  };
}

/** As it is, and in every encoding that something may have given it. */
function formsOf({ text }: typeof KEY): readonly string[] {
  const base64 = Buffer.from(text).toString('base64');
  const spaced = (hex: string): string => hex.replace(/..(?=.)/gu, '$& ');
  const twice = Buffer.from(base64);
  return [
    text,
    base64.slice(0, 40),
    Buffer.from(text).toString('hex'),
    twice.toString('hex'),
    spaced(twice.toString('hex')),
    twice.toString('base64').slice(0, 50),
  ];
}

async function heapSnapshot(): Promise<string> {
  up.child.kill('SIGUSR2');
  const found = (): readonly string[] => readdirSync(cli.folder).filter((name) => name.endsWith('.heapsnapshot'));
  await expect.poll(() => found().length, { timeout: 120_000 }).toBe(1);
  // It is written by one thread that does nothing else meanwhile: when it answers, the file is whole.
  const health = (): Promise<number> =>
    fetch(`${observe}/healthz`).then(
      ({ status }) => status,
      () => 0,
    );
  await expect.poll(health, { timeout: 120_000 }).toBe(200);
  return readFileSync(join(cli.folder, found()[0] ?? ''), 'latin1');
}

test('None of the keys is anywhere afterwards', async () => {
  const metrics = await (await fetch(`${observe}/metrics`)).text();
  // Connections that clients keep hold what was last asked on them.
  const last = client();
  for (let times = 0; times < 50; times += 1)
    await last.send(new HeadObjectCommand({ Bucket, Key: 'none' })).catch(() => undefined);
  last.destroy();
  const heap = await heapSnapshot();
  up.child.kill('SIGTERM');
  const { code, stdout, stderr } = await up.done;
  expect(code).toBe(0);
  const stored = readdirSync(store.directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
  const places = {
    heap,
    metrics,
    stdout,
    stderr,
    audit: readFileSync(cli.path('audit.jsonl'), 'latin1'),
    keys: readFileSync(cli.path('sealgate-keys.sqlite'), 'latin1'),
    'what the storage was sent': Buffer.concat(forwarded).toString('latin1'),
    'what the storage has': stored.join('\n'),
    refusals: refusals.join('\n'),
  };
  // Each of them says something of these requests, and the searches can find.
  expect(refusals.length).toBeGreaterThan(12);
  expect(places.refusals).toContain('SignatureDoesNotMatch');
  expect(places['what the storage was sent']).toContain('/sealed/mine');
  expect(places['what the storage has']).toContain('sg1.');
  expect(stderr).toContain('CopyObject');
  expect(places.audit).toContain('s3://sealed/mine');
  expect(heap).toContain('sealgate-keys.sqlite');
  for (const key of [KEY, OTHER, WRONG])
    for (const form of formsOf(key))
      for (const [place, text] of Object.entries(places))
        expect(text.includes(form), `${place}: ${form.slice(0, 12)}`).toBe(false);
});
