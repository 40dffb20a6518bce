/** The work column, filled in batches: each a transaction, so that a run that ends anywhere loses the last batch at most. */
import type { ServiceConnection } from '../service/connection.ts';
import type { Converter } from './convert.ts';
import { lockedTransaction, withoutTriggers } from './locked.ts';
import { rowsOf, writeRows } from './rows.ts';
import type { Direction } from './stage.ts';
import { sqlNames, type Leaf, type MoveTarget } from './targets.ts';

/** A megabyte of rows as they lie there. */
const BATCH_PAGES = 128;

export type FillOptions = {
  readonly direction: Direction;
  readonly owner: ServiceConnection;
  readonly lockTimeoutMs: number;
  readonly signal: AbortSignal;
  /** After each batch. */
  readonly tell: (done: { readonly pages: number; readonly ofPages: number; readonly rows: number }) => void;
};

/** Rows that were converted by this run. What other sessions write behind it is found by the verification. */
export async function fillLeaf(
  { direction, owner, lockTimeoutMs, signal, tell }: FillOptions,
  leaf: Leaf,
  targets: readonly MoveTarget[],
  { convert }: Converter,
): Promise<number> {
  const wanted = targets
    .map((target) => `(${sqlNames(target).column} IS NOT NULL AND ${sqlNames(target).work} IS NULL)`)
    .join(' OR ');
  const ofPages = await pagesOf(owner, leaf);
  let rows = 0;
  for (let from = 0; from < ofPages; from += BATCH_PAGES) {
    signal.throwIfAborted();
    const range = { from, to: Math.min(from + BATCH_PAGES, ofPages) };
    rows += await lockedTransaction(owner, [leaf], lockTimeoutMs, (session) =>
      withoutTriggers(session, [leaf], async () => {
        let converted = 0;
        for await (const piece of rowsOf(session, direction, leaf, targets, range, wanted)) {
          await writeRows(session, direction, leaf, targets, await Promise.all(piece.map(convert)));
          converted += piece.length;
        }
        return converted;
      }),
    );
    tell({ pages: range.to, ofPages, rows });
  }
  return rows;
}

export async function pagesOf(session: Pick<ServiceConnection, 'query'>, { oid }: Leaf): Promise<number> {
  const [row] = await session.query<{ pages: number }>(
    "SELECT (pg_relation_size($1::oid) / current_setting('block_size')::int8)::float8 AS pages",
    [oid],
  );
  return row?.pages ?? 0;
}
