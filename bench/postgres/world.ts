/** What the Postgres lane runs on: a real PostgreSQL, Sealgate as its users start it, and PgBouncer where it is installed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort, startBackends } from '../../src/cli/demo/servers.ts';
import { startPgBouncer, untilListening } from '../programs.ts';
import { workers } from '../workers.ts';

export const ROWS = 100_000;
export const DATABASE = 'bench';
/** Who pgbench logs in as. */
export const USER = 'app';

type Proxy = { readonly port: number; readonly pid: number };

export type PostgresWorld = {
  readonly folder: string;
  readonly password: string;
  readonly postgresPort: number;
  readonly pgbouncer: Proxy | undefined;
  readonly sealgate: Proxy;
  readonly close: () => Promise<void>;
};

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

export function startCli(words: readonly string[], cwd: string, execArgv: readonly string[] = []): ChildProcess {
  return spawn(process.execPath, [...execArgv, MAIN, ...words], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Runs a command to its end; its standard output. `codes`: exit codes that mean it did its work. */
export async function cli(words: readonly string[], cwd: string, codes: readonly number[] = [0]): Promise<string> {
  const child = startCli(words, cwd);
  let text = '';
  let complaint = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
  child.stderr?.on('data', (chunk: Buffer) => (complaint += chunk.toString('utf8')));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === null || !codes.includes(code)) throw new Error(`sealgate ${words.join(' ')} failed: ${complaint}`);
  return text;
}

function config(port: number, postgresPort: number, secret: string): string {
  return `version: 1
workers: ${workers()}
keys: { store: ./sealgate-keys.sqlite, unseal: [{ type: keyFile, path: ./root.key }] }
postgres:
  listen: { port: ${port} }
  upstream: { host: 127.0.0.1, port: ${postgresPort}, tls: { mode: disable } }
  databases: [{ name: ${DATABASE}, service: { user: sealgate, password: ${secret} } }]
  columns:
    - { column: ${DATABASE}.public.sealed_people.number, type: integer, key: alias/bench, mode: deterministic }
    - { column: ${DATABASE}.public.sealed_load.mail, type: text, key: alias/bench }
    - { column: ${DATABASE}.public.sealed_three.name, type: text, key: alias/bench }
    - { column: ${DATABASE}.public.sealed_three.mail, type: text, key: alias/bench, mode: deterministic }
    - { column: ${DATABASE}.public.sealed_three.born, type: date, key: alias/bench }
observe: { log: { level: warn } }
`;
}

async function withClient(
  { port, user, password, database }: { port: number; user: string; password: string; database: string },
  work: (client: pg.Client) => Promise<void>,
): Promise<void> {
  const client = new pg.Client({ host: '127.0.0.1', port, user, password, database });
  await client.connect();
  await work(client);
  await client.end();
}

/** The table that `pgbench -S` reads, made without pgbench so that it exists before the first client; and two alike, one to be sealed. */
const TABLES = [
  'create table pgbench_accounts (aid int primary key, bid int, abalance int, filler char(84))',
  `insert into pgbench_accounts select g, 1, 0, '' from generate_series(1, ${ROWS}) g`,
  'create table pgbench_branches (bid int primary key, bbalance int, filler char(88))',
  `insert into pgbench_branches values (1, 0, '')`,
  'create table plain_people (id int primary key, number int, note text)',
  'create table sealed_people (id int primary key, number int, note text)',
  `insert into plain_people select g, g, 'note ' || g from generate_series(1, ${ROWS}) g`,
  'create table plain_load (id int, mail text, note text)',
  'create table sealed_load (id int, mail text, note text)',
  'create table plain_three (id int, name text, mail text, born date)',
  'create table sealed_three (id int, name text, mail text, born date)',
  `grant truncate on plain_load, sealed_load to ${USER}`,
  `grant select, insert on all tables in schema public to ${USER}`,
];

export async function prepareDatabase(port: number, password: string): Promise<void> {
  await withClient({ port, user: 'postgres', password, database: 'postgres' }, async (admin) => {
    await admin.query(`create role sealgate login superuser password '${password}'`);
    await admin.query(`create role ${USER} login password '${password}'`);
    // The disk is not what is measured: a commit does not wait for it.
    await admin.query(`alter role ${USER} set synchronous_commit = off`);
    await admin.query(`create database ${DATABASE}`);
  });
  await withClient({ port, user: 'sealgate', password, database: DATABASE }, async (owner) => {
    for (const statement of TABLES) await owner.query(statement);
  });
}

/** Through Sealgate, in many statements as an application would. */
async function fillSealed(port: number, password: string): Promise<void> {
  const batch = 1000;
  await withClient({ port, user: USER, password, database: DATABASE }, async (client) => {
    for (let start = 1; start <= ROWS; start += batch) {
      const rows = Array.from({ length: batch }, (_, index) => start + index);
      await client.query(`insert into sealed_people values ${rows.map((g) => `(${g}, ${g}, 'note ${g}')`).join(', ')}`);
    }
  });
}

/** Indexes alike, and nothing left for the server to tidy up while it is measured. */
async function settleTables(port: number, password: string): Promise<void> {
  await withClient({ port, user: 'sealgate', password, database: DATABASE }, async (owner) => {
    for (const table of ['plain_people', 'sealed_people']) await owner.query(`create index on ${table} (number)`);
    await owner.query('vacuum (freeze, analyze)');
    await owner.query('checkpoint');
  });
}

/** SEALGATE_BENCH_NODE_OPTIONS: for Sealgate alone, e.g. `--cpu-prof --cpu-prof-dir=/tmp/profiles`. */
const profiling = (): readonly string[] =>
  (process.env['SEALGATE_BENCH_NODE_OPTIONS'] ?? '').split(' ').filter(Boolean);

/** What Sealgate asks for; psql's own commands in it are for people. */
export async function applyDdl(folder: string, port: number, password: string): Promise<void> {
  // It ends with 1 where something is missing, which is what the DDL mends.
  const ddl = await cli(['check', '--ddl'], folder, [0, 1]);
  await withClient({ port, user: 'sealgate', password, database: DATABASE }, async (owner) => {
    await owner.query(ddl.replaceAll(/^\\.*$/gm, ''));
  });
}

type StartedSealgate = Proxy & { readonly stop: () => Promise<void> };

async function startSealgate(folder: string, postgresPort: number, password: string): Promise<StartedSealgate> {
  const port = await freePort();
  await cli(['init'], folder);
  await writeFile(join(folder, 'sealgate.yaml'), config(port, postgresPort, password));
  await cli(['keys', 'create', '--alias', 'bench'], folder);
  await applyDdl(folder, postgresPort, password);
  const child = startCli(['up'], folder, profiling());
  child.stdout?.resume();
  child.stderr?.pipe(process.stderr);
  await untilListening(port);
  const stop = async (): Promise<void> => {
    const exited = once(child, 'exit');
    if (child.exitCode === null && child.kill('SIGTERM')) await exited;
  };
  return { port, pid: child.pid ?? 0, stop };
}

/** The clients of the lane's largest case through each of three ways, and some that look after the tables. */
const MAX_CONNECTIONS = 350;

export async function createPostgresWorld(say: (line: string) => void): Promise<PostgresWorld> {
  await using started = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'sealgate-bench-'));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  const password = randomBytes(12).toString('hex');
  say('starting PostgreSQL and Sealgate …');
  const backends = await startBackends(folder, password, MAX_CONNECTIONS);
  started.defer(() => backends.stop());
  const { postgresPort } = backends;
  await prepareDatabase(postgresPort, password);
  const sealgate = await startSealgate(folder, postgresPort, password);
  started.defer(() => sealgate.stop());
  say(`filling a sealed table with ${ROWS} rows …`);
  await fillSealed(sealgate.port, password);
  await settleTables(postgresPort, password);
  const pgbouncer = await startPgBouncer(folder, postgresPort, { user: USER, password });
  if (pgbouncer !== undefined) started.defer(() => pgbouncer.stop());
  const owned = started.move();
  return { folder, password, postgresPort, pgbouncer, sealgate, close: () => owned.disposeAsync() };
}
