/**
 * How long the thread may be at one statement, by the time of a processor that it has had: on a machine that is busy with other things a clock
 * would give up statements that are read in a few seconds.
 */
import type { Worker } from 'node:worker_threads';

/** By the clock, so much longer: a thread that waits, or gets nothing, must not keep the next one for ever. */
const LONGER_BY_THE_CLOCK = 10;

type Timed = Pick<Worker, 'cpuUsage'>;

/** Calls `giveUp` once the thread has computed for `limitMs` since now, or does not say. Gives what ends the watch. */
export function watchTime(thread: Timed, limitMs: number, giveUp: () => void): () => void {
  const latest = setTimeout(giveUp, LONGER_BY_THE_CLOCK * limitMs);
  const before = computedMs(thread);
  let next: NodeJS.Timeout | undefined;
  const look = async (): Promise<void> => {
    const left = limitMs - ((await computedMs(thread)) - (await before));
    if (next === undefined) return;
    if (left <= 0) giveUp();
    else next = setTimeout(() => void look(), left);
  };
  next = setTimeout(() => void look(), limitMs);
  return () => {
    clearTimeout(latest);
    clearTimeout(next);
    next = undefined;
  };
}

/** None where the thread has not begun, or has ended. */
async function computedMs(thread: Timed): Promise<number> {
  try {
    const { user, system } = await thread.cpuUsage();
    return (user + system) / 1000;
  } catch {
    return 0;
  }
}
