/** The store's file as SQLite: opening, its settings, and telling damage from absence. No keys here. */
import { closeSync, existsSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { KeysError } from '../errors.ts';
import { APPLICATION_ID, latestVersion, runSteps, type SchemaStep } from './schema.ts';

/** WAL with FULL: a commit is on the disk when it returns (https://sqlite.org/pragma.html#pragma_synchronous). */
const SETTINGS = `
  PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA foreign_keys = ON;
  PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA secure_delete = ON;`;

/** Readers wait this long for the owner's commit. */
const BUSY_TIMEOUT_MS = 5000;

/** Makes the empty database; the file must not exist. */
export function createDatabase(path: string, steps: readonly SchemaStep[]): DatabaseSync {
  if (existsSync(path)) throw new KeysError('ERR_KEYS_STORE_EXISTS', `${path} exists already`);
  try {
    // SQLite gives its -wal and -shm files the mode of this one.
    closeSync(openSync(path, 'wx', 0o600));
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; ${SETTINGS}`);
    database.exec('BEGIN IMMEDIATE');
    runSteps(database, 0, steps);
    database.exec('COMMIT');
    return database;
  } catch (cause) {
    throw new KeysError('ERR_KEYS_STORE_WRITE', `${path} cannot be made: ${sqliteReason(cause)}`, { cause });
  }
}

export type OpenMode = 'owner' | 'reader';

/** Errors: ERR_KEYS_STORE_MISSING, ERR_KEYS_STORE_DAMAGED, ERR_KEYS_STORE_VERSION. */
export function openDatabase(path: string, mode: OpenMode, steps: readonly SchemaStep[]): DatabaseSync {
  if (!existsSync(path)) throw new KeysError('ERR_KEYS_STORE_MISSING', `there is no key store at ${path}`);
  return guarded(path, () => {
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, readOnly: mode === 'reader' });
    try {
      if (mode === 'owner') database.exec(SETTINGS);
      checkIntegrity(path, database);
      checkVersion(path, database, steps);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

function checkIntegrity(path: string, database: DatabaseSync): void {
  const found = database.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'];
  if (found !== 'ok')
    throw new KeysError('ERR_KEYS_STORE_DAMAGED', `${path} fails SQLite's integrity check: ${String(found)}`);
}

function checkVersion(path: string, database: DatabaseSync, steps: readonly SchemaStep[]): void {
  const version = userVersion(database);
  const applicationId = database.prepare('PRAGMA application_id').get()?.['application_id'];
  if (applicationId !== APPLICATION_ID || version < 1 || version > latestVersion(steps)) {
    throw new KeysError(
      'ERR_KEYS_STORE_VERSION',
      `${path} has schema version ${version}; this release knows 1 to ${latestVersion(steps)}`,
    );
  }
}

export function userVersion(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
}

/** Whatever SQLite says about the content while it is read is damage. */
export function guarded<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof KeysError) throw cause;
    throw new KeysError('ERR_KEYS_STORE_DAMAGED', `${path} cannot be read: ${sqliteReason(cause)}`, { cause });
  }
}

/** SQLite's own words, which name no values of ours: only its error classes are passed on. */
export function sqliteReason(cause: unknown): string {
  if (cause instanceof Error && 'errstr' in cause) return String(cause.errstr);
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
}
