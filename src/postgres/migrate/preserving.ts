/** The steps of a format-preserving column's move that stand around the swap: see stage.ts for their order. */
import { markOf, setMark } from '../columns/moving-identity.ts';
import { forgetBinding } from '../columns/identity.ts';
import type { ServiceConnection } from '../service/connection.ts';
import { lockedTransaction } from './locked.ts';
import { dropWorkStatement } from './swap-sql.ts';
import type { Direction } from './stage.ts';
import type { MoveTarget } from './targets.ts';

export type FinishOptions = {
  readonly direction: Direction;
  readonly owner: ServiceConnection;
  readonly service: ServiceConnection;
  readonly lockTimeoutMs: number;
};

export type SwappedTable = { readonly oid: number; readonly name: string; readonly targets: readonly MoveTarget[] };

/** From now on, and until the record is deleted, the proxy refuses the columns. */
export async function closeForSwap(service: ServiceConnection, targets: readonly MoveTarget[]): Promise<void> {
  await service.transaction(async (session) => {
    for (const { rule, live } of targets)
      if (rule.format !== undefined) await setMark(session, rule, live, 'sealed', 'unsealing');
  });
}

/** What is left to do behind the swap. */
export async function finishPreserving(options: FinishOptions, tables: readonly SwappedTable[]): Promise<void> {
  const { direction, owner, service, lockTimeoutMs } = options;
  for (const table of tables) {
    const targets = table.targets.filter(({ rule }) => rule.format !== undefined);
    if (targets.length === 0) continue;
    await service.transaction(async (session) => {
      for (const { rule, live } of targets)
        await (direction === 'seal' ? setMark(session, rule, live, 'sealing', 'sealed') : forgetBinding(session, live));
    });
    await lockedTransaction(owner, [table], lockTimeoutMs, async (session) => {
      for (const target of targets) await session.query(dropWorkStatement(table.name, target));
    });
  }
}

/** Before the work column of an unfinished move is dropped: the record says again what the column is. */
export async function unmark(
  service: ServiceConnection,
  direction: Direction,
  targets: readonly MoveTarget[],
): Promise<void> {
  await service.transaction(async (session) => {
    for (const { rule, live } of targets) {
      if (rule.format === undefined) continue;
      if (direction === 'unseal') await setMark(session, rule, live, 'unsealing', 'sealed');
      else if ((await markOf(session, rule, live)) === 'sealing') await forgetBinding(session, live);
    }
  });
}
