/**
 * Statements of Parse that named nothing hot and were sent on unseen. What names stand for may change: where a view over a sealed table takes
 * the place of a plain one, the next Bind of what was prepared before would carry its parameters there in clear.
 *
 * Whenever the hot names change, the texts are asked again whether they may concern something sealed.
 */
import type { StatementAnalyzer } from '../analysis/analyzer.ts';
import { LARGE_STATEMENT_BYTES, MAX_STATEMENTS } from '../limits.ts';
import { NameTable } from './name-table.ts';

/** Longer texts are not kept: they may concern anything. */
type Cold = { readonly sql: string | undefined };
type Names = NameTable<Cold>;

export class ColdStatements {
  readonly #analyzer: Pick<StatementAnalyzer, 'hotNames' | 'mayConcern'>;
  readonly #newNames: () => Names;
  #names: Names;
  /** The hot names they were last asked about. */
  #asked: number;
  /** There were more than are kept: of a name that is not known nothing is known. */
  #overflowed = false;
  /** Names that are remembered nowhere may concern something sealed, for all that is known. */
  doubtsUnknown = false;

  constructor(
    analyzer: Pick<StatementAnalyzer, 'hotNames' | 'mayConcern'>,
    progress: { begun: number; ended: number },
  ) {
    this.#analyzer = analyzer;
    this.#newNames = () => new NameTable(progress);
    this.#names = this.#newNames();
    this.#asked = analyzer.hotNames;
  }

  /** Of the Parse whose reply is expected next, whose text was just found to name nothing hot; gives what takes it back. */
  remember(name: string, sql: string): () => void {
    if (this.#names.size >= MAX_STATEMENTS) {
      this.#names = this.#newNames();
      this.#overflowed = true;
    }
    if (this.isEmpty) this.#asked = this.#analyzer.hotNames;
    return this.#names.set(name, { sql: sql.length > LARGE_STATEMENT_BYTES ? undefined : sql });
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
    return this.#names.clear();
  }

  get isEmpty(): boolean {
    return this.#names.size === 0 && !this.#overflowed;
  }

  /** The hot names have changed since they were asked. */
  get isOutdated(): boolean {
    return this.#asked !== this.#analyzer.hotNames && !this.isEmpty;
  }

  /** The names of those that may concern something sealed by now; they are forgotten here. */
  takeConcerning(): readonly string[] {
    this.#asked = this.#analyzer.hotNames;
    this.doubtsUnknown = this.#overflowed;
    const concerning = new Set<string>();
    for (const [name, { sql }] of this.#names.possible())
      if (sql === undefined || this.#analyzer.mayConcern(sql)) concerning.add(name);
    for (const name of concerning) this.#names.set(name, undefined);
    return [...concerning];
  }

  /** Of a name that is remembered nowhere else. */
  isDoubtful(name: string): boolean {
    return this.doubtsUnknown && !this.#names.has(name);
  }
}
