/** One cell, plain and sealed: made from the other, and held against it. */
import type { ColumnSession } from '../columns/column-service.ts';
import { parseSealedValue } from '../../envelope/sealed-value.ts';
import { PostgresError } from '../errors.ts';
import type { SealedColumn } from '../plan.ts';
import { initialSettings, type SessionSettings } from '../session/settings.ts';
import { ValueError } from '../types/errors.ts';
import { MigrateError } from './errors.ts';
import type { Cell, MovingRow } from './rows.ts';
import type { Direction } from './stage.ts';

export type Converter = {
  /** The row with what it is moved to made anew. Errors: ERR_POSTGRES_MOVE_VALUE, ERR_ENVELOPE_OPEN. */
  readonly convert: (row: MovingRow) => Promise<MovingRow>;
  /** Whether both sides of every cell say the same. */
  readonly agrees: (row: MovingRow) => Promise<boolean>;
};

/** `columns`: in the order of the cells. */
export function converter(direction: Direction, session: ColumnSession, columns: readonly SealedColumn[]): Converter {
  const cells = columns.map((column) => new CellConverter(direction, session, column));
  const each = async (
    row: MovingRow,
    work: (cell: Cell, converted: CellConverter) => Promise<Cell>,
  ): Promise<Cell[]> => {
    const done: Cell[] = [];
    for (const [index, cell] of row.cells.entries()) {
      const by = cells[index];
      if (by !== undefined) done.push(await work(cell, by));
    }
    return done;
  };
  return {
    convert: async (row) => ({
      ctid: row.ctid,
      cells: await each(row, (cell, by) =>
        direction === 'seal' ? by.fromPlain(cell.plain, row.ctid) : by.fromSealed(cell.sealed),
      ),
    }),
    agrees: async (row) => {
      for (const [index, cell] of row.cells.entries()) if ((await cells[index]?.agrees(cell)) !== true) return false;
      return true;
    },
  };
}

class CellConverter {
  readonly #direction: Direction;
  readonly #session: ColumnSession;
  readonly #column: SealedColumn;
  /** As the owner's connection is set: so both print alike. */
  readonly #settings: SessionSettings;

  constructor(direction: Direction, session: ColumnSession, column: SealedColumn) {
    this.#direction = direction;
    this.#session = session;
    this.#column = column;
    this.#settings = initialSettings('', column.database);
  }

  async fromPlain(plain: Uint8Array | undefined, ctid: string): Promise<Cell> {
    if (plain === undefined) return { plain, sealed: undefined };
    try {
      const sealed = this.#session.seal(this.#column, plain, 'text', this.#settings, 'scalar');
      const cell = { plain, sealed };
      if (sameBytes(plain, await this.#open(sealed))) return cell;
    } catch (error) {
      if (!(error instanceof ValueError || error instanceof PostgresError)) throw error;
      throw this.#wrongValue(ctid, `its type does not take it (${String(error.code)})`, error);
    }
    throw this.#wrongValue(ctid, 'it would read back otherwise than the server prints it');
  }

  async fromSealed(sealed: Uint8Array | undefined): Promise<Cell> {
    return { plain: sealed === undefined ? undefined : await this.#open(sealed), sealed };
  }

  async agrees({ plain, sealed }: Cell): Promise<boolean> {
    if (plain === undefined || sealed === undefined) return plain === sealed;
    if (!sameBytes(plain, await this.#open(sealed))) return false;
    if (this.#direction === 'unseal' || this.#column.mode !== 'deterministic') return true;
    return sameBytes(sealed, this.#session.seal(this.#column, plain, 'text', this.#settings, 'scalar'));
  }

  async #open(sealed: Uint8Array): Promise<Uint8Array> {
    if (this.#column.format === undefined) parseSealedValue(sealed);
    if (!this.#session.has(this.#column, sealed)) await this.#session.fetch(this.#column, sealed);
    return this.#session.unseal(this.#column, sealed, 'text', this.#settings);
  }

  #wrongValue(ctid: string, why: string, cause?: unknown): MigrateError {
    const { schema, table, column } = this.#column;
    const message = `${schema}.${table}.${column}: the value in the row with ctid ${ctid}: ${why}`;
    return new MigrateError('ERR_POSTGRES_MOVE_VALUE', message, { cause });
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
