/**
 * At most so many works at once; the others wait in the order they came, and where too many wait, one more is refused. Long
 * computations run on the threads that the audit log's syncs run on too (libuv has four): without turns, a hundred of them would keep
 * every other use of a key waiting.
 */
export type TurnLimits = {
  readonly atOnce: number;
  readonly waiting: number;
  /** What is thrown where too many wait. */
  readonly busy: () => Error;
};

export class Turns {
  readonly #limits: TurnLimits;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(limits: TurnLimits) {
    this.#limits = limits;
  }

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    const { atOnce, waiting, busy } = this.#limits;
    if (this.#running === atOnce) {
      if (this.#waiting.length >= waiting) throw busy();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running += 1;
    try {
      return await work();
    } finally {
      // Handed on, not given back: nobody who comes now gets before who waits.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
