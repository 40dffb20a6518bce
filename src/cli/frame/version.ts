/** The version of the package. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const PACKAGE = z.object({ version: z.string() });

export async function readVersion(): Promise<string> {
  // The same distance from `src/cli/frame` and from `dist/cli/frame`.
  const text = await readFile(new URL('../../../package.json', import.meta.url), 'utf8');
  return PACKAGE.parse(JSON.parse(text)).version;
}
