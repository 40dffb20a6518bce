/**
 * At most so many works at once; the others wait in the order they came. Long computations run on the threads that the audit log's
 * syncs run on too (libuv has four): without turns, a hundred of them would keep every other use of a key waiting.
 */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free -= 1;
    try {
      return await work();
    } finally {
      // Handed on, not given back: nobody who comes now gets before who waits.
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
