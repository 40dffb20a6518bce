/**
 * Interleaved measuring: each subject once per round, in an order that turns from round to round, so that a noisy machine disturbs all
 * alike; ratios are taken within a round, and the median of them is compared.
 */
import { cpuSeconds } from '../cost.ts';
import { median } from '../rounds.ts';
import type { PgbenchResult } from './pgbench.ts';

export type Subject = {
  readonly name: string;
  /** The proxy, whose CPU time is counted. */
  readonly pid: number | undefined;
  /** Name of the subject that ratios are to. */
  readonly base: string | undefined;
  readonly run: () => Promise<PgbenchResult>;
};

export type Sample = {
  readonly perSecond: number;
  /** CPU time of the proxy for one transaction, in microseconds; undefined where it cannot be known. */
  readonly costUs: number | undefined;
};

export type Measured = Omit<Subject, 'run' | 'pid'> & { readonly samples: readonly Sample[] };

/** One unmeasured run of each first. */
export async function measureRounds(subjects: readonly Subject[], rounds: number): Promise<readonly Measured[]> {
  const samples = new Map(subjects.map(({ name }) => [name, [] as Sample[]]));
  for (const { run } of subjects) await run();
  for (let round = 0; round < rounds; round += 1) {
    const turn = round % subjects.length;
    for (const subject of [...subjects.slice(turn), ...subjects.slice(0, turn)])
      samples.get(subject.name)?.push(await sample(subject));
  }
  return subjects.map(({ name, base }) => ({ name, base, samples: samples.get(name) ?? [] }));
}

async function sample({ pid, run }: Subject): Promise<Sample> {
  const before = await cpuSeconds(pid);
  const { perSecond, transactions } = await run();
  const after = await cpuSeconds(pid);
  const costUs = before === undefined || after === undefined ? undefined : ((after - before) * 1e6) / transactions;
  return { perSecond, costUs };
}

/** What `pick` gives for each round in which it is known. */
export function series(measured: Measured, pick: (sample: Sample) => number | undefined): readonly number[] {
  return measured.samples.map(pick).filter((value) => value !== undefined);
}

/** Of each round: ours over theirs. */
export function ratios(
  ours: Measured,
  theirs: Measured,
  pick: (sample: Sample) => number | undefined,
): readonly number[] {
  return ours.samples.flatMap((sample, round) => {
    const [mine, other] = [pick(sample), theirs.samples[round] && pick(theirs.samples[round])];
    return mine === undefined || other === undefined ? [] : [mine / other];
  });
}

export const middle = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : median(values);
