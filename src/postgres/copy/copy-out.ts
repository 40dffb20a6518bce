/**
 * COPY TO STDOUT on its way to the client: the server sends a row in each CopyData, and so do we, with its sealed fields opened.
 */
import type { ColumnSession } from '../columns/column-service.ts';
import type { CopyPlan, SealedColumn } from '../plan.ts';
import { openFailed } from '../carried/errors.ts';
import type { SessionSettings } from '../session/settings.ts';
import { BinaryFields, binaryHeaderLength, BinaryRows } from './binary-rows.ts';
import { CsvFields, CsvRows } from './csv-rows.ts';
import { CopyOutput } from './output.ts';
import type { FieldCodec, RowScanner } from './rows.ts';
import { TextFields, TextRows } from './text-rows.ts';

export type CopyOutOptions = {
  readonly plan: CopyPlan;
  readonly results: readonly (SealedColumn | undefined)[];
  readonly columns: ColumnSession;
};

/** Of most rows. */
const ROW_BYTES = 512;

export class CopyOut {
  readonly #options: CopyOutOptions;
  readonly #rows: RowScanner;
  readonly #codec: FieldCodec;
  readonly #sealed: readonly { readonly index: number; readonly column: SealedColumn }[];
  readonly #output = new CopyOutput(ROW_BYTES);
  readonly #missing: { readonly column: SealedColumn; readonly sealed: Uint8Array }[] = [];
  #header: 'none' | 'line' | 'binary';

  constructor(options: CopyOutOptions) {
    this.#options = options;
    const { plan, results } = options;
    const { format } = plan;
    this.#sealed = results.flatMap((column, index) => (column === undefined ? [] : [{ index, column }]));
    switch (format.type) {
      case 'text':
        this.#rows = new TextRows(format, results.length);
        this.#codec = new TextFields(format);
        break;
      case 'csv':
        // The server quotes what could be taken for the marker.
        this.#rows = new CsvRows(format, results.length, false);
        this.#codec = new CsvFields(format);
        break;
      case 'binary':
        this.#rows = new BinaryRows(results.length);
        this.#codec = new BinaryFields();
    }
    this.#header = format.type === 'binary' ? 'binary' : format.header === 'none' ? 'none' : 'line';
  }

  /**
   * The CopyData for the client; undefined where a key has to be fetched first (`fetchKeys`), after which it is asked for again. Throws
   * ERR_POSTGRES_OPEN_FAILED.
   */
  open(data: Uint8Array, settings: SessionSettings): Uint8Array | undefined {
    const output = this.#output;
    const { columns, results } = this.#options;
    const header = this.#header;
    let copied = 0;
    this.#eachRow(data, (start) => {
      for (const { index, column } of this.#sealed) {
        const sealed = this.#sealedAt(data, start, index, column);
        if (sealed === undefined) continue;
        if (!columns.has(column, sealed)) {
          this.#missing.push({ column, sealed: Uint8Array.from(sealed) });
          continue;
        }
        output.bytes(data, copied, start + this.#rows.fields.start(index));
        this.#codec.writeValue(output, this.#opened(column, sealed, settings), index, results.length === 1);
        copied = start + this.#rows.fields.end(index);
      }
    });
    output.bytes(data, copied, data.length);
    const message = output.take();
    if (this.#missing.length === 0) return message;
    this.#header = header;
    return undefined;
  }

  async fetchKeys(): Promise<void> {
    const missing = this.#missing.splice(0);
    for (const { column, sealed } of missing) {
      try {
        await this.#options.columns.fetch(column, sealed);
      } catch (error) {
        throw openFailed('its key could not be had', error);
      }
    }
  }

  /** Calls with the start of each row of the message, its fields known. */
  #eachRow(data: Uint8Array, row: (start: number) => void): void {
    let start = this.#binaryHeader(data);
    while (start < data.length) {
      const found = this.#rows.scan(data, start, data.length, true);
      if (found === 'end') return;
      if (this.#rows.fields.count !== this.#options.results.length)
        throw openFailed('a row of COPY does not have the planned columns');
      if (this.#header === 'line') this.#header = 'none';
      else row(start);
      start += this.#rows.next;
    }
  }

  #binaryHeader(data: Uint8Array): number {
    if (this.#header !== 'binary') return 0;
    const length = binaryHeaderLength(data, 0, data.length);
    if (length === undefined || length > data.length) throw openFailed('a COPY without its header');
    this.#header = 'none';
    return length;
  }

  #sealedAt(data: Uint8Array, start: number, index: number, column: SealedColumn): Uint8Array | undefined {
    const { fields } = this.#rows;
    const value = this.#codec.read(data, start + fields.start(index), start + fields.end(index), index);
    return value === undefined || column.format !== undefined ? value : this.#codec.sealedBytes(value);
  }

  #opened(column: SealedColumn, sealed: Uint8Array, settings: SessionSettings): Uint8Array {
    try {
      return this.#options.columns.unseal(column, sealed, this.#codec.valueFormat, settings);
    } catch (error) {
      throw openFailed(`column ${column.schema}.${column.table}.${column.column}`, error);
    }
  }
}
