/** Errors of sealed columns: what a rule asks for against what the database has, and their DEKs. */
import { SealgateError, type ErrorCatalogue, type ErrorCode } from '../../errors.ts';

export const COLUMN_ERRORS = {
  ERR_POSTGRES_COLUMN_MISSING: {
    says: 'a rule names a table or column that the database does not have',
    why: 'It was never created, was dropped or renamed, or is a view.',
    fix: 'Create it with the DDL that `sealgate check` prints, or correct the rule.',
  },
  ERR_POSTGRES_COLUMN_GUARD: {
    says: 'a sealed column does not have the guard domain as its type',
    why: 'Without the guard the server would take plaintext wherever a statement slipped past the proxy.',
    fix: 'Run the DDL that `sealgate check` prints. A column that already holds plaintext is moved in by `sealgate postgres seal`.',
  },
  ERR_POSTGRES_COLUMN_UNSEALABLE: {
    says: 'something in the schema reads or fills a sealed column inside the server',
    why: 'Defaults, generated columns, CHECK constraints, policies and partition keys work on what the server sees, which is ciphertext; a default would even write plaintext.',
    fix: 'Remove what the message names, with the DDL that `sealgate check` prints.',
  },
  ERR_POSTGRES_COLUMN_CONSTRAINT: {
    says: 'a key or unique constraint over a sealed column cannot hold',
    why: 'Equal values have equal ciphertext only in deterministic columns of one domain.',
    fix: 'Make the columns deterministic, in one domain for a foreign key, or drop the constraint.',
  },
  ERR_POSTGRES_COLUMN_CHECK: {
    says: 'a CHECK or default of a sealed column cannot be enforced by the proxy',
    why: 'The server cannot look into sealed values, so the proxy must: it evaluates comparisons of the column with constants, BETWEEN, IN, its length, LIKE and regular expressions, joined by AND, OR and NOT. A default must be a constant of the column’s type that passes its checks.',
    fix: 'Write the constraint in these terms, or leave it to the application.',
  },
  ERR_POSTGRES_COLUMN_TYPE: {
    says: 'a rule names a type of the database that cannot be sealed so',
    why: 'The type is not there, is neither enum nor domain over a type that is sealed, or is a domain that is NOT NULL or compares texts by a collation of its own; or its few values would show in mode deterministic.',
    fix: 'Name the type by schema and name as the database has it; put NOT NULL on the column; use mode randomized.',
  },
  ERR_POSTGRES_COLUMN_MOVED: {
    says: 'a sealed column is not where it was bound',
    why: 'The table was renamed, recreated, swapped or restored, or schema sealgate was lost: what lies in it may be sealed as another column.',
    fix: 'If this was intended, run `sealgate check --rebind`: it looks at the stored values themselves and binds each column to the identity they were sealed under.',
  },
  ERR_POSTGRES_COLUMN_RIGHTS: {
    says: 'the service role lacks a right on a table with a sealed column',
    why: 'It looks through a column once, before its first use, to be sure that no plaintext is there, and asks the server about statements that name the table’s schema.',
    fix: 'Run the DDL that `sealgate check` prints, as the owner of the table.',
  },
  ERR_POSTGRES_COLUMN_RULE_CHANGED: {
    says: 'a rule changes how a column that holds values is sealed',
    why: 'Mode, domain or type decide the stored bytes; another choice needs every value sealed anew, which never happens by itself.',
    fix: 'Give the rule back its former mode, domain and type, or empty the column and run `sealgate check --rebind`.',
  },
  ERR_POSTGRES_COLUMN_KEY_MISSING: {
    says: 'the data key that a stored value names is neither in the database nor in escrow',
    why: 'Its row was lost and the key store in use is not the one that made it, or the value is not ours.',
    fix: 'Use the key store (or a backup of it) that belongs to this database.',
  },
  ERR_POSTGRES_COLUMN_KEY_DAMAGED: {
    says: 'the row of a data key in schema sealgate does not fit its column',
    why: 'It was changed or moved by hand.',
    fix: 'Delete the row and run `sealgate check --rebind`, which brings it back from escrow.',
  },
} as const satisfies ErrorCatalogue;

export type ColumnErrorCode = keyof typeof COLUMN_ERRORS & ErrorCode;

export class ColumnError extends SealgateError<ColumnErrorCode> {
  /** object_not_in_prerequisite_state: nothing the statement itself could do differently. */
  readonly sqlstate: string = '55000';

  constructor(code: ColumnErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.name = 'ColumnError';
  }
}
