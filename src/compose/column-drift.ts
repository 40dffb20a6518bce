/**
 * What rules and live catalog disagree about while the proxy runs: each thing is told once when it comes, and once when it is gone. Until
 * then its table is refused to statements.
 */
import type { Log } from '../observe/log.ts';
import type { ColumnProblem } from '../postgres/service/problem.ts';

/** `known`: what was told at start. */
export function driftReporter(
  database: string,
  log: Pick<Log, 'info' | 'warn'>,
  known: readonly ColumnProblem[],
): (problems: readonly ColumnProblem[]) => void {
  let told = byText(known);
  return (problems) => {
    const found = byText(problems);
    for (const [text, { code, column, message }] of found)
      if (!told.has(text))
        log.warn({ code, database, column }, `the database no longer fits a column rule: ${message}`);
    for (const [text, { code, column }] of told)
      if (!found.has(text)) log.info({ code, database, column }, 'the database fits the column rule again');
    told = found;
  };
}

function byText(problems: readonly ColumnProblem[]): ReadonlyMap<string, ColumnProblem> {
  return new Map(problems.map((problem) => [`${problem.column} ${problem.code} ${problem.message}`, problem]));
}
