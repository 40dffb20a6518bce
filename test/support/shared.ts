/** Where vectors of others lie that the repository does not copy: `$SEALGATE_SHARED`, or `../shared` beside the checkout. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = process.env['SEALGATE_SHARED'] ?? join(import.meta.dirname, '../../../shared');

/** The test groups of a file of Wycheproof; where it is not there, the test is skipped. */
export function wycheproof(file: string, skip: (reason: string) => never): readonly WycheproofGroup[] {
  const path = join(ROOT, 'vectors/wycheproof', file);
  if (!existsSync(path)) skip(`no Wycheproof vectors at ${path} (SEALGATE_SHARED names their folder)`);
  // The file's own schema; the tests read only what they name.
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly testGroups: readonly WycheproofGroup[] }).testGroups;
}

export type WycheproofGroup = {
  readonly ivSize?: number;
  readonly keySize: number;
  readonly tagSize?: number;
  readonly tests: readonly (Readonly<Record<string, string>> & { readonly tcId: number; readonly size: number })[];
};
