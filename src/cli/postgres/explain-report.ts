/** How explanations look on a terminal. */
import type { Explanation, Verdict } from '../../postgres/explain/explain.ts';
import type { ColumnProblem } from '../../postgres/service/problem.ts';
import { unreachable } from '../../errors.ts';

type Rewritten = Extract<Verdict, { type: 'rewritten' }>;
type Refused = Extract<Verdict, { type: 'refused' }>;

export function formatProblems(database: string, problems: readonly ColumnProblem[]): string {
  const broken = problems.filter(({ severity }) => severity === 'error');
  if (broken.length === 0) return '';
  const lines = broken.map(({ column, message, code }) => `  ${database}.${column}: ${message} (${code})`);
  return `explained as if these rules held already, which they do not yet:\n${lines.join('\n')}\n\n`;
}

/** @param number in the list, from 1. */
export function formatExplanation({ sql, calls, verdict }: Explanation, number: number): string {
  const run = calls === undefined ? '' : `, run ${calls} times`;
  const lines = [`${number}${run}: ${oneLine(sql)}`, ...verdictLines(verdict, sql).map((line) => `   ${line}`)];
  return `${lines.join('\n')}\n`;
}

export function formatTotals(explanations: readonly Explanation[]): string {
  const count = (type: Verdict['type']): number => explanations.filter(({ verdict }) => verdict.type === type).length;
  const needing = explanations.filter(({ verdict }) => verdict.type === 'rewritten' && verdict.needsIndex.length > 0);
  return `\n${count('passes')} pass, ${count('rewritten')} rewritten (${needing.length} need an index), ${count('refused')} refused\n`;
}

function verdictLines(verdict: Verdict, sql: string): readonly string[] {
  switch (verdict.type) {
    case 'passes':
      return ['passes', ...changeLines(verdict.changes)];
    case 'rewritten':
      return rewrittenLines(verdict);
    case 'refused':
      return refusedLines(verdict, sql);
    default:
      return unreachable(verdict);
  }
}

function changeLines(changes: Extract<Verdict, { type: 'passes' }>['changes']): readonly string[] {
  if (changes === undefined || changes === 'transaction') return [];
  return [`note: it changes the ${changes}; what follows here is explained as if it had not run`];
}

function rewrittenLines({ to, parameters, opened, needsIndex }: Rewritten): readonly string[] {
  return [
    `rewritten to: ${oneLine(to)}`,
    ...parameters.map(
      ({ number, column, array }) => `$${number} is sealed for ${column}${array ? ', each element' : ''}`,
    ),
    ...opened.map(({ position, column }) => `result column ${position} is opened: ${column}`),
    ...needsIndex.map(({ column, ddl }) => `needs index: ${column} is looked for by equality; ${ddl}`),
  ];
}

function refusedLines({ refusal }: Refused, sql: string): readonly string[] {
  const { message, code, sqlstate, hint, detail } = refusal;
  const at = refusal.place === undefined ? undefined : refusal.place.position;
  return [
    `refused because: ${message} (${sqlstate}, ${code})`,
    ...(at === undefined
      ? []
      : [
          `at character ${at}: ${oneLine(
            Array.from(sql)
              .slice(at - 1, at + 59)
              .join(''),
          )}`,
        ]),
    ...(detail === undefined ? [] : [`detail: ${detail}`]),
    ...(hint === undefined ? [] : [`hint: ${hint}`]),
  ];
}

/** Control characters must not drive the reader's terminal. */
function oneLine(text: string): string {
  return text.replaceAll(/[\s\u0000-\u001f\u007f-\u009f]+/gu, ' ').trim();
}
