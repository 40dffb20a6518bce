/**
 * Authenticates the store: each row by a MAC over its columns, the whole by a seal over epoch, audit head and the set of rows.
 * Without the root nobody can change, add, swap, replay or remove a row unnoticed.
 */
import type { KeyObject } from 'node:crypto';
import type { SQLOutputValue } from 'node:sqlite';
import { equalBytes } from '../../crypto/bytes.ts';
import { HMAC_BYTES, hmacSha256 } from '../../crypto/hmac.ts';
import { encodeFields, type Field } from '../fields.ts';
import type { RootKeys } from '../root/root-keys.ts';
import type { TableName } from './schema.ts';

export type Row = Readonly<Record<string, SQLOutputValue>>;

/** Over the table's name and every non-NULL column but the MAC: its name, SQLite's name of its type, its value; in name order. */
export function rowMac(table: TableName, row: Row, key: KeyObject): Uint8Array<ArrayBuffer> {
  const fields: Field[] = [table];
  for (const column of Object.keys(row).sort()) {
    const value = row[column];
    if (column !== 'mac' && value !== null && value !== undefined) fields.push(column, ...typedValue(value));
  }
  return new Uint8Array(hmacSha256(key, encodeFields('sealgate row v1', fields)));
}

function typedValue(value: string | number | bigint | Uint8Array): readonly [string, Field] {
  if (typeof value === 'string') return ['text', value];
  return value instanceof Uint8Array ? ['blob', value] : ['integer', Number(value)];
}

export function rowIsGenuine(table: TableName, row: Row, key: KeyObject): boolean {
  const stored = row['mac'];
  return stored instanceof Uint8Array && equalBytes(stored, rowMac(table, row, key));
}

/**
 * The set of rows as a sum modulo 2^256 of a second MAC of each, kept only in memory: a change costs two MACs however large
 * the store is, and nobody sees the terms that could be combined into another set of equal sum.
 */
export class RowSet {
  readonly #key: KeyObject;
  /** Big-endian. */
  readonly #sum = new Uint8Array(HMAC_BYTES);
  #count = 0;

  constructor(key: KeyObject) {
    this.#key = key;
  }

  add(row: Row): void {
    this.addMac(macOf(row));
  }

  /** The same of a row that is known by its MAC. */
  addMac(mac: Uint8Array): void {
    const term = hmacSha256(this.#key, mac);
    let carry = 0;
    for (let at = HMAC_BYTES - 1; at >= 0; at--) {
      const sum = (this.#sum[at] ?? 0) + (term[at] ?? 0) + carry;
      this.#sum[at] = sum;
      carry = sum >>> 8;
    }
    this.#count += 1;
  }

  remove(row: Row): void {
    const term = hmacSha256(this.#key, macOf(row));
    let borrow = 0;
    for (let at = HMAC_BYTES - 1; at >= 0; at--) {
      const difference = (this.#sum[at] ?? 0) - (term[at] ?? 0) - borrow;
      this.#sum[at] = difference;
      borrow = difference < 0 ? 1 : 0;
    }
    this.#count -= 1;
  }

  copy(): RowSet {
    const copy = new RowSet(this.#key);
    copy.#sum.set(this.#sum);
    copy.#count = this.#count;
    return copy;
  }

  fields(): readonly Field[] {
    return [this.#count, Uint8Array.from(this.#sum)];
  }
}

function macOf(row: Row): Uint8Array {
  const mac = row['mac'];
  if (mac instanceof Uint8Array) return mac;
  throw new TypeError('a row of the set carries its MAC');
}

/** What the seal covers besides the rows. */
export type StoreHeader = {
  readonly storeId: Uint8Array;
  readonly createdAt: string;
  readonly epoch: number;
  readonly auditHead: { readonly seq: number; readonly hash: Uint8Array; readonly offset: number };
};

export function storeSeal(header: StoreHeader, version: number, rows: RowSet, keys: RootKeys): Uint8Array<ArrayBuffer> {
  const { storeId, createdAt, epoch, auditHead } = header;
  const fields = [
    version,
    storeId,
    createdAt,
    epoch,
    auditHead.seq,
    auditHead.hash,
    auditHead.offset,
    ...rows.fields(),
  ];
  return new Uint8Array(hmacSha256(keys.record, encodeFields('sealgate store v1', fields)));
}
