/** Verifies backups, and makes a store from one where there is none. */
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tmpdir } from 'node:os';
import { takeKey, type RootKey } from '../../crypto/key-types.ts';
import { assertSelfTests } from '../../crypto/self-test.ts';
import { KeysError } from '../errors.ts';
import { MAX_BACKUP_BYTES } from '../limits.ts';
import type { KeyPorts, KeyStoreOptions, UnsealSecret } from '../options.ts';
import { slotRow } from '../records.ts';
import { createKeyFile } from '../root/key-file.ts';
import { makeSlot, openSlots, type Slot, type SlotPurpose } from '../root/slots.ts';
import { errorName } from '../root/secret-file.ts';
import { syncFolder, writeNewFile } from '../stores/durable-file.ts';
import type { RowChange } from '../stores/key-database.ts';
import { unsealStore } from '../stores/open-store.ts';
import { takeOwnerLock } from '../stores/owner-lock.ts';
import { openBackup, type BackupContent, type BackupFacts } from './backup-file.ts';
import { inspectDatabase, rootSourceOf, type Inspection } from './inspect.ts';

/** Opens a backup whole, in a private folder: every record, every material, every canary. Errors: as opening a store or backup. */
export async function verifyBackup(path: string, secrets: readonly UnsealSecret[]): Promise<BackupFacts> {
  const content = await readBackup(path, secrets);
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-verify-'));
  try {
    const copy = join(folder, 'store');
    writeCopy(copy, content.database);
    const inspected = await inspectDatabase(copy, rootSourceOf(takeKey('RootKey', content.root)));
    assertAsStated(content.facts, inspected);
    return content.facts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function assertAsStated(facts: BackupFacts, found: Inspection): void {
  if (facts.epoch === found.epoch && facts.keys === found.keys && facts.materials === found.materials) return;
  throw new KeysError('ERR_KEYS_BACKUP_INVALID', 'the backup does not hold what its header states');
}

async function readBackup(path: string, secrets: readonly UnsealSecret[]): Promise<BackupContent> {
  // A machine that computes wrong would find every backup damaged.
  assertSelfTests();
  let file: Uint8Array;
  try {
    if (statSync(path).size > MAX_BACKUP_BYTES * 2)
      throw new KeysError('ERR_KEYS_BACKUP_INVALID', `${path} is too large for a backup`);
    file = readFileSync(path);
  } catch (cause) {
    if (cause instanceof KeysError) throw cause;
    throw new KeysError('ERR_KEYS_BACKUP_INVALID', `${path} cannot be read: ${errorName(cause)}`, { cause });
  }
  return openBackup(file, secrets);
}

export type RestoreRequest = {
  readonly backupPath: string;
  /** Secrets that open the backup, tried after `store.unseal`. */
  readonly secrets: readonly UnsealSecret[];
  readonly store: KeyStoreOptions;
};

export type RestoreSummary = BackupFacts & {
  /** Key files that `store.unseal` names and that did not exist. */
  readonly madeKeyFiles: readonly string[];
};

/**
 * Writes the store; refuses where one exists (ERR_KEYS_STORE_EXISTS). Key files that are missing are made, and where none of
 * `store.unseal` opens the restored slots, a slot is added for each of them. The epoch file is left alone: opening an older copy
 * is refused until it is accepted.
 */
export async function restoreBackup(request: RestoreRequest, ports: KeyPorts): Promise<RestoreSummary> {
  const { storePath } = request.store;
  const lock = takeOwnerLock(storePath);
  try {
    for (const path of [storePath, `${storePath}-wal`]) {
      if (existsSync(path)) throw new KeysError('ERR_KEYS_STORE_EXISTS', `${path} exists already`);
    }
    const content = await readBackup(request.backupPath, [...request.store.unseal, ...request.secrets]);
    return await writeStore(content, request.store, ports);
  } finally {
    lock.release();
  }
}

async function writeStore(content: BackupContent, store: KeyStoreOptions, ports: KeyPorts): Promise<RestoreSummary> {
  const { storePath } = store;
  const { facts, database } = content;
  const rootBytes = new Uint8Array(content.root);
  const root = takeKey('RootKey', content.root);
  // Aside until it is whole: a crash leaves no half store that looks like one.
  const folder = privateFolder(storePath);
  try {
    const unfinished = join(folder, 'store');
    writeCopy(unfinished, database);
    assertAsStated(facts, await inspectDatabase(unfinished, rootSourceOf(root)));
    const madeKeyFiles = makeMissingKeyFiles(store.unseal, ports);
    await addMissingSlots(unfinished, store, root, rootBytes, ports);
    renameSync(unfinished, storePath);
    syncFolder(dirname(storePath));
    return { ...facts, madeKeyFiles };
  } finally {
    rootBytes.fill(0);
    rmSync(folder, { recursive: true, force: true });
  }
}

function privateFolder(storePath: string): string {
  try {
    return mkdtempSync(`${storePath}.`);
  } catch (cause) {
    throw new KeysError('ERR_KEYS_STORE_WRITE', `${storePath} cannot be written: ${errorName(cause)}`, { cause });
  }
}

/** On a new machine the config names a key file that nobody has made yet. */
function makeMissingKeyFiles(secrets: readonly UnsealSecret[], ports: KeyPorts): readonly string[] {
  const missing = secrets.flatMap((secret) =>
    secret.type === 'key-file' && !existsSync(secret.path) ? [secret.path] : [],
  );
  for (const path of missing) createKeyFile(path, ports.random);
  return missing;
}

/** A backup opened with its own passphrase may come to a machine that has none of the store's old secrets. */
async function addMissingSlots(
  path: string,
  store: KeyStoreOptions,
  root: RootKey,
  rootBytes: Uint8Array,
  ports: KeyPorts,
): Promise<void> {
  const opened = await unsealStore({ storePath: path, unseal: [] }, 'owner', rootSourceOf(root));
  try {
    const purpose: SlotPurpose = { type: 'root', id: opened.storeId };
    if (await opensAny(opened.loaded.slots, store.unseal, purpose)) return;
    const createdAt = new Date(ports.now()).toISOString();
    const changes: RowChange[] = [];
    for (const secret of store.unseal) {
      const slot = await makeSlot(secret, rootBytes, purpose, 'added by restore', ports.random);
      changes.push({ type: 'put', table: 'slots', row: slotRow(slot, createdAt) });
    }
    opened.database.amend(changes);
  } finally {
    opened.database.close();
  }
}

async function opensAny(
  slots: readonly Slot[],
  secrets: readonly UnsealSecret[],
  purpose: SlotPurpose,
): Promise<boolean> {
  try {
    (await openSlots(slots, secrets, purpose)).fill(0);
    return true;
  } catch (error) {
    if (error instanceof KeysError && error.code === 'ERR_KEYS_UNSEAL_FAILED') return false;
    throw error;
  }
}

function writeCopy(path: string, bytes: Uint8Array): void {
  try {
    writeNewFile(path, bytes);
  } catch (cause) {
    throw new KeysError('ERR_KEYS_STORE_WRITE', `${path} cannot be written: ${errorName(cause)}`, { cause });
  }
}
