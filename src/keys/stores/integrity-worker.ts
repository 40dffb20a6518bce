/** The thread of `integrity-check.ts`: checks one file by a connection of its own, says what it found, and ends. */
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { KeysError } from '../errors.ts';
import { BUSY_TIMEOUT_MS, guarded } from './database-file.ts';
import { checkIntegrity } from './integrity.ts';
import type { CheckResult } from './integrity-check.ts';

function check(path: string): CheckResult {
  try {
    guarded(path, () => {
      using database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, readOnly: true });
      checkIntegrity(path, database, 'quick');
    });
    return { type: 'sound' };
  } catch (error) {
    // Anything else ends the thread, and whoever waits for it checks for himself.
    if (error instanceof KeysError) return { type: 'refused', code: error.code, message: error.message };
    throw error;
  }
}

// As `integrity-check.ts` starts it.
parentPort?.postMessage(check(workerData as string));
