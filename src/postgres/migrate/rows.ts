/**
 * Rows of one table in the order of its pages, in pieces that fit into memory whatever the size of their values.
 *
 * By ctid and not by a key: every table has it, and a new start costs nothing. Rows that a batch writes move to later pages, where they
 * are seen again, but no longer wanted.
 */
import type { ServiceSession } from '../service/connection.ts';
import type { Direction } from './stage.ts';
import { sqlNames, type Leaf, type MoveTarget } from './targets.ts';

/** One column of a row, before and after: NULL is undefined. `plain`: as the type's output function prints it, in UTF-8. */
export type Cell = { readonly plain: Uint8Array | undefined; readonly sealed: Uint8Array | undefined };
export type MovingRow = { readonly ctid: string; readonly cells: readonly Cell[] };

/** Values of a piece as they lie in the table, compressed as they may be; and rows of a piece at most. */
const PIECE_BYTES = 1024 * 1024;
const PIECE_ROWS = 500;

export type PageRange = { readonly from: number; readonly to: number };

/** `wanted`: SQL over the row; undefined: every row. */
export async function* rowsOf(
  session: ServiceSession,
  direction: Direction,
  leaf: Leaf,
  targets: readonly MoveTarget[],
  range: PageRange,
  wanted?: string,
): AsyncGenerator<readonly MovingRow[]> {
  const sizes = targets.map((target) => {
    const { column, work } = sqlNames(target);
    return `coalesce(pg_column_size(${column}), 0) + coalesce(pg_column_size(${work}), 0)`;
  });
  const found = await session.query<{ ctid: string; bytes: number }>(
    `SELECT ctid::text AS ctid, ${sizes.join(' + ')} AS bytes FROM ONLY ${leaf.name}
     WHERE ${await pagesClause(session, range)}${wanted === undefined ? '' : ` AND (${wanted})`}`,
  );
  for (const piece of pieces(found)) yield fetchRows(session, direction, leaf, targets, piece);
}

/** A range scan, which PostgreSQL 13 has not: there each place of a page is named. */
async function pagesClause(session: ServiceSession, { from, to }: PageRange): Promise<string> {
  const [row] = await session.query<{ version: string }>("SELECT current_setting('server_version_num') AS version");
  if (Number(row?.version) >= 140_000) return `ctid >= '(${from},0)'::tid AND ctid < '(${to},0)'::tid`;
  // MaxHeapTuplesPerPage for pages of 8 KiB (src/include/access/htup_details.h).
  return `ctid = ANY (ARRAY(SELECT format('(%s,%s)', p, i)::tid FROM generate_series(${from}, ${to - 1}) p, generate_series(1, 291) i))`;
}

function* pieces(rows: readonly { readonly ctid: string; readonly bytes: number }[]): Generator<readonly string[]> {
  let piece: string[] = [];
  let bytes = 0;
  for (const row of rows) {
    if (piece.length > 0 && (bytes + row.bytes > PIECE_BYTES || piece.length === PIECE_ROWS)) {
      yield piece;
      piece = [];
      bytes = 0;
    }
    piece.push(row.ctid);
    bytes += row.bytes;
  }
  if (piece.length > 0) yield piece;
}

/** Rows by their places. */
export async function fetchRows(
  session: ServiceSession,
  direction: Direction,
  leaf: Leaf,
  targets: readonly MoveTarget[],
  ctids: readonly string[],
): Promise<readonly MovingRow[]> {
  const columns = targets.map((target, index) => {
    const { column, work } = sqlNames(target);
    const [plain, sealed] = direction === 'seal' ? [column, work] : [work, column];
    const bytes = target.rule.format === undefined ? `${sealed}::bytea` : `convert_to(${sealed}, 'UTF8')`;
    // %s is the type's output function, where a cast to text may print otherwise (bool, char(n)).
    return `CASE WHEN ${plain} IS NOT NULL THEN convert_to(format('%s', ${plain}), 'UTF8') END AS "p${index}", ${bytes} AS "s${index}"`;
  });
  const rows = await session.query<Record<string, Buffer | null> & { ctid: never }>(
    `SELECT ctid::text AS ctid, ${columns.join(', ')} FROM ONLY ${leaf.name} WHERE ctid = ANY ($1::tid[])`,
    [ctids],
  );
  return rows.map((row) => ({
    ctid: String(row.ctid),
    cells: targets.map((_, index) => ({
      plain: row[`p${index}`] ?? undefined,
      sealed: row[`s${index}`] ?? undefined,
    })),
  }));
}

/** Writes converted values beside the column; rows by ctid, which hold still while the table is locked against writers. Gives their new places. */
export async function writeRows(
  session: ServiceSession,
  direction: Direction,
  leaf: Leaf,
  targets: readonly MoveTarget[],
  rows: readonly MovingRow[],
): Promise<readonly string[]> {
  if (rows.length === 0) return [];
  const sets = targets.map((target, index) => {
    const isText = direction === 'unseal' || target.rule.format !== undefined;
    const value = !isText ? `v.c${index}` : `convert_from(v.c${index}, 'UTF8')::${target.type}`;
    return `${sqlNames(target).work} = ${value}`;
  });
  const arrays = targets.map((_, index) => `$${index + 2}::bytea[]`);
  const names = targets.map((_, index) => `c${index}`);
  const values = targets.map((_, index) =>
    rows.map(({ cells }) => {
      const cell = cells[index];
      const bytes = direction === 'seal' ? cell?.sealed : cell?.plain;
      return bytes === undefined ? null : Buffer.from(bytes);
    }),
  );
  const written = await session.query<{ ctid: string }>(
    `UPDATE ONLY ${leaf.name} AS t SET ${sets.join(', ')}
     FROM unnest($1::tid[], ${arrays.join(', ')}) AS v(id, ${names.join(', ')}) WHERE t.ctid = v.id RETURNING t.ctid::text AS ctid`,
    [rows.map(({ ctid }) => ctid), ...values],
  );
  if (written.length !== rows.length)
    throw new TypeError(`${written.length} rows were written, not ${rows.length}, although the table is locked`);
  return written.map(({ ctid }) => ctid);
}
