/**
 * Work under one name is done one after another: two completions of an upload in one process must not put each their own end to it, nor an abortion
 * come in between; and what many want to know of an object at once is to be found out once.
 */
export class OneAtATime {
  readonly #last = new Map<string, Promise<unknown>>();

  has(name: string): boolean {
    return this.#last.has(name);
  }

  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name) ?? Promise.resolve();
    // Whether what came before succeeded is its own affair.
    const mine = before.then(work, work);
    this.#last.set(name, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(name) === mine) this.#last.delete(name);
    }
  }
}
