/**
 * One owner per store: an operating-system lock, held through SQLite on a file beside the store. It vanishes with its process,
 * however that ends; the store itself stays readable for `backup` and other readers.
 */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { KeysError } from '../errors.ts';
import { errorName } from '../root/secret-file.ts';
import { isBusy, sqliteReason } from './database-file.ts';

export interface OwnerLock {
  release(): void;
}

/** Errors: ERR_KEYS_STORE_IN_USE, ERR_KEYS_STORE_UNAVAILABLE. */
export function takeOwnerLock(storePath: string): OwnerLock {
  const path = `${storePath}.lock`;
  let database: DatabaseSync | undefined;
  try {
    makeLockFile(path);
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (cause) {
    database?.close();
    if (isBusy(cause))
      throw new KeysError('ERR_KEYS_STORE_IN_USE', `another process owns ${storePath} (lock ${path})`, { cause });
    const reason = cause instanceof Error && 'errcode' in cause ? sqliteReason(cause) : errorName(cause);
    throw new KeysError('ERR_KEYS_STORE_UNAVAILABLE', `${path} cannot be locked: ${reason}`, { cause });
  }
  const held = database;
  return { release: () => held.close() };
}

/** For its owner alone: whoever may read the file could hold a lock on it and keep the store from starting. */
function makeLockFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (errorName(error) !== 'EEXIST') throw error;
  }
}
