/** One message's SQL text: UTF-8 byte offsets (what the parser speaks) against characters (what ErrorResponse speaks), and tokens. */
import { STEPS_OF_ANY_TEXT, STEPS_PER_BYTE, MAX_STEPS } from '../../limits.ts';
import { AnalysisError } from '../errors.ts';
import { BytePlaces } from './byte-places.ts';
import { isComment, scanTokens, type ScanToken } from './syntax.ts';

export class SourceText {
  readonly sql: string;
  readonly byteLength: number;
  /** Undefined where every character is one byte. */
  readonly #bytes: Buffer | undefined;
  #steps: number;
  #places: BytePlaces | undefined;
  #tokens: readonly ScanToken[] | undefined;
  #comments: readonly ScanToken[] = [];
  #byStart: ReadonlyMap<number, number> = new Map();

  constructor(sql: string) {
    this.sql = sql;
    const bytes = Buffer.byteLength(sql, 'utf8');
    this.byteLength = bytes;
    this.#steps = Math.min(STEPS_OF_ANY_TEXT + bytes * STEPS_PER_BYTE, MAX_STEPS);
    this.#bytes = bytes === sql.length ? undefined : Buffer.from(sql, 'utf8');
  }

  /** Steps of its analysis, which has some for each byte: what is nested may double with each level. */
  spend(steps: number): void {
    this.#steps -= steps;
    if (this.#steps >= 0) return;
    const hint = 'Nest less, or select columns in place of whole rows.';
    throw new AnalysisError('ERR_POSTGRES_SEALED_STATEMENT', '54001', 'the statement is too complex', -1, hint);
  }

  slice(start: number, end: number): string {
    return this.#bytes === undefined ? this.sql.slice(start, end) : this.#bytes.toString('utf8', start, end);
  }

  /** The UTF-16 index of a byte offset. */
  index(byteOffset: number): number {
    return this.#bytes === undefined ? byteOffset : this.#placesOf(this.#bytes).units(byteOffset);
  }

  /** 1-based position in characters, as the server counts them: code points, not UTF-16 units. */
  position(byteOffset: number): number {
    if (this.#bytes === undefined) return byteOffset + 1;
    return this.#placesOf(this.#bytes).characters(byteOffset) + 1;
  }

  #placesOf(bytes: Uint8Array): BytePlaces {
    return (this.#places ??= new BytePlaces(bytes));
  }

  /** The byte offset of such a position. */
  offset(position: number): number {
    if (this.#bytes === undefined) return position - 1;
    return Buffer.byteLength(
      Array.from(this.sql)
        .slice(0, position - 1)
        .join(''),
    );
  }

  /** Without comments. */
  get tokens(): readonly ScanToken[] {
    if (this.#tokens === undefined) {
      const all = scanTokens(this.sql);
      this.#tokens = all.filter((token) => !isComment(token));
      this.#comments = all.filter(isComment);
      this.#byStart = new Map(this.#tokens.map((token, index) => [token.start, index]));
    }
    return this.#tokens;
  }

  get comments(): readonly ScanToken[] {
    void this.tokens;
    return this.#comments;
  }

  /** The token that starts at a byte offset: its index in `tokens`. */
  tokenAt(byteOffset: number): number | undefined {
    void this.tokens;
    return this.#byStart.get(byteOffset);
  }

  tokenText(index: number): string {
    const token = this.tokens[index];
    return token === undefined ? '' : this.slice(token.start, token.end);
  }
}
