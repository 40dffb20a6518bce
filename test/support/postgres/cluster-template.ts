/**
 * Clusters that are copied instead of made: `initdb` takes ten times what a copy of its files does, and most suites want one. Whoever needs a
 * release first makes its cluster, which is never started, in the run's folder. The copies are alike in all that `initdb` chooses: the system
 * identifier, the superuser's salt. Outside of vitest `initdb` makes every cluster.
 */
import { createHash } from 'node:crypto';
import { chmod, cp, lchown, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { PostgresServerOptions } from '../../../src/cli/demo/postgres-server.ts';
import { runFolder } from './run-folder.ts';

type MakeData = NonNullable<PostgresServerOptions['makeData']>;

/** `binaries`: where the release's programs lie, where they are not the newest's. Always the same password. */
export function copiedCluster(binaries = 'newest'): MakeData {
  const folder = runFolder();
  if (folder === undefined) return (dataFolder, initialise) => initialise(dataFolder);
  const template = join(folder, createHash('sha256').update(binaries).digest('hex').slice(0, 16));
  return async (dataFolder, initialise) => {
    if (!(await exists(template))) await make(template, initialise);
    await cp(template, dataFolder, { recursive: true });
    const [{ uid, gid }, copied] = [await stat(template), await stat(dataFolder)];
    if (uid === copied.uid) return;
    const names = await readdir(dataFolder, { recursive: true });
    for (const path of [dataFolder, ...names.map((name) => join(dataFolder, name))]) await lchown(path, uid, gid);
  };
}

/** Whole or not there at all, whoever else makes the same meanwhile. */
async function make(template: string, initialise: (dataFolder: string) => Promise<void>): Promise<void> {
  const scratch = await mkdtemp(`${template}.`);
  try {
    await chmod(scratch, 0o711);
    const made = join(scratch, 'data');
    await initialise(made);
    await rename(made, template).catch(async (error: unknown) => {
      if (!(await exists(template))) throw error;
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
