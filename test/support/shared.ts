/** Where vectors of others lie that the repository does not copy: `$SEALGATE_SHARED`, or `../shared` beside the checkout. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = process.env['SEALGATE_SHARED'] ?? join(import.meta.dirname, '../../../shared');

/** A parsed file of Wycheproof; undefined (and a visible line) where it is not there. */
export function wycheproof(file: string): { readonly testGroups: readonly WycheproofGroup[] } | undefined {
  const path = join(ROOT, 'vectors/wycheproof', file);
  // The file's own schema; the tests read only what they name.
  if (existsSync(path))
    return JSON.parse(readFileSync(path, 'utf8')) as { readonly testGroups: readonly WycheproofGroup[] };
  console.warn(`SKIPPED: no Wycheproof vectors at ${path} (set SEALGATE_SHARED)`);
  return undefined;
}

export type WycheproofGroup = {
  readonly ivSize?: number;
  readonly keySize: number;
  readonly tagSize?: number;
  readonly tests: readonly (Readonly<Record<string, string>> & { readonly tcId: number; readonly size: number })[];
};
