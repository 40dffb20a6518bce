/**
 * The grants of a store. A million of them must cost nothing at start, so they are not read then: each lies in one of 16,384
 * buckets, by a hash of its key and grantee, and a bucket's record, sealed with all other rows, holds a digest of its grants.
 * A grant is believed whose MAC holds and is one of those that the bucket's digest is of; the others in the bucket are not opened for
 * that, nor for a change, which is written over a bucket whose MACs the digest is of. In each backup all grants are.
 *
 * Threat: an old row put back would revive a revoked grant. Its own MAC is genuine, but the bucket's digest is of others.
 */
import { createHash, hash } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { LRUCache } from 'lru-cache';
import { equalBytes } from '../../crypto/bytes.ts';
import { HMAC_BYTES } from '../../crypto/hmac.ts';
import { KeysError } from '../errors.ts';
import { encodeFields } from '../fields.ts';
import { parseRowName, type RowRegion } from '../regions/row-names.ts';
import { bytes, integer, optionalText, text } from './columns.ts';
import type { Row } from './row-mac.ts';

/** Where grants of this grantee on this key lie: 14 bits, as four hex digits (docs/KEYSTORE.md, "Grants"). */
export function bucketOf(keyId: string, grantee: string): string {
  const hash = createHash('sha256')
    .update(encodeFields('sealgate grant bucket v1', [keyId, grantee]))
    .digest();
  return (hash.readUInt16BE() >> 2).toString(16).padStart(4, '0');
}

/** At most `limit` grants, in the order of their ids, after the id given. Keys by the names of their rows (`regions/row-names.ts`). */
export type GrantList = { readonly after: Uint8Array | undefined; readonly limit: number } & (
  | { readonly by: 'key'; readonly keyId: string }
  | { readonly by: 'grantee'; readonly keyId: string; readonly grantee: string }
  | { readonly by: 'retiring'; readonly retiring: string; readonly region: RowRegion }
);

const FILTERS = {
  key: 'key_id = ?',
  grantee: 'key_id = ? AND grantee = ?',
  // What follows the mark, or nothing where there is none.
  retiring:
    "retiring = ? AND (CASE instr(key_id, '@') WHEN 0 THEN '' ELSE substr(key_id, instr(key_id, '@') + 1) END) = ?",
} as const satisfies Record<GrantList['by'], string>;

/** MACs of half a million grants; what is dropped is read again. */
const MAX_SEALED_BYTES = 16 * 1024 * 1024;
/** What an entry takes besides. */
const SEALED_ENTRY_BYTES = 128;

/**
 * All in one text: a row for each took three times as long. The index `grants_bucket` gives all of it; what it says is held against the
 * digest, and a grant is read from its own row.
 */
const BUCKET_MACS = `
  SELECT count(*) AS grants, group_concat(hex(mac), '') AS macs
  FROM (SELECT mac FROM grants WHERE bucket = ? ORDER BY grant_id)`;

type Authenticate = (table: 'grants' | 'grant_buckets', row: Row) => void;

export class GrantTable {
  readonly #database: DatabaseSync;
  readonly #authenticate: Authenticate;
  readonly #statements = new Map<string, StatementSync>();
  /** By bucket: the MACs of its grants, one after the other, that matched the digest. */
  readonly #sealed = new LRUCache<string, Uint8Array>({ maxSize: MAX_SEALED_BYTES, sizeCalculation: sealedSize });

  constructor(database: DatabaseSync, authenticate: Authenticate) {
    this.#database = database;
    this.#authenticate = authenticate;
  }

  /** ERR_KEYS_STORE_TAMPERED where the bucket is not what was last written, going by its MACs. */
  verify(bucket: string): void {
    this.#sealed.delete(bucket);
    this.#sealedMacs(bucket);
  }

  /** Undefined: no grants. */
  #record(bucket: string): Row | undefined {
    const record = this.#prepared('SELECT * FROM grant_buckets WHERE bucket = ?').get(bucket);
    if (record !== undefined) this.#authenticate('grant_buckets', record);
    return record;
  }

  /** The MACs of all grants in a bucket, as its record says; ERR_KEYS_STORE_TAMPERED. */
  #sealedMacs(bucket: string): Uint8Array {
    const known = this.#sealed.get(bucket);
    if (known !== undefined) return known;
    const { row, macs } = this.#found(bucket);
    assertSameBucket(bucket, this.#record(bucket), row);
    this.#sealed.set(bucket, macs);
    return macs;
  }

  /** The record of a bucket as its grants' MACs are now; undefined where it has none. */
  bucketRow(bucket: string): Row | undefined {
    return this.#found(bucket).row;
  }

  #found(bucket: string): { readonly row: Row | undefined; readonly macs: Uint8Array } {
    const found = this.#prepared(BUCKET_MACS).get(bucket) ?? {};
    const grants = integer(found, 'grants');
    const macs = Buffer.from(optionalText(found, 'macs') ?? '', 'hex');
    return { macs, row: grants === 0 ? undefined : bucketRecord(bucket, grants, hash('sha256', macs, 'buffer')) };
  }

  /** Every bucket, and every grant in one, from its own row; a store of before version 3 has none. */
  verifyAll(): void {
    const table = this.#prepared("SELECT 1 FROM sqlite_master WHERE name = 'grants'").get();
    if (table === undefined) return;
    const sql = 'SELECT bucket FROM grant_buckets UNION SELECT bucket FROM grants';
    for (const row of this.#prepared(sql).all()) this.#verifyGrants(text(row, 'bucket'));
  }

  #verifyGrants(bucket: string): void {
    const digest = createHash('sha256');
    let grants = 0;
    for (const row of this.#prepared('SELECT * FROM grants WHERE bucket = ? ORDER BY grant_id').iterate(bucket)) {
      this.#authenticate('grants', row);
      digest.update(bytes(row, 'mac'));
      grants += 1;
    }
    const found = grants === 0 ? undefined : bucketRecord(bucket, grants, digest.digest());
    assertSameBucket(bucket, this.#record(bucket), found);
  }

  /** All grants of one grantee on one key. Asked by each first use: SQLite's own sorting of so few takes longer than finding them. */
  of(keyId: string, grantee: string): readonly Row[] {
    const rows = this.#prepared('SELECT * FROM grants WHERE key_id = ? AND grantee = ?').all(keyId, grantee);
    rows.sort((a, b) => Buffer.compare(bytes(a, 'grant_id'), bytes(b, 'grant_id')));
    return this.#believed(rows, (row) => text(row, 'key_id') === keyId && text(row, 'grantee') === grantee);
  }

  get(grantId: Uint8Array): Row | undefined {
    const rows = this.#prepared('SELECT * FROM grants WHERE grant_id = ?').all(new Uint8Array(grantId));
    return this.#believed(rows, (row) => equalBytes(bytes(row, 'grant_id'), grantId))[0];
  }

  named(keyId: string, name: string): readonly Row[] {
    const sql = `SELECT * FROM grants WHERE key_id = ? AND name = ? AND name <> '' ORDER BY grant_id`;
    const rows = this.#prepared(sql).all(keyId, name);
    return this.#believed(rows, (row) => text(row, 'key_id') === keyId && text(row, 'name') === name);
  }

  /** A negative limit is none. */
  list(list: GrantList): readonly Row[] {
    const sql = `SELECT * FROM grants WHERE ${FILTERS[list.by]} AND grant_id > ? ORDER BY grant_id LIMIT ?`;
    const values = filterValues(list);
    const columns = Object.keys(values);
    const region = list.by === 'retiring' ? [list.region ?? ''] : [];
    const after = new Uint8Array(list.after ?? []);
    const rows = this.#prepared(sql).all(...Object.values(values), ...region, after, list.limit);
    const isWanted = (row: Row): boolean => columns.every((column) => row[column] === values[column]);
    const isInRegion = (row: Row): boolean =>
      list.by !== 'retiring' || parseRowName(text(row, 'key_id')).region === list.region;
    return this.#believed(rows, (row) => isWanted(row) && isInRegion(row));
  }

  count(keyId: string): number {
    return integer(this.#prepared('SELECT count(*) AS grants FROM grants WHERE key_id = ?').get(keyId) ?? {}, 'grants');
  }

  /**
   * Each authenticated, of a bucket that is what was last written, and what was asked for: it was found by an index, which anybody who
   * may write the file can make say otherwise.
   */
  #believed(rows: readonly Row[], isWanted: (row: Row) => boolean): readonly Row[] {
    for (const row of rows) {
      this.#authenticate('grants', row);
      if (!isWanted(row))
        throw new KeysError('ERR_KEYS_STORE_TAMPERED', 'an index of the grants does not say what they hold');
    }
    // Also where the index of the buckets hides a grant from the digest.
    for (const [bucket, own] of Map.groupBy(rows, (row) => text(row, 'bucket'))) {
      const macs = own.map((row) => bytes(row, 'mac'));
      if (!areAmong(this.#sealedMacs(bucket), macs)) throw notSealed(bucket);
    }
    return rows;
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }
}

/** By column, in the order of the filter. */
function filterValues(list: GrantList): Readonly<Record<string, string>> {
  switch (list.by) {
    case 'key':
      return { key_id: list.keyId };
    case 'grantee':
      return { key_id: list.keyId, grantee: list.grantee };
    case 'retiring':
      return { retiring: list.retiring };
  }
}

function assertSameBucket(bucket: string, record: Row | undefined, found: Row | undefined): void {
  if (record === undefined && found === undefined) return;
  const isSame =
    record !== undefined &&
    found !== undefined &&
    integer(record, 'grants') === integer(found, 'grants') &&
    equalBytes(bytes(record, 'digest'), bytes(found, 'digest'));
  if (!isSame) throw notSealed(bucket);
}

function notSealed(bucket: string): KeysError {
  return new KeysError('ERR_KEYS_STORE_TAMPERED', `grants in bucket ${bucket} are missing, added or of another time`);
}

function bucketRecord(bucket: string, grants: number, digest: Uint8Array): Row {
  return { bucket, grants, digest: new Uint8Array(digest) };
}

/** More are found by a set: a bucket may hold as many as a key has. Making one costs more than some searches, for as many as most have. */
const MAX_SEARCHED = 8;

/** Whether all that are wanted are among the MACs, each of 32 bytes. None is secret. */
function areAmong(macs: Uint8Array, wanted: readonly Uint8Array[]): boolean {
  const all = Buffer.from(macs.buffer, macs.byteOffset, macs.length);
  if (wanted.length <= MAX_SEARCHED) return wanted.every((mac) => isAmong(all, mac));
  const text = all.toString('latin1');
  const names = new Set<string>();
  for (let at = 0; at < text.length; at += HMAC_BYTES) names.add(text.slice(at, at + HMAC_BYTES));
  return wanted.every((mac) => names.has(Buffer.from(mac).toString('latin1')));
}

function isAmong(all: Buffer, mac: Uint8Array): boolean {
  if (mac.length !== HMAC_BYTES) return false;
  for (let at = all.indexOf(mac); at >= 0; at = all.indexOf(mac, at + 1)) if (at % HMAC_BYTES === 0) return true;
  return false;
}

const sealedSize = (macs: Uint8Array): number => macs.length + SEALED_ENTRY_BYTES;
