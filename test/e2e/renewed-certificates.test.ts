/** `sealgate up` whose certificates are replaced on disk: each process serves with the new ones, and one that begins later too. */
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { serialize } from 'pg-protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  PROXY_CERTIFICATE_PEM,
  PROXY_KEY_PEM,
  SERVER_CERTIFICATE_PEM,
  SERVER_KEY_PEM,
} from '../support/certificates.ts';
import { cliFolder, type CliFolder } from '../support/cli.ts';
import { startPostgres, type TestPostgres } from '../support/postgres/postgres.ts';
import { sealgate, type Program } from '../support/run.ts';
import { startS3rver, type TestStore } from '../support/s3/s3rver.ts';

const WORKERS = 2;
const LISTENERS = ['kms', 's3', 'postgres'] as const;
type Listener = (typeof LISTENERS)[number];
/** Files are looked at every ten seconds. */
const soon = { timeout: 60_000, interval: 200 };
/** More connections than it takes to meet each worker. */
const ENOUGH = 12;

let cli: CliFolder;
let store: TestStore;
let database: TestPostgres;
let up: Program;
let ports: Readonly<Record<Listener, number>>;

const TLS = 'tls: { certFile: own.crt, keyFile: own.key }';
const configText = (): string => `version: 1
workers: ${WORKERS}
keys: { unseal: [{ type: keyFile, path: root.key }], audit: { file: audit.jsonl } }
observe: { log: { level: info } }
kms:
  listen: { port: 0, ${TLS} }
  clients: [{ name: app, accessKeyId: APP, secretAccessKey: application-secret }]
s3:
  listen: { port: 0, ${TLS} }
  upstream:
    endpoint: ${store.url}
    credentials: { type: static, accessKeyId: ${store.accessKeyId}, secretAccessKey: ${store.secretAccessKey} }
  clients: [{ name: app, accessKeyId: APP, secretAccessKey: application-secret }]
  buckets: [{ bucket: plain, pass: true }]
postgres:
  listen: { port: 0, ${TLS} }
  upstream: { host: 127.0.0.1, port: ${database.port}, tls: { mode: disable } }
`;

function write(certificate: string, key: string): void {
  writeFileSync(cli.path('own.crt'), certificate);
  writeFileSync(cli.path('own.key'), key);
}

beforeAll(async () => {
  cli = cliFolder();
  [store, database] = await Promise.all([startS3rver({ buckets: ['plain'] }), startPostgres()]);
  await cli.run('init');
  write(PROXY_CERTIFICATE_PEM, PROXY_KEY_PEM);
  writeFileSync(cli.path('sealgate.yaml'), configText());
  up = sealgate(['up'], { cwd: cli.folder });
  await up.untilSays('postgres ');
  await up.untilSays('kms ');
  const portOf = (name: string): number =>
    Number(new RegExp(`^${name} +\\w+://127.0.0.1:(\\d+)`, 'mu').exec(up.said())?.[1]);
  ports = { kms: portOf('kms'), s3: portOf('s3'), postgres: portOf('postgres') };
});
afterAll(async () => {
  up.child.kill('SIGTERM');
  await up.done;
  await Promise.all([store.close(), database.stop()]);
  cli[Symbol.dispose]();
});

async function secure(listener: Listener): Promise<TLSSocket> {
  const port = ports[listener];
  if (listener !== 'postgres') return connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  const plain = connectPlain({ port, host: '127.0.0.1' });
  plain.write(serialize.requestSsl());
  await new Promise((resolve) => plain.once('data', resolve));
  return connect({ socket: plain, rejectUnauthorized: false });
}

async function servedBy(listener: Listener): Promise<string> {
  const socket = await secure(listener);
  await new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

async function allServed(): Promise<readonly string[]> {
  const served = LISTENERS.flatMap((listener) => Array.from({ length: ENOUGH }, () => servedBy(listener)));
  return [...new Set(await Promise.all(served))];
}

const fingerprint = (pem: string): string => new X509Certificate(pem).fingerprint256;

function workerPids(): readonly number[] {
  const pid = up.child.pid ?? 0;
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

test('A certificate that is replaced on disk is served by every process, also by one that begins later', async () => {
  expect(await allServed()).toEqual([fingerprint(PROXY_CERTIFICATE_PEM)]);
  write('-----BEGIN CERTIFICATE-----\nhalf', PROXY_KEY_PEM);
  await expect.poll(up.logged, soon).toContain('the former stay');
  expect(await allServed()).toEqual([fingerprint(PROXY_CERTIFICATE_PEM)]);
  write(SERVER_CERTIFICATE_PEM, SERVER_KEY_PEM);
  await expect.poll(allServed, soon).toEqual([fingerprint(SERVER_CERTIFICATE_PEM)]);
  const [victim = 0] = workerPids();
  process.kill(victim, 'SIGKILL');
  await expect.poll(() => workerPids().filter((pid) => pid !== victim).length, soon).toBe(WORKERS);
  await expect.poll(() => allServed().catch(() => []), soon).toEqual([fingerprint(SERVER_CERTIFICATE_PEM)]);
  expect(up.logged()).not.toContain('ERR_CLI_WORKER_CONFIG');
});
