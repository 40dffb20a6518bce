/**
 * Choices read from a list of numbers, of which 0, and the end, is always the simplest: a list that shrinks gives a statement that does, and
 * each is one that might have been generated.
 */
const LIMIT = 65_536;

export class Tape {
  readonly #numbers: readonly number[];
  #at = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  below(limit: number): number {
    return Math.floor(((this.#numbers[this.#at++] ?? 0) * limit) / LIMIT);
  }

  /** Never, once the tape has ended. */
  chance(probability: number): boolean {
    return this.below(LIMIT) >= LIMIT * (1 - probability);
  }

  /** The first is the simplest. */
  pick<T>(first: T, ...others: readonly T[]): T {
    return others[this.below(others.length + 1) - 1] ?? first;
  }

  of<T>(all: readonly T[]): T {
    const picked = all[this.below(all.length)];
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  }

  /** One of the ways to go on; only that one is gone. */
  way<T>(...ways: readonly (() => T)[]): T {
    return this.of(ways)();
  }

  several<T>(from: number, to: number, make: (index: number) => T): readonly T[] {
    return Array.from({ length: from + this.below(to - from + 1) }, (_, index) => make(index));
  }

  /** At least one of them, in their order. */
  some<T>(all: readonly T[], probability: number): readonly T[] {
    const first = this.below(all.length);
    return all.filter((_, index) => index === first || this.chance(probability));
  }
}

export { LIMIT as TAPE_LIMIT };
