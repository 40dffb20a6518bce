/**
 * A move as a whole: columns that hold plaintext become sealed, or sealed ones plain.
 *
 * Order, each step safe to end at: everything that could stand in the way is found; columns get their identity; a work column is added beside
 * each and filled in batches; then all is read back and swapped in one transaction. A new start goes on where the last one ended.
 */
import type { RandomSource } from '../../crypto/random.ts';
import type { ColumnService } from '../columns/column-service.ts';
import { forgetBinding, identify, identifyPlain, type ColumnIdentity } from '../columns/identity.ts';
import { identifySealing, identifyUnsealing } from '../columns/moving-identity.ts';
import { declarations, sealedColumn } from '../columns/resolve.ts';
import type { SealedColumn } from '../plan.ts';
import type { ServiceConnection, ServiceSession } from '../service/connection.ts';
import { converter, type Converter } from './convert.ts';
import { fillLeaf } from './fill.ts';
import { lockedTransaction } from './locked.ts';
import { closeForSwap, finishPreserving, unmark } from './preserving.ts';
import { swapTables, type SwapStep } from './swap.ts';
import { abandonStatements, addStatements } from './swap-sql.ts';
import type { Direction } from './stage.ts';
import type { MoveTable, MoveTarget } from './targets.ts';

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
  // Binding what keeps its type is part of its move, and behind its work column: see preserving.ts.
  const early = await bindTargets(options, tables, ({ rule }) => rule.format === undefined);
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
  const late = await bindTargets(options, tables, ({ rule }) => rule.format !== undefined);
  const converters = await openConverters(options, tables, new Map([...early, ...late]));
  let converted = 0;
  for (const table of tables) converted += await fillTable(options, table, converters.get(table));
  if (direction === 'unseal')
    await closeForSwap(
      service,
      tables.flatMap(({ targets }) => targets),
    );
  const swapped = await swapTables(options, tables, converters);
  await finishPreserving(options, tables);
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

/** Gives the columns their identity, in one transaction. */
async function bindTargets(
  { direction, service, random }: MoveOptions,
  tables: readonly MoveTable[],
  isMeant: (target: MoveTarget) => boolean,
): Promise<ReadonlyMap<MoveTarget, SealedColumn>> {
  const targets = tables.flatMap((table) => table.targets).filter(isMeant);
  return service.transaction(async (session) => {
    const bound = new Map<MoveTarget, SealedColumn>();
    for (const target of targets) {
      const { rule, live } = target;
      const identity = await identityOf(session, direction, target, random);
      bound.set(target, sealedColumn(rule, live, identity, await declarations(session, rule)));
    }
    return bound;
  });
}

async function identityOf(
  session: ServiceSession,
  direction: Direction,
  { rule, live, workColumn }: MoveTarget,
  random: RandomSource,
): Promise<ColumnIdentity> {
  if (rule.format !== undefined)
    return direction === 'seal' ? identifySealing(session, rule, live, random) : identifyUnsealing(session, rule, live);
  return direction === 'seal'
    ? identifyPlain(session, rule, live, workColumn === 'begun', random)
    : identify(session, rule, live, random);
}

/** Gets (and audits) their keys. */
async function openConverters(
  { direction, columns, principal }: MoveOptions,
  tables: readonly MoveTable[],
  bound: ReadonlyMap<MoveTarget, SealedColumn>,
): Promise<ReadonlyMap<MoveTable, Converter>> {
  const session = await columns.open([...bound.values()], { principal, via: 'cli' });
  return new Map(
    tables.map((table) => {
      const sealed = table.targets.flatMap((target) => bound.get(target) ?? []);
      if (sealed.length !== table.targets.length) throw new TypeError('a column was not bound');
      return [table, converter(direction, session, sealed)];
    }),
  );
}

/** Takes an unfinished move back: what was converted so far goes, the columns are as they were. */
export async function abandonMove(
  {
    direction,
    owner,
    service,
    lockTimeoutMs,
    tell,
  }: Pick<MoveOptions, 'direction' | 'owner' | 'service' | 'lockTimeoutMs' | 'tell'>,
  tables: readonly MoveTable[],
): Promise<void> {
  for (const table of tables) {
    await unmark(service, direction, table.targets);
    await lockedTransaction(owner, [table], lockTimeoutMs, async (session) => {
      for (const statement of abandonStatements(table)) {
        tell({ type: 'begin', statement });
        await session.query(statement);
      }
    });
  }
}
