/**
 * One owner per store: an operating-system lock, held through SQLite on a file beside the store. It vanishes with its process,
 * however that ends; the store itself stays readable for `backup` and other readers.
 */
import { DatabaseSync } from 'node:sqlite';
import { KeysError } from '../errors.ts';

export interface OwnerLock {
  release(): void;
}

/** Errors: ERR_KEYS_STORE_IN_USE. */
export function takeOwnerLock(storePath: string): OwnerLock {
  const path = `${storePath}.lock`;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (cause) {
    database?.close();
    throw new KeysError('ERR_KEYS_STORE_IN_USE', `another process owns ${storePath} (lock ${path})`, { cause });
  }
  const held = database;
  return { release: () => held.close() };
}
