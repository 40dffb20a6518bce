/** Names in order, for lists that are read page by page while names come and go between the pages. */

export class SortedNames {
  #names: string[] = [];
  /** Sorting waits until somebody lists: loading many names costs one sort. */
  #isSorted = true;

  /** The name must not be there. */
  add(name: string): void {
    this.#names.push(name);
    this.#isSorted = false;
  }

  delete(name: string): void {
    const at = this.#placeAfter(name) - 1;
    if (this.#names[at] === name) this.#names.splice(at, 1);
  }

  /** At most `limit` names that come after `name`, whether that one is still there or not; undefined begins at the first. */
  after(name: string | undefined, limit: number): readonly string[] {
    const from = name === undefined ? 0 : this.#placeAfter(name);
    return this.#sorted().slice(from, from + limit);
  }

  #sorted(): readonly string[] {
    if (!this.#isSorted) this.#names.sort((a, b) => (a < b ? -1 : 1));
    this.#isSorted = true;
    return this.#names;
  }

  #placeAfter(name: string): number {
    const names = this.#sorted();
    let low = 0;
    let high = names.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((names[middle] ?? '') <= name) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
