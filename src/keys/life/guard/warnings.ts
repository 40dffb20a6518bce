/** What is worth saying about the life of a key, and not with every request: once a day for each material and reason. */
import { LRUCache } from 'lru-cache';
import { DAY_MS } from '../../limits.ts';
import type { LifeEnd } from './life-end.ts';

/** `used`: nothing was refused. */
export type LifeOutcome = 'used' | 'refused';

export type LifeWarning = LifeEnd & {
  readonly keyArn: string;
  /** Its id in hex. */
  readonly material: string;
  readonly outcome: LifeOutcome;
};

/** Remembered; a warning that was forgotten is given again. */
const MAX_REMEMBERED = 100_000;

export class Warnings {
  readonly #given = new LRUCache<string, number>({ max: MAX_REMEMBERED });

  /** Whether it is to be given now; then it counts as given. */
  isDue(warning: LifeWarning, nowMs: number): boolean {
    const name = nameOf(warning);
    const last = this.#given.get(name);
    // A clock that was set back does not silence it.
    if (last !== undefined && Math.abs(nowMs - last) < DAY_MS) return false;
    this.#given.set(name, nowMs);
    return true;
  }

  /** It did not reach the audit log. */
  forget(warning: LifeWarning): void {
    this.#given.delete(nameOf(warning));
  }
}

const nameOf = ({ material, reason, outcome }: LifeWarning): string => `${material} ${reason} ${outcome}`;
