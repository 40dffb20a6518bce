/** What stands for the algorithms of a key, at a day and after it: the worst that is said of algorithm, strength and spec. */
import { algorithmsOf, type KeySpec, type KeyUsage } from '../../key-kinds.ts';
import { algorithmTable, APPROVALS, type Approval, type Ruling } from './algorithm-table.ts';

type Purposes = { readonly protect: Approval; readonly process: Approval };
export type AlgorithmApproval = Purposes & {
  readonly algorithm: string;
  /** What is to come, by the day it begins. */
  readonly changes: readonly (Purposes & { readonly at: string })[];
};

/** SP 800-57 part 1, tables 2 and 3. */
export function strengthBits(spec: KeySpec): number {
  const bits = algorithmTable().strengthBits[spec];
  if (bits === undefined) throw new TypeError(`no strength is known of ${spec}`);
  return bits;
}

/** `today`: `2026-11-25`. */
export function approvals(spec: KeySpec, usage: KeyUsage, today: string): readonly AlgorithmApproval[] {
  const { encryption = [], signing = [], mac = [], agreement = [], encapsulation = [] } = algorithmsOf(spec, usage);
  return [...encryption, ...signing, ...mac, ...agreement, ...encapsulation].map((algorithm) => {
    const rulings = rulingsOn(spec, algorithm);
    const days = rulings.flatMap(({ protect, process }) => [...protect, ...process].map(({ from }) => from));
    const coming = [...new Set(days)].filter((day) => day > today).sort();
    const changes = coming.map((at) => ({ at, ...worstOf(rulings, at) }));
    return { algorithm, ...worstOf(rulings, today), changes };
  });
}

function rulingsOn(spec: KeySpec, algorithm: string): readonly Ruling[] {
  const { algorithms, specs, strengths } = algorithmTable();
  const bits = strengthBits(spec);
  const rulings = [algorithms[algorithm], specs[spec], strengths.findLast(({ fromBits }) => fromBits <= bits)];
  return rulings.filter((ruling) => ruling !== undefined);
}

function worstOf(rulings: readonly Ruling[], day: string): Purposes {
  const worst = (purpose: keyof Purposes): Approval => {
    const found = rulings.map((ruling) => APPROVALS.indexOf(statusAt(ruling[purpose], day)));
    return APPROVALS[Math.max(...found)] ?? 'disallowed';
  };
  return { protect: worst('protect'), process: worst('process') };
}

/** Before the first period it began with it. */
function statusAt(periods: Ruling['protect'], day: string): Approval {
  return (periods.findLast(({ from }) => from <= day) ?? periods[0])?.status ?? 'disallowed';
}
