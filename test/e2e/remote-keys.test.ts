/**
 * Two Sealgates: one is the key manager, over mutual TLS; the other's gateway and proxy have no KMS keys of their own. As their operator
 * sets them up, with real servers behind.
 */
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTo } from '../support/postgres/connect.ts';
import { freePort } from '../../src/cli/demo/servers.ts';
import { cliFolder, type CliFolder } from '../support/cli.ts';
import { certificate, CLIENT_CA, CLIENT_CRL } from '../support/client-certificates.ts';
import { startPostgres, type TestPostgres } from '../support/postgres/postgres.ts';
import { sealgate, type Program } from '../support/run.ts';
import { createShop } from '../support/postgres/shop-database.ts';
import { SERVER_CA, SERVER_CRL, serverCertificate } from '../support/server-certificates.ts';
import { startS3rver, type TestStore } from '../support/s3/s3rver.ts';

const CACHE_SECONDS = 2;
const CANARY = 'canary-remote-keys-7f31';

let far: CliFolder;
let near: CliFolder;
let store: TestStore;
let database: TestPostgres;
let kms: Program | undefined;
let up: Program | undefined;
let kmsPort: number;
let ports: { readonly s3: number; readonly postgres: number; readonly observe: number };

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
              Statement: [{ Effect: Allow, Action: ['kms:GenerateDataKey', 'kms:Decrypt', 'kms:DescribeKey'], Resource: '*' }]
kms:
  listen:
    port: ${kmsPort}
    tls: { certFile: server.pem, keyFile: server.key, clientCaFile: clients.pem, clientCrlFile: clients.crl, clientCertificates: required }
  clients: [{ name: gateway, certificate: { name: 'URI:spiffe://acme.test/app' } }]
observe: { log: { level: silent } }
`;

const nearConfig = (): string => `version: 1
keys:
  unseal: [{ type: keyFile, path: root.key }]
  cache: { maxAgeSeconds: ${CACHE_SECONDS} }
  remote:
    endpoint: https://localhost:${kmsPort}
    tls: { caFile: kms-ca.pem, crlFile: kms-ca.crl, clientCertificate: { certFile: client.pem, keyFile: client.key } }
    timeoutSeconds: 60
s3:
  listen: { port: 0 }
  upstream:
    endpoint: ${store.url}
    credentials: { type: static, accessKeyId: ${store.accessKeyId}, secretAccessKey: ${store.secretAccessKey} }
  clients: [{ name: app, accessKeyId: APP, secretAccessKey: application-secret }]
  buckets: [{ bucket: sealed, seal: alias/data }]
postgres:
  listen: { port: 0 }
  upstream: { host: 127.0.0.1, port: ${database.port}, tls: { mode: disable } }
  databases: [{ name: shop, service: { user: ${database.superuser}, password: ${database.password} } }]
  columns: [{ column: shop.public.people.name, type: text, key: alias/data, mode: deterministic }]
observe: { listen: { port: 0 }, log: { level: silent } }
`;

function writeFiles(cli: CliFolder, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(cli.path(name), text, { mode: 0o600 });
}

async function startKeyManager(): Promise<void> {
  kms = sealgate(['up'], { cwd: far.folder });
  await kms.untilSays('kms ');
}

async function stopKeyManager(): Promise<void> {
  kms?.child.kill('SIGTERM');
  await kms?.done;
  kms = undefined;
}

beforeAll(async () => {
  [far, near] = [cliFolder(), cliFolder()];
  [store, database] = await Promise.all([startS3rver({ buckets: ['sealed'] }), startPostgres()]);
  kmsPort = await freePort();
  const [server, client] = [serverCertificate('good'), certificate('app')];
  writeFiles(far, {
    ...{ 'server.pem': server.cert, 'server.key': server.key },
    ...{ 'clients.pem': CLIENT_CA, 'clients.crl': CLIENT_CRL },
  });
  writeFiles(near, {
    ...{ 'kms-ca.pem': SERVER_CA, 'kms-ca.crl': SERVER_CRL },
    ...{ 'client.pem': client.cert, 'client.key': client.key },
  });
  for (const cli of [far, near]) expect((await cli.run('init')).exit).toBe(0);
  writeFiles(far, { 'sealgate.yaml': farConfig() });
  writeFiles(near, { 'sealgate.yaml': nearConfig() });
  expect((await far.run('keys', 'create', '--alias', 'data')).exit).toBe(0);
  await startKeyManager();
  await createShop(database, near, 'create table people (id int primary key, name text)');
  const program = sealgate(['up'], { cwd: near.folder });
  up = program;
  await program.untilSays('observe ');
  const portOf = (name: string): number =>
    Number(new RegExp(`^${name} +\\w+://127.0.0.1:(\\d+)`, 'mu').exec(program.said())?.[1]);
  ports = { s3: portOf('s3'), postgres: portOf('postgres'), observe: portOf('observe') };
});

afterAll(async () => {
  for (const program of [up, kms]) {
    program?.child.kill('SIGKILL');
    await program?.done;
  }
  await Promise.all([store.close(), database.stop()]);
  for (const cli of [far, near]) cli[Symbol.dispose]();
});

const object = { Bucket: 'sealed', Key: 'folder/k' };
const client = (): S3Client =>
  new S3Client({
    endpoint: `http://127.0.0.1:${ports.s3}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'APP', secretAccessKey: 'application-secret' },
    forcePathStyle: true,
    maxAttempts: 1,
  });

async function readBack(): Promise<string> {
  return client()
    .send(new GetObjectCommand(object))
    .then(
      async ({ Body }) => (await Body?.transformToString()) ?? '',
      ({ name, $metadata }: { name: string; $metadata: { httpStatusCode?: number } }) =>
        `${name} ${$metadata.httpStatusCode ?? ''}`,
    );
}

async function sql(text: string, values: readonly unknown[]): Promise<unknown> {
  const session = new pg.Client({
    ...{ host: '127.0.0.1', port: ports.postgres, database: 'shop' },
    ...{ user: database.superuser, password: database.password },
  });
  await session.connect();
  try {
    return (await session.query<Record<string, unknown>>(text, [...values])).rows;
  } catch (error) {
    return (error as pg.DatabaseError).code;
  } finally {
    await session.end();
  }
}

const find = (): Promise<unknown> => sql('select id, name from people where name = $1', [CANARY]);
const readiness = async (): Promise<number> => (await fetch(`http://127.0.0.1:${ports.observe}/readyz`)).status;
const cacheEnds = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, CACHE_SECONDS * 1000 + 100));
const soon = { interval: 250 };

test('Objects and columns are sealed under keys that lie elsewhere', async () => {
  await client().send(new PutObjectCommand({ ...object, Body: CANARY }));
  expect(await readBack()).toBe(CANARY);
  expect(await sql('insert into people values ($1, $2)', [1, CANARY])).toEqual([]);
  expect(await find()).toEqual([{ id: 1, name: CANARY }]);
  const direct = await connectTo(database.url('shop'));
  const { rows } = await direct.query<{ name: string }>('select name::text from people');
  await direct.end();
  expect(rows[0]?.name).not.toContain(Buffer.from(CANARY).toString('hex'));
  const files = readdirSync(store.directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('_object'),
  );
  expect(files).toHaveLength(1);
  for (const name of files) expect(readFileSync(join(store.directory, name)).includes(CANARY)).toBe(false);
  // Both audit trails know of it: whose use it was stands in ours.
  expect(readFileSync(far.path('sealgate-audit.jsonl'), 'utf8')).toContain('user/gateway');
  expect(readFileSync(near.path('sealgate-audit.jsonl'), 'utf8')).toContain('s3://sealed/folder/k');
  expect(await readiness()).toBe(200);
});

test('`check` finds the key where it is, and commands about keys say where they have to be run', async () => {
  const { stdout } = await near.run('check');
  // The store is in use, so this is about what a config can tell.
  expect(stdout.toString()).toContain('key store');
  for (const words of [['create', '--alias', 'x'], ['list'], ['rotate', 'alias/data'], ['disable', 'alias/data']]) {
    const { exit, stderr } = await near.run('keys', ...words);
    expect([exit, stderr]).toEqual([5, expect.stringContaining('ERR_KEYS_ELSEWHERE')]);
  }
});

test('While the key manager is away nothing is opened that is not cached; when it is back, all is', async () => {
  await stopKeyManager();
  await cacheEnds();
  expect(await readBack()).toBe('ServiceUnavailable 503');
  expect(await find()).toBe('58000');
  await expect.poll(readiness, soon).toBe(503);
  await startKeyManager();
  expect(await readBack()).toBe(CANARY);
  expect(await find()).toEqual([{ id: 1, name: CANARY }]);
  await expect.poll(readiness, soon).toBe(200);
});

test('A key that is disabled there opens nothing here once the cached data keys have ended', async () => {
  await stopKeyManager();
  expect((await far.run('keys', 'disable', 'alias/data')).exit).toBe(0);
  await startKeyManager();
  await cacheEnds();
  expect(await readBack()).toBe('KMS.DisabledException 400');
  expect(await find()).toBe('58000');
  await stopKeyManager();
  expect((await far.run('keys', 'enable', 'alias/data')).exit).toBe(0);
  await startKeyManager();
  expect(await readBack()).toBe(CANARY);
});

test('Stopped, the store tells `check` all, and `open` needs the key manager alone', async () => {
  up?.child.kill('SIGTERM');
  expect((await up?.done)?.code).toBe(0);
  const { exit, stdout } = await near.run('check');
  expect([exit, stdout.toString()]).toEqual([0, expect.stringContaining(`alias/data at https://localhost:${kmsPort}`)]);
  const stored = await new S3Client({
    endpoint: store.url,
    region: 'us-east-1',
    credentials: { accessKeyId: store.accessKeyId, secretAccessKey: store.secretAccessKey },
    forcePathStyle: true,
  }).send(new GetObjectCommand(object));
  writeFileSync(near.path('stored.bin'), (await stored.Body?.transformToByteArray()) ?? '');
  const envelope = stored.Metadata?.['sealgate'] ?? '';
  const words = ['open', 'object', 'stored.bin', '--object', 's3://sealed/folder/k', '--envelope', envelope];
  expect((await near.run(...words)).stdout.toString()).toBe(CANARY);
  await stopKeyManager();
  const away = await near.run(...words);
  expect([away.exit, away.stdout.toString(), away.stderr]).toEqual([
    5,
    '',
    expect.stringContaining('ERR_KEYS_REMOTE_UNAVAILABLE'),
  ]);
  expect((await near.run('check')).stdout.toString()).toContain('cannot be reached');
});
