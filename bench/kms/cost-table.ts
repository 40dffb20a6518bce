/** What work has cost: the time that passed, and the CPU time of the process that did it, which a busy machine disturbs least. */
import { cpuSeconds } from '../cost.ts';
import { median } from '../rounds.ts';

export type Cost = {
  readonly perSecond: number;
  /** Undefined where the system does not say. */ readonly cpuMicros: number | undefined;
};

export async function measureCost(pid: number | undefined, units: number, work: () => Promise<unknown>): Promise<Cost> {
  const before = await cpuSeconds(pid);
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1000;
  const after = await cpuSeconds(pid);
  const spent = before === undefined || after === undefined ? undefined : after - before;
  return { perSecond: units / seconds, cpuMicros: spent === undefined ? undefined : (spent / units) * 1e6 };
}

/** Markdown: medians. Per core: how many one core would carry, were it all this process's. */
export function costTable(title: string, unit: string, rows: readonly (readonly [string, readonly Cost[]])[]): string {
  const head = ['', `${unit} per second`, 'lowest to highest', 'CPU time of one, µs', `${unit} per second a core`];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const body = rows.map(([name, costs]) => {
    const rates = costs.map(({ perSecond }) => perSecond);
    const known = costs.flatMap(({ cpuMicros }) => (cpuMicros === undefined ? [] : [cpuMicros]));
    const micros = median(known);
    const spread = `${Math.min(...rates).toFixed(0)} to ${Math.max(...rates).toFixed(0)}`;
    return [
      name,
      median(rates).toFixed(0),
      spread,
      ...(known.length === 0 ? ['', ''] : [micros.toFixed(1), (1e6 / micros).toFixed(0)]),
    ];
  });
  return [`\n### ${title}\n`, line(head), line(head.map(() => '---')), ...body.map(line)].join('\n');
}
