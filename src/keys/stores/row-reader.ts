/**
 * The message of a row's MAC (`rowMac`), of many rows of one table: what is the same for all of them, their columns' names and types, is
 * encoded once, and each row's message is put together where the one before was.
 */
import type { SQLOutputValue } from 'node:sqlite';
import { encodeFields, LENGTH_BYTES, writeUint64 } from '../fields.ts';
import type { Row } from './row-mac.ts';
import type { TableName } from './schema.ts';

type ColumnType = 'text' | 'blob' | 'integer';
type Column = {
  readonly at: number;
  /** Its name and type as fields. */ readonly heads: Readonly<Record<ColumnType, Uint8Array>>;
};

const FIRST_BYTES = 4096;
const INTEGER_BYTES = 8;
/** Name, type and value. */
const FIELDS_OF_COLUMN = 3;

export class RowReader {
  readonly #columns: readonly string[];
  readonly #macAt: number;
  /** In the order of their names, without the MAC's. */
  readonly #covered: readonly Column[];
  /** The label and the table's name, after the count. */
  readonly #head: Uint8Array;
  #message = Buffer.allocUnsafeSlow(FIRST_BYTES);

  /** `columns`: as each row's values come. */
  constructor(table: TableName, columns: readonly string[]) {
    this.#columns = columns;
    this.#macAt = columns.indexOf('mac');
    this.#covered = columns
      .map((name, at) => ({ name, at }))
      .filter(({ at }) => at !== this.#macAt)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, at }) => ({ at, heads: headsOf(name) }));
    this.#head = encodeFields('sealgate row v1', [table]).subarray(LENGTH_BYTES);
  }

  /** Undefined: it has none, or something else in its place. */
  mac(values: readonly SQLOutputValue[]): Uint8Array | undefined {
    const mac = values[this.#macAt];
    return mac instanceof Uint8Array ? mac : undefined;
  }

  /** Good until the next row's. */
  message(values: readonly SQLOutputValue[]): Uint8Array {
    const message = this.#reserve(this.#room(values));
    let fields = 2;
    message.set(this.#head, LENGTH_BYTES);
    let at = LENGTH_BYTES + this.#head.length;
    for (const column of this.#covered) {
      const value = values[column.at];
      if (value === null || value === undefined) continue;
      const type = typeOf(value);
      message.set(column.heads[type], at);
      at = putValue(message, at + column.heads[type].length, value);
      fields += FIELDS_OF_COLUMN;
    }
    message.writeUInt32BE(fields);
    return message.subarray(0, at);
  }

  row(values: readonly SQLOutputValue[]): Row {
    const row: Record<string, SQLOutputValue> = {};
    for (const [at, column] of this.#columns.entries()) row[column] = values[at] ?? null;
    return row;
  }

  /** At most so many bytes: three for each code unit of a text. */
  #room(values: readonly SQLOutputValue[]): number {
    let room = LENGTH_BYTES + this.#head.length;
    for (const { at, heads } of this.#covered) {
      const value = values[at];
      room += heads.integer.length + LENGTH_BYTES + INTEGER_BYTES;
      if (typeof value === 'string') room += 3 * value.length;
      else if (value instanceof Uint8Array) room += value.length;
    }
    return room;
  }

  #reserve(length: number): Buffer {
    if (length > this.#message.length) this.#message = Buffer.allocUnsafeSlow(2 * length);
    return this.#message;
  }
}

function headsOf(name: string): Column['heads'] {
  const head = (type: ColumnType): Uint8Array => encodeFields(name, [type]).subarray(LENGTH_BYTES);
  return { text: head('text'), blob: head('blob'), integer: head('integer') };
}

function typeOf(value: string | number | bigint | Uint8Array): ColumnType {
  if (typeof value === 'string') return 'text';
  return value instanceof Uint8Array ? 'blob' : 'integer';
}

/** After its length; where it ends. */
function putValue(message: Buffer, at: number, value: string | number | bigint | Uint8Array): number {
  const start = at + LENGTH_BYTES;
  let end;
  if (typeof value === 'string') end = start + message.write(value, start, 'utf8');
  else if (value instanceof Uint8Array) {
    message.set(value, start);
    end = start + value.length;
  } else end = writeUint64(message, Number(value), start);
  message.writeUInt32BE(end - start, at);
  return end;
}
