/** Times of single requests side by side: one after the other, targets in turns, so that what disturbs one disturbs the others. */
import { median } from '../rounds.ts';

export type Timed = { readonly name: string; readonly run: () => Promise<void> };

/** Milliseconds of each request, by target. `unmeasured` first, then `rounds` of `count` to each, the order turning from round to round. */
export async function timed(
  targets: readonly Timed[],
  rounds: number,
  count: number,
  unmeasured = 1,
): Promise<readonly (readonly number[])[][]> {
  for (const { run } of targets) for (let one = 0; one < unmeasured; one += 1) await run();
  const samples = targets.map((): (readonly number[])[] => []);
  for (let round = 0; round < rounds; round += 1) {
    const times = targets.map((): number[] => []);
    for (let one = 0; one < count; one += 1)
      for (let step = 0; step < targets.length; step += 1) {
        const at = (round + one + step) % targets.length;
        const began = performance.now();
        await targets[at]?.run();
        times[at]?.push(performance.now() - began);
      }
    times.forEach((each, at) => samples[at]?.push(each));
  }
  return samples;
}

/** A Markdown table: half of the requests within, 99 of 100, and the first over that of `base` in the same round. */
export function latencyTable(
  title: string,
  targets: readonly Timed[],
  samples: readonly (readonly (readonly number[])[])[],
  base: string,
): string {
  const halves = samples.map((rounds) => rounds.map((times) => median(times)));
  const against = halves[targets.findIndex(({ name }) => name === base)] ?? [];
  const rows = targets.map(({ name }, at) => {
    const all = (samples[at] ?? []).flat().toSorted((a, b) => a - b);
    const ratios = (halves[at] ?? []).map((half, round) => half / (against[round] ?? Number.NaN));
    const late = all[Math.min(all.length - 1, Math.floor(all.length * 0.99))] ?? Number.NaN;
    return [name, ms(median(all)), ms(late), spread(ratios)];
  });
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const head = ['', 'half within, ms', '99 of 100 within, ms', `half / ${base}`];
  return [`\n### ${title}\n`, line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const ms = (value: number): string => value.toFixed(value < 10 ? 2 : 1);

const spread = (ratios: readonly number[]): string =>
  `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`;
