/**
 * The S3 gateway's errors: our stable codes, and the code and status each has in S3's own words. `xml/error-document.ts` is the one
 * place that writes them to the wire. Messages say what S3 says, so that SDKs (which match codes) and people (who match texts) cope.
 */
import { SealgateError, type ErrorCode } from '../errors.ts';
import { S3_ERRORS } from './error-catalogue.ts';
import type { S3ErrorEntry } from './error-row.ts';

export type S3ErrorCode = keyof typeof S3_ERRORS & ErrorCode;

export type S3ErrorOptions = ErrorOptions & {
  /** Replaces the catalogue's S3 code: answers of the upstream are relayed under their own. */
  readonly s3Code?: string;
  readonly status?: number;
  /** Further elements of the error document, e.g. `{ Resource: '/bucket/key' }`. Never secrets. */
  readonly details?: Readonly<Record<string, string>>;
  /** Further response headers, e.g. `x-amz-delete-marker`. */
  readonly headers?: Readonly<Record<string, string>>;
};

/** An error that ends one S3 request. Throw it from anywhere below the server: `throw new S3Error('ERR_S3_NO_SUCH_KEY')`. */
export class S3Error extends SealgateError<S3ErrorCode> {
  readonly s3Code: string;
  readonly status: number;
  readonly details: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: S3ErrorCode, message?: string, options: S3ErrorOptions = {}) {
    const entry: S3ErrorEntry = S3_ERRORS[code];
    super(code, message ?? entry.says, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'S3Error';
    this.s3Code = options.s3Code ?? entry.s3Code;
    this.status = options.status ?? entry.status;
    this.details = options.details ?? {};
    this.headers = options.headers ?? {};
  }
}
