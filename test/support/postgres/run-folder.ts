/**
 * A `globalSetup` of vitest: the folder that a run's PostgreSQL servers have their files in. What a suite left running, because it failed before
 * it came to stop it, is ended with the run, and its files go.
 */
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The folder, for the processes that the tests run in. */
const VARIABLE = 'SEALGATE_TEST_POSTGRES_FOLDER';

/** vitest's patience with a teardown is ten seconds. */
const MAX_TRIES = 250;
const TRY_MS = 20;

export async function setup(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'sealgate-run-'));
  // Whoever the servers run as passes through.
  await chmod(folder, 0o711);
  process.env[VARIABLE] = folder;
  return async () => {
    await Promise.all((await readdir(folder)).map((name) => endServer(join(folder, name, 'postgres'))));
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  };
}

/** Undefined outside of vitest. */
export const runFolder = (): string | undefined => process.env[VARIABLE];

/** One that runs has a file with its process id, which it takes away when it ends: at once, since nothing of it is kept. */
async function endServer(dataFolder: string): Promise<void> {
  const read = (): Promise<string> => readFile(join(dataFolder, 'postmaster.pid'), 'utf8').catch(() => '');
  const text = await read();
  if (text === '') return;
  try {
    process.kill(Number.parseInt(text, 10), 'SIGQUIT');
  } catch {
    return; // It was killed, and could not.
  }
  for (let tries = 0; tries < MAX_TRIES && (await read()) !== ''; tries += 1) await sleep(TRY_MS);
}
