/**
 * The one error class that leaves a room, and the shape of a catalogue entry.
 *
 * Each room keeps its catalogue in its own `errors.ts` (code -> what it says, why it happens, what to do); `docs/ERRORS.md` is
 * written from those tables, and one function per edge maps codes to the wire (S3 XML, SQLSTATE, KMS `__type`).
 */

/** One section of docs/ERRORS.md. `exit` is the process's exit code when the error ends a command (1 unless told). */
export type ErrorEntry = {
  readonly says: string;
  readonly why: string;
  readonly fix: string;
  readonly exit?: number;
};

/** Stable codes: never renamed once released. */
export type ErrorCode = `ERR_${string}`;

export type ErrorCatalogue = Readonly<Record<ErrorCode, ErrorEntry>>;

/**
 * An error with a stable code. The message never holds plaintext, key bytes, credentials or SQL literals; `cause` keeps what
 * a developer needs and is never sent to a client.
 */
export class SealgateError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SealgateError';
    this.code = code;
  }
}

/** Marks the branch of an exhaustive switch that types prove is never taken. */
export function unreachable(value: never): never {
  throw new TypeError(`unreachable: ${JSON.stringify(value)}`);
}
