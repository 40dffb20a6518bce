/** Measurements as Markdown tables. */
import { middle, ratios, series, type Measured, type Sample } from './measure.ts';

export type Case = { readonly title: string; readonly measured: readonly Measured[] };

const speed = (sample: Sample): number => sample.perSecond;
const cost = (sample: Sample): number | undefined => sample.costUs;

/** One protocol with one number of clients. `base`: what the speed is a part of. */
export function caseTable({ title, measured }: Case, base = 'PgBouncer'): string {
  const head = ['', 'transactions/s', 'lowest to highest', 'CPU of the proxy, µs each', `speed / ${base}`];
  const rows = measured.map((one) => [
    one.name,
    number(middle(series(one, speed))),
    spread(series(one, speed), 0),
    number(middle(series(one, cost))),
    ratioCell(one, measured, speed),
  ]);
  return `\n### pgbench, ${title}\n\n${table(head, rows)}`;
}

/** Ratios to PgBouncer, over all cases. */
export function summary(cases: readonly Case[]): string {
  const ours = (cases[0]?.measured ?? []).filter(({ base }) => base !== undefined).map(({ name }) => name);
  const rows = (pick: typeof cost): string[][] =>
    cases.map(({ title, measured }) => [
      title,
      ...ours.map((name) => {
        const one = measured.find((candidate) => candidate.name === name);
        return one === undefined ? '' : ratioCell(one, measured, pick);
      }),
    ]);
  const head = ['', ...ours];
  return [
    '\n### Speed, as a part of PgBouncer’s (median of the rounds’ ratios, lowest to highest)\n',
    table(head, rows(speed)),
    '\n### CPU time of the proxy, as a multiple of PgBouncer’s\n',
    table(head, rows(cost)),
  ].join('\n');
}

function ratioCell(one: Measured, measured: readonly Measured[], pick: typeof cost): string {
  const base = measured.find(({ name }) => name === one.base);
  const found = base === undefined ? [] : ratios(one, base, pick);
  const value = middle(found);
  return value === undefined ? '' : `${value.toFixed(2)} (${spread(found, 2)})`;
}

function number(value: number | undefined): string {
  return value === undefined ? '' : value.toFixed(value < 100 ? 1 : 0);
}

function spread(values: readonly number[], digits: number): string {
  if (values.length === 0) return '';
  return `${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
