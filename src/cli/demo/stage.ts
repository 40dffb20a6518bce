/**
 * Sets the demo's stage: the stores, the key store, the database with its rules' DDL applied, and Sealgate in front, each step by
 * the very command a user would type.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { createKeyStore, openKeyManager } from '../../keys/key-manager.ts';
import { createKeyFile } from '../../keys/root/key-file.ts';
import { checkCommand } from '../check.ts';
import type { Command, CommandIo } from '../command.ts';
import { CliError } from '../errors.ts';
import { runCommandLine } from '../frame/run.ts';
import { keyManagerOptions, keyPorts } from '../options/keys.ts';
import { loadCommandConfig } from '../load.ts';
import type { Start } from '../start.ts';
import { upCommand } from '../up.ts';
import { createDatabase, createTable } from './load.ts';
import { freePort, startBackends, type Backends } from './servers.ts';
import type { Terminal } from './terminal.ts';

export type Ports = { readonly s3: number; readonly postgres: number; readonly observe: number };
export type Stage = {
  readonly ports: Ports;
  readonly secret: string;
  readonly backends: Backends;
  readonly ddl: string;
};

const CONFIG = join(import.meta.dirname, '..', '..', '..', 'config', 'demo.yaml');
/** Who creates the demo's keys, for the audit trail. */
const USE = { principal: 'arn:aws:iam::000000000000:user/demo', via: 'cli', resource: 'demo' } as const;
const READY_TIMEOUT_MS = 60_000;

/** A stream that keeps what a command prints. */
function sink(): Writable & { readonly text: () => string } {
  let text = '';
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString('utf8');
      done();
    },
  });
  return Object.assign(stream, { text: () => text });
}

/** Runs one of our own commands as the command line would, and gives its standard output. */
async function command(
  words: readonly string[],
  commands: readonly Command[],
  io: CommandIo,
  accepted: readonly number[] = [0],
): Promise<string> {
  const stdout = sink();
  const stderr = sink();
  const code = await runCommandLine([...words, '--config', CONFIG], commands, { ...io, stdout, stderr });
  if (!accepted.includes(code))
    throw new CliError('ERR_CLI_DEMO_UNAVAILABLE', `sealgate ${words.join(' ')}: ${stderr.text().trim()}`);
  return stdout.text();
}

function environment(
  io: CommandIo,
  folder: string,
  ports: Ports,
  secret: string,
  backends: Backends,
): CommandIo['env'] {
  return {
    ...io.env,
    SEALGATE_DEMO_FOLDER: folder,
    SEALGATE_DEMO_SECRET: secret,
    SEALGATE_DEMO_S3_PORT: String(ports.s3),
    SEALGATE_DEMO_POSTGRES_PORT: String(ports.postgres),
    SEALGATE_DEMO_OBSERVE_PORT: String(ports.observe),
    SEALGATE_DEMO_S3_UPSTREAM: `http://127.0.0.1:${backends.objectsPort}`,
    SEALGATE_DEMO_POSTGRES_UPSTREAM_PORT: String(backends.postgresPort),
  };
}

export async function connect(port: number, user: string, password: string, database: string): Promise<pg.Client> {
  const client = new pg.Client({ host: '127.0.0.1', port, user, password, database });
  await client.connect();
  // Dates as the text the server sends: a Date of the driver's own would depend on this machine's time zone.
  client.setTypeParser(pg.types.builtins.DATE, (text) => text);
  return client;
}

async function prepareKeys(io: CommandIo, folder: string): Promise<void> {
  createKeyFile(join(folder, 'root.key'), randomBytes);
  const { keys } = await loadCommandConfig(CONFIG, io, { only: 'keys' });
  await createKeyStore(keyManagerOptions(keys), keyPorts());
  const manager = await openKeyManager(keyManagerOptions(keys), keyPorts());
  try {
    for (const alias of ['alias/customers', 'alias/documents']) await manager.createKey({ alias }, USE);
  } finally {
    await manager.close();
  }
}

/** The table as its owner made it, then the DDL that `check` asks for. */
async function prepareDatabase(io: CommandIo, backends: Backends, secret: string): Promise<string> {
  const admin = await connect(backends.postgresPort, 'postgres', secret, 'postgres');
  await createDatabase(admin, secret);
  await admin.end();
  const owner = await connect(backends.postgresPort, 'postgres', secret, 'shop');
  try {
    await createTable(owner);
    const ddl = await command(['check', '--ddl'], [checkCommand], io, [0, 1]);
    // `\\connect` is psql's: we are connected already.
    await owner.query(ddl.replaceAll(/^\\.*$/gmu, ''));
    return ddl;
  } finally {
    await owner.end();
  }
}

async function pollReady(port: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal }).catch(() => undefined);
    if (answer?.status === 200) return;
    await sleep(100, undefined, { signal });
  }
}

/** Whoever has the port may be somebody else, who never answers: only `up` itself says that it is over. */
async function untilReady(port: number, up: Promise<number>): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, AbortSignal.timeout(READY_TIMEOUT_MS)]);
  try {
    const code = await Promise.race([up, pollReady(port, signal)]);
    if (code !== undefined)
      throw new CliError('ERR_CLI_DEMO_UNAVAILABLE', `sealgate up ended with ${code}; it said why above`);
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    const text = `sealgate up did not become ready in ${READY_TIMEOUT_MS / 1000} seconds`;
    throw new CliError('ERR_CLI_DEMO_UNAVAILABLE', text, { cause });
  } finally {
    over.abort();
  }
}

/** Ports that were asked for are taken as they are: if one is taken, `up` says so. */
export type WantedPorts = { readonly [Name in keyof Ports]: number | undefined };

export type StageOptions = {
  readonly wanted: WantedPorts;
  readonly start: Start;
  readonly io: CommandIo;
  readonly terminal: Terminal;
};

/** Sets the stage, lets `play` run, and clears everything away, whatever happened. */
export async function withStage<Result>(
  { wanted, start, io, terminal }: StageOptions,
  play: (stage: Stage) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'sealgate-demo-'));
  const secret = randomBytes(16).toString('hex');
  const stop = new AbortController();
  let backends: Backends | undefined;
  let up: Promise<number> | undefined;
  try {
    backends = await terminal.step('starting PostgreSQL 18 and an S3 server', () => startBackends(folder, secret));
    const ports = {
      s3: wanted.s3 ?? (await freePort()),
      postgres: wanted.postgres ?? (await freePort()),
      observe: wanted.observe ?? (await freePort()),
    };
    const own: CommandIo = { ...io, env: environment(io, folder, ports, secret, backends), signal: stop.signal };
    const stores = backends;
    await terminal.step('creating a key store and two KMS keys', () => prepareKeys(own, folder));
    const ddl = await terminal.step('creating a database; applying the DDL of `sealgate check --ddl`', () =>
      prepareDatabase(own, stores, secret),
    );
    // Only what goes wrong is of interest here: the demo tells the rest itself.
    up = runCommandLine(['up', '--config', CONFIG], [upCommand(start)], { ...own, stdout: sink() });
    const running = up;
    await terminal.step('starting Sealgate in front of both (`sealgate up`)', () => untilReady(ports.observe, running));
    return await play({ ports, secret, backends: stores, ddl });
  } finally {
    stop.abort();
    await up;
    await backends?.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
