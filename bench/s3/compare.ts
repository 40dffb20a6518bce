/**
 * Speed and cost side by side. Speed is what a client sees, and on a small machine client, proxy and store share the cores; cost is the
 * CPU time that the measured process alone spent, whatever the others did meanwhile: it says how much one core could carry.
 */
import { median } from '../rounds.ts';
import { cpuSeconds } from '../cost.ts';

export type Subject = {
  readonly name: string;
  readonly pid: number | undefined;
  /** Does the work once; resolves to the units done (MiB, requests). */
  readonly run: () => Promise<number>;
};

export type Compared = {
  readonly name: string;
  /** Units per second. */
  readonly rates: readonly number[];
  /** Units per second of CPU of the process; empty where it is not known. */
  readonly perCore: readonly number[];
};

/** `unmeasured` runs of each first, then `rounds` measured ones, in an order that turns from round to round. */
export async function compare(
  subjects: readonly Subject[],
  rounds: number,
  unmeasured = 1,
): Promise<readonly Compared[]> {
  const samples = new Map(subjects.map((subject) => [subject, { rates: [] as number[], perCore: [] as number[] }]));
  for (let run = 0; run < unmeasured; run += 1) for (const subject of subjects) await subject.run();
  for (let round = 0; round < rounds; round += 1) {
    const turn = round % subjects.length;
    for (const subject of [...subjects.slice(turn), ...subjects.slice(0, turn)]) {
      const sample = samples.get(subject);
      if (sample === undefined) continue;
      const { rate, perCore } = await measured(subject);
      sample.rates.push(rate);
      if (perCore !== undefined) sample.perCore.push(perCore);
    }
  }
  return [...samples].map(([{ name }, sample]) => ({ name, ...sample }));
}

async function measured(subject: Subject): Promise<{ rate: number; perCore: number | undefined }> {
  const before = await cpuSeconds(subject.pid);
  const started = performance.now();
  const units = await subject.run();
  const seconds = (performance.now() - started) / 1000;
  const after = await cpuSeconds(subject.pid);
  const spent = before === undefined || after === undefined ? undefined : after - before;
  return { rate: units / seconds, perCore: spent === undefined ? undefined : units / spent };
}

/**
 * A Markdown table: medians, spread, and ratios to `base` (nginx, where it is installed). A ratio is taken within each round, and the
 * median of those is shown with its spread: what disturbs a round disturbs both sides of it.
 */
export function table(title: string, unit: string, compared: readonly Compared[], base: string): string {
  const against = compared.find(({ name }) => name === base);
  const ratio = against === undefined ? [] : [`speed / ${base}`, `per core / ${base}`];
  const head = ['', `${unit} per second`, 'lowest to highest', `${unit} per CPU second of the proxy`, ...ratio];
  const rows = compared.map(({ name, rates, perCore }) => [
    name,
    number(median(rates)),
    `${number(Math.min(...rates))} to ${number(Math.max(...rates))}`,
    perCore.length === 0 ? '' : number(median(perCore)),
    ...(against === undefined ? [] : [quotient(rates, against.rates), quotient(perCore, against.perCore)]),
  ]);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [`\n### ${title}\n`, line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const number = (value: number): string => value.toFixed(value < 100 ? 1 : 0);

function quotient(ours: readonly number[], theirs: readonly number[]): string {
  const ratios = ours.flatMap((value, round) => {
    const other = theirs[round];
    return other === undefined ? [] : [value / other];
  });
  if (ratios.length === 0) return '';
  return `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`;
}
