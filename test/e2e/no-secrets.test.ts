/**
 * A whole session on real servers, good and bad, with the log at its most talkative: afterwards no plaintext, literal, password, signature
 * or key stands in anything that `sealgate up` printed, logged, counted or recorded. And what it says of its own health meanwhile.
 */
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTo } from '../support/postgres/connect.ts';
import { cliFolder, type CliFolder } from '../support/cli.ts';
import { startPostgres, type TestPostgres } from '../support/postgres/postgres.ts';
import { sealgate, type Program } from '../support/run.ts';
import { startS3rver, type TestStore } from '../support/s3/s3rver.ts';

const canary = (what: string): string => `${what}-${randomBytes(12).toString('hex')}`;
const SECRETS = {
  body: canary('body'),
  metadata: canary('metadata'),
  value: canary('value'),
  literal: canary('literal'),
  syntax: canary('syntax'),
  duplicate: canary('duplicate'),
  refused: canary('refused'),
  clientSecret: canary('client-secret'),
  servicePassword: canary('service-password'),
  appPassword: canary('app-password'),
  wrongPassword: canary('wrong-password'),
};
/** Whose values the application logs in with. */
const USER = { user: 'app', password: SECRETS.appPassword, database: 'shop', host: '127.0.0.1' };

let cli: CliFolder;
let store: TestStore;
let database: TestPostgres;
let up: Program | undefined;
let ports: { readonly s3: number; readonly postgres: number; readonly observe: number };
/** Signatures that were on the wire. */
const signatures: string[] = [];

const configText = (): string => `version: 1
keys: { unseal: [{ type: keyFile, path: root.key }] }
observe: { listen: { port: 0 }, log: { level: debug } }
s3:
  listen: { port: 0 }
  upstream:
    endpoint: ${store.url}
    credentials: { type: static, accessKeyId: ${store.accessKeyId}, secretAccessKey: ${store.secretAccessKey} }
  clients: [{ name: app, accessKeyId: APP, secretAccessKeyFile: client.secret }]
  buckets: [{ bucket: sealed, seal: alias/a }]
postgres:
  listen: { port: 0 }
  upstream: { host: 127.0.0.1, port: ${database.port}, tls: { mode: disable } }
  databases: [{ name: shop, service: { user: sealgate, passwordFile: service.password } }]
  columns:
    - { column: shop.public.people.name, type: text, key: alias/a, mode: deterministic }
    - { column: shop.public.people.note, type: text, key: alias/a }
`;

async function prepareDatabase(): Promise<void> {
  const admin = await connectTo(database.url());
  await admin.query(`create role sealgate login password '${SECRETS.servicePassword}'`);
  await admin.query(`create role app login password '${SECRETS.appPassword}'`);
  await admin.query('create database shop owner sealgate');
  await admin.end();
  const owner = await connectTo(database.url('shop'));
  await owner.query('create table people (id int primary key, name text unique, note text)');
  await owner.query('grant select, insert, update, delete on people to app; grant select on people to sealgate');
  const { stdout } = await cli.run('check', '--ddl');
  await owner.query(stdout.toString().replaceAll(/^\\.*$/gmu, ''));
  await owner.end();
}

beforeAll(async () => {
  cli = cliFolder();
  [store, database] = await Promise.all([startS3rver({ buckets: ['sealed'] }), startPostgres()]);
  await cli.run('init');
  writeFileSync(cli.path('sealgate.yaml'), configText());
  writeFileSync(cli.path('client.secret'), `${SECRETS.clientSecret}\n`);
  writeFileSync(cli.path('service.password'), `${SECRETS.servicePassword}\n`);
  expect((await cli.run('keys', 'create', '--alias', 'a')).exit).toBe(0);
  await prepareDatabase();
  up = sealgate(['up'], { cwd: cli.folder });
  let said = '';
  up.child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await up.untilSays('observe ');
  const portOf = (name: string): number =>
    Number(new RegExp(`^${name} +\\w+://127.0.0.1:(\\d+)`, 'mu').exec(said)?.[1]);
  ports = { s3: portOf('s3'), postgres: portOf('postgres'), observe: portOf('observe') };
});

afterAll(async () => {
  up?.child.kill('SIGKILL');
  await up?.done;
  await stopBackends();
  cli[Symbol.dispose]();
});

function s3Client(secretAccessKey: string): S3Client {
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${ports.s3}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'APP', secretAccessKey },
    forcePathStyle: true,
    maxAttempts: 1,
  });
  // The signature of every request, as it leaves.
  client.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Readonly<Record<string, string>> };
      signatures.push(/Signature=([0-9a-f]{64})/u.exec(headers['authorization'] ?? '')?.[1] ?? '');
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  return client;
}

let stopped = false;
async function stopBackends(): Promise<void> {
  if (stopped) return;
  stopped = true;
  await Promise.all([store.close(), database.stop()]);
}

const failing = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error,
  );

const upstreams = (ready: boolean): Readonly<Record<string, boolean>> => ({
  's3 upstream': ready,
  'postgres upstream': ready,
  'postgres database shop': ready,
});

async function readiness(): Promise<{ status: number; checks: Readonly<Record<string, boolean>> }> {
  const answer = await fetch(`http://127.0.0.1:${ports.observe}/readyz`);
  const { checks } = (await answer.json()) as { checks: readonly { name: string; ready: boolean }[] };
  return { status: answer.status, checks: Object.fromEntries(checks.map(({ name, ready }) => [name, ready])) };
}

test('Objects: good requests, and every kind of bad one', async () => {
  const client = s3Client(SECRETS.clientSecret);
  const object = { Bucket: 'sealed', Key: 'k' };
  await client.send(new PutObjectCommand({ ...object, Body: SECRETS.body, Metadata: { note: SECRETS.metadata } }));
  const read = await client.send(new GetObjectCommand(object));
  expect([await read.Body?.transformToString(), read.Metadata]).toEqual([SECRETS.body, { note: SECRETS.metadata }]);
  const presigned = await getSignedUrl(client, new GetObjectCommand(object));
  signatures.push(new URL(presigned).searchParams.get('X-Amz-Signature') ?? '');
  expect((await fetch(presigned)).status).toBe(200);
  expect((await fetch(presigned.replace('sealed/k', 'sealed/other'))).status).toBe(403);
  await failing(s3Client(`${SECRETS.clientSecret}x`).send(new HeadObjectCommand(object)));
  const sum = { ContentMD5: Buffer.alloc(16).toString('base64') };
  await failing(client.send(new PutObjectCommand({ ...object, Key: 'bad', Body: SECRETS.body, ...sum })));
  for (const name of readdirSync(store.directory, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('_object')) continue;
    const file = join(store.directory, name);
    const bytes = readFileSync(file);
    bytes[bytes.length - 250] = (bytes[bytes.length - 250] ?? 0) ^ 1;
    writeFileSync(file, bytes);
  }
  await failing(client.send(new GetObjectCommand(object)).then(({ Body }) => Body?.transformToString()));
});

test('Statements: good ones, and every kind of bad one', async () => {
  const client = new pg.Client({ ...USER, port: ports.postgres });
  await client.connect();
  await client.query('insert into people values ($1, $2, $3)', [1, SECRETS.value, SECRETS.value]);
  await client.query(`insert into people values (2, '${SECRETS.literal}', null)`);
  const { rows } = await client.query(`select note from people where name = '${SECRETS.value}'`);
  expect(rows).toEqual([{ note: SECRETS.value }]);
  await client.query('insert into people values (3, $1, null)', [SECRETS.duplicate]);
  await failing(client.query('insert into people values (4, $1, null)', [SECRETS.duplicate]));
  await failing(client.query(`select * from people where name like '${SECRETS.refused}%'`));
  await failing(client.query(`update people set note = note || '${SECRETS.refused}'`));
  await failing(client.query(`selec '${SECRETS.syntax}' from people`));
  await failing(client.query(`insert into people (id, name) values ('${SECRETS.syntax}', 'x')`));
  await client.end();
  const stranger = new pg.Client({ ...USER, password: SECRETS.wrongPassword, port: ports.postgres });
  await failing(stranger.connect());
});

test('Readiness names what cannot be reached, and health goes on', async () => {
  expect(await readiness()).toEqual({ status: 200, checks: { keys: true, ...upstreams(true) } });
  await stopBackends();
  await expect.poll(readiness, { interval: 500 }).toEqual({
    status: 503,
    checks: { keys: true, ...upstreams(false) },
  });
  expect((await fetch(`http://127.0.0.1:${ports.observe}/healthz`)).status).toBe(200);
  await failing(s3Client(SECRETS.clientSecret).send(new GetObjectCommand({ Bucket: 'sealed', Key: 'k' })));
  await failing(new pg.Client({ ...USER, port: ports.postgres }).connect());
});

test('Nothing of it stands in logs, metrics, the audit trail or the key store', async () => {
  const metrics = await (await fetch(`http://127.0.0.1:${ports.observe}/metrics`)).text();
  up?.child.kill('SIGTERM');
  const { code, stdout = '', stderr = '' } = (await up?.done) ?? {};
  expect(code).toBe(0);
  const written = {
    stdout: Buffer.from(stdout),
    stderr: Buffer.from(stderr),
    metrics: Buffer.from(metrics),
    audit: readFileSync(cli.path('sealgate-audit.jsonl')),
    store: readFileSync(cli.path('sealgate-keys.sqlite')),
  };
  // It did say something, of both listeners and of key uses.
  for (const line of stderr.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('level');
  expect(stderr).toContain('GetObject');
  expect(metrics).toMatch(/sealgate_refusals_total\{listener="postgres".*\} [1-9]/u);
  expect(metrics).toMatch(/sealgate_key_uses_total\{action="Decrypt",result="success"\} [1-9]/u);
  const rootKey = readFileSync(cli.path('root.key')).subarray(24, 56);
  const forbidden = [
    ...Object.values(SECRETS),
    ...signatures.filter((signature) => signature !== ''),
    rootKey,
    rootKey.toString('hex'),
    rootKey.toString('base64'),
  ];
  expect(signatures.filter((signature) => signature !== '').length).toBeGreaterThan(5);
  for (const [where, bytes] of Object.entries(written))
    for (const secret of forbidden)
      expect(bytes.includes(secret), `${where}: ${secret.toString().slice(0, 40)}`).toBe(false);
});
