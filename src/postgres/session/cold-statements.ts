/**
 * Statements of Parse that named nothing hot and were sent on unseen. What names stand for may change: where a view over a sealed table takes
 * the place of a plain one, the next Bind of what was prepared before would carry its parameters there in clear.
 *
 * Whenever the hot names change, the texts are asked again whether they may concern something sealed. Names beyond ASCII that came in another encoding
 * than UTF8, or may have, are told apart from all others: which bytes name the same statement later is not known.
 */
import { createHash } from 'node:crypto';
import type { StatementAnalyzer } from '../analysis/analyzer.ts';
import { LARGE_STATEMENT_BYTES, MAX_STATEMENTS } from '../limits.ts';
import { isBeyondAscii, NameTable } from './name-table.ts';

/** Longer texts are not kept: they may concern anything. */
type Cold = { readonly sql: string | undefined };
type Names = NameTable<Cold>;

export class ColdStatements {
  readonly #analyzer: Pick<StatementAnalyzer, 'hotNames' | 'mayConcern'>;
  readonly #newNames: () => Names;
  #names: Names;
  /** Under names beyond ASCII of other encodings, in which the same bytes are several names: by their texts. */
  #others: Names;
  /** Some of those may concern something sealed by now. */
  #doubted: Names;
  /** The hot names they were last asked about. */
  #asked: number;
  /** There were more than are kept: of a name that is not known nothing is known. */
  #overflowed = false;
  /** Names that are remembered nowhere may concern something sealed, for all that is known. */
  #doubtsUnknown = false;

  constructor(
    analyzer: Pick<StatementAnalyzer, 'hotNames' | 'mayConcern'>,
    progress: { begun: number; ended: number },
  ) {
    this.#analyzer = analyzer;
    this.#newNames = () => new NameTable(progress);
    this.#names = this.#newNames();
    this.#others = this.#newNames();
    this.#doubted = this.#newNames();
    this.#asked = analyzer.hotNames;
  }

  /**
   * Of the Parse whose reply is expected next, whose text was just found to name nothing hot; gives what takes it back. `isOther`: its name may be of
   * another encoding.
   */
  remember(name: string, sql: string, isOther = false): () => void {
    if (this.#names.size + this.#others.size + this.#doubted.size >= MAX_STATEMENTS) {
      this.#names = this.#newNames();
      this.#others = this.#newNames();
      this.#overflowed = true;
    }
    if (this.isEmpty) this.#asked = this.#analyzer.hotNames;
    const cold = { sql: sql.length > LARGE_STATEMENT_BYTES ? undefined : sql };
    return isOther ? this.#others.set(digestOf(sql), cold) : this.#names.set(name, cold);
  }

  /** By the Close whose reply is expected next. */
  forget(name: string): () => void {
    return this.#names.set(name, undefined);
  }

  /** As `NameTable.isInDoubt`. */
  isInDoubt(name: string, since: number): boolean {
    return this.#names.isInDoubt(name, since);
  }

  /** As `forget`, of all. */
  clear(): () => void {
    const undo = [this.#names, this.#others, this.#doubted].map((names) => names.clear());
    return () => undo.forEach((restore) => restore());
  }

  get isEmpty(): boolean {
    return this.#names.size === 0 && this.#others.size === 0 && !this.#overflowed;
  }

  /** The hot names have changed since they were asked. */
  get isOutdated(): boolean {
    return this.#asked !== this.#analyzer.hotNames && !this.isEmpty;
  }

  /** The names of those that may concern something sealed by now; they are forgotten here. */
  takeConcerning(): readonly string[] {
    this.#asked = this.#analyzer.hotNames;
    this.#doubtsUnknown = this.#overflowed;
    if (this.#concerning(this.#others).length > 0) this.#doubted.set(DOUBTED, { sql: undefined });
    return this.#concerning(this.#names);
  }

  #concerning(names: Names): readonly string[] {
    const concerning = new Set<string>();
    for (const [name, { sql }] of names.possible())
      if (sql === undefined || this.#analyzer.mayConcern(sql)) concerning.add(name);
    for (const name of concerning) names.set(name, undefined);
    return [...concerning];
  }

  /** Of names that are not remembered as anything, some may concern something sealed. */
  get doubts(): boolean {
    return this.#doubtsUnknown || this.#doubted.size > 0;
  }

  /** Of a name that is remembered nowhere else. */
  isUnknown(name: string): boolean {
    return this.#doubtsUnknown && !this.#names.has(name);
  }

  /** Of a name, whatever else is remembered of it: it may be one of another encoding, under which a later Parse of it fails. */
  isOfOther(name: string): boolean {
    return isBeyondAscii(name) && (this.#doubtsUnknown || this.#doubted.possible().next().done === false);
  }
}

const DOUBTED = 'all of them';

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
