/** What all lists are asked with, read as S3 reads it. */
import { S3Error } from '../errors.ts';
import type { S3Headers, S3Query, S3Request } from '../operation.ts';
import { pick } from '../sealing/request-headers.ts';

/** S3 gives no more than this, whatever is asked for, and says so in the answer. */
export const MAX_KEYS = 1_000;

export function askedMaxKeys(query: S3Query): number {
  const text = query.get('max-keys') ?? '';
  // Beyond 31 bits S3 has no integer.
  if (!/^[0-9]{0,10}$/u.test(text) || Number(text) >= 2 ** 31)
    throw new S3Error('ERR_S3_INVALID_ARGUMENT', 'Provided max-keys not an integer or within integer range', {
      details: { ArgumentName: 'max-keys', ArgumentValue: text },
    });
  return text === '' ? MAX_KEYS : Math.min(MAX_KEYS, Number(text));
}

/** Whether names are to be percent-encoded. */
export function askedEncoding(query: S3Query): boolean {
  const type = query.get('encoding-type');
  if (type === undefined || type === '' || type === 'url') return type === 'url';
  throw new S3Error('ERR_S3_INVALID_ARGUMENT', 'Invalid Encoding Method specified in Request', {
    details: { ArgumentName: 'encoding-type', ArgumentValue: type },
  });
}

const FORWARDED = ['x-amz-expected-bucket-owner', 'x-amz-optional-object-attributes', 'x-amz-request-payer'] as const;

export const listHeaders = ({ headers }: S3Request): S3Headers => ({ ...pick(headers, FORWARDED) });
