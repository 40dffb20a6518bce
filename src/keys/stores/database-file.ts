/** The store's file as SQLite: opening, its settings, and telling damage from absence and from a file that cannot be had. No keys here. */
import { closeSync, existsSync, openSync, rmSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { KeysError, type KeysErrorCode } from '../errors.ts';
import { errorName } from '../root/secret-file.ts';
import { APPLICATION_ID, latestVersion, runSteps, type SchemaStep } from './schema.ts';

/** WAL with FULL: a commit is on the disk when it returns (https://sqlite.org/pragma.html#pragma_synchronous). */
const SETTINGS = `
  PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA foreign_keys = ON;
  PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA secure_delete = ON;`;

/** Readers wait this long for the owner's commit. */
export const BUSY_TIMEOUT_MS = 5000;

/** Makes the database and has it filled, all or nothing. Errors: ERR_KEYS_STORE_EXISTS, ERR_KEYS_STORE_WRITE. */
export function createDatabase(
  path: string,
  steps: readonly SchemaStep[],
  fill: (database: DatabaseSync) => void,
): void {
  reserve(path);
  try {
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    try {
      database.exec(`PRAGMA application_id = ${APPLICATION_ID}; ${SETTINGS}`);
      database.exec('BEGIN IMMEDIATE');
      runSteps(database, 0, steps);
      fill(database);
      database.exec('COMMIT');
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } finally {
      database.close();
    }
  } catch (cause) {
    // It was made a moment ago, and nobody was told of it.
    removeDatabase(path);
    throw new KeysError('ERR_KEYS_STORE_WRITE', `${path} cannot be made: ${sqliteReason(cause)}`, { cause });
  }
}

/** SQLite gives its -wal and -shm files the mode of this one. */
function reserve(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (cause) {
    const reason = errorName(cause);
    if (reason === 'EEXIST') throw new KeysError('ERR_KEYS_STORE_EXISTS', `${path} exists already`, { cause });
    throw new KeysError('ERR_KEYS_STORE_WRITE', `${path} cannot be made: ${reason}`, { cause });
  }
}

/** Only for files of our own making that hold nothing acknowledged. */
export function removeDatabase(path: string): void {
  for (const name of [path, `${path}-wal`, `${path}-shm`]) rmSync(name, { force: true });
}

export type OpenMode = 'owner' | 'reader';

export function assertStoreExists(path: string): void {
  if (!existsSync(path)) throw new KeysError('ERR_KEYS_STORE_MISSING', `there is no key store at ${path}`);
}

/** As yet unchecked. Errors: ERR_KEYS_STORE_MISSING, ERR_KEYS_STORE_DAMAGED, ERR_KEYS_STORE_UNAVAILABLE, ERR_KEYS_STORE_VERSION. */
export function openDatabase(path: string, mode: OpenMode, steps: readonly SchemaStep[]): DatabaseSync {
  assertStoreExists(path);
  if (statSync(path).size === 0) throw new KeysError('ERR_KEYS_STORE_DAMAGED', `${path} is empty`);
  return guarded(path, () => {
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, readOnly: mode === 'reader' });
    try {
      if (mode === 'owner') database.exec(SETTINGS);
      checkVersion(path, database, steps);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
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

/** What SQLite says about the content while it is read is damage; what it says about the file or disk is not. */
export function guarded<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof KeysError) throw cause;
    throw new KeysError(readFailure(cause), `${path} cannot be read: ${sqliteReason(cause)}`, { cause });
  }
}

/** Primary result codes (https://sqlite.org/rescode.html): PERM, BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN, NOLFS, AUTH. */
const UNAVAILABLE: ReadonlySet<number> = new Set([3, 5, 6, 7, 8, 10, 13, 14, 22, 23]);

/** A store that may not be read is whole for all we know: nobody should restore a backup over it. */
function readFailure(cause: unknown): KeysErrorCode {
  const code = primaryCode(cause);
  return code !== undefined && UNAVAILABLE.has(code) ? 'ERR_KEYS_STORE_UNAVAILABLE' : 'ERR_KEYS_STORE_DAMAGED';
}

export function isBusy(cause: unknown): boolean {
  return primaryCode(cause) === 5;
}

function primaryCode(cause: unknown): number | undefined {
  return cause instanceof Error && 'errcode' in cause ? Number(cause.errcode) & 0xff : undefined;
}

/** SQLite's own words, which name no values of ours: only its error classes are passed on. */
export function sqliteReason(cause: unknown): string {
  if (cause instanceof Error && 'errstr' in cause) return String(cause.errstr);
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
}
