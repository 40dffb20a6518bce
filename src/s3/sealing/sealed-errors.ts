/** What a failure to open means to an S3 client: the object cannot be served. Which check failed is not said. */
import { S3Error } from '../errors.ts';
import { codeOf } from './error-code.ts';

const NOT_OPENED: ReadonlySet<string | undefined> = new Set([
  'ERR_ENVELOPE_OPEN_FAILED',
  'ERR_ENVELOPE_MALFORMED',
  'ERR_CRYPTO_OPEN_FAILED',
]);

export function asOpeningError(error: unknown): unknown {
  return NOT_OPENED.has(codeOf(error)) ? invalidObject(error) : error;
}

export const invalidObject = (cause?: unknown): S3Error =>
  new S3Error('ERR_S3_SEALED_OBJECT_INVALID', undefined, cause === undefined ? {} : { cause });

/** Runs a step of opening. Throws ERR_S3_SEALED_OBJECT_INVALID where it does not open. */
export function opening<T>(step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw asOpeningError(error);
  }
}
