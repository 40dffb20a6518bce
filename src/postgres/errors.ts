/**
 * Every error of the Postgres proxy: its stable code, its SQLSTATE, and its section in docs/ERRORS.md.
 *
 * Invariant: no text here, and no `message`, `detail` or `hint` given to a PostgresError, holds a value, a literal, a key or a credential.
 */
import { SealgateError } from '../errors.ts';
import type { ErrorCatalogue, ErrorCode } from '../errors.ts';

export const POSTGRES_ERRORS = {
  ERR_POSTGRES_PROTOCOL: {
    says: 'A message breaks the PostgreSQL wire protocol.',
    why: 'A length, a type byte or a field does not fit the protocol, or a message came where it may not come. Nothing of it was forwarded. Where only the message’s own fields are wrong the session goes on, behind one of the extended protocol at the next Sync, as on PostgreSQL; what breaks the framing ends the connection.',
    fix: 'Check that the client really speaks PostgreSQL protocol 3 to this port; if it does, report the client and its version.',
  },
  ERR_POSTGRES_STARTUP_UNKNOWN: {
    says: 'The first packet of a connection is none that PostgreSQL knows.',
    why: 'Only StartupMessage, SSLRequest, GSSENCRequest and CancelRequest may open a connection.',
    fix: 'Point the client at the Postgres port, and use a client that speaks protocol 3.0 or 3.2.',
  },
  ERR_POSTGRES_STARTUP_TIMEOUT: {
    says: 'A client did not finish startup and authentication in time.',
    why: 'Half-open connections hold memory; they are closed after `startupTimeoutMs`.',
    fix: 'Look for a stuck client or a slow network between client and proxy.',
  },
  ERR_POSTGRES_TLS_REQUIRED: {
    says: 'The proxy accepts only TLS connections.',
    why: 'TLS is set to required for clients and this one asked for a connection without it.',
    fix: 'Connect with sslmode=require or stronger.',
  },
  ERR_POSTGRES_TLS_INJECTION: {
    says: 'Bytes arrived between SSLRequest and the TLS handshake.',
    why: 'Whatever is sent in clear before the handshake could have been put there by an attacker, so the connection is closed (class of CVE-2021-23222).',
    fix: 'Use a client that waits for the answer to SSLRequest. If it does, somebody tampers with the network.',
  },
  ERR_POSTGRES_REPLICATION: {
    says: 'A replication connection to a database with rules is refused.',
    why: 'The replication stream carries sealed values as they are stored, and such a connection can run SQL that the proxy does not analyse.',
    fix: 'Set `replication: pass`, which lets replication commands through and no SQL; or replicate directly from the server. What travels is ciphertext in either case.',
  },
  ERR_POSTGRES_UPSTREAM_UNREACHABLE: {
    says: 'The PostgreSQL server behind the proxy cannot be reached.',
    why: 'The TCP connection or the TLS handshake with it failed.',
    fix: 'Check host, port and TLS settings of the upstream; `sealgate check` tries them.',
  },
  ERR_POSTGRES_UPSTREAM_TLS: {
    says: 'TLS with the PostgreSQL server could not be agreed on as configured.',
    why: 'The server offers none although it is required, or its certificate does not verify.',
    fix: 'Turn TLS on in the server, give the right CA, or choose the TLS mode you mean.',
  },
  ERR_POSTGRES_TRANSACTION_POOLING: {
    says: 'Between the proxy and the server something pools transactions.',
    why: 'A session is then served by another backend at each transaction: the settings, prepared statements and temporary tables that the proxy reckons with are another session’s a moment later, and a statement could mean something else than was analysed.',
    fix: 'Set the pooler to session pooling (PgBouncer: `pool_mode = session`) for these databases and users, or connect to the server directly. A pooler that pools transactions may stand in front of the proxy’s clients only where they would use it without the proxy.',
  },
  ERR_POSTGRES_UPSTREAM_PROTOCOL: {
    says: 'The server answered with something the protocol does not allow here.',
    why: 'The answer does not fit what was asked, so values can no longer be matched to columns with certainty.',
    fix: 'Reconnect. If it comes again, report the statement and the server version.',
  },
  ERR_POSTGRES_UPSTREAM_CLOSED: {
    says: 'The PostgreSQL server closed the connection.',
    why: 'It restarted, was told to end this session, or lost the network.',
    fix: 'Reconnect; the outcome of a statement in flight is unknown.',
  },
  ERR_POSTGRES_AUTHENTICATION: {
    says: 'Authentication failed.',
    why: 'User or password is wrong, or the user has no SCRAM-SHA-256 verifier.',
    fix: 'Check user and password; set the password anew with password_encryption = scram-sha-256.',
  },
  ERR_POSTGRES_CERTIFICATE: {
    says: 'A client certificate is not good, or stands for another role than the one asked for.',
    why: 'It does not verify against `clientCaFile`, has expired or was revoked, or `users[].certificates` does not name it for this role.',
    fix: 'Show a certificate of that authority which is listed for the role. The proxy log says what is wrong with it.',
  },
  ERR_POSTGRES_CHANNEL_BINDING: {
    says: 'The client binds its login to the TLS channel, which a relayed login cannot carry.',
    why: 'With TLS on both legs the client sees the certificate of the proxy and the server its own; SCRAM-SHA-256-PLUS notices, as it should.',
    fix: 'Set the authentication mode to `terminate`, or connect with channel_binding=disable.',
  },
  ERR_POSTGRES_TOO_MANY_CONNECTIONS: {
    says: 'The proxy has as many client connections as it may have.',
    why: '`maxConnections` is reached.',
    fix: 'Raise it, or use fewer connections.',
  },
  ERR_POSTGRES_SHUTDOWN: {
    says: 'The proxy is shut down.',
    why: 'It was told to stop; sessions end between two transactions.',
    fix: 'Connect again: another replica, or the next start, serves it.',
  },
  ERR_POSTGRES_ENCODING: {
    says: 'A statement, or the name of a prepared one, is not UTF-8.',
    why: 'Under another encoding the same bytes may name something else than the proxy reads, so nothing can be said about them.',
    fix: 'Use client_encoding UTF8, and send valid UTF-8.',
  },
  ERR_POSTGRES_EXECUTE: {
    says: 'EXECUTE runs a statement on sealed columns in a way that is not supported.',
    why: 'CREATE TABLE AS EXECUTE would fill a table without rules with sealed values. And the arguments of a statement that is not known (its PREPARE failed or was refused, or its name has a slip) may be meant for a sealed column: they are not sent, nor logged by the server.',
    fix: 'Run the statement by itself, and insert what it gives. Look why PREPARE failed.',
  },
  ERR_POSTGRES_COPY_DATA: {
    says: 'The data of a COPY is not what its format and options say.',
    why: 'Rows are told apart before their values are sealed; what PostgreSQL would not take is refused before any of it leaves. The SQLSTATE is the server’s own; line and column are in CONTEXT.',
    fix: 'Correct the data, or name its delimiter, quotes and columns in the COPY. Nothing of the COPY was kept.',
  },
  ERR_POSTGRES_COPY_FAILED: {
    says: 'The client gave its COPY up.',
    why: 'It sent CopyFail, as clients do when their source of rows fails.',
    fix: 'See the message, which is the client’s own. Nothing of the COPY was kept.',
  },
  ERR_POSTGRES_CANCELED: {
    says: 'A statement was canceled before it began.',
    why: 'A cancel request, or the session’s own statement_timeout, met the question for the session’s settings that the proxy asks ahead of it.',
    fix: 'Nothing of the statement was run: send it again, if it is still wanted.',
  },
  ERR_POSTGRES_TOO_LARGE: {
    says: 'A statement, message or value that must be read whole is larger than its limit.',
    why: 'Nothing sealed may leave before its tag has verified, so it is held in memory and bounded.',
    fix: 'Send smaller values, or raise the limit named in the message.',
  },
  ERR_POSTGRES_STALE_PLAN: {
    says: 'A prepared statement no longer means what it meant when it was prepared.',
    why: 'The catalog or a setting such as search_path changed since; running it could write to another column.',
    fix: 'Prepare the statement again (drivers do so by themselves on this SQLSTATE).',
  },
  ERR_POSTGRES_MULTIPLE_COMMANDS: {
    says: 'A prepared statement holds more than one command.',
    why: 'PostgreSQL prepares one command at a time.',
    fix: 'Prepare each command by itself.',
  },
  ERR_POSTGRES_FUNCTION_CALL: {
    says: 'A FunctionCall message names a function other than those for large objects.',
    why: 'A function called by number could touch sealed columns unseen.',
    fix: 'Call the function with SELECT.',
  },
  ERR_POSTGRES_ORIGIN_MISMATCH: {
    says: 'The server describes a result column otherwise than the analysis did.',
    why: 'The two must agree on where each value comes from, else a value could be opened as another column.',
    fix: 'Run `sealgate check`; if the catalog is as it should be, report the statement.',
  },
  ERR_POSTGRES_OPEN_FAILED: {
    says: 'A stored value could not be opened.',
    why: 'It is damaged, was moved from another column, or its key is not available.',
    fix: 'See the proxy log for column and key. The connection was closed: the outcome of the statement is unknown.',
  },
  ERR_POSTGRES_SEAL_FAILED: {
    says: 'A value could not be sealed.',
    why: 'It is not a value of the column’s logical type, or the key may not be used.',
    fix: 'Send a value of the type the column has; check the key with `sealgate keys describe`.',
  },
  ERR_POSTGRES_INTERNAL: {
    says: 'The proxy met a condition it did not expect.',
    why: 'A bug. The connection was closed rather than guessed on.',
    fix: 'Report it with the log line.',
  },
} as const satisfies ErrorCatalogue;

export type PostgresErrorCode = keyof typeof POSTGRES_ERRORS & ErrorCode;

/** What an ErrorResponse says beside its message. */
export type PostgresErrorFields = {
  readonly sqlstate: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  /** 1-based character position in the client's own statement. */
  readonly position?: number | undefined;
};

/** An error that knows its ErrorResponse. */
export class PostgresError extends SealgateError<PostgresErrorCode> {
  readonly fields: PostgresErrorFields;

  constructor(code: PostgresErrorCode, message: string, fields: PostgresErrorFields, options?: ErrorOptions) {
    super(code, message, options);
    this.name = 'PostgresError';
    this.fields = fields;
  }
}
