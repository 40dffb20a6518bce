/** A store's rows as they are read at a start: each authenticated, and their set as a whole. */
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { equalBytes } from '../../crypto/bytes.ts';
import { hmacSha256 } from '../../crypto/hmac.ts';
import { unreachable } from '../../errors.ts';
import { KeysError } from '../errors.ts';
import {
  parseAliasRow,
  parseKeyRow,
  parseMaterialRow,
  parseServiceEpochRow,
  parseSlotRow,
  type AliasRecord,
  type KeyRecord,
  type MaterialRecord,
  type ServiceEpoch,
} from '../records.ts';
import type { RootKeys } from '../root/root-keys.ts';
import type { Slot } from '../root/slots.ts';
import { bytes, integer, text } from './columns.ts';
import { guarded, userVersion } from './database-file.ts';
import { RowSet, storeSeal, type Row, type StoreHeader } from './row-mac.ts';
import { RowReader } from './row-reader.ts';
import { SEALED_TABLES, TABLES, type SealedTable, type TableName } from './schema.ts';

/** Records and not rows: of 100,000 keys both at once would be half a gigabyte of objects, which the garbage collector moves about. */
export type LoadedRows = {
  readonly slots: readonly Slot[];
  readonly keys: readonly KeyRecord[];
  readonly materials: readonly MaterialRecord[];
  readonly aliases: readonly AliasRecord[];
  readonly serviceEpochs: readonly ServiceEpoch[];
};

/** Reads and authenticates everything. Errors: ERR_KEYS_STORE_TAMPERED, ERR_KEYS_STORE_DAMAGED. */
export function loadRows(
  database: DatabaseSync,
  storePath: string,
  header: StoreHeader,
  seal: Uint8Array,
  keys: RootKeys,
): { loaded: LoadedRows; rows: RowSet } {
  return guarded(storePath, () => {
    const rows = new RowSet(keys.set);
    const version = userVersion(database);
    const loaded = new Loaded();
    for (const table of sealedTables(version)) {
      const statement = database.prepare(`SELECT * FROM ${table}`);
      const reader = new RowReader(
        table,
        statement.columns().map(({ name }) => name),
      );
      for (const values of valuesOf(statement)) {
        const mac = reader.mac(values);
        if (mac === undefined || !equalBytes(mac, hmacSha256(keys.record, reader.message(values))))
          throw tampered(storePath, table, reader.row(values));
        rows.addMac(mac);
        loaded.add(table, () => reader.row(values));
      }
    }
    if (!Buffer.from(storeSeal(header, version, rows, keys)).equals(seal)) {
      throw new KeysError(
        'ERR_KEYS_STORE_TAMPERED',
        `${storePath}: the seal over all rows does not hold: rows are missing, added or of another time`,
      );
    }
    return { loaded, rows };
  });
}

class Loaded implements LoadedRows {
  readonly slots: Slot[] = [];
  readonly keys: KeyRecord[] = [];
  readonly materials: MaterialRecord[] = [];
  readonly aliases: AliasRecord[] = [];
  readonly serviceEpochs: ServiceEpoch[] = [];

  /** ERR_KEYS_STORE_VERSION for what a newer release wrote. */
  add(table: SealedTable, row: () => Row): void {
    switch (table) {
      case 'slots':
        return void this.slots.push(parseSlotRow(row()));
      case 'keys':
        return void this.keys.push(parseKeyRow(row()));
      case 'materials':
        return void this.materials.push(parseMaterialRow(row()));
      case 'aliases':
        return void this.aliases.push(parseAliasRow(row()));
      case 'service_epochs':
        return void this.serviceEpochs.push(parseServiceEpochRow(row()));
      case 'escrow':
      case 'grant_buckets':
        // These may be many, and are read when asked for.
        return;
      default:
        return unreachable(table);
    }
  }
}

/** Rows as arrays: an object for each, of names that differ in nothing, costs as much again. */
function valuesOf(statement: StatementSync): Iterable<readonly SQLOutputValue[]> {
  statement.setReturnArrays(true);
  // What it gives is typed as objects, whatever was set.
  return statement.iterate() as Iterable<unknown> as Iterable<readonly SQLOutputValue[]>;
}

/** Those that a store of this schema version has. */
function sealedTables(version: number): readonly SealedTable[] {
  // The keys of a literal object are exactly its type's.
  return (Object.keys(SEALED_TABLES) as readonly SealedTable[]).filter((table) => SEALED_TABLES[table] <= version);
}

export function tampered(storePath: string, table: TableName, row: Row): KeysError {
  const id = row[TABLES[table]];
  const shown = id instanceof Uint8Array ? Buffer.from(id).toString('hex') : JSON.stringify(id);
  return new KeysError('ERR_KEYS_STORE_TAMPERED', `${storePath}: ${table} row ${shown} fails its authentication`);
}

/** The one row of `store`, as yet unauthenticated. */
export function readHeader(database: DatabaseSync, storePath: string): { header: StoreHeader; seal: Uint8Array } {
  return guarded(storePath, () => {
    const row = database.prepare('SELECT * FROM store').get() ?? {};
    const header = {
      storeId: bytes(row, 'store_id'),
      createdAt: text(row, 'created_at'),
      epoch: integer(row, 'epoch'),
      auditHead: {
        seq: integer(row, 'audit_seq'),
        hash: bytes(row, 'audit_hash'),
        offset: integer(row, 'audit_offset'),
      },
    };
    return { header, seal: bytes(row, 'seal') };
  });
}
