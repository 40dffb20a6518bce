/**
 * COPY FROM STDIN on its way upstream: rows are found in the client's stream, their sealed fields sealed, everything else passes as it was
 * written.
 *
 * Invariants: no byte of a row leaves before the row is whole and has the planned number of fields (a value in the wrong place would be
 * stored, or quoted in the server's log); lines end upstream with a newline, so that the server tells them apart as we did; memory is
 * bounded by one row and one message.
 */
import { setImmediate } from 'node:timers/promises';
import type { ColumnSession } from '../columns/column-service.ts';
import { PostgresError } from '../errors.ts';
import { MAX_SEALED_MESSAGE_BYTES, MAX_SEALED_VALUE_BYTES } from '../limits.ts';
import type { CopyPlan, SealedColumn, SealedLiteral, SealedParameter } from '../plan.ts';
import { STANDARD_SETTINGS } from '../types/codec.ts';
import type { SessionSettings } from '../session/settings.ts';
import { BinaryFields, binaryHeaderLength, BinaryRows } from './binary-rows.ts';
import { CsvFields, CsvRows } from './csv-rows.ts';
import { badCopyData, type CopyPlace } from './errors.ts';
import { NEWLINE } from './format.ts';
import { CopyOutput } from './output.ts';
import { RowBuffer } from './row-buffer.ts';
import type { FieldCodec, RowScanner } from './rows.ts';
import { TextFields, TextRows } from './text-rows.ts';

export type CopyInOptions = {
  readonly plan: CopyPlan;
  readonly columns: ColumnSession;
  readonly settings: SessionSettings;
  /** Whole CopyData messages. */
  readonly write: (message: Uint8Array) => void;
};

type SealedField = { readonly index: number; readonly parameter: SealedParameter };

/** The server version from which `\.` is a value like any other in csv, and an error in a row of text. */
const DOT_IS_DATA_SINCE = 18;
/** So many values are sealed before other connections get their turn. */
const VALUES_A_TURN = 500;

export class CopyIn {
  readonly #options: CopyInOptions;
  readonly #rows: RowScanner;
  readonly #codec: FieldCodec;
  /** In the order of their places. */
  readonly #sealed: readonly SealedField[];
  readonly #defaults: readonly SealedLiteral[];
  readonly #output = new CopyOutput();
  readonly #buffer = new RowBuffer();
  readonly #isBinary: boolean;
  #header: 'none' | 'skip' | 'match' | 'binary';
  #line = 0;
  #ended = false;
  #sealedSinceTurn = 0;
  /** Of the field at work. */
  #column: string | undefined;

  constructor(options: CopyInOptions) {
    this.#options = options;
    const { format, fields, names } = options.plan;
    this.#sealed = fields.flatMap((parameter, index) => (parameter === undefined ? [] : [{ index, parameter }]));
    this.#defaults = options.plan.defaults ?? [];
    this.#isBinary = format.type === 'binary';
    this.#header = format.type === 'binary' ? 'binary' : format.header;
    switch (format.type) {
      case 'text':
        this.#rows = new TextRows(format, names.length, options.settings.serverVersion < DOT_IS_DATA_SINCE);
        this.#codec = new TextFields(format);
        break;
      case 'csv':
        this.#rows = new CsvRows(format, names.length, options.settings.serverVersion < DOT_IS_DATA_SINCE);
        this.#codec = new CsvFields(format);
        break;
      case 'binary':
        this.#rows = new BinaryRows(names.length);
        this.#codec = new BinaryFields();
    }
  }

  /** Where an error that was just thrown belongs; undefined for what comes before the first row. */
  get place(): CopyPlace | undefined {
    if (this.#header === 'binary') return undefined;
    return { table: this.#options.plan.table, line: this.#line + this.#rows.lines, column: this.#column };
  }

  /**
   * Takes the next bytes of the client, which are its own again at once. A promise where there is much to do. Throws PostgresError,
   * ValueError: the COPY is over.
   */
  push(bytes: Uint8Array): void | Promise<void> {
    if (this.#ended) {
      if (this.#isBinary && bytes.length > 0) throw badCopyData('received copy data after EOF marker');
      return;
    }
    this.#buffer.append(bytes);
    if (!this.#work(false)) return this.#workOn(false);
    this.#flush();
  }

  /** CopyDone: what is there is the last row. Throws as `push`. */
  async end(): Promise<void> {
    if (!this.#ended && this.#header === 'binary' && this.#buffer.length > 0)
      throw badCopyData('COPY file signature not recognized');
    while (!this.#work(true)) await setImmediate();
    this.#flush();
  }

  async #workOn(last: boolean): Promise<void> {
    do {
      this.#flush();
      await setImmediate();
    } while (!this.#work(last));
    this.#flush();
  }

  /** False: the turn is over, there are rows left. */
  #work(last: boolean): boolean {
    this.#sealedSinceTurn = 0;
    while (!this.#ended) {
      if (this.#sealedSinceTurn >= VALUES_A_TURN) return false;
      this.#column = undefined;
      if (this.#header === 'binary' && !this.#binaryHeader()) return true;
      const { bytes, start, end } = this.#buffer;
      const found = this.#rows.scan(bytes, start, end, last);
      if (found === 'more') {
        this.#requireRoom();
        return true;
      }
      if (found === 'end') {
        this.#ended = true;
        this.#buffer.clear();
        return true;
      }
      this.#row(bytes, start);
      this.#line += this.#rows.lines;
      this.#buffer.drop(this.#rows.next);
      if (this.#output.isFull) this.#flush();
    }
    return true;
  }

  #requireRoom(): void {
    if (this.#buffer.length <= MAX_SEALED_MESSAGE_BYTES) return;
    const message = `a row of COPY may have at most ${MAX_SEALED_MESSAGE_BYTES} bytes on a table with sealed columns`;
    throw new PostgresError('ERR_POSTGRES_TOO_LARGE', message, { sqlstate: '54000' });
  }

  /** False where it is not whole. */
  #binaryHeader(): boolean {
    const { bytes, start, end } = this.#buffer;
    const length = binaryHeaderLength(bytes, start, end);
    if (length === undefined || end - start < length) {
      this.#requireRoom();
      return false;
    }
    this.#output.bytes(bytes, start, start + length);
    this.#buffer.drop(length);
    this.#header = 'none';
    return true;
  }

  #row(bytes: Uint8Array, start: number): void {
    if (this.#header === 'skip') return this.#headerLine();
    if (this.#rows.unterminated) throw badCopyData('unterminated CSV quoted field');
    if (this.#header === 'match') return this.#matchingLine(bytes, start);
    this.#requireCount();
    let copied = this.#recount();
    for (const { index, parameter } of this.#sealed) {
      const fieldStart = this.#rows.fields.start(index);
      const fieldEnd = this.#rows.fields.end(index);
      this.#column = this.#options.plan.names[index];
      const value = this.#codec.read(bytes, start + fieldStart, start + fieldEnd, index);
      if (value === undefined) continue;
      const sealed = this.#seal(value, parameter);
      this.#output.bytes(bytes, start + copied, start + fieldStart);
      this.#write(parameter.column, sealed);
      copied = fieldEnd;
    }
    this.#output.bytes(bytes, start + copied, start + this.#rows.contentEnd);
    this.#column = undefined;
    for (const literal of this.#defaults) this.#addDefault(literal);
    if (!this.#isBinary) this.#output.byte(NEWLINE);
  }

  /** A binary row begins with the number of its fields, which defaults add to. Gives how much of the row is written. */
  #recount(): number {
    const { length } = this.#defaults;
    if (!this.#isBinary || length === 0) return 0;
    const count = this.#options.plan.names.length + length;
    this.#output.byte(count >> 8);
    this.#output.byte(count & 0xff);
    return 2;
  }

  /** Sealed for each row: in a randomized column the rows must not show that they hold the same. */
  #addDefault({ column, value }: SealedLiteral): void {
    const { format } = this.#options.plan;
    if (format.type !== 'binary') this.#output.byte(format.delimiter);
    this.#sealedSinceTurn++;
    this.#write(column, this.#options.columns.sealLiteral(column, value ?? '', STANDARD_SETTINGS));
  }

  #write({ format }: SealedColumn, sealed: Uint8Array): void {
    if (format === undefined) this.#codec.writeSealed(this.#output, sealed);
    else this.#codec.writePreserved(this.#output, sealed);
  }

  #seal(value: Uint8Array, parameter: SealedParameter): Uint8Array {
    if (value.length > MAX_SEALED_VALUE_BYTES) {
      const message = `a value for a sealed column may have at most ${MAX_SEALED_VALUE_BYTES} bytes (maxSealedValueBytes)`;
      throw new PostgresError('ERR_POSTGRES_TOO_LARGE', message, { sqlstate: '54000' });
    }
    this.#sealedSinceTurn++;
    const { columns, settings } = this.#options;
    return columns.seal(parameter.column, value, this.#codec.valueFormat, settings, 'scalar', parameter);
  }

  /** As the server counts, before it could quote the line. */
  #requireCount(): void {
    const { names } = this.#options.plan;
    const { count } = this.#rows.fields;
    if (count === names.length) return;
    if (count > names.length) throw badCopyData('extra data after last expected column');
    throw badCopyData(`missing data for column "${names[count] ?? ''}"`);
  }

  /** Data may stand in its place by mistake: an empty line goes upstream instead. */
  #headerLine(): void {
    this.#header = 'none';
    this.#output.byte(NEWLINE);
  }

  #matchingLine(bytes: Uint8Array, start: number): void {
    this.#requireNames(bytes, start);
    this.#output.bytes(bytes, start, start + this.#rows.contentEnd);
    const { format, names } = this.#options.plan;
    this.#defaults.forEach(({ column }, index) => {
      if (format.type !== 'binary') this.#output.byte(format.delimiter);
      this.#codec.writeValue(this.#output, Buffer.from(column.column), names.length + index, false);
    });
    this.#headerLine();
  }

  #requireNames(bytes: Uint8Array, start: number): void {
    const { names } = this.#options.plan;
    const { fields } = this.#rows;
    if (fields.count !== names.length)
      throw badCopyData(`wrong number of fields in header line: got ${fields.count}, expected ${names.length}`);
    names.forEach((name, index) => {
      const value = this.#codec.read(bytes, start + fields.start(index), start + fields.end(index), index);
      if (value === undefined || Buffer.from(value).toString() !== name)
        throw badCopyData(`column name mismatch in header line field ${index + 1}: expected "${name}"`);
    });
  }

  #flush(): void {
    const message = this.#output.take();
    if (message !== undefined) this.#options.write(message);
  }
}
