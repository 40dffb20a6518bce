/**
 * The end of a move, in one transaction under one lock: every row is read back and both of its sides are held against each other, then the
 * tables are rewritten with the converted values in the columns' places.
 *
 * Invariant: nothing that any session ever wrote is lost: what changed behind the batches is converted here.
 */
import type { ServiceConnection, ServiceSession } from '../service/connection.ts';
import type { Converter } from './convert.ts';
import { MigrateError } from './errors.ts';
import { pagesOf } from './fill.ts';
import { lockedTransaction, withoutTriggers } from './locked.ts';
import { fetchRows, rowsOf, writeRows, type MovingRow } from './rows.ts';
import { swapStatement } from './swap-sql.ts';
import type { Direction } from './stage.ts';
import type { Leaf, MoveTable } from './targets.ts';

const VERIFIED_PAGES = 512;

export type SwapOptions = {
  readonly direction: Direction;
  readonly owner: ServiceConnection;
  readonly lockTimeoutMs: number;
  readonly signal: AbortSignal;
  readonly tell: (step: SwapStep) => void;
};

export type SwapStep =
  | {
      readonly type: 'verify';
      readonly table: string;
      readonly pages: number;
      readonly ofPages: number;
      readonly rows: number;
    }
  | { readonly type: 'rewrite'; readonly statement: string };

/** `late`: rows that had been written behind the batches. */
export type Swapped = { readonly rows: number; readonly late: number };

type Counted = { rows: number; late: number };

export async function swapTables(
  options: SwapOptions,
  tables: readonly MoveTable[],
  converters: ReadonlyMap<MoveTable, Converter>,
): Promise<Swapped> {
  const { owner, lockTimeoutMs, tell } = options;
  return lockedTransaction(owner, tables, lockTimeoutMs, async (session) => {
    const counted: Counted = { rows: 0, late: 0 };
    for (const table of tables) {
      const by = converters.get(table);
      if (by === undefined) continue;
      const ofTable: Counted = { rows: 0, late: 0 };
      await withoutTriggers(session, table.leaves, async () => {
        for (const leaf of table.leaves) await verifyLeaf(options, session, table, leaf, by, ofTable);
      });
      counted.rows += ofTable.rows;
      counted.late += ofTable.late;
    }
    options.signal.throwIfAborted();
    const keys = await foreignKeys(session, tables);
    const statements = [
      ...keys.map(({ table, name }) => `ALTER TABLE ${table} DROP CONSTRAINT ${name}`),
      ...tables.map(({ name, targets }) => swapStatement(name, targets)),
      ...keys.map(({ table, name, definition }) => `ALTER TABLE ${table} ADD CONSTRAINT ${name} ${definition}`),
    ];
    for (const statement of statements) {
      tell({ type: 'rewrite', statement });
      await session.query(statement);
    }
    return counted;
  });
}

async function verifyLeaf(
  { direction, signal, tell }: SwapOptions,
  session: ServiceSession,
  { targets, name }: MoveTable,
  leaf: Leaf,
  { agrees, convert }: Converter,
  counted: Counted,
): Promise<void> {
  const ofPages = await pagesOf(session, leaf);
  /** Where rows that are written here come to lie: on pages that are read later, or were before. */
  const rewritten = new Set<string>();
  for (let from = 0; from < ofPages; from += VERIFIED_PAGES) {
    signal.throwIfAborted();
    const to = Math.min(from + VERIFIED_PAGES, ofPages);
    for await (const piece of rowsOf(session, direction, leaf, targets, { from, to })) {
      const late: MovingRow[] = [];
      for (const row of piece) if (!(await agrees(row))) late.push(await convert(row));
      const places = await writeRows(session, direction, leaf, targets, late);
      for (const row of await fetchRows(session, direction, leaf, targets, places))
        if (!(await agrees(row))) throw wrongRow(name, row);
      counted.rows += piece.filter(({ ctid }) => !rewritten.has(ctid)).length;
      places.forEach((ctid) => rewritten.add(ctid));
      counted.late += late.length;
    }
    tell({ type: 'verify', table: name, pages: to, ofPages, rows: counted.rows });
  }
}

function wrongRow(table: string, { ctid }: MovingRow): MigrateError {
  const message = `${table}: a value in the row with ctid ${ctid} does not come back as it was written`;
  return new MigrateError('ERR_POSTGRES_MOVE_VALUE', message);
}

type ForeignKey = { readonly table: string; readonly name: string; readonly definition: string };

/** Those of the columns, at whichever end: dropped for the rewrite, and made again as they were, which checks every row. */
export async function foreignKeys(
  session: Pick<ServiceConnection, 'query'>,
  tables: readonly MoveTable[],
): Promise<readonly ForeignKey[]> {
  const found = new Map<string, ForeignKey>();
  for (const { oid, targets } of tables) {
    const rows = await session.query<ForeignKey>(
      `SELECT DISTINCT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS "table", quote_ident(k.conname) AS name,
         pg_get_constraintdef(k.oid) AS definition
       FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE k.contype = 'f' AND k.conparentid = 0
         AND ((k.conrelid = $1 AND k.conkey && $2::int2[]) OR (k.confrelid = $1 AND k.confkey && $2::int2[]))
       ORDER BY 1, 2`,
      [oid, targets.map(({ live }) => live.attnum)],
    );
    for (const key of rows) found.set(`${key.table} ${key.name}`, key);
  }
  return [...found.values()];
}
