/**
 * Where the move of a format-preserving column stands: its type and values look the same before and after, so the record in schema sealgate
 * and the work column tell it together.
 *
 * Order of a sealing: work column; record `sealing`; batches; swap, which in the same transaction makes the work column a boolean one; record
 * as the rule says; work column dropped. Of an unsealing: work column; batches; record `unsealing`; swap; record deleted; work column dropped.
 * Each step can be told from the one before it, so a new start goes on behind the last one that was done.
 */
import { markOf, type Mark } from '../columns/moving-identity.ts';
import type { PlacedColumn } from '../columns/identity.ts';
import type { Questions } from '../service/connection.ts';
import { ruleName, type SealRule } from '../service/rules.ts';
import { MigrateError } from './errors.ts';

export type Direction = 'seal' | 'unseal';

/** `begun`: by an earlier run. `swapped`: of a format-preserving column, behind its swap. `taken`: the name is another's. */
export type WorkColumn = 'none' | 'begun' | 'swapped' | 'taken';

/** What the work column of a format-preserving column is from its swap on. */
export const SWAPPED_TYPE = 'boolean';

export type Stage = 'open' | 'swapped' | 'done';

/** Errors: ERR_POSTGRES_MOVE_REFUSED where the other direction is under way, or what was begun cannot be told. */
export async function stageOf(
  service: Questions,
  direction: Direction,
  rule: SealRule,
  live: PlacedColumn,
  work: WorkColumn,
): Promise<Stage> {
  const mark = await markOf(service, rule, live);
  if (mark === 'other')
    throw refused(rule, 'its values were sealed with another format or generation than its rule says');
  if (work === 'none' && (mark === 'sealing' || mark === 'unsealing'))
    throw refused(
      rule,
      'its work column was dropped, so nothing says whether its values are sealed: bring it back, or look at the values and correct sealgate.columns',
    );
  const stage = direction === 'seal' ? sealingStage(mark, work) : unsealingStage(mark, work);
  if (stage !== undefined) return stage;
  const other = direction === 'seal' ? 'unseal' : 'seal';
  throw refused(
    rule,
    `the other direction is under way: finish it with \`sealgate postgres ${other}\`, or take it back with --abandon`,
  );
}

function sealingStage(mark: Mark, work: WorkColumn): Stage | undefined {
  if (mark === 'sealed')
    return work === 'none' || work === 'taken' ? 'done' : work === 'swapped' ? 'swapped' : undefined;
  if (mark === 'sealing') return work === 'swapped' ? 'swapped' : 'open';
  return mark === 'none' && work !== 'swapped' ? 'open' : undefined;
}

/** A work column without a record, or beside a `sealing` one, is a sealing's. */
function unsealingStage(mark: Mark, work: WorkColumn): Stage | undefined {
  if (mark === 'sealed') return work === 'swapped' ? undefined : 'open';
  if (mark === 'unsealing') return work === 'swapped' ? 'swapped' : 'open';
  if (mark !== 'none' || work === 'begun') return undefined;
  return work === 'swapped' ? 'swapped' : 'done';
}

function refused(rule: SealRule, why: string): MigrateError {
  return new MigrateError('ERR_POSTGRES_MOVE_REFUSED', `${ruleName(rule)}: ${why}`);
}
