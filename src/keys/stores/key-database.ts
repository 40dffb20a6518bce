/**
 * The embedded store, unsealed: rows go in and out authenticated, and every change is one durable transaction that raises the
 * epoch, reads back what it wrote, and moves the epoch file before it returns.
 */
import type { DatabaseSync } from 'node:sqlite';
import { KeysError } from '../errors.ts';
import type { RootKeys } from '../root/root-keys.ts';
import { text } from './columns.ts';
import { guarded, sqliteReason, userVersion } from './database-file.ts';
import { parseEpochFile, writeEpochFile } from './epoch-file.ts';
import { checkIntegrity } from './integrity.ts';
import { RowSet, rowIsGenuine, rowMac, storeSeal, type Row, type StoreHeader } from './row-mac.ts';
import { GrantTable, bucketOf } from './grant-table.ts';
import { tampered } from './load-rows.ts';
import { latestVersion, runSteps, TABLES, type SchemaStep, type SealedTable, type TableName } from './schema.ts';

export type RowChange =
  | { readonly type: 'put'; readonly table: TableName; /** Without `mac`. */ readonly row: Row }
  | { readonly type: 'delete'; readonly table: SealedTable; readonly id: string | Uint8Array }
  | { readonly type: 'delete'; readonly table: 'grants'; readonly id: Uint8Array; readonly bucket: string };

export type AuditHead = StoreHeader['auditHead'];

type Place = { readonly storePath: string; readonly epochPath: string };

export class KeyDatabase {
  readonly grants: GrantTable;
  readonly #database: DatabaseSync;
  readonly #place: Place;
  readonly #keys: RootKeys;
  #header: StoreHeader;
  #rows: RowSet;
  /** As it lies on the disk for all we know. */
  #seal: Uint8Array<ArrayBuffer>;
  /** Set when memory and disk may differ: nothing more is written from here. */
  #failed = false;

  constructor(database: DatabaseSync, place: Place, keys: RootKeys, header: StoreHeader, rows: RowSet) {
    this.#database = database;
    this.#place = place;
    this.#keys = keys;
    this.#header = header;
    this.#rows = rows;
    this.#seal = this.#sealOf(header, rows);
    this.grants = new GrantTable(database, (table, row) => this.#authenticate(table, row));
  }

  get header(): StoreHeader {
    return this.#header;
  }

  /** One row as it lies on the disk, authenticated; ERR_KEYS_STORE_TAMPERED. */
  row(table: TableName, id: string | Uint8Array): Row | undefined {
    const row = this.#database.prepare(`SELECT * FROM ${table} WHERE ${TABLES[table]} = ?`).get(id);
    if (row === undefined) return undefined;
    this.#authenticate(table, row);
    // Found by an index, which the file alone vouches for.
    if (!isSameId(row[TABLES[table]], id)) throw tampered(this.#place.storePath, table, row);
    return row;
  }

  /** Read whole, past the index: a data key that was hidden would be made anew, and what it sealed would no longer be found. */
  escrowOf(owner: string): readonly Row[] {
    return guarded(this.#place.storePath, () => {
      const rows = this.#database
        .prepare('SELECT * FROM escrow WHERE +owner = ? ORDER BY created_at, dek_id')
        .all(owner);
      for (const row of rows) this.#authenticate('escrow', row);
      return rows;
    });
  }

  /** Durable, read back and counted in the epoch file when it returns; ERR_KEYS_STORE_WRITE. */
  commit(changes: readonly RowChange[], auditHead: AuditHead): void {
    this.#write(changes, { ...this.#header, epoch: this.#header.epoch + 1, auditHead });
    this.#afterCommit(() => {
      // From the file, not from the pages that SQLite still holds of what it was given.
      this.#database.exec('PRAGMA shrink_memory');
      for (const change of changes) this.#readBack(change);
      for (const bucket of this.#bucketsOf(changes)) this.grants.verify(bucket);
      const { epoch, storeId } = this.#header;
      writeEpochFile(this.#place.epochPath, epoch, storeId, this.#keys.epoch);
    });
  }

  /** Indexes too, which takes seconds where there are many grants; ERR_KEYS_STORE_DAMAGED. */
  checkWhole(): void {
    const { storePath } = this.#place;
    guarded(storePath, () => checkIntegrity(storePath, this.#database, 'whole'));
  }

  /** A change that raises no epoch: a store being restored stays as old as its backup. */
  amend(changes: readonly RowChange[]): void {
    this.#write(changes, this.#header);
  }

  /** At the end, so that the next start knows how far the audit log reached; not after a failed commit. */
  rememberAuditHead(auditHead: AuditHead): void {
    if (!this.#failed) this.#write([], { ...this.#header, auditHead });
  }

  #write(changes: readonly RowChange[], header: StoreHeader): void {
    if (this.#failed) throw new KeysError('ERR_KEYS_STORE_WRITE', 'an earlier write failed; restart to go on');
    const rows = this.#rows.copy();
    this.#transaction(() => {
      const buckets = this.#bucketsOf(changes);
      // Or what was put there behind our back would be sealed as ours.
      for (const bucket of buckets) this.grants.verify(bucket);
      for (const change of changes) this.#apply(change, rows);
      for (const bucket of buckets) this.#apply(this.#bucketChange(bucket), rows);
      this.#writeHeader(header, rows);
    });
    this.#header = header;
    this.#rows = rows;
    this.#seal = this.#sealOf(header, rows);
  }

  /** Refuses a store older than its epoch file; `accept` takes it as the newest from now on. */
  checkEpoch(epochFile: Uint8Array | undefined, accept: boolean): 'current' | 'accepted' {
    const { epoch } = this.#header;
    const outside = this.#epochIn(epochFile);
    if (outside !== undefined && outside <= epoch) return 'current';
    if (accept) {
      // Above both, so that the copy given up is refused if it ever comes back.
      this.#header = { ...this.#header, epoch: Math.max(outside ?? 0, epoch) };
      return 'accepted';
    }
    if (outside === undefined) {
      throw new KeysError(
        'ERR_KEYS_EPOCH_UNREADABLE',
        `${this.#place.epochPath} is missing, damaged, or of another store`,
      );
    }
    throw new KeysError(
      'ERR_KEYS_STORE_ROLLED_BACK',
      `${this.#place.storePath} is of epoch ${epoch}, but ${outside} was reached`,
    );
  }

  #epochIn(epochFile: Uint8Array | undefined): number | undefined {
    if (epochFile === undefined) return undefined;
    return parseEpochFile(epochFile, this.#header.storeId, this.#keys.epoch);
  }

  /** Brings the epoch file up to a commit that a crash cut it off from. */
  catchUpEpochFile(epochFile: Uint8Array | undefined): void {
    if (this.#epochIn(epochFile) === this.#header.epoch) return;
    this.#afterCommit(() =>
      writeEpochFile(this.#place.epochPath, this.#header.epoch, this.#header.storeId, this.#keys.epoch),
    );
  }

  /** Runs the schema steps this store lacks and seals it under the new version. */
  migrate(steps: readonly SchemaStep[]): void {
    const from = userVersion(this.#database);
    if (from === latestVersion(steps)) return;
    this.#transaction(() => {
      runSteps(this.#database, from, steps);
      this.#writeHeader(this.#header, this.#rows);
    });
    this.#seal = this.#sealOf(this.#header, this.#rows);
  }

  /** Nothing of what was deleted is left in the file or its log: SQLite has overwritten it (`secure_delete`), the log is emptied. */
  scrub(): void {
    this.#afterCommit(() => this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
  }

  /** A defragmented, consistent copy at a path that must not exist, while the owner goes on. */
  copyTo(path: string): void {
    this.#database.prepare('VACUUM INTO ?').run(path);
  }

  close(): void {
    try {
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // A reader, or a read-only connection: the WAL stays and is replayed at the next start.
    }
    this.#database.close();
  }

  #transaction(work: () => void): void {
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      work();
      this.#database.exec('COMMIT');
    } catch (cause) {
      this.#rollBack();
      if (cause instanceof KeysError) throw cause;
      throw new KeysError('ERR_KEYS_STORE_WRITE', `${this.#place.storePath}: ${sqliteReason(cause)}`, { cause });
    }
  }

  #rollBack(): void {
    try {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
    } catch {
      this.#failed = true;
    }
  }

  #afterCommit(work: () => void): void {
    try {
      work();
    } catch (cause) {
      this.#failed = true;
      if (cause instanceof KeysError) throw cause;
      throw new KeysError('ERR_KEYS_STORE_WRITE', `${this.#place.storePath}: ${sqliteReason(cause)}`, { cause });
    }
  }

  #apply(change: RowChange, rows: RowSet): void {
    const id = changedId(change);
    const old = this.row(change.table, id);
    const sealed = change.table !== 'grants';
    if (old !== undefined && sealed) rows.remove(old);
    if (change.type === 'delete') {
      this.#database.prepare(`DELETE FROM ${change.table} WHERE ${TABLES[change.table]} = ?`).run(id);
      return;
    }
    const row = { ...change.row, mac: rowMac(change.table, change.row, this.#keys.record) };
    if (sealed) rows.add(row);
    this.#upsert(change.table, row);
  }

  /** The buckets that the grants of a change lie in. */
  #bucketsOf(changes: readonly RowChange[]): ReadonlySet<string> {
    const buckets = new Set<string>();
    for (const change of changes) {
      if (change.table !== 'grants') continue;
      if (change.type === 'put') buckets.add(bucketOf(text(change.row, 'key_id'), text(change.row, 'grantee')));
      else buckets.add(change.bucket);
    }
    return buckets;
  }

  #bucketChange(bucket: string): RowChange {
    const row = this.grants.bucketRow(bucket);
    return row === undefined
      ? { type: 'delete', table: 'grant_buckets', id: bucket }
      : { type: 'put', table: 'grant_buckets', row };
  }

  #upsert(table: TableName, row: Row): void {
    const columns = Object.keys(row);
    const updates = columns.map((column) => `${column} = excluded.${column}`).join(', ');
    const values = columns.map(() => '?').join(', ');
    const sql = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${values}) ON CONFLICT (${TABLES[table]}) DO UPDATE SET ${updates}`;
    this.#database.prepare(sql).run(...Object.values(row));
  }

  #readBack(change: RowChange): void {
    const stored = this.row(change.table, changedId(change));
    const expected = change.type === 'put' ? rowMac(change.table, change.row, this.#keys.record) : undefined;
    const actual = stored?.['mac'];
    const same =
      expected === undefined
        ? stored === undefined
        : actual instanceof Uint8Array && Buffer.from(expected).equals(actual);
    if (!same) throw new KeysError('ERR_KEYS_STORE_WRITE', `a row of ${change.table} did not read back as written`);
  }

  /** Only over the state it was made from: a store that something else has changed meanwhile is not written over. */
  #writeHeader(header: StoreHeader, rows: RowSet): void {
    const { seq, hash, offset } = header.auditHead;
    const { changes } = this.#database
      .prepare('UPDATE store SET epoch = ?, audit_seq = ?, audit_hash = ?, audit_offset = ?, seal = ? WHERE seal = ?')
      .run(header.epoch, seq, hash, offset, this.#sealOf(header, rows), this.#seal);
    if (changes !== 1) throw new KeysError('ERR_KEYS_STORE_WRITE', 'the store was changed by something else');
  }

  #sealOf(header: StoreHeader, rows: RowSet): Uint8Array<ArrayBuffer> {
    return storeSeal(header, userVersion(this.#database), rows, this.#keys);
  }

  #authenticate(table: TableName, row: Row): void {
    if (!rowIsGenuine(table, row, this.#keys.record)) throw tampered(this.#place.storePath, table, row);
  }
}

const isSameId = (found: unknown, asked: string | Uint8Array): boolean =>
  typeof asked === 'string'
    ? found === asked
    : found instanceof Uint8Array && Buffer.from(asked).equals(Buffer.from(found));

function changedId(change: RowChange): string | Uint8Array {
  if (change.type === 'delete') return change.id;
  const id = change.row[TABLES[change.table]];
  if (typeof id === 'string' || id instanceof Uint8Array) return id;
  throw new TypeError(`a row of ${change.table} has its ${TABLES[change.table]}`);
}
