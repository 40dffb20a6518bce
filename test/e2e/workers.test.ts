/** `sealgate up` with several workers on the same ports: who serves, what happens when one or the owner is killed, and what all of them share. */
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { DisableKeyCommand, EnableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cliFolder, type CliFolder } from '../support/cli.ts';
import { startPostgres, type TestPostgres } from '../support/postgres/postgres.ts';
import { sealgate, type Program } from '../support/run.ts';
import { createShop } from '../support/postgres/shop-database.ts';
import { startS3rver, type TestStore } from '../support/s3/s3rver.ts';

const WORKERS = 3;
const PART_BYTES = 5 * 1024 * 1024;
const credentials = { accessKeyId: 'APP', secretAccessKey: 'application-secret' };
const ALL = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: ['kms:*', 's3:*'], Resource: '*' }],
});
const soon = { timeout: 60_000, interval: 100 };

let cli: CliFolder;
let store: TestStore;
let database: TestPostgres;
let up: Program;
let ports: Readonly<Record<'kms' | 's3' | 'postgres' | 'observe', number>>;

const configText = (): string => `version: 1
workers: ${WORKERS}
keys:
  unseal: [{ type: keyFile, path: root.key }]
  audit: { file: audit.jsonl }
  access: { identities: [{ client: app, policies: [{ name: all, file: all.json }] }] }
observe: { listen: { port: 0 }, log: { level: info } }
kms:
  listen: { port: 0 }
  clients: [{ name: app, accessKeyId: APP, secretAccessKey: application-secret }]
s3:
  listen: { port: 0 }
  upstream:
    endpoint: ${store.url}
    credentials: { type: static, accessKeyId: ${store.accessKeyId}, secretAccessKey: ${store.secretAccessKey} }
  clients: [{ name: app, accessKeyId: APP, secretAccessKey: application-secret }]
  buckets: [{ bucket: sealed, seal: alias/a }]
postgres:
  listen: { port: 0 }
  upstream: { host: 127.0.0.1, port: ${database.port}, tls: { mode: disable } }
  databases: [{ name: shop, service: { user: ${database.superuser}, password: ${database.password} } }]
  columns: [{ column: shop.public.people.name, type: text, key: alias/a, mode: deterministic }]
`;

async function startUp(): Promise<void> {
  up = sealgate(['up'], { cwd: cli.folder });
  await up.untilSays('observe ');
  const portOf = (name: string): number =>
    Number(new RegExp(`^${name} +\\w+://127.0.0.1:(\\d+)`, 'mu').exec(up.said())?.[1]);
  ports = { kms: portOf('kms'), s3: portOf('s3'), postgres: portOf('postgres'), observe: portOf('observe') };
}

beforeAll(async () => {
  cli = cliFolder();
  [store, database] = await Promise.all([startS3rver({ buckets: ['sealed'] }), startPostgres()]);
  await cli.run('init');
  writeFileSync(cli.path('all.json'), ALL);
  writeFileSync(cli.path('sealgate.yaml'), configText());
  expect((await cli.run('keys', 'create', '--alias', 'a')).exit).toBe(0);
  await createShop(database, cli, 'create table people (id int primary key, name text)');
  await startUp();
});

afterAll(async () => {
  up.child.kill('SIGTERM');
  await up.done;
  await Promise.all([store.close(), database.stop()]);
  cli[Symbol.dispose]();
});

/** A client with a connection of its own, so that requests come to the workers in turn. */
function client(maxAttempts = 1): S3Client {
  const endpoint = `http://127.0.0.1:${ports.s3}`;
  return new S3Client({ endpoint, region: 'us-east-1', credentials, forcePathStyle: true, maxAttempts });
}

async function put(key: string, body: string): Promise<void> {
  await client().send(new PutObjectCommand({ Bucket: 'sealed', Key: key, Body: body }));
}

async function get(key: string, from = client()): Promise<Buffer> {
  const { Body } = await from.send(new GetObjectCommand({ Bucket: 'sealed', Key: key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

async function sql(): Promise<pg.Client> {
  const session = new pg.Client({
    host: '127.0.0.1',
    port: ports.postgres,
    user: database.superuser,
    password: database.password,
    database: 'shop',
  });
  session.on('error', () => undefined);
  await session.connect();
  return session;
}

const observed = async (path: string): Promise<Response> => fetch(`http://127.0.0.1:${ports.observe}/${path}`);
const readiness = async (): Promise<number> => (await observed('readyz')).status;

/** Returns when it is gone, perhaps before another is in its place. */
async function killOne(): Promise<void> {
  const [victim = 0] = workerPids();
  process.kill(victim, 'SIGKILL');
  await expect.poll(workerPids, soon).not.toContain(victim);
}

async function untilAllServe(): Promise<void> {
  await expect.poll(() => workerPids().length, soon).toBe(WORKERS);
  // What was found before is told for two seconds more.
  await new Promise((resolve) => setTimeout(resolve, 2100));
  await expect.poll(readiness, soon).toBe(200);
}

/** By Linux's own table of processes: the children of the one that was started. */
function workerPids(): readonly number[] {
  const { pid = 0 } = up.child;
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

/** Whether it runs, or is a corpse that nobody fetched yet. */
function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ');
  } catch {
    return false;
  }
}

test('Connections come to all workers, and what one wrote the others read', async () => {
  expect(workerPids()).toHaveLength(WORKERS);
  const keys = Array.from({ length: 9 }, (_, index) => `object-${index}`);
  for (const key of keys) await put(key, `words of ${key}`);
  for (const key of keys) expect((await get(key)).toString()).toBe(`words of ${key}`);
  const sessions = await Promise.all(Array.from({ length: 6 }, sql));
  for (const [index, session] of sessions.entries())
    await session.query('insert into people values ($1, $2)', [index, `name ${index}`]);
  for (const [index, session] of sessions.entries()) {
    const { rows } = await session.query('select id from people where name = $1', [`name ${(index + 1) % 6}`]);
    expect(rows).toEqual([{ id: (index + 1) % 6 }]);
    await session.end();
  }
  expect(await readiness()).toBe(200);
  const text = await (await observed('metrics')).text();
  expect(text).toContain('sealgate_s3_requests_total{operation="PutObject",status="200"} 9');
  expect(text).toContain('sealgate_s3_requests_total{operation="GetObject",status="200"} 9');
  // Uses of keys are the owner's to count: once each.
  expect(text).toMatch(/^sealgate_key_uses_total\{action="GenerateDataKey",result="\w+"\} \d+$/mu);
});

test('Every use by a worker is in the one audit trail, with its caller and object, and the trail verifies', async () => {
  await put('audited', 'words');
  await get('audited');
  const lines = readFileSync(cli.path('audit.jsonl'), 'utf8').split('\n');
  const uses = lines.filter((line) => line.includes('s3://sealed/audited'));
  expect(uses.map((line) => /"(GenerateDataKey|Decrypt)"/u.exec(line)?.[1])).toEqual(['GenerateDataKey', 'Decrypt']);
  for (const line of uses) expect(line).toContain(':user/app');
});

test('A key disabled over the KMS API is of no use to any worker from then on, whatever DEKs it has', async () => {
  await put('to-be-refused', 'words');
  for (let times = 0; times < WORKERS; times += 1) await get('to-be-refused');
  const endpoint = `http://127.0.0.1:${ports.kms}`;
  const kms = new KMSClient({ endpoint, region: 'us-east-1', credentials });
  const id = /[-0-9a-f]{36}/u.exec((await cli.run('keys', 'list')).stdout.toString())?.[0];
  await kms.send(new DisableKeyCommand({ KeyId: id }));
  for (let times = 0; times < 2 * WORKERS; times += 1) await expect(get('to-be-refused')).rejects.toThrow();
  await kms.send(new EnableKeyCommand({ KeyId: id }));
  expect((await get('to-be-refused')).toString()).toBe('words');
});

test('An upload whose parts come to different workers, one of them killed in between, is whole', async () => {
  const upload = { Bucket: 'sealed', Key: 'parts' };
  const { UploadId } = await client().send(new CreateMultipartUploadCommand(upload));
  const parts = Array.from({ length: 4 }, (_, index) => randomBytes(index < 3 ? PART_BYTES + index : 17));
  const sent = [];
  for (const [index, Body] of parts.entries()) {
    const PartNumber = index + 1;
    // A worker that was killed took its connections with it: the client tries again, as SDKs do.
    const { ETag } = await client(5).send(new UploadPartCommand({ ...upload, UploadId, PartNumber, Body }));
    sent.push({ ETag, PartNumber });
    if (index === 1) await killOne();
  }
  await client(5).send(new CompleteMultipartUploadCommand({ ...upload, UploadId, MultipartUpload: { Parts: sent } }));
  expect((await get('parts', client(5))).equals(Buffer.concat(parts))).toBe(true);
  await untilAllServe();
});

test('A worker that is killed takes its own connections alone, and none of what was counted', async () => {
  const counted = async (): Promise<number> => {
    const text = await (await observed('metrics')).text();
    return Number(/^sealgate_s3_requests_total\{operation="PutObject",status="200"\} (\d+)$/mu.exec(text)?.[1]);
  };
  const before = await counted();
  // The system spreads connections by a hash: of so many each worker has some.
  const sessions = await Promise.all(Array.from({ length: 8 * WORKERS }, sql));
  const [victim = 0, ...others] = workerPids();
  process.kill(victim, 'SIGKILL');
  await expect.poll(workerPids, soon).not.toContain(victim);
  const answers = await Promise.allSettled(sessions.map((session) => session.query('select 1 as one')));
  const alive = answers.filter(({ status }) => status === 'fulfilled').length;
  expect(alive).toBeGreaterThan(0);
  expect(alive).toBeLessThan(sessions.length);
  expect(workerPids()).toEqual(expect.arrayContaining(others));
  await Promise.all(sessions.map((session) => session.end().catch(() => undefined)));
  expect(await counted()).toBe(before);
  await untilAllServe();
});

test('While one in the place of a dead worker does not serve yet, it is not ready', async () => {
  const before = workerPids();
  process.kill(before[0] ?? 0, 'SIGKILL');
  await expect.poll(() => workerPids().filter((pid) => !before.includes(pid)).length, soon).toBe(1);
  await untilAllServe();
  const [fresh] = workerPids().filter((pid) => !before.includes(pid));
  expect(fresh).toBeDefined();
  // It accepts: the system gives connections to all that listen, and each of them answers.
  for (let times = 0; times < 4 * WORKERS; times += 1)
    expect((await get('object-1')).toString()).toBe('words of object-1');
});

test('A worker that would run by another config does not', async () => {
  const text = readFileSync(cli.path('sealgate.yaml'), 'utf8');
  writeFileSync(cli.path('sealgate.yaml'), text.replace('bucket: sealed', 'bucket: other'));
  process.kill(workerPids()[0] ?? 0, 'SIGKILL');
  await expect.poll(readiness, soon).toBe(503);
  expect((await get('object-1', client(5))).toString()).toBe('words of object-1');
  writeFileSync(cli.path('sealgate.yaml'), text);
  await expect.poll(readiness, soon).toBe(200);
});

test('A port that others have is an error of the command, though they would share it, said once', async () => {
  const text = readFileSync(cli.path('sealgate.yaml'), 'utf8').replace(
    's3:\n  listen: { port: 0 }',
    `s3:\n  listen: { port: ${ports.s3} }`,
  );
  const other = cliFolder();
  await other.run('init');
  writeFileSync(other.path('all.json'), ALL);
  writeFileSync(other.path('sealgate.yaml'), text);
  await other.run('keys', 'create', '--alias', 'a');
  const { code, stderr } = await sealgate(['up'], { cwd: other.folder }).done;
  expect([code, stderr.match(/ERR_CLI_LISTEN/gu)?.length]).toEqual([expect.any(Number), 1]);
  expect(code).not.toBe(0);
  other[Symbol.dispose]();
});

test('Told to stop, all workers finish what is under way, and the command ends with 0', async () => {
  const pids = workerPids();
  const url = await getSignedUrl(client(), new PutObjectCommand({ Bucket: 'sealed', Key: 'slow' }), { expiresIn: 600 });
  const upload = httpRequest(url, {
    method: 'PUT',
    headers: { 'content-length': String(2 * PART_BYTES), expect: '100-continue' },
  });
  const answered = once(upload, 'response') as Promise<[IncomingMessage]>;
  upload.flushHeaders();
  // A worker has begun with it.
  await once(upload, 'continue');
  upload.write(Buffer.alloc(PART_BYTES, 'a'));
  up.child.kill('SIGTERM');
  await expect.poll(readiness, soon).toBe(503);
  upload.end(Buffer.alloc(PART_BYTES, 'b'));
  const [answer] = await answered;
  answer.resume();
  expect(answer.statusCode).toBe(200);
  const { code } = await up.done;
  expect([code, pids.filter(isAlive)]).toEqual([0, []]);
  await startUp();
});

test('Workers do not outlive an owner that is killed', async () => {
  const pids = workerPids();
  expect(pids).toHaveLength(WORKERS);
  up.child.kill('SIGKILL');
  await expect.poll(() => pids.filter(isAlive), soon).toEqual([]);
  await startUp();
  expect((await get('object-2')).toString()).toBe('words of object-2');
});
