/** Makes a backup of an open store while it goes on serving. */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { KeysError } from '../errors.ts';
import type { BackupRequest, BackupSummary } from '../key-admin.ts';
import { MAX_BACKUP_BYTES } from '../limits.ts';
import type { KeyPorts, UnsealSecret } from '../options.ts';
import { errorName } from '../root/secret-file.ts';
import { sqliteReason } from '../stores/database-file.ts';
import { syncFolder, writeAll } from '../stores/durable-file.ts';
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
  const copy = `${path}.store`;
  try {
    const database = copyDatabase(store, copy);
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
    writeDurably(path, file);
    return { path, bytes: file.length, epoch: facts.epoch, keys: facts.keys, materials: facts.materials };
  } finally {
    for (const name of [copy, `${copy}-wal`, `${copy}-shm`]) rmSync(name, { force: true });
  }
}

function secretsOf(request: BackupRequest): readonly UnsealSecret[] {
  const secrets: UnsealSecret[] = [];
  if (request.passphraseFile !== undefined) secrets.push({ type: 'passphrase-file', path: request.passphraseFile });
  if (request.keyFile !== undefined) secrets.push({ type: 'key-file', path: request.keyFile });
  return secrets;
}

function copyDatabase(store: UnsealedStore, path: string): Uint8Array {
  try {
    // VACUUM INTO fills an existing empty file, and keeps its mode.
    closeSync(openSync(path, 'wx', 0o600));
    store.database.copyTo(path);
    if (statSync(path).size > MAX_BACKUP_BYTES)
      throw new KeysError('ERR_KEYS_BACKUP_WRITE', `the store is larger than ${MAX_BACKUP_BYTES} bytes`);
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof KeysError) throw cause;
    throw new KeysError('ERR_KEYS_BACKUP_WRITE', `${path} cannot be written: ${sqliteReason(cause)}`, { cause });
  }
}

function writeDurably(path: string, bytes: Uint8Array): void {
  const temporary = `${path}.new`;
  try {
    const file = openSync(temporary, 'wx', 0o600);
    try {
      writeAll(file, bytes);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw new KeysError('ERR_KEYS_BACKUP_WRITE', `${path} cannot be written: ${errorName(cause)}`, { cause });
  }
}
