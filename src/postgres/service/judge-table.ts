/** A rule against its table in the database, and against the partitions and children below that. */
import type { Questions } from './connection.ts';
import { judgeColumn, judgeColumnBelow } from './judge-column.ts';
import { readColumnsBelow, readLiveColumn, type LiveColumn } from './live-column.ts';
import type { ColumnProblem } from './problem.ts';
import type { SealRule } from './rules.ts';

/** `live`: undefined where there is no such table. What is wrong with the table itself comes first, and alone. */
export async function judgeTable(
  session: Questions,
  rule: SealRule,
  rules: readonly SealRule[],
): Promise<{ readonly live: LiveColumn | undefined; readonly problems: readonly ColumnProblem[] }> {
  const live = await readLiveColumn(session, rule);
  const problems = judgeColumn(rule, live, rules);
  if (live === undefined || problems.some(({ severity }) => severity === 'error')) return { live, problems };
  const below = await readColumnsBelow(session, rule);
  return { live, problems: [...problems, ...below.flatMap((column) => judgeColumnBelow(rule, column, rules))] };
}
