/** What `postgres seal` and `unseal` say: what will be done, how far it is, and what is left to do. */
import type { Writable } from 'node:stream';
import type { MoveStep, Moved } from '../../postgres/migrate/move.ts';
import type { Obstacle } from '../../postgres/migrate/obstacles.ts';
import { revealsItself, type ColumnSurvey } from '../../postgres/migrate/survey.ts';
import type { Direction } from '../../postgres/migrate/stage.ts';
import { unreachable } from '../../errors.ts';

const INTERVAL_MS = 2000;

/** Steps as lines on stderr; of those that count rows, one now and then and the last. */
export function progress(stderr: Writable, now: () => number): (step: MoveStep) => void {
  let told = -Infinity;
  return (step) => {
    if (step.type === 'fill' || step.type === 'verify') {
      if (step.pages < step.ofPages && now() - told < INTERVAL_MS) return;
      told = now();
    }
    stderr.write(`${stepLine(step)}\n`);
  };
}

function stepLine(step: MoveStep): string {
  switch (step.type) {
    case 'begin':
    case 'rewrite':
      return `${step.statement};`;
    case 'fill':
      return `${step.table}: ${percent(step)} converted, ${step.rows} rows`;
    case 'verify':
      return `${step.table}: ${percent(step)} read back, ${step.rows} rows`;
    default:
      return unreachable(step);
  }
}

function percent({ pages, ofPages }: { readonly pages: number; readonly ofPages: number }): string {
  return `${ofPages === 0 ? 100 : Math.floor((100 * pages) / ofPages)} %`;
}

export function formatSurvey(surveys: readonly ColumnSurvey[]): string {
  return surveys
    .map((survey) => {
      const { column, rows, values, different } = survey;
      const repeated = different === undefined ? '' : `, ${different} different ones`;
      return `${column}: ${values} values${repeated} in ${rows} rows\n`;
    })
    .join('');
}

export function formatPlan(statements: readonly string[], obstacles: readonly Obstacle[]): string {
  if (obstacles.length > 0) return formatObstacles(obstacles);
  return statements.map((statement) => (statement.startsWith('--') ? `${statement}\n` : `${statement};\n`)).join('');
}

export function formatObstacles(obstacles: readonly Obstacle[]): string {
  return obstacles.map(({ column, message }) => `in the way: ${column}: ${message}\n`).join('');
}

/** Deterministic columns of few values, as obstacles. */
export function revealing(surveys: readonly ColumnSurvey[]): readonly Obstacle[] {
  return surveys.filter(revealsItself).map(({ column, values, different = 0 }) => ({
    column,
    message: `deterministic, but only ${different} different values in ${values}: how often each occurs would tell which it is (make the rule randomized, or say --force)`,
  }));
}

export function formatMoved(
  direction: Direction,
  columns: readonly string[],
  { rows, converted, late }: Moved,
): string {
  const what = direction === 'seal' ? 'sealed' : 'unsealed';
  const before = rows - converted - late;
  const parts = [
    `${rows} rows read back and found equal`,
    `${converted} converted by this run`,
    ...(before > 0 ? [`${before} had nothing to convert or were converted before`] : []),
    ...(late > 0 ? [`${late} written by others meanwhile, converted at the end`] : []),
  ];
  const advice = direction === 'seal' ? AFTER_SEALING : AFTER_UNSEALING;
  return `${what}: ${columns.join(', ')}\n${parts.join('; ')}\n${advice}`;
}

const AFTER_SEALING = `
The table was rewritten, so its files hold no plaintext once the server has made its next checkpoint (CHECKPOINT). What it does not reach:
- planner statistics, if the column was ever analyzed: as a superuser, VACUUM FULL pg_catalog.pg_statistic, pg_catalog.pg_statistic_ext_data
- WAL segments until they are recycled, WAL archives, replicas' disks, backups and dumps made before now
- blocks of the disk that were freed and not yet written again
Next: sealgate check, then sealgate up. ANALYZE the table; statistics of the rewritten columns are gone.
`;

const AFTER_UNSEALING = `
The columns hold plaintext in the database again. Take their rules out of the config before the next sealgate up; their data keys are kept,
so that older backups can still be read.
`;
