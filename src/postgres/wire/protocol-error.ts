/** The one error for bytes that break the protocol. */
import { PostgresError } from '../errors.ts';

/** A PostgresError ERR_POSTGRES_PROTOCOL, SQLSTATE 08P01. */
export function protocolError(message: string): PostgresError {
  return new PostgresError('ERR_POSTGRES_PROTOCOL', message, { sqlstate: '08P01' });
}
