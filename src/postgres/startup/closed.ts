/** Which side went away while a connection was being opened. */
import { PostgresError } from '../errors.ts';

/**
 * The client left before it had a session, as whoever probes a port does, and psql before it asks for a password: nobody is there to
 * be answered, and nothing failed.
 */
export class ClientLeft extends Error {
  constructor(cause?: unknown) {
    super('the client left during startup', { cause });
    this.name = 'ClientLeft';
  }
}

export function upstreamClosed(cause?: unknown): PostgresError {
  const how = cause === undefined ? 'closed' : 'failed';
  return new PostgresError(
    'ERR_POSTGRES_UPSTREAM_CLOSED',
    `connection to the server ${how} during startup`,
    { sqlstate: '08006' },
    { cause },
  );
}
