/**
 * Clients in other languages, made once by their own tools from their own registries: they stay in the user's cache folder
 * for later runs and other checkouts. Where a tool is missing or a registry does not answer, there is a reason instead.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { missing } from './programs.ts';
import { start } from './run.ts';

type Step = { readonly words: readonly [string, ...string[]]; readonly env?: NodeJS.ProcessEnv };

export type Recipe = {
  readonly name: string;
  /** Programs that have to be on the PATH. */
  readonly needs: readonly string[];
  /** A folder whose files are copied into the client's first. */
  readonly source?: string;
  /** Run in order, in the client's folder. Other steps, or another source, make another client. */
  readonly steps: readonly Step[];
};

export type BuiltClient =
  { readonly type: 'built'; readonly folder: string } | { readonly type: 'none'; readonly reason: string };

const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'sealgate-test-clients');

/** A registry that has not answered by then is not waited for. */
const BUILD_TIMEOUT_MS = 900_000;
/** For the hook that builds clients. */
export const CLIENT_BUILD_TIMEOUT_MS = BUILD_TIMEOUT_MS + 60_000;

/** The client's folder: whole or not there at all, whoever else makes the same meanwhile. */
export async function buildClient(recipe: Recipe): Promise<BuiltClient> {
  const folder = join(CACHE, `${recipe.name}-${digestOf(recipe)}`);
  if (existsSync(folder)) return { type: 'built', folder };
  const absent = missing(...recipe.needs);
  if (absent !== undefined) return { type: 'none', reason: `${recipe.name}: ${absent}` };
  await mkdir(dirname(folder), { recursive: true });
  const scratch = await mkdtemp(`${folder}.`);
  try {
    const failure = await build(recipe, scratch);
    if (failure !== undefined) return { type: 'none', reason: `${recipe.name}: ${failure}` };
    await rename(scratch, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
    return { type: 'built', folder };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function digestOf({ source, steps }: Recipe): string {
  const hash = createHash('sha256').update(JSON.stringify([process.platform, process.arch, steps]));
  for (const file of source === undefined ? [] : filesOf(source)) hash.update(`\0${file}\0`).update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}

const filesOf = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

async function build({ source, steps }: Recipe, folder: string): Promise<string | undefined> {
  if (source !== undefined) await cp(source, folder, { recursive: true });
  const signal = AbortSignal.timeout(BUILD_TIMEOUT_MS);
  for (const { words, env } of steps) {
    const [program, ...rest] = words;
    const running = start(program, rest, { cwd: folder, env: { ...process.env, ...env }, signal });
    running.child.on('error', () => undefined); // Aborted: its code says so.
    const { code, stdout, stderr } = await running.done;
    if (code !== 0) return `${words.join(' ')}: ${(stderr || stdout).trim().slice(-300) || 'timed out'}`;
  }
  return undefined;
}
