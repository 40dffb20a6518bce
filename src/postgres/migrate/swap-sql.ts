/** The statements of a move. */
import { SWAPPED_TYPE, type Direction } from './stage.ts';
import { sqlNames, workType, type MoveTable, type MoveTarget } from './targets.ts';

/**
 * One rewrite of the table: the column takes the values gathered beside it, keeps its place, and its indexes and keys are built anew. Dropping
 * the work column in the same statement is what keeps the rewritten rows free of it; expressions still see the rows as they were
 * (src/backend/commands/tablecmds.c: USING is transformed before, and evaluated with the old descriptor).
 */
export function swapStatement(table: string, targets: readonly MoveTarget[]): string {
  const parts = targets.flatMap((target) => {
    const { column, work } = sqlNames(target);
    const collation = target.collation === undefined ? '' : ` COLLATE ${target.collation}`;
    return [
      `ALTER COLUMN ${column} TYPE ${target.type}${collation} USING ${work}::${target.type}`,
      // Of a column that keeps its type nothing else would say that this was done.
      target.rule.format === undefined
        ? `DROP COLUMN ${work}`
        : `ALTER COLUMN ${work} TYPE ${SWAPPED_TYPE} USING NULL::${SWAPPED_TYPE}`,
    ];
  });
  return `ALTER TABLE ${table} ${parts.join(', ')}`;
}

export function addStatements(direction: Direction, { name, targets }: MoveTable): readonly string[] {
  return targets
    .filter(({ workColumn }) => workColumn === 'none')
    .map((target) => `ALTER TABLE ${name} ADD COLUMN ${sqlNames(target).work} ${workType(direction, target)}`);
}

export function abandonStatements({ name, targets }: MoveTable): readonly string[] {
  return targets.filter(({ workColumn }) => workColumn === 'begun').map((target) => dropWorkStatement(name, target));
}

export function dropWorkStatement(table: string, target: MoveTarget): string {
  return `ALTER TABLE ${table} DROP COLUMN IF EXISTS ${sqlNames(target).work}`;
}
