/** Which fault comes next. */
import type { Fault } from '../support/fault-relay.ts';
import { pick } from '../support/seeded.ts';

export type Trouble = { readonly fault: Fault; readonly keysAway: boolean; readonly clientLeaves: boolean };

export function nextFault(random: () => number): Trouble {
  const quiet = { fault: { type: 'none' }, keysAway: false, clientLeaves: false } as const;
  const afterBytes = Math.floor(random() * pick(random, [200, 2000, 100_000]));
  return pick<Trouble>(random, [
    quiet,
    { ...quiet, clientLeaves: true },
    { ...quiet, clientLeaves: true },
    { ...quiet, keysAway: true },
    { ...quiet, fault: { type: 'slow', ms: 20 } },
    { ...quiet, fault: { type: 'slow', ms: 20 }, clientLeaves: true },
    { ...quiet, fault: { type: 'reset', of: 'request', afterBytes } },
    { ...quiet, fault: { type: 'reset', of: 'answer', afterBytes } },
    { ...quiet, fault: { type: 'cut', afterBytes } },
    { ...quiet, fault: { type: 'status', status: 500 } },
    { ...quiet, fault: { type: 'status', status: 503 } },
  ]);
}
