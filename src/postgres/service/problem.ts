/** What `sealgate check` says about one rule against the live catalog. */
import type { ColumnErrorCode } from '../columns/errors.ts';
import type { ForeignKeyEnd } from './live-column.ts';

export type ColumnProblem = {
  readonly code: ColumnErrorCode;
  /** `error`: the column's table is refused until it is mended. `warning`: works, but hardly as meant. */
  readonly severity: 'error' | 'warning';
  /** `schema.table.column`. */
  readonly column: string;
  /** The table or column is not there: one that comes through the proxy comes as the rule says. */
  readonly awaited?: true;
  readonly message: string;
  /** Statements that mend it, in order; empty where none can. */
  readonly ddl: readonly string[];
  /** Foreign keys that `ddl` drops, and that hold again once all that they tie have their types. */
  readonly untied?: readonly ForeignKeyEnd[];
};
