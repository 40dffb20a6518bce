/**
 * The key a client brings along (SSE-C): algorithm, key and the key's MD5, checked in S3's order and answered in its words. The texts
 * are those S3 was recorded with; where none is on record (no MD5 at all) they are what MinIO says.
 *
 * Threat: the key must not outlive the request. Its bytes are zeroed here; what stays is a KeyObject, and its MD5, which S3 shows too.
 */
import { createHash } from 'node:crypto';
import { KEY_BYTES, takeKey, type CustomerKey } from '../../crypto/key-types.ts';
import { equalBytes } from '../../crypto/bytes.ts';
import { S3Error } from '../errors.ts';
import type { S3Headers } from '../operation.ts';

export type GivenKey = {
  readonly key: CustomerKey;
  /** Base64, as the client wrote it: answers carry it back. */
  readonly md5: string;
};

const PREFIXES = {
  object: 'x-amz-server-side-encryption-customer-',
  copySource: 'x-amz-copy-source-server-side-encryption-customer-',
} as const;

type Whose = keyof typeof PREFIXES;

/** Whether any header of the three is there. */
export function givesCustomerKey(headers: S3Headers, whose: Whose = 'object'): boolean {
  return Object.keys(headers).some((name) => name.startsWith(PREFIXES[whose]));
}

/**
 * The key to write with, or, for `reads`, to read with: there a key of another length is a wrong key as any other. Undefined: none is
 * given. Throws ERR_S3_CUSTOMER_KEY_ALGORITHM, ERR_S3_CUSTOMER_KEY_INVALID, ERR_S3_CUSTOMER_KEY_WRONG.
 */
export function customerKeyOf(
  headers: S3Headers,
  { whose = 'object', reads = false }: { readonly whose?: Whose; readonly reads?: boolean } = {},
): GivenKey | undefined {
  if (!givesCustomerKey(headers, whose)) return undefined;
  const prefix = PREFIXES[whose];
  const algorithm = headers[`${prefix}algorithm`];
  const [key, md5] = [headers[`${prefix}key`], headers[`${prefix}key-md5`]];
  if (algorithm === undefined) throw invalid(MUST_GIVE.algorithm);
  if (algorithm !== 'AES256') throw new S3Error('ERR_S3_CUSTOMER_KEY_ALGORITHM', undefined, argument(algorithm));
  if (key === undefined) throw invalid(MUST_GIVE.key);
  if (md5 === undefined) throw invalid(MUST_GIVE.md5);
  return { key: takeGivenKey(key, md5, reads), md5 };
}

const MUST_GIVE = {
  algorithm:
    'Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.',
  key: 'Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.',
  md5: 'Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5 of the secret key.',
} as const;

function takeGivenKey(text: string, md5: string, reads: boolean): CustomerKey {
  const bytes = Buffer.from(text, 'base64');
  try {
    const hash = createHash('md5').update(bytes).digest();
    if (!equalBytes(hash, Buffer.from(md5, 'base64')))
      throw invalid('The calculated MD5 hash of the key did not match the hash that was provided.');
    if (bytes.length === KEY_BYTES) return takeKey('CustomerKey', bytes);
    throw reads
      ? new S3Error('ERR_S3_CUSTOMER_KEY_WRONG')
      : invalid('The secret key was invalid for the specified algorithm.');
  } finally {
    bytes.fill(0);
  }
}

/** S3 names this argument whichever of the headers is wrong, and shows none of their values. */
const argument = (value: string) => ({
  details: { ArgumentName: 'x-amz-server-side-encryption', ArgumentValue: value },
});

const invalid = (message: string): S3Error => new S3Error('ERR_S3_CUSTOMER_KEY_INVALID', message, argument('null'));
