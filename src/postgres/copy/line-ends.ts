/**
 * Ends of lines as COPY FROM takes them: the first one found says which all others must be (CopyReadLineText in
 * src/backend/commands/copyfromparse.c).
 */
import { badCopyData } from './errors.ts';
import { NEWLINE, RETURN } from './format.ts';

type LineEnd = 'newline' | 'return' | 'both';

export class LineEnds {
  #kind: LineEnd | undefined;
  readonly #csv: boolean;

  constructor(csv: boolean) {
    this.#csv = csv;
  }

  /** The byte that lines end with, for those within quotes to be counted by. */
  get counted(): number {
    return this.#kind === 'newline' ? NEWLINE : RETURN;
  }

  /** How many bytes the line end at `at` has; 0 where more must be seen. Throws where it is another than the first. */
  width(bytes: Uint8Array, at: number, end: number, last: boolean): number {
    if (bytes[at] === NEWLINE) {
      if (this.#kind === 'return' || this.#kind === 'both') throw this.#literal('newline', '\\n');
      this.#kind = 'newline';
      return 1;
    }
    if (this.#kind === 'newline') throw this.#literal('carriage return', '\\r');
    if (this.#kind === 'return') return 1;
    if (at + 1 >= end && !last) return 0;
    if (at + 1 < end && bytes[at + 1] === NEWLINE) {
      this.#kind = 'both';
      return 2;
    }
    if (this.#kind === 'both') throw this.#literal('carriage return', '\\r');
    this.#kind = 'return';
    return 1;
  }

  /** Whether the end-of-copy marker's line end fits the lines before it. */
  fits(first: number | undefined, second: number | undefined): boolean {
    switch (this.#kind) {
      case undefined:
        return first === NEWLINE || first === RETURN;
      case 'newline':
        return first === NEWLINE;
      case 'return':
        return first === RETURN;
      case 'both':
        return first === RETURN && second === NEWLINE;
    }
  }

  #literal(what: string, written: string): Error {
    return this.#csv
      ? badCopyData(`unquoted ${what} found in data`, `Use quoted CSV field to represent ${what}.`)
      : badCopyData(`literal ${what} found in data`, `Use "${written}" to represent ${what}.`);
  }
}
