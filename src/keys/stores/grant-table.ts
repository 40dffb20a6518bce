/**
 * The grants of a store. A million of them must cost nothing at start, so they are not read then: each lies in one of 16,384
 * buckets, by a hash of its key and grantee, and a bucket's record, sealed with all other rows, holds a digest of its grants.
 * A bucket is held against its digest before any grant in it is believed, and again before a change is written over it.
 *
 * Threat: an old row put back would revive a revoked grant. Its own MAC is genuine; the bucket's digest is not.
 */
import { createHash } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { equalBytes } from '../../crypto/bytes.ts';
import { KeysError } from '../errors.ts';
import { encodeFields } from '../fields.ts';
import { parseRowName, type RowRegion } from '../regions/row-names.ts';
import { bytes, integer, text } from './columns.ts';
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

type Authenticate = (table: 'grants' | 'grant_buckets', row: Row) => void;

export class GrantTable {
  readonly #database: DatabaseSync;
  readonly #authenticate: Authenticate;
  readonly #statements = new Map<string, StatementSync>();
  /** Buckets that matched their digest since the store was opened. */
  readonly #verified = new Set<string>();

  constructor(database: DatabaseSync, authenticate: Authenticate) {
    this.#database = database;
    this.#authenticate = authenticate;
  }

  /** ERR_KEYS_STORE_TAMPERED where the bucket is not what was last written. */
  verify(bucket: string): void {
    const record = this.#prepared('SELECT * FROM grant_buckets WHERE bucket = ?').get(bucket);
    if (record !== undefined) this.#authenticate('grant_buckets', record);
    const found = this.bucketRow(bucket);
    if (!isSameBucket(record, found)) {
      throw new KeysError(
        'ERR_KEYS_STORE_TAMPERED',
        `grants in bucket ${bucket} are missing, added or of another time`,
      );
    }
    this.#verified.add(bucket);
  }

  /** The record of a bucket as its grants are now, each authenticated; undefined where it has none. */
  bucketRow(bucket: string): Row | undefined {
    const digest = createHash('sha256');
    let grants = 0;
    for (const row of this.#prepared('SELECT * FROM grants WHERE bucket = ? ORDER BY grant_id').iterate(bucket)) {
      this.#authenticate('grants', row);
      digest.update(bytes(row, 'mac'));
      grants += 1;
    }
    return grants === 0 ? undefined : { bucket, grants, digest: new Uint8Array(digest.digest()) };
  }

  /** Every bucket, and every grant in one; a store of before version 3 has none. */
  verifyAll(): void {
    const table = this.#prepared("SELECT 1 FROM sqlite_master WHERE name = 'grants'").get();
    if (table === undefined) return;
    const sql = 'SELECT bucket FROM grant_buckets UNION SELECT bucket FROM grants';
    for (const row of this.#prepared(sql).all()) this.verify(text(row, 'bucket'));
  }

  /** All grants of one grantee on one key. */
  of(keyId: string, grantee: string): readonly Row[] {
    return this.list({ by: 'grantee', keyId, grantee, after: undefined, limit: -1 });
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
      const bucket = text(row, 'bucket');
      if (!this.#verified.has(bucket)) this.verify(bucket);
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

function isSameBucket(record: Row | undefined, found: Row | undefined): boolean {
  if (record === undefined || found === undefined) return record === found;
  return (
    integer(record, 'grants') === integer(found, 'grants') &&
    equalBytes(bytes(record, 'digest'), bytes(found, 'digest'))
  );
}
