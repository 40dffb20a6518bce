/** Parts that are started in order and stopped in the opposite order, within a deadline. */
import type { Log } from '../observe/log.ts';

export type Part = {
  readonly name: string;
  /** Lets work under way finish within the time given, then cuts off what is left. */
  readonly stop: (remainingMs: number) => Promise<void>;
};

/** Time for what remains after the deadline: cutting connections off, closing files. */
const GRACE_MS = 5000;

export class Lifecycle {
  /** Each stage's parts stop together; stages one after another, last first. */
  readonly #stages: (readonly Part[])[] = [];
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  add(...parts: readonly Part[]): void {
    this.#stages.unshift(parts);
  }

  /** Never rejects. False: a part failed to stop, or did not in time. */
  async stop(deadlineMs: number): Promise<boolean> {
    const end = performance.now() + deadlineMs;
    let whole = true;
    for (const stage of this.#stages.splice(0)) {
      const remainingMs = Math.max(0, end - performance.now());
      const results = await Promise.all(stage.map((part) => this.#stopPart(part, remainingMs)));
      whole = whole && results.every(Boolean);
    }
    return whole;
  }

  async #stopPart({ name, stop }: Part, remainingMs: number): Promise<boolean> {
    const { promise: late, resolve } = Promise.withResolvers<'late'>();
    const timer = setTimeout(resolve, remainingMs + GRACE_MS, 'late');
    try {
      const outcome = await Promise.race([stop(remainingMs), late]);
      if (outcome === 'late') this.#log.warn({ part: name }, 'did not stop in time');
      return outcome !== 'late';
    } catch (error) {
      this.#log.error({ part: name, err: error }, 'failed to stop');
      return false;
    } finally {
      clearTimeout(timer);
    }
  }
}
