/** The errors for bytes that break the protocol, in the server's own words where it has some. */
import { PostgresError } from '../errors.ts';

/** A PostgresError ERR_POSTGRES_PROTOCOL, SQLSTATE 08P01. */
export function protocolError(message: string): PostgresError {
  return new PostgresError('ERR_POSTGRES_PROTOCOL', message, { sqlstate: '08P01' });
}

/** A PostgresError ERR_POSTGRES_ENCODING, SQLSTATE 22021, without the bytes, which may be of a value. `where`: behind the words. */
export function brokenUtf8(where: string): PostgresError {
  return new PostgresError('ERR_POSTGRES_ENCODING', `invalid byte sequence for encoding "UTF8" ${where}`, {
    sqlstate: '22021',
  });
}
