/** Everything the measurements run on: real stores in processes of their own, Sealgate as its users start it, nginx and PgBouncer where they are installed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import pg from 'pg';
import { freePort, startBackends, type Backends } from '../src/cli/demo/servers.ts';
import { untilListening } from './programs.ts';

export const ROWS = 100_000;
export const DATABASE = 'bench';

export type World = {
  readonly folder: string;
  readonly secret: string;
  readonly backends: Backends;
  readonly sealgate: { readonly s3Port: number; readonly postgresPort: number; readonly pid: number };
  readonly close: () => Promise<void>;
};

const main = join(import.meta.dirname, '..', 'src', 'main.ts');

function startCli(words: readonly string[], cwd: string): ChildProcess {
  return spawn(process.execPath, [main, ...words], { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Runs a command to its end; its standard output. */
async function cli(words: readonly string[], cwd: string): Promise<string> {
  const child = startCli(words, cwd);
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`sealgate ${words.join(' ')} ended with ${String(code)}`);
  return text;
}

type Ports = { readonly s3: number; readonly postgres: number };

function config(backends: Backends, ports: Ports, secret: string): string {
  return `version: 1
keys: { store: ./sealgate-keys.sqlite, unseal: [{ type: keyFile, path: ./root.key }] }
s3:
  listen: { port: ${ports.s3} }
  upstream: { endpoint: 'http://127.0.0.1:${backends.objectsPort}', credentials: { type: static, accessKeyId: S3RVER, secretAccessKey: S3RVER } }
  clients: [{ name: bench, accessKeyId: BENCH, secretAccessKey: ${secret} }]
  buckets: [{ bucket: sealed, seal: alias/bench }]
postgres:
  listen: { port: ${ports.postgres} }
  upstream: { host: 127.0.0.1, port: ${backends.postgresPort}, tls: { mode: disable } }
  databases: [{ name: ${DATABASE}, service: { user: sealgate, password: ${secret} } }]
  columns: [{ column: ${DATABASE}.public.sealed_people.number, type: integer, key: alias/bench, mode: deterministic }]
observe: { log: { level: warn } }
`;
}

async function connect(port: number, user: string, password: string, database: string): Promise<pg.Client> {
  const client = new pg.Client({ host: '127.0.0.1', port, user, password, database });
  await client.connect();
  return client;
}

async function prepareDatabase(backends: Backends, secret: string): Promise<void> {
  const admin = await connect(backends.postgresPort, 'postgres', secret, 'postgres');
  await admin.query(`create role sealgate login superuser password '${secret}'`);
  await admin.query(`create role app login password '${secret}'`);
  await admin.query(`create database ${DATABASE}`);
  await admin.end();
  const owner = await connect(backends.postgresPort, 'sealgate', secret, DATABASE);
  // The table that `pgbench -S` reads, made without pgbench so that it exists before the first client.
  await owner.query(`create table pgbench_accounts (aid int primary key, bid int, abalance int, filler char(84))`);
  await owner.query(`insert into pgbench_accounts select g, 1, 0, '' from generate_series(1, ${ROWS}) g`);
  await owner.query(`create table pgbench_branches (bid int primary key, bbalance int, filler char(88))`);
  await owner.query(`insert into pgbench_branches values (1, 0, '')`);
  for (const table of ['plain_people', 'sealed_people'])
    await owner.query(`create table ${table} (id int primary key, number int, note text)`);
  await owner.query(`insert into plain_people select g, g, 'note ' || g from generate_series(1, ${ROWS}) g`);
  await owner.query('create index on plain_people (number)');
  await owner.query('grant select, insert on all tables in schema public to app');
  await owner.end();
}

async function fillSealed(port: number, secret: string): Promise<void> {
  const client = await connect(port, 'app', secret, DATABASE);
  const batch = 1000;
  for (let start = 1; start <= ROWS; start += batch) {
    const ids = Array.from({ length: batch }, (_, index) => start + index);
    await client.query(
      `insert into sealed_people (id, number, note) values ${ids.map((id) => `(${id}, ${id}, 'note ${id}')`).join(', ')}`,
    );
  }
  await client.end();
}

async function createBucket(port: number, accessKeyId: string, secretAccessKey: string, bucket: string): Promise<void> {
  const s3 = new S3Client({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  s3.destroy();
}

async function applyDdl(backends: Backends, folder: string, secret: string): Promise<void> {
  const ddl = await cli(['check', '--ddl'], folder);
  const owner = await connect(backends.postgresPort, 'sealgate', secret, DATABASE);
  await owner.query(ddl);
  await owner.query('create index on sealed_people (number)');
  await owner.query('analyze');
  await owner.end();
}

export async function createWorld(say: (line: string) => void): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'sealgate-bench-'));
  await chmod(folder, 0o755);
  const secret = randomBytes(12).toString('hex');
  say('starting PostgreSQL and the S3 server …');
  const backends = await startBackends(folder, secret);
  const ports = { s3: await freePort(), postgres: await freePort() };
  await prepareDatabase(backends, secret);
  await cli(['init'], folder);
  await writeFile(join(folder, 'sealgate.yaml'), config(backends, ports, secret));
  await cli(['keys', 'create', '--alias', 'bench'], folder);
  await applyDdl(backends, folder, secret);
  const sealgate = startCli(['up'], folder);
  await Promise.all([untilListening(ports.s3), untilListening(ports.postgres)]);
  say(`filling a sealed table with ${ROWS} rows …`);
  await fillSealed(ports.postgres, secret);
  for (const bucket of ['plain', 'sealed']) await createBucket(ports.s3, 'BENCH', secret, bucket);
  return {
    folder,
    secret,
    backends,
    sealgate: { s3Port: ports.s3, postgresPort: ports.postgres, pid: sealgate.pid ?? 0 },
    close: async () => {
      const exited = once(sealgate, 'exit');
      sealgate.kill('SIGTERM');
      await exited;
      await backends.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
