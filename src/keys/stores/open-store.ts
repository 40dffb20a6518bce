/** Makes, unseals and reads stores: what owner, backup and offline checks have in common. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { KEY_BYTES, takeKey, type RootKey } from '../../crypto/key-types.ts';
import { assertSelfTests } from '../../crypto/self-test.ts';
import { KeysError } from '../errors.ts';
import { MAX_SLOTS } from '../limits.ts';
import type { KeyPorts, KeyStoreOptions } from '../options.ts';
import { parseSlotRow, slotRow } from '../records.ts';
import { deriveRootKeys, type RootKeys } from '../root/root-keys.ts';
import { makeSlot, openSlots, type Slot } from '../root/slots.ts';
import { createDatabase, guarded, openDatabase, removeDatabase, sqliteReason, type OpenMode } from './database-file.ts';
import { syncFolder } from './durable-file.ts';
import { readEpochFile, writeEpochFile } from './epoch-file.ts';
import { KeyDatabase } from './key-database.ts';
import { startCheck } from './integrity-check.ts';
import { loadRows, readHeader, type LoadedRows } from './load-rows.ts';
import { takeOwnerLock } from './owner-lock.ts';
import { RowSet, rowMac, storeSeal, type StoreHeader } from './row-mac.ts';
import { latestVersion, SCHEMA_STEPS, type SchemaStep } from './schema.ts';
import { EMPTY_HEAD } from '../audit/record.ts';

export type UnsealedStore = {
  readonly database: KeyDatabase;
  readonly root: RootKey;
  readonly keys: RootKeys;
  readonly storeId: Uint8Array;
  readonly loaded: LoadedRows;
  /** As it was before the store was read. */
  readonly epochFile: Uint8Array | undefined;
};

/** How the root is come by: from the store's own slots, or given (a backup holds it). */
export type RootSource = (slots: readonly Slot[], storeId: Uint8Array) => Promise<RootKey>;

export function epochPathOf(options: KeyStoreOptions): string {
  return options.epochPath ?? `${options.storePath}.epoch`;
}

export function unsealWith(options: Pick<KeyStoreOptions, 'unseal'>): RootSource {
  return async (slots, id) => takeKey('RootKey', await openSlots(slots, options.unseal, { type: 'root', id }));
}

/** Opens and authenticates all of a store. Errors: ERR_KEYS_STORE_*, ERR_KEYS_UNSEAL_FAILED and what unsealing says. */
export async function unsealStore(
  options: KeyStoreOptions,
  mode: OpenMode,
  rootSource: RootSource = unsealWith(options),
  steps: readonly SchemaStep[] = SCHEMA_STEPS,
): Promise<UnsealedStore> {
  assertSelfTests();
  const { storePath } = options;
  const epochPath = epochPathOf(options);
  // Before the store: a reader must not take a change made in between for a rollback.
  const epochFile = readEpochFile(epochPath);
  const database = openDatabase(storePath, mode, steps);
  const checked = startCheck(storePath, database);
  try {
    // One snapshot: beside an owner that goes on changing the store, header and rows must be of the same instant.
    guarded(storePath, () => database.exec('BEGIN'));
    const { header, seal } = readHeader(database, storePath);
    const root = await rootSource(readSlots(database, storePath), header.storeId);
    const keys = deriveRootKeys(root, header.storeId);
    const { loaded, rows } = loadRows(database, storePath, header, seal, keys);
    guarded(storePath, () => database.exec('COMMIT'));
    await checked;
    const opened = new KeyDatabase(database, { storePath, epochPath }, keys, header, rows);
    return { database: opened, root, keys, storeId: header.storeId, loaded, epochFile };
  } catch (error) {
    // What is wrong with a file says more than what was read of it.
    await checked.finally(() => database.close());
    throw error;
  }
}

/** As yet unauthenticated: each slot proves itself by opening, and its row when all rows are read. */
function readSlots(database: DatabaseSync, storePath: string): readonly Slot[] {
  return guarded(storePath, () =>
    database.prepare(`SELECT * FROM slots ORDER BY created_at, slot_id LIMIT ${MAX_SLOTS}`).all().map(parseSlotRow),
  );
}

/** An empty store, durable, with one slot per secret; all of it or nothing. Errors: ERR_KEYS_STORE_EXISTS, ERR_KEYS_STORE_WRITE, unreadable secrets. */
export async function createKeyStore(options: KeyStoreOptions, ports: KeyPorts): Promise<{ storeId: string }> {
  assertSelfTests();
  const { storePath, unseal } = options;
  const epochPath = epochPathOf(options);
  for (const path of [storePath, epochPath]) {
    if (existsSync(path)) throw new KeysError('ERR_KEYS_STORE_EXISTS', `${path} exists already`);
  }
  if (unseal.length === 0) throw new KeysError('ERR_KEYS_LAST_SLOT', 'a store needs at least one unseal secret');
  const storeId = new Uint8Array(ports.random(16));
  const rootBytes = ports.random(KEY_BYTES);
  try {
    const slots: Slot[] = [];
    for (const secret of unseal)
      slots.push(await makeSlot(secret, rootBytes, { type: 'root', id: storeId }, '', ports.random));
    const keys = deriveRootKeys(takeKey('RootKey', rootBytes), storeId);
    writeEmptyStore({ storePath, epochPath }, storeId, slots, keys, new Date(ports.now()).toISOString());
    return { storeId: Buffer.from(storeId).toString('hex') };
  } finally {
    rootBytes.fill(0);
  }
}

function writeEmptyStore(
  { storePath, epochPath }: { readonly storePath: string; readonly epochPath: string },
  storeId: Uint8Array,
  slots: readonly Slot[],
  keys: RootKeys,
  createdAt: string,
): void {
  const lock = takeOwnerLock(storePath);
  try {
    createDatabase(storePath, SCHEMA_STEPS, (database) => {
      insertHeaderAndSlots(database, storeId, slots, keys, createdAt);
    });
    try {
      syncFolder(dirname(storePath));
      writeEpochFile(epochPath, 1, storeId, keys.epoch);
    } catch (cause) {
      removeDatabase(storePath);
      throw new KeysError('ERR_KEYS_STORE_WRITE', `${epochPath} cannot be made: ${sqliteReason(cause)}`, { cause });
    }
  } finally {
    lock.release();
  }
}

function insertHeaderAndSlots(
  database: DatabaseSync,
  storeId: Uint8Array,
  slots: readonly Slot[],
  keys: RootKeys,
  createdAt: string,
): void {
  const rows = new RowSet(keys.set);
  for (const slot of slots) {
    const row = slotRow(slot, createdAt);
    const mac = rowMac('slots', row, keys.record);
    rows.add({ ...row, mac });
    const { slotId, type, label, params, wrapped } = slot;
    database
      .prepare('INSERT INTO slots VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run(slotId, type, label, params, wrapped, createdAt, mac);
  }
  const header: StoreHeader = { storeId, createdAt, epoch: 1, auditHead: EMPTY_HEAD };
  const seal = storeSeal(header, latestVersion(SCHEMA_STEPS), rows, keys);
  database.prepare('INSERT INTO store VALUES (1, ?, ?, 1, 0, ?, 0, ?)').run(storeId, createdAt, EMPTY_HEAD.hash, seal);
}
