/** Makes a backup of an open store while it goes on serving. */
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { KeysError } from '../errors.ts';
import type { BackupRequest, BackupSummary } from '../admin/key-admin.ts';
import { MAX_BACKUP_BYTES } from '../limits.ts';
import type { KeyPorts, UnsealSecret } from '../options.ts';
import { errorName } from '../root/secret-file.ts';
import { sqliteReason } from '../stores/database-file.ts';
import { syncFolder, writeNewFile } from '../stores/durable-file.ts';
import type { UnsealedStore } from '../stores/open-store.ts';
import { sealBackup, type BackupFacts } from './backup-file.ts';
import { inspectDatabase, rootSourceOf } from './inspect.ts';

/** Durable, and verified from its own bytes, when it resolves; ERR_KEYS_BACKUP_WRITE. */
export async function writeBackup(
  store: UnsealedStore,
  request: BackupRequest,
  ports: KeyPorts,
): Promise<BackupSummary> {
  const { path } = request;
  if (existsSync(path)) throw new KeysError('ERR_KEYS_BACKUP_WRITE', `${path} exists already`);
  const folder = privateFolder(path);
  try {
    const copy = join(folder, 'store');
    const database = copyDatabase(store, copy, path);
    // The copy is opened as a reader would: what is sealed has been read, authenticated and tried, canary by canary.
    const inspected = await inspectDatabase(copy, rootSourceOf(store.root));
    const facts: BackupFacts = {
      storeId: Buffer.from(store.storeId).toString('hex'),
      createdAt: new Date(ports.now()).toISOString(),
      epoch: inspected.epoch,
      keys: inspected.keys,
      materials: inspected.materials,
    };
    const file = await sealBackup(
      { facts, root: store.root, rootSlots: inspected.slots, database },
      secretsOf(request),
      ports.random,
    );
    writeDurably(join(folder, 'backup'), path, file);
    return { path, bytes: file.length, epoch: facts.epoch, keys: facts.keys, materials: facts.materials };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Beside the backup, under a name that nobody else has: what is removed at the end is our own. */
function privateFolder(path: string): string {
  try {
    return mkdtempSync(`${path}.`);
  } catch (cause) {
    throw notWritten(path, errorName(cause), cause);
  }
}

function secretsOf(request: BackupRequest): readonly UnsealSecret[] {
  const secrets: UnsealSecret[] = [];
  if (request.passphraseFile !== undefined) secrets.push({ type: 'passphrase-file', path: request.passphraseFile });
  if (request.keyFile !== undefined) secrets.push({ type: 'key-file', path: request.keyFile });
  return secrets;
}

function copyDatabase(store: UnsealedStore, copy: string, path: string): Uint8Array {
  try {
    // VACUUM INTO fills an existing empty file, and keeps its mode.
    closeSync(openSync(copy, 'wx', 0o600));
    store.database.copyTo(copy);
    if (statSync(copy).size > MAX_BACKUP_BYTES)
      throw new KeysError('ERR_KEYS_BACKUP_WRITE', `the store is larger than ${MAX_BACKUP_BYTES} bytes`);
    return readFileSync(copy);
  } catch (cause) {
    if (cause instanceof KeysError) throw cause;
    throw notWritten(path, sqliteReason(cause), cause);
  }
}

/** Under its name only once it is whole, and never over another file. */
function writeDurably(temporary: string, path: string, bytes: Uint8Array): void {
  try {
    writeNewFile(temporary, bytes);
    if (existsSync(path)) throw new KeysError('ERR_KEYS_BACKUP_WRITE', `${path} exists already`);
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (cause) {
    if (cause instanceof KeysError) throw cause;
    throw notWritten(path, errorName(cause), cause);
  }
}

function notWritten(path: string, reason: string, cause: unknown): KeysError {
  return new KeysError('ERR_KEYS_BACKUP_WRITE', `${path} cannot be written: ${reason}`, { cause });
}
