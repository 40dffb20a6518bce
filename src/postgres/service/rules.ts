/** A column rule as this room takes it: the config's, for one database. */
import type { PreservedFormat } from '../../envelope/format-preserving.ts';

export type SealRule = {
  readonly database: string;
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  /** PostgreSQL's spelling: `numeric(10,2)`. */
  readonly type: string;
  /** KMS key id, ARN or alias. */
  readonly keyId: string;
  readonly mode: 'randomized' | 'deterministic';
  /** Only of deterministic columns. */
  readonly domain: string | undefined;
  /** Whether the column must have the guard domain; otherwise plain bytea will do. */
  readonly guard: boolean;
  /** The column default, as its type is written in text: the proxy seals it, the server has none. */
  readonly default?: string;
  /** CHECK constraints over the column alone, which the proxy enforces before it seals. */
  readonly checks?: readonly CheckRule[];
  /** Deterministic values that keep their form, in a column of their own type. */
  readonly format?: ColumnFormat;
  /** A deterministic column of a type with few values is meant. */
  readonly force?: true;
};

/** `generation`: the number of the data key, which the value itself cannot name. */
export type ColumnFormat = PreservedFormat & { readonly generation: number };

/** `expression`: SQL over VALUE, as in CREATE DOMAIN, or over the column's name, as in CREATE TABLE. */
export type CheckRule = { readonly name: string; readonly expression: string };

/** `schema.table.column`, for messages and as a key. */
export function ruleName({ schema, table, column }: Pick<SealRule, 'schema' | 'table' | 'column'>): string {
  return [schema, table, column]
    .map((part) => (/^[a-z_][a-z0-9_$]*$/.test(part) ? part : JSON.stringify(part)))
    .join('.');
}
