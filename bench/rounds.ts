/**
 * Interleaved measuring: every target is measured once per round, in an order that turns from round to round, so that a
 * noisy machine disturbs all alike. Medians are compared, never single runs.
 */

export type Target = { readonly name: string; readonly run: () => Promise<number> };
/** Rates (higher is better), in the unit of the workload. */
export type Measured = { readonly name: string; readonly rates: readonly number[]; readonly median: number };

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** One unmeasured run of each first, then `rounds` measured ones. */
export async function measure(targets: readonly Target[], rounds: number): Promise<readonly Measured[]> {
  const rates = new Map<string, number[]>(targets.map(({ name }) => [name, []]));
  for (const { run } of targets) await run();
  for (let round = 0; round < rounds; round += 1) {
    for (let index = 0; index < targets.length; index += 1) {
      const target = targets[(index + round) % targets.length];
      if (target === undefined) continue;
      rates.get(target.name)?.push(await target.run());
    }
  }
  return targets.map(({ name }) => ({ name, rates: rates.get(name) ?? [], median: median(rates.get(name) ?? []) }));
}

/** A Markdown table: median, spread, and the ratio to each of `against`. */
export function report(title: string, unit: string, measured: readonly Measured[], against: readonly string[]): string {
  const bases = against.flatMap((name) => measured.filter((one) => one.name === name));
  const head = ['target', unit, 'lowest to highest', ...bases.map(({ name }) => `ratio to ${name}`)];
  const rows = measured.map(({ name, rates, median: middle }) => [
    name,
    middle.toFixed(middle < 100 ? 1 : 0),
    `${Math.min(...rates).toFixed(0)} to ${Math.max(...rates).toFixed(0)}`,
    ...bases.map((base) => (middle / base.median).toFixed(2)),
  ]);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [`\n### ${title}\n`, line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
