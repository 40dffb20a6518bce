/** Errors of the service connection and of the schema `sealgate` in the protected database. */
import { SealgateError, type ErrorCatalogue, type ErrorCode } from '../../errors.ts';

export const SERVICE_ERRORS = {
  ERR_POSTGRES_SERVICE_UNREACHABLE: {
    says: 'the service connection to the database failed',
    why: 'Sealgate keeps wrapped DEKs and reads the catalog over a connection of its own (`service`), and could not open it, log in, or lost it.',
    fix: 'Check host, port, TLS and password of the service connection, and that the server runs.',
  },
  ERR_POSTGRES_SERVICE_QUERY: {
    says: 'a query of Sealgate on its service connection failed',
    why: 'Usually the service role lacks a privilege, or the statement timed out.',
    fix: 'Look at the SQLSTATE in the message; the service role must own schema sealgate and may read the catalog.',
  },
  ERR_POSTGRES_SERVICE_RIGHTS: {
    says: 'the service role lacks a right in the database',
    why: 'Sealgate keeps schema sealgate there, and beside it empty copies of the ruled tables, by which it asks the server how it understands a statement.',
    fix: 'As the database’s owner or a superuser: GRANT CREATE ON DATABASE … TO the service role. `sealgate check` prints it.',
  },
  ERR_POSTGRES_SERVICE_SCHEMA: {
    says: 'schema sealgate in the database is missing, damaged, or of a newer version',
    why: 'It was dropped or changed by hand, the service role may not create it, or a newer Sealgate has upgraded it.',
    fix: 'Run `sealgate check`; after a dropped schema `sealgate check --rebind` brings the DEKs back from escrow.',
  },
} as const satisfies ErrorCatalogue;

type ServiceErrorCode = keyof typeof SERVICE_ERRORS & ErrorCode;

/** `sqlstate` is the server's where it answered, else of class 08. */
export class ServiceError extends SealgateError<ServiceErrorCode> {
  readonly sqlstate: string;

  constructor(code: ServiceErrorCode, sqlstate: string, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.name = 'ServiceError';
    this.sqlstate = sqlstate;
  }
}
