/** The statements of a move. */
import { sqlNames, workType, type Direction, type MoveTable, type MoveTarget } from './targets.ts';

/**
 * One rewrite of the table: the column takes the values gathered beside it, keeps its place, and its indexes and keys are built anew. Dropping
 * the work column in the same statement is what keeps the rewritten rows free of it; expressions still see the rows as they were
 * (src/backend/commands/tablecmds.c: USING is transformed before, and evaluated with the old descriptor).
 */
export function swapStatement(table: string, targets: readonly MoveTarget[]): string {
  const parts = targets.flatMap((target) => {
    const { column, work } = sqlNames(target);
    return [`ALTER COLUMN ${column} TYPE ${target.type} USING ${work}::${target.type}`, `DROP COLUMN ${work}`];
  });
  return `ALTER TABLE ${table} ${parts.join(', ')}`;
}

export function addStatements(direction: Direction, { name, targets }: MoveTable): readonly string[] {
  return targets
    .filter(({ workColumn }) => workColumn === 'none')
    .map((target) => `ALTER TABLE ${name} ADD COLUMN ${sqlNames(target).work} ${workType(direction, target)}`);
}

export function abandonStatements({ name, targets }: MoveTable): readonly string[] {
  return targets
    .filter(({ workColumn }) => workColumn === 'begun')
    .map((target) => `ALTER TABLE ${name} DROP COLUMN ${sqlNames(target).work}`);
}
