/**
 * Where the fields of one row lie, counted from the row's first byte. Used over and over: nothing is allocated for a row. All are counted, but
 * no more than there are columns are remembered: a row can be one of nothing but delimiters.
 */
export class FieldList {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #count = 0;
  #open = 0;
  readonly #columns: number;

  constructor(columns: number) {
    this.#columns = columns;
  }

  get count(): number {
    return this.#count;
  }

  /** `open`: where the first field begins. */
  reset(open = 0): void {
    this.#count = 0;
    this.#open = open;
  }

  /** The open field ends before `at`; the next one begins `gap` bytes on. */
  close(at: number, gap = 1): void {
    if (this.#count < this.#columns) {
      this.#starts[this.#count] = this.#open;
      this.#ends[this.#count] = at;
    }
    this.#count++;
    this.#open = at + gap;
  }

  start(index: number): number {
    return this.#starts[index] ?? 0;
  }

  end(index: number): number {
    return this.#ends[index] ?? 0;
  }
}
