/** Refusals of the analysis: each is a statement that was not sent upstream. Texts name columns and places, never values. */
import { SealgateError, type ErrorCatalogue, type ErrorCode } from '../../errors.ts';
import type { Refusal } from '../plan.ts';

export const ANALYSIS_ERRORS = {
  ERR_POSTGRES_SEALED_USE: {
    says: 'a sealed column is used in a way that cannot be answered exactly',
    why: 'The server holds ciphertext. Randomized columns can be written, read and tested for NULL; deterministic ones can also be compared for equality. Anything else would give wrong rows or write unsealed data, so the statement was not sent.',
    fix: 'Follow the hint: read the column as it is and compute in the application, or make the column deterministic if it is only compared.',
  },
  ERR_POSTGRES_SEALED_STATEMENT: {
    says: 'this kind of statement is not supported on a table with sealed columns',
    why: 'It could carry sealed values past the proxy, or change what the rules mean.',
    fix: 'Write it as INSERT, UPDATE, DELETE or SELECT; run schema changes that are refused directly on the server, then `sealgate check`.',
  },
  ERR_POSTGRES_SEALED_DDL: {
    says: 'a schema change asks something of a sealed column that cannot hold for it',
    why: 'CREATE and ALTER TABLE on tables with rules are rewritten so that sealed columns get the guard’s type. What the server would compute from their values, or write into them by itself, it would do with ciphertext or in clear; a name or type that is not the rule’s would part the column from its rule. Nothing was changed.',
    fix: 'Follow the hint. Rules are changed in the config, what only the server can do directly on the server; then run `sealgate check`.',
  },
  ERR_POSTGRES_PARAMETER_ROLES: {
    says: 'one parameter is used in two places that need different types',
    why: 'A parameter is sealed once, for one column; the same bytes cannot also be a plain value or a value of another column.',
    fix: 'Pass the value twice, as two parameters.',
  },
  ERR_POSTGRES_COPY_OPTION: {
    says: 'an option of COPY has a value that COPY does not take',
    why: 'By its options the data is told apart into rows and fields; on a table with sealed columns the proxy must read them as the server does.',
    fix: 'Correct the option.',
  },
  ERR_POSTGRES_UNPARSABLE: {
    says: 'the statement does not parse, or has more values than columns for them',
    why: 'The proxy reads statements with the grammar of PostgreSQL 18. On a database with rules nothing is forwarded that was not understood; and a value that no column takes is not sealed for any, so the server is not sent it to say the same.',
    fix: 'Correct the statement.',
  },
  ERR_POSTGRES_NAME: {
    says: 'a name in a statement on sealed columns does not resolve to exactly one thing',
    why: 'The table or column does not exist, is ambiguous, or was made in a transaction that has not been committed; or a name beyond ASCII is read otherwise by the server, whose database has another encoding than UTF8.',
    fix: 'Check the spelling and search_path, qualify the name, or commit the schema change first.',
  },
  ERR_POSTGRES_SESSION_SETTINGS: {
    says: 'a setting of the session does not allow sealed columns',
    why: 'Statements on sealed columns are read under client_encoding UTF8, standard_conforming_strings and array_nulls on, and pg_catalog searched first, in which a temporary table or type that is named like a type of the server hides it.',
    fix: 'Set these settings back to their defaults; drop or rename what is named like one of the server’s types.',
  },
  ERR_POSTGRES_SEQUENCE: {
    says: 'statements of one message cannot be sent one after the other as one message would run them',
    why: 'A statement on sealed columns follows one that may change what it means. The proxy then sends the statements of a Query one by one, in a block that it keeps as the server keeps one for a message; it cannot do that for PREPARE TRANSACTION among them, for COPY FROM STDIN of sealed columns in a message above 64 KiB behind schema changes of the same transaction, behind a change of client_encoding or standard_conforming_strings, and within a sequence of the extended protocol before its Sync. Nor is a Query sent behind an Execute without Sync where it cannot be known whether the server would commit it by itself.',
    fix: 'Send them as messages of their own.',
  },
  ERR_POSTGRES_RULE_UNRESOLVED: {
    says: 'a rule names a column that the database does not have as a guarded, sealed column',
    why: 'The table or column is missing, was changed or replaced, or lacks the guard. Nothing can be sealed or opened with certainty.',
    fix: 'Run `sealgate check` and apply what it prints.',
  },
  ERR_POSTGRES_CATALOG: {
    says: 'the catalog of the database cannot be read',
    why: 'Without it the proxy cannot know what the names in a statement mean. It is read over the service connection, and for a transaction that has changed it, in that transaction: which has to be a block (BEGIN) in READ COMMITTED.',
    fix: 'Check the service DSN and the server; the statement can be sent again. In a transaction that has changed the catalog: BEGIN it without another isolation level, or commit the change first.',
  },
  ERR_POSTGRES_DISAGREEMENT: {
    says: 'the server understands the statement otherwise than the proxy does',
    why: 'Each statement on sealed columns is analysed twice; where the two differ, neither is trusted.',
    fix: 'Qualify column names and add casts to parameters; if that does not help, report the statement.',
  },
  ERR_POSTGRES_ANALYSIS: {
    says: 'the statement could not be analysed',
    why: 'A bug. The statement was not sent.',
    fix: 'Report the shape of the statement and the server version.',
  },
} as const satisfies ErrorCatalogue;

export type AnalysisErrorCode = keyof typeof ANALYSIS_ERRORS & ErrorCode;

/** A refusal on its way out of the analysis. `location`: UTF-8 byte offset in the message's text; -1: none. */
export class AnalysisError extends SealgateError<AnalysisErrorCode> {
  readonly refusal: Refusal;
  readonly location: number;

  constructor(
    code: AnalysisErrorCode,
    sqlstate: string,
    message: string,
    location = -1,
    hint?: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
    this.name = 'AnalysisError';
    this.location = location;
    this.refusal = { code, sqlstate, message, ...(hint !== undefined && { hint }) };
  }
}

/** feature_not_supported. */
export const UNSUPPORTED = '0A000';

/** syntax_error. Also what PostgreSQL counts as one, beyond its grammar. */
const SYNTAX_ERROR = '42601';

export function refuseSyntax(message: string, location: number): AnalysisError {
  return new AnalysisError('ERR_POSTGRES_UNPARSABLE', SYNTAX_ERROR, message, location);
}

/** What the open transaction has made of the catalog has to be known for this. */
export function uncommitted(): AnalysisError {
  return new AnalysisError(
    'ERR_POSTGRES_CATALOG',
    UNSUPPORTED,
    'the transaction has changed the catalog: here statements on sealed columns wait for its end',
    -1,
    'Commit first; within a block (BEGIN) in READ COMMITTED they need not wait.',
  );
}

/** Whether it is the refusal of `uncommitted`. */
export function waitsForCommit({ code, sqlstate }: Refusal): boolean {
  return code === 'ERR_POSTGRES_CATALOG' && sqlstate === UNSUPPORTED;
}

export function refuseUse(message: string, location: number, hint?: string): AnalysisError {
  return new AnalysisError('ERR_POSTGRES_SEALED_USE', UNSUPPORTED, message, location, hint);
}

export function refuseStatement(message: string, location: number, hint?: string): AnalysisError {
  return new AnalysisError('ERR_POSTGRES_SEALED_STATEMENT', UNSUPPORTED, message, location, hint);
}

/** Hint where a write runs what it may not. */
export const WRITTEN_ELSEWHERE =
  'Write directly on the server, change what runs, or list its function under allowRoutines if it does not touch sealed columns.';

/** `what` runs a hot routine, or is one. */
export function refuseRoutine(what: string, location: number): AnalysisError {
  return refuseStatement(
    what,
    location,
    'Run its statements from the application, or list it under allowRoutines if it does not touch sealed columns.',
  );
}

/** Statements that the server gives no parameters: it would not take a value for one, and is not sent it. */
export function requireNoParameters(sealed: ReadonlyMap<number, unknown>): void {
  for (const number of sealed.keys()) throw refuseName('42P02', `there is no parameter $${number}`, -1);
}

/** `sqlstate`: what the server would have said: 42P01 undefined_table, 42P02 undefined_parameter, 42703 undefined_column, 42702 ambiguous_column, 42P09 ambiguous_alias. */
export function refuseName(
  sqlstate: '42P01' | '42P02' | '42703' | '42702' | '42P09' | '0A000',
  message: string,
  location: number,
  hint?: string,
): AnalysisError {
  return new AnalysisError('ERR_POSTGRES_NAME', sqlstate, message, location, hint);
}
