/** Errors of moving a column that holds values in, and out again. */
import { SealgateError, type ErrorCatalogue, type ErrorCode } from '../../errors.ts';

export const MIGRATE_ERRORS = {
  ERR_POSTGRES_MOVE_REFUSED: {
    says: 'a column cannot be sealed or unsealed as it stands',
    why: 'Something in the database reads or fills it, its type is not the rule’s, or the rule does not fit what it holds. Nothing was changed.',
    fix: 'The message names each thing. Drop what it names, run the command again, and make it anew afterwards where the proxy allows it.',
  },
  ERR_POSTGRES_MOVE_LOCKED: {
    says: 'the table could not be locked in time',
    why: 'Another session uses it. What was converted so far is kept; nothing was swapped.',
    fix: 'Stop the application, or give more time with `--lock-timeout`, and run the same command again: it goes on where it was.',
  },
  ERR_POSTGRES_MOVE_VALUE: {
    says: 'a value cannot be converted without a change',
    why: 'The logical type of the rule does not take it, or it would not read back as the very bytes that the server prints. The column was left as it is.',
    fix: 'The message names the row by its ctid. Correct that value or the type in the rule, and run the same command again.',
  },
  ERR_POSTGRES_MOVE_RIGHTS: {
    says: 'the role given does not own the table',
    why: 'Converting a column is DDL, which only the table’s owner or a superuser may run.',
    fix: 'Give the owner or a superuser with `--user`.',
  },
} as const satisfies ErrorCatalogue;

export class MigrateError extends SealgateError<keyof typeof MIGRATE_ERRORS & ErrorCode> {
  override readonly name = 'MigrateError';
}
