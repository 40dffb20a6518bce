/**
 * A column of a subquery, CTE or VALUES list that holds nothing but constants and parameters. What reads it decides what it is: values of a
 * sealed column, each sealed as it would be in that place, or plain. It is one of the two for all that read it.
 */
import type { SealedColumn, ValuePurpose } from '../../plan.ts';
import { refuseUse } from '../errors.ts';
import { mergedSealing, type Sealing } from './parameters.ts';
import { columnName } from './values.ts';

/** What is done to every value in it. `castOid`: of a cast that reads it. */
export type OpenContents = {
  readonly mould: (column: SealedColumn, purpose: ValuePurpose, castOid: number | undefined) => void;
  readonly settle: () => void;
  /** Refuses where it has no name of its own and would get another, were it sealed. */
  readonly requireName?: () => void;
  /** Where a refusal points. */
  readonly location: number;
};

type Moulded = Sealing & { readonly castOid: number | undefined };

export class OpenColumn {
  readonly #contents: OpenContents;
  #is: Moulded | 'open' | 'plain' = 'open';

  constructor(contents: OpenContents) {
    this.#contents = contents;
  }

  /** What it became: values of this column, so far as has been read. */
  get sealed(): SealedColumn | undefined {
    return typeof this.#is === 'string' ? undefined : this.#is.column;
  }

  /** Whether its values come out as they were written. */
  get printsExactly(): boolean {
    return typeof this.#is !== 'string' && (this.#is.purpose === 'choose' || this.#is.column.type.name !== 'numeric');
  }

  get location(): number {
    return this.#contents.location;
  }

  requireName(): void {
    this.#contents.requireName?.();
  }

  mould(column: SealedColumn, purpose: ValuePurpose, castOid: number | undefined): void {
    if (this.#is === 'plain') throw this.#conflict(column);
    if (this.#is === 'open') {
      this.#is = { column, purpose, castOid };
      return this.#contents.mould(column, purpose, castOid);
    }
    const before = this.#is;
    const merged = mergedSealing(before, { column, purpose });
    if (merged === undefined || before.castOid !== castOid) throw this.#conflict(column);
    this.#is = { ...merged, castOid };
    if (merged.purpose !== before.purpose) this.#contents.mould(merged.column, merged.purpose, castOid);
  }

  /** What comes out as well must not be changed by storing it. */
  keepUnchanged(): void {
    if (typeof this.#is !== 'string' && this.#is.purpose === 'store')
      this.mould(this.#is.column, 'both', this.#is.castOid);
  }

  settlePlain(): void {
    if (typeof this.#is !== 'string') throw this.#conflict(this.#is.column);
    if (this.#is === 'open') this.#contents.settle();
    this.#is = 'plain';
  }

  /** Where nothing read it, it is plain. */
  finish(): void {
    if (this.#is === 'open') this.settlePlain();
  }

  #conflict(column: SealedColumn): Error {
    return refuseUse(
      `a column of values is read as values of sealed column ${columnName(column)} and as something else`,
      this.#contents.location,
      'Give it twice, as two columns.',
    );
  }
}
