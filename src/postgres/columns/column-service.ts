/**
 * What the session (wire side) asks of the column service: keys for the sealed columns of a statement, then synchronous sealing
 * and opening of values.
 *
 * Invariant: authorisation and audit run for every statement's use of a column (`open`), with the current caller.
 */
import type { KeyUse } from '../../keys/uses/data-keys.ts';
import type { LogicalType, SealedColumn, ValuePurpose } from '../plan.ts';
import type { ValueFormat, ValueSettings } from '../types/codec.ts';

export type { ValueFormat, ValueSettings };
export type ValueShape = 'scalar' | 'array';

export type SealOptions = {
  /**
   * `store` (the default for scalars) applies the column's type modifier as an assignment would: varchar(n) refuses or cuts
   * blanks, numeric(p,s) rounds. `compare` (the default for arrays, whose elements may also be stored: unnest) must not: `n = 1.005` matches nothing in numeric(10,2). `choose`: the
   * value may come out in the column's place.
   */
  readonly purpose?: ValuePurpose;
  /**
   * The type the client declared for the parameter, if not the column's own: a type of the same comparison class (int8 for an
   * int4 column, text for varchar), or 0/705 (unknown). Of the element, or of the array, where the shape is array.
   */
  readonly declaredOid?: number;
  /** The type with a modifier that a cast makes of the value (not of an array) first. */
  readonly cast?: LogicalType;
};

export type ColumnUse = {
  /** The Postgres role's principal, as an ARN. */
  readonly principal: string;
  /** How audit records say where the use came from; `postgres` unless told. */
  readonly via?: KeyUse['via'];
  /** The session's settings: where its TimeZone is new to us, its transitions are read from the server now. */
  readonly settings?: ValueSettings;
};

export interface ColumnService {
  /** How key policies and audit records name a role of this database. */
  principalOf(role: string): string;
  /**
   * Before a sealed plan runs: gets (and audits) the DEKs of all its columns for this caller. At once where nothing has to be waited
   * for, which is the common case; it throws what the promise would reject with.
   */
  open(columns: readonly SealedColumn[], use: ColumnUse): ColumnSession | Promise<ColumnSession>;
}

export interface ColumnSession {
  /**
   * A client's value becomes sealed bytes for the upstream (binary bytea); an array becomes a binary bytea[] of sealed elements.
   * NULL is the caller's business. Errors: ValueError (with its SQLSTATE), ERR_POSTGRES_COLUMN_*.
   */
  seal(
    column: SealedColumn,
    value: Uint8Array,
    format: ValueFormat,
    settings: ValueSettings,
    shape: ValueShape,
    options?: SealOptions,
  ): Uint8Array;
  /** A constant of the statement, unquoted. */
  sealLiteral(column: SealedColumn, text: string, settings: ValueSettings, options?: SealOptions): Uint8Array;
  /** Sealed bytes (raw, not hex) become the value in the format the client asked for. */
  unseal(column: SealedColumn, sealed: Uint8Array, format: ValueFormat, settings: ValueSettings): Uint8Array;
  /** Whether the DEK that a sealed value names is at hand; if not, await `fetch` and go on. */
  has(column: SealedColumn, sealed: Uint8Array): boolean;
  fetch(column: SealedColumn, sealed: Uint8Array): Promise<void>;
}
