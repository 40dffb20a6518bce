/**
 * The key store away, for a gateway of several processes whose keys are held elsewhere: what is cached opens for as long as `keys.cache` says,
 * then nothing does and nothing is sealed; the answer is 503, and never a byte of the plaintext, on either side.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../../src/cli/demo/servers.ts';
import { cliFolder, type CliFolder } from '../../support/cli.ts';
import { sealgate, type Program } from '../../support/run.ts';
import { startS3rver, type TestStore } from '../../support/s3/s3rver.ts';

const MIB = 1024 * 1024;
const WORKERS = 2;
/** Long enough for what is read while it lasts, on a busy machine. */
const CACHE_SECONDS = 20;
const PATIENCE_MS = 600_000;
const Bucket = 'sealed';
const CANARY = 'canary-keys-away-51ad';

let far: CliFolder;
let near: CliFolder;
let store: TestStore;
let kms: Program;
let up: Program;
let kmsPort: number;
let s3Port: number;

const farConfig = (): string => `version: 1
keys:
  unseal: [{ type: keyFile, path: root.key }]
  access:
    identities:
      - client: gateway
        policies:
          - name: data-keys
            document:
              Version: '2012-10-17'
              Statement: [{ Effect: Allow, Action: ['kms:GenerateDataKey', 'kms:Decrypt', 'kms:DescribeKey', 'kms:ReEncrypt*'], Resource: '*' }]
kms:
  listen: { port: ${kmsPort} }
  clients: [{ name: gateway, accessKeyId: GATEWAY, secretAccessKey: gateway-secret }]
observe: { log: { level: silent } }
`;

const nearConfig = (): string => `version: 1
workers: ${WORKERS}
keys:
  unseal: [{ type: keyFile, path: root.key }]
  cache: { maxAgeSeconds: ${CACHE_SECONDS} }
  audit: { file: audit.jsonl }
  remote:
    endpoint: http://127.0.0.1:${kmsPort}
    credentials: { type: static, accessKeyId: GATEWAY, secretAccessKey: gateway-secret }
    timeoutSeconds: 60
s3:
  listen: { port: 0 }
  upstream:
    endpoint: ${store.url}
    credentials: { type: static, accessKeyId: ${store.accessKeyId}, secretAccessKey: ${store.secretAccessKey} }
  clients: [{ name: app, accessKeyId: APP, secretAccessKey: application-secret }]
  buckets: [{ bucket: ${Bucket}, seal: alias/data }]
observe: { listen: { port: 0 }, log: { level: silent } }
`;

async function startKeyManager(): Promise<void> {
  kms = sealgate(['up'], { cwd: far.folder });
  await kms.untilSays('kms ');
}

async function stopKeyManager(): Promise<void> {
  kms.child.kill('SIGTERM');
  await kms.done;
}

beforeAll(async () => {
  [far, near] = [cliFolder(), cliFolder()];
  store = await startS3rver({ buckets: [Bucket] });
  kmsPort = await freePort();
  for (const cli of [far, near]) expect((await cli.run('init')).exit).toBe(0);
  writeFileSync(far.path('sealgate.yaml'), farConfig());
  writeFileSync(near.path('sealgate.yaml'), nearConfig());
  expect((await far.run('keys', 'create', '--alias', 'data')).exit).toBe(0);
  await startKeyManager();
  up = sealgate(['up'], { cwd: near.folder });
  await up.untilSays('observe ');
  s3Port = Number(/^s3 +\w+:\/\/127.0.0.1:(\d+)/mu.exec(up.said())?.[1]);
});

afterAll(async () => {
  for (const program of [up, kms]) {
    program.child.kill('SIGKILL');
    await program.done;
  }
  await store.close();
  for (const cli of [far, near]) cli[Symbol.dispose]();
});

/** With connections of its own, so that requests come to one process or the other. */
const client = (): S3Client =>
  new S3Client({
    endpoint: `http://127.0.0.1:${s3Port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'APP', secretAccessKey: 'application-secret' },
    forcePathStyle: true,
    maxAttempts: 1,
  });

/** What the client was told, an error's document and all. */
async function outcome(sent: Promise<unknown>): Promise<string> {
  return sent.then(
    () => 'ok',
    (error: { name: string; message: string; $metadata: { httpStatusCode?: number } }) =>
      `${error.name} ${error.$metadata.httpStatusCode ?? ''}${error.message.includes(CANARY) ? ' with plaintext' : ''}`,
  );
}

const put = (Key: string, Body: Uint8Array | string): Promise<string> =>
  outcome(client().send(new PutObjectCommand({ Bucket, Key, Body })));
async function read(Key: string): Promise<string> {
  const { Body } = await client().send(new GetObjectCommand({ Bucket, Key }));
  return (await Body?.transformToString('latin1')) ?? '';
}

const filesInStore = (): readonly string[] =>
  readdirSync(store.directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('_object'));
const AWAY = 'ServiceUnavailable 503';

test('what is cached is used as long as it may be, and nothing else', { timeout: PATIENCE_MS }, async () => {
  const body = `${CANARY} ${randomBytes(300_000).toString('latin1')}`;
  expect([await put('cached', Buffer.from(body, 'latin1')), await put('other', CANARY)]).toEqual(['ok', 'ok']);
  const upload = { Bucket, Key: 'open' };
  const { UploadId } = await client().send(new CreateMultipartUploadCommand(upload));
  const part = (PartNumber: number, Body: Uint8Array) =>
    client().send(new UploadPartCommand({ ...upload, UploadId, PartNumber, Body }));
  const parts = [Buffer.alloc(5 * MIB, CANARY), Buffer.alloc(5 * MIB, 'b'), Buffer.from(CANARY)] as const;
  const sent: { ETag?: string | undefined }[] = [];
  const uses = (): number => readFileSync(near.path('audit.jsonl'), 'utf8').split('s3://sealed/cached').length;
  const isOver = (): Promise<void> =>
    expect.poll(() => outcome(read('cached')), { timeout: 3 * CACHE_SECONDS * 1000, interval: 500 }).toBe(AWAY);
  for (;;) {
    const began = Date.now();
    sent[0] = await part(1, parts[0]);
    expect(await read('cached')).toBe(body);
    await stopKeyManager();

    // Grace: whichever process is asked, since who holds the cache is asked by all; each use is on record all the same.
    const usesBefore = uses();
    const asked = [];
    for (let round = 0; round < 3 * WORKERS; round += 1)
      asked.push((await read('cached').catch(String)) === body ? 'ok' : 'not');
    const second = await part(2, parts[1]).catch(() => undefined);
    if (Date.now() - began < CACHE_SECONDS * 1000) {
      expect(asked).toEqual(asked.map(() => 'ok'));
      expect(uses() - usesBefore).toBeGreaterThanOrEqual(asked.length);
      expect(second).toBeDefined();
      sent.push({ ETag: second?.ETag });
      break;
    }
    // The machine was too busy to ask while the cache lasted, which says nothing.
    await isOver();
    await startKeyManager();
  }

  // A new object takes a new key, and what nobody has read is in no cache.
  const before = filesInStore();
  for (let round = 0; round < WORKERS; round += 1) {
    expect(await put(`new-${round}`, CANARY)).toBe(AWAY);
    expect(await put(`new-large-${round}`, Buffer.alloc(MIB, CANARY))).toBe(AWAY);
    expect(await outcome(read('other'))).toBe(AWAY);
    expect(await outcome(client().send(new CreateMultipartUploadCommand({ Bucket, Key: 'none' })))).toBe(AWAY);
    const copy = { Bucket, Key: 'copied', CopySource: `${Bucket}/other` };
    expect(await outcome(client().send(new CopyObjectCommand(copy)))).toBe(AWAY);
  }
  expect(filesInStore()).toEqual(before);

  await isOver();
  expect(await outcome(part(3, parts[2]))).toBe(AWAY);
  expect(await outcome(part(1, parts[0]))).toBe(AWAY);
  for (const name of filesInStore())
    expect(readFileSync(join(store.directory, name)).includes(CANARY), name).toBe(false);

  // Nothing was lost: the upload that was open goes on.
  await startKeyManager();
  expect(await read('cached')).toBe(body);
  expect(await read('other')).toBe(CANARY);
  sent.push(await part(3, parts[2]));
  const Parts = sent.map(({ ETag }, index) => ({ PartNumber: index + 1, ETag }));
  await client().send(new CompleteMultipartUploadCommand({ ...upload, UploadId, MultipartUpload: { Parts } }));
  expect(await read('open')).toBe(Buffer.concat(parts).toString('latin1'));
});
