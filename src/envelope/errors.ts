/** The catalogue of the envelope room; docs/ERRORS.md is written from it. */
import { SealgateError, type ErrorCatalogue, type ErrorCode } from '../errors.ts';

export const ENVELOPE_ERRORS = {
  ERR_ENVELOPE_OPEN_FAILED: {
    says: 'the sealed data does not open',
    why: 'The key or context is not the one it was sealed with, or the bytes are damaged, cut, moved or were tampered with. Which of them is never said: an answer that told them apart would help an attacker.',
    fix: 'Check that the key manager holds the key that sealed it and that the data was not moved to another place (bucket, column, object). If both are so, restore the data from a backup; nothing of what failed was given out.',
  },
  ERR_ENVELOPE_MALFORMED: {
    says: 'this is not sealed data of a format this version knows',
    why: 'The bytes do not have the structure of docs/FORMAT.md: they were never sealed, were cut, or were written by a newer version.',
    fix: 'Check that the data was written through Sealgate, and that this Sealgate is not older than the one that wrote it.',
  },
  ERR_ENVELOPE_TOO_LARGE: {
    says: 'too large to seal in this format',
    why: 'A limit of docs/FORMAT.md would be exceeded; the message names it.',
    fix: 'Send less: fewer or shorter metadata, a smaller part, a shorter value.',
  },
  ERR_ENVELOPE_LENGTH: {
    says: 'the body is not as long as was declared',
    why: 'The length of a body is part of its authenticated header, so it is fixed before the first byte; the body then had more or fewer bytes.',
    fix: 'Send exactly the declared number of bytes. Nothing was stored.',
  },
  ERR_ENVELOPE_CONTEXT: {
    says: 'the encryption context is not valid',
    why: 'Names and values must be well-formed Unicode (no lone surrogates), and the whole must be within the limit: otherwise two contexts could look alike.',
    fix: 'Correct the encryption context.',
  },
} as const satisfies ErrorCatalogue;

type EnvelopeErrorCode = keyof typeof ENVELOPE_ERRORS & ErrorCode;

/** Its message is the catalogue's; `detail` names a limit or a field, never a value. */
export class EnvelopeError extends SealgateError<EnvelopeErrorCode> {
  constructor(code: EnvelopeErrorCode, detail?: string) {
    super(code, detail === undefined ? ENVELOPE_ERRORS[code].says : `${ENVELOPE_ERRORS[code].says}: ${detail}`);
    this.name = 'EnvelopeError';
  }
}

/** The one error of every failed opening: one code, one text. */
export function openFailed(): EnvelopeError {
  return new EnvelopeError('ERR_ENVELOPE_OPEN_FAILED');
}

/** Structure that is wrong before any key is used. */
export function malformed(): EnvelopeError {
  return new EnvelopeError('ERR_ENVELOPE_MALFORMED');
}

/** Runs an opening; whatever fails in it (a tag, a length, a structure inside sealed bytes) is the one opening error. */
export function opening<T>(open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (error instanceof SealgateError) throw openFailed();
    throw error;
  }
}
