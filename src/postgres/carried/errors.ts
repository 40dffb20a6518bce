/** A sealed value that cannot be opened: one code for whatever went wrong. */
import { PostgresError } from '../errors.ts';

export function openFailed(where: string, cause?: unknown): PostgresError {
  const message = `a sealed value could not be opened: ${where}`;
  return new PostgresError(
    'ERR_POSTGRES_OPEN_FAILED',
    message,
    { sqlstate: '58030', detail: 'Rows may have been sent already: the outcome of the statement is unknown.' },
    { cause },
  );
}
