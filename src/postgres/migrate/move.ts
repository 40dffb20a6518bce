/**
 * A move as a whole: columns that hold plaintext become sealed, or sealed ones plain.
 *
 * Order, each step safe to end at: everything that could stand in the way is found; columns get their identity; a work column is added beside
 * each and filled in batches; then all is read back and swapped in one transaction. A new start goes on where the last one ended.
 */
import type { RandomSource } from '../../crypto/random.ts';
import type { ColumnService } from '../columns/column-service.ts';
import { forgetBinding, identify, identifyPlain } from '../columns/identity.ts';
import { declarations, sealedColumn } from '../columns/resolve.ts';
import type { SealedColumn } from '../plan.ts';
import type { ServiceConnection } from '../service/connection.ts';
import { converter, type Converter } from './convert.ts';
import { fillLeaf } from './fill.ts';
import { lockedTransaction } from './locked.ts';
import { swapTables, type SwapStep } from './swap.ts';
import { abandonStatements, addStatements } from './swap-sql.ts';
import type { Direction, MoveTable } from './targets.ts';

export type MoveStep =
  | SwapStep
  | { readonly type: 'begin'; readonly statement: string }
  | {
      readonly type: 'fill';
      readonly table: string;
      readonly pages: number;
      readonly ofPages: number;
      readonly rows: number;
    };

export type MoveOptions = {
  readonly direction: Direction;
  /** The tables' owner, with no statement timeout. */
  readonly owner: ServiceConnection;
  readonly service: ServiceConnection;
  readonly columns: ColumnService;
  readonly random: RandomSource;
  /** Who does it, for key policies and the audit trail. */
  readonly principal: string;
  readonly lockTimeoutMs: number;
  readonly signal: AbortSignal;
  readonly tell: (step: MoveStep) => void;
};

/** `converted`: in the batches of this run. `late`: written by others meanwhile, and converted at the swap. */
export type Moved = { readonly rows: number; readonly converted: number; readonly late: number };

/**
 * Precondition: `findObstacles` has found none. Errors: ERR_POSTGRES_MOVE_*, ERR_POSTGRES_COLUMN_*, ERR_POSTGRES_SERVICE_*, ERR_KEYS_*,
 * ERR_ENVELOPE_OPEN.
 */
export async function moveColumns(options: MoveOptions, tables: readonly MoveTable[]): Promise<Moved> {
  const { direction, owner, service, tell } = options;
  const converters = await openConverters(options, tables);
  for (const table of tables) {
    const statements = addStatements(direction, table);
    if (statements.length === 0) continue;
    await lockedTransaction(owner, [table], options.lockTimeoutMs, async (session) => {
      for (const statement of statements) {
        tell({ type: 'begin', statement });
        await session.query(statement);
      }
    });
  }
  let converted = 0;
  for (const table of tables) converted += await fillTable(options, table, converters.get(table));
  const swapped = await swapTables(options, tables, converters);
  if (direction === 'unseal') {
    await service.transaction(async (session) => {
      for (const { targets } of tables) for (const { live } of targets) await forgetBinding(session, live);
    });
  }
  return { ...swapped, converted };
}

async function fillTable(options: MoveOptions, table: MoveTable, by: Converter | undefined): Promise<number> {
  let rows = 0;
  if (by === undefined) return rows;
  for (const leaf of table.leaves) {
    const before = rows;
    const tell = (done: { readonly pages: number; readonly ofPages: number; readonly rows: number }): void =>
      options.tell({ type: 'fill', table: leaf.name, ...done, rows: before + done.rows });
    rows += await fillLeaf({ ...options, tell }, leaf, table.targets, by);
  }
  return rows;
}

/** Binds the columns, and gets (and audits) their keys. */
async function openConverters(
  { direction, service, columns, random, principal }: MoveOptions,
  tables: readonly MoveTable[],
): Promise<ReadonlyMap<MoveTable, Converter>> {
  const bound = await service.transaction(async (session) => {
    const found = new Map<MoveTable, readonly SealedColumn[]>();
    for (const table of tables) {
      const sealed: SealedColumn[] = [];
      for (const { rule, live, workColumn } of table.targets) {
        const begun = workColumn === 'begun';
        const identity =
          direction === 'seal'
            ? await identifyPlain(session, rule, live, begun, random)
            : await identify(session, rule, live, random);
        sealed.push(sealedColumn(rule, live, identity, await declarations(session, rule)));
      }
      found.set(table, sealed);
    }
    return found;
  });
  const session = await columns.open([...bound.values()].flat(), { principal, via: 'cli' });
  return new Map([...bound].map(([table, sealed]) => [table, converter(direction, session, sealed)]));
}

/** Takes an unfinished move back: what was converted so far goes, the columns are as they were. */
export async function abandonMove(
  { owner, lockTimeoutMs, tell }: Pick<MoveOptions, 'owner' | 'lockTimeoutMs' | 'tell'>,
  tables: readonly MoveTable[],
): Promise<void> {
  for (const table of tables) {
    await lockedTransaction(owner, [table], lockTimeoutMs, async (session) => {
      for (const statement of abandonStatements(table)) {
        tell({ type: 'begin', statement });
        await session.query(statement);
      }
    });
  }
}
