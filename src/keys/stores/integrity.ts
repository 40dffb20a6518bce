/** SQLite's own check of a store's file. What rows say is authenticated elsewhere: this finds pages that are not what SQLite wrote. */
import type { DatabaseSync } from 'node:sqlite';
import { KeysError } from '../errors.ts';

/**
 * `quick`: the file's structure, in a tenth of the time: that indexes say what tables hold is not looked at. What is read by an index
 * is authenticated, as is that nothing is missing (a sum over all rows, a digest over each bucket of grants). ERR_KEYS_STORE_DAMAGED.
 */
export function checkIntegrity(path: string, database: DatabaseSync, how: 'quick' | 'whole'): void {
  const pragma = how === 'quick' ? 'quick_check' : 'integrity_check';
  const found = database.prepare(`PRAGMA ${pragma}(1)`).get()?.[pragma];
  if (found !== 'ok')
    throw new KeysError('ERR_KEYS_STORE_DAMAGED', `${path} fails SQLite's integrity check: ${String(found)}`);
}
