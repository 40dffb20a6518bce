/**
 * The columns of rules as if they were sealed already: so that statements can be explained before anything is moved in. Reads the catalog
 * alone; binds nothing.
 */
import { createHash } from 'node:crypto';
import { ColumnError } from '../columns/errors.ts';
import { declarations, sealedColumn, type Declared } from '../columns/resolve.ts';
import type { SealedColumn } from '../plan.ts';
import type { ServiceSession } from '../service/connection.ts';
import { judgeTable } from '../service/judge-table.ts';
import { readLiveColumn } from '../service/live-column.ts';
import type { ColumnProblem } from '../service/problem.ts';
import { ruleName, type SealRule } from '../service/rules.ts';

/** Those whose table and column are there. */
export async function columnsAsIfSealed(
  session: ServiceSession,
  rules: readonly SealRule[],
): Promise<readonly SealedColumn[]> {
  const columns: SealedColumn[] = [];
  for (const rule of rules) {
    const live = await readLiveColumn(session, rule);
    if (live === undefined || live.attnum === null || live.parent !== null || !/^[rp]$/.test(live.kind)) continue;
    // No value is sealed under it.
    const id = createHash('sha256').update(ruleName(rule)).digest('hex').slice(0, 32);
    const placed = { ...live, attnum: live.attnum };
    const declared = await declaredOrProblem(session, rule);
    if (!(declared instanceof ColumnError))
      columns.push(sealedColumn(rule, placed, { id, domainId: undefined }, declared));
  }
  return columns;
}

/** What stands between the rules and the database as it is: until it is mended, the proxy refuses the tables. */
export async function problemsNow(
  session: ServiceSession,
  rules: readonly SealRule[],
): Promise<readonly ColumnProblem[]> {
  const problems: ColumnProblem[] = [];
  for (const rule of rules) {
    problems.push(...(await judgeTable(session, rule, rules)).problems);
    const wrong = await declaredOrProblem(session, rule);
    if (wrong instanceof ColumnError)
      problems.push({ code: wrong.code, severity: 'error', column: ruleName(rule), message: wrong.message, ddl: [] });
  }
  return problems;
}

async function declaredOrProblem(session: ServiceSession, rule: SealRule): Promise<Declared | ColumnError> {
  try {
    return await declarations(session, rule);
  } catch (error) {
    if (error instanceof ColumnError) return error;
    throw error;
  }
}
