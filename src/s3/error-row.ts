/** The shape of a row of the S3 error catalogue. */
import type { ErrorCode, ErrorEntry } from '../errors.ts';

/** An S3 error is a catalogue entry with its S3 code and HTTP status. */
export type S3ErrorEntry = ErrorEntry & { readonly s3Code: string; readonly status: number };

export type S3Catalogue = Readonly<Record<ErrorCode, S3ErrorEntry>>;

export const row = <const Code extends string, const Status extends number>(
  s3Code: Code,
  status: Status,
  says: string,
  why: string,
  fix: string,
): S3ErrorEntry => ({ s3Code, status, says, why, fix });
