/**
 * Matching in time proportional to the value's length, whatever the pattern: a nondeterministic automaton whose states are followed all at
 * once (K. Thompson, 1968). A backtracking matcher would let a value stall the proxy.
 */

export type PatternTree =
  | { readonly type: 'character'; readonly matches: (codePoint: number) => boolean }
  | { readonly type: 'sequence' | 'alternatives'; readonly parts: readonly PatternTree[] }
  | { readonly type: 'repeat'; readonly part: PatternTree; readonly min: number; readonly max: number }
  | { readonly type: 'start' | 'end' };

type State =
  | { readonly type: 'character'; readonly matches: (codePoint: number) => boolean; next: number }
  | { readonly type: 'fork'; readonly targets: number[] }
  | { readonly type: 'start' | 'end'; next: number }
  | { readonly type: 'matched' };

/** Repeats are written out: `(a{200}){200}` would be 40000 states. */
const MAX_STATES = 4000;

export class Automaton {
  readonly #states: State[] = [{ type: 'matched' }];
  readonly #first: number;

  /** Throws RangeError for patterns of too many states. */
  constructor(tree: PatternTree) {
    this.#first = this.#compile(tree, 0);
  }

  /** Whether some part of the text matches. */
  matches(text: string): boolean {
    const { length } = text;
    let current = new Set<number>();
    for (let at = 0; ;) {
      if (this.#enter(current, this.#first, at, length)) return true;
      if (at >= length) return false;
      const codePoint = text.codePointAt(at) ?? 0;
      at += codePoint > 0xffff ? 2 : 1;
      const next = new Set<number>();
      for (const index of current) {
        const state = this.#states[index];
        if (state?.type === 'character' && state.matches(codePoint) && this.#enter(next, state.next, at, length))
          return true;
      }
      current = next;
    }
  }

  /** Adds a state and what follows without a character; true: matched. */
  #enter(set: Set<number>, index: number, at: number, length: number): boolean {
    if (set.has(index)) return false;
    set.add(index);
    const state = this.#states[index];
    switch (state?.type) {
      case 'matched':
        return true;
      case 'fork':
        return state.targets.some((target) => this.#enter(set, target, at, length));
      case 'start':
        return at === 0 && this.#enter(set, state.next, at, length);
      case 'end':
        return at === length && this.#enter(set, state.next, at, length);
      default:
        return false;
    }
  }

  /** The state from which the tree leads to `next`. */
  #compile(tree: PatternTree, next: number): number {
    switch (tree.type) {
      case 'character':
        return this.#add({ type: 'character', matches: tree.matches, next });
      case 'start':
      case 'end':
        return this.#add({ type: tree.type, next });
      case 'sequence':
        return tree.parts.reduceRight((after, part) => this.#compile(part, after), next);
      case 'alternatives':
        return this.#add({ type: 'fork', targets: tree.parts.map((part) => this.#compile(part, next)) });
      case 'repeat':
        return this.#compileRepeat(tree.part, tree.min, tree.max, next);
    }
  }

  #compileRepeat(part: PatternTree, min: number, max: number, next: number): number {
    let after = next;
    if (max === Infinity) {
      const targets: number[] = [];
      after = this.#add({ type: 'fork', targets });
      targets.push(this.#compile(part, after), next);
    } else {
      for (let left = max - min; left > 0; left--)
        after = this.#add({ type: 'fork', targets: [this.#compile(part, after), next] });
    }
    for (let left = min; left > 0; left--) after = this.#compile(part, after);
    return after;
  }

  #add(state: State): number {
    if (this.#states.length >= MAX_STATES) throw new RangeError('the pattern has too many states');
    return this.#states.push(state) - 1;
  }
}
