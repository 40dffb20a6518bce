/**
 * Runs what is due of keys, for as long as the process owns the store: automatic rotation, and the end of keys whose waiting
 * period is over.
 *
 * Threat: a clock set wrong for a moment would destroy keys years early. So nothing is destroyed in the first minutes after a start,
 * nor after the wall clock has moved otherwise than time did: an operator sees the warning first. Rotation destroys nothing.
 */
import type { DueWork } from '../keys/life/key-lifecycle.ts';
import type { Log } from '../observe/log.ts';
import type { Part } from './lifecycle.ts';

const INTERVAL_MS = 60_000;
/** More than a clock is corrected by at once where it is kept by NTP. */
const LEAP_MS = 2 * 60_000;
const STEADY_MS = 10 * 60_000;

/** Milliseconds: since 1970, and of a clock that nobody sets. */
export type ScheduleClocks = { readonly wall: () => number; readonly monotonic: () => number };

export type RunDue = (allow: { readonly destroy: boolean }) => Promise<DueWork>;

export class KeySchedule {
  readonly #runDue: RunDue;
  readonly #clocks: ScheduleClocks;
  readonly #log: Log;
  #difference: number;
  #steadySince: number;

  constructor(runDue: RunDue, log: Log, clocks: ScheduleClocks) {
    this.#runDue = runDue;
    this.#clocks = clocks;
    this.#log = log;
    this.#steadySince = clocks.monotonic();
    this.#difference = clocks.wall() - this.#steadySince;
  }

  /** One round. Never rejects: what fails is tried again with the next. */
  async run(): Promise<void> {
    const destroy = this.#isSteady();
    try {
      const { rotated, destroyed, expired, failed } = await this.#runDue({ destroy });
      for (const key of rotated) this.#log.info({ key }, 'key rotated, as was due');
      for (const key of destroyed) this.#log.warn({ key }, 'key destroyed: its waiting period is over');
      for (const key of expired) this.#log.warn({ key }, 'imported material deleted: its end has come');
      for (const { key, error } of failed)
        this.#log.error({ key, err: error }, 'what is due of a key could not be done');
    } catch (error) {
      this.#log.error({ err: error }, 'what is due of keys could not be done');
    }
  }

  #isSteady(): boolean {
    const now = this.#clocks.monotonic();
    const difference = this.#clocks.wall() - now;
    const leapMs = difference - this.#difference;
    this.#difference = difference;
    if (Math.abs(leapMs) > LEAP_MS) {
      this.#steadySince = now;
      this.#log.warn(
        { leapSeconds: Math.round(leapMs / 1000) },
        'the clock was moved: no key is destroyed for ten minutes',
      );
    }
    return now - this.#steadySince >= STEADY_MS;
  }
}

/** Rounds one after another until it is stopped; one under way is waited for. */
export function startKeySchedule(runDue: RunDue, log: Log): Part {
  const schedule = new KeySchedule(runDue, log, { wall: Date.now, monotonic: () => performance.now() });
  let running = Promise.resolve();
  const timer = setInterval(() => {
    running = running.then(() => schedule.run());
  }, INTERVAL_MS);
  return {
    name: 'key schedule',
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
