/** When each bucket is due to be swept: at first some time after it was first seen, and one at a time. */
import { LRUCache } from 'lru-cache';
import { SWEEP_EVERY_MS } from '../sealing/limits.ts';

/** Buckets with sealed uploads, of one process. */
const MAX_BUCKETS = 1_000;

export class SweepTimes {
  readonly #last = new LRUCache<string, number>({ max: MAX_BUCKETS });
  #isSweeping = false;

  /** Does `sweep` if the bucket is due and none is under way. It never rejects. */
  async run(bucket: string, now: number, sweep: () => Promise<void>): Promise<void> {
    const last = this.#last.get(bucket);
    if (last === undefined) this.#last.set(bucket, now);
    if (last === undefined || now - last < SWEEP_EVERY_MS || this.#isSweeping) return;
    this.#last.set(bucket, now);
    this.#isSweeping = true;
    await sweep().finally(() => (this.#isSweeping = false));
  }
}
