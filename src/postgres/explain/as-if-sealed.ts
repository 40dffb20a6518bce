/**
 * The columns of rules as if they were sealed already: so that statements can be explained before anything is moved in. Reads the catalog
 * alone; binds nothing.
 */
import { createHash } from 'node:crypto';
import type { SealedColumn } from '../plan.ts';
import type { ServiceSession } from '../service/connection.ts';
import { judgeColumn } from '../service/judge-column.ts';
import { readLiveColumn } from '../service/live-column.ts';
import type { ColumnProblem } from '../service/problem.ts';
import { ruleName, type SealRule } from '../service/rules.ts';
import { parseLogicalType } from '../types/registry.ts';

/** Those whose table and column are there. */
export async function columnsAsIfSealed(
  session: ServiceSession,
  rules: readonly SealRule[],
): Promise<readonly SealedColumn[]> {
  const columns: SealedColumn[] = [];
  for (const rule of rules) {
    const live = await readLiveColumn(session, rule);
    if (live === undefined || live.attnum === null || live.parent !== null || !/^[rp]$/.test(live.kind)) continue;
    const type = parseLogicalType(rule.type);
    const { database, schema, table, column, mode, domain, keyId } = rule;
    columns.push({
      // No value is sealed under it.
      id: createHash('sha256').update(ruleName(rule)).digest('hex').slice(0, 32),
      database,
      schema,
      table,
      column,
      relationOid: live.relation,
      attnum: live.attnum,
      type,
      storedType: type,
      mode,
      domain,
      keyId,
    });
  }
  return columns;
}

/** What stands between the rules and the database as it is: until it is mended, the proxy refuses the tables. */
export async function problemsNow(
  session: ServiceSession,
  rules: readonly SealRule[],
): Promise<readonly ColumnProblem[]> {
  const problems: ColumnProblem[] = [];
  for (const rule of rules) problems.push(...judgeColumn(rule, await readLiveColumn(session, rule), rules));
  return problems;
}
