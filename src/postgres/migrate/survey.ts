/** A look at what is to be moved before it is: counts, and what would be done. Changes nothing. */
import type { ServiceConnection } from '../service/connection.ts';
import { ruleName } from '../service/rules.ts';
import { foreignKeys } from './swap.ts';
import { addStatements, swapStatement } from './swap-sql.ts';
import type { Direction } from './stage.ts';
import { sqlNames, type MoveTable } from './targets.ts';

export type ColumnSurvey = {
  readonly column: string;
  readonly rows: number;
  readonly values: number;
  /** Of deterministic columns: equal values will look equal at rest. */
  readonly different: number | undefined;
};

/** Where so few values are repeated so often, how often each occurs tells which it is. */
const FEW_VALUES = 64;
const MANY_ROWS = 1000;

/** A deterministic column that would show its values by how often they occur. */
export function revealsItself({ values, different }: ColumnSurvey): boolean {
  return different !== undefined && values >= MANY_ROWS && different < FEW_VALUES;
}

export async function surveyTable(
  owner: ServiceConnection,
  direction: Direction,
  { name, targets }: MoveTable,
): Promise<readonly ColumnSurvey[]> {
  const counts = targets.map((target, index) => {
    const { column } = sqlNames(target);
    const counted = direction === 'seal' && target.rule.mode === 'deterministic';
    const different = counted ? `count(DISTINCT ${column})::float8` : 'NULL::float8';
    return `count(${column})::float8 AS "v${index}", ${different} AS "d${index}"`;
  });
  const [row] = await owner.query<Record<string, number | null>>(
    `SELECT count(*)::float8 AS rows, ${counts.join(', ')} FROM ${name}`,
  );
  return targets.map(({ rule }, index) => ({
    column: ruleName(rule),
    rows: row?.['rows'] ?? 0,
    values: row?.[`v${index}`] ?? 0,
    different: row?.[`d${index}`] ?? undefined,
  }));
}

/** The statements of a move in order; the batches, which have values, as a comment. */
export async function plannedStatements(
  owner: ServiceConnection,
  direction: Direction,
  tables: readonly MoveTable[],
): Promise<readonly string[]> {
  const keys = await foreignKeys(owner, tables);
  return [
    ...tables.flatMap((table) => addStatements(direction, table)),
    ...tables.map(({ name }) => `-- batches: UPDATE ${name} SET … WHERE ctid = …; then every row is read back`),
    ...keys.map(({ table, name }) => `ALTER TABLE ${table} DROP CONSTRAINT ${name}`),
    ...tables.map(({ name, targets }) => swapStatement(name, targets)),
    ...keys.map(({ table, name, definition }) => `ALTER TABLE ${table} ADD CONSTRAINT ${name} ${definition}`),
  ];
}

/** Tables that the role may not change. */
export async function notOwned(owner: ServiceConnection, tables: readonly MoveTable[]): Promise<readonly string[]> {
  const rows = await owner.query<{ name: string }>(
    `SELECT c.oid::regclass::text AS name FROM pg_class c WHERE c.oid = ANY ($1::oid[])
     AND NOT pg_has_role(current_user, c.relowner, 'USAGE')`,
    [tables.flatMap(({ oid, leaves }) => [oid, ...leaves.map((leaf) => leaf.oid)])],
  );
  return rows.map(({ name }) => name);
}
