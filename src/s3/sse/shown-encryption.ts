/**
 * How an object's encryption is shown to clients: the headers S3 answers with. An object is sealed in one way whatever it shows; that it
 * shows what its client asked for is why the envelope keeps it (field 2 of docs/FORMAT.md).
 */
import { unreachable } from '../../errors.ts';
import type { S3Headers } from '../operation.ts';
import type { RequestedEncryption } from './requested-encryption.ts';

export type ShownEncryption =
  | { readonly type: 'AES256' }
  | { readonly type: 'aws:kms'; readonly keyArn: string; readonly bucketKey: boolean }
  /** `md5`: of the key in this request, which was proven to be the object's. */
  | { readonly type: 'customer'; readonly md5: string };

/** What the envelope keeps of it. */
export type ShownAs = 'AES256' | 'aws:kms' | 'aws:kms bucket-key';

/**
 * What the envelope keeps; undefined where it is what a reader takes it for anyway. `byRule`: for clients that ask for nothing; a bucket
 * key goes with `aws:kms` by the rule too, as S3 has it.
 */
export function shownHint(requested: RequestedEncryption, byRule: ShownAs = 'aws:kms'): ShownAs | undefined {
  const shown = shownFor(requested, byRule);
  return shown === 'aws:kms' ? undefined : shown;
}

function shownFor(requested: RequestedEncryption, byRule: ShownAs): ShownAs {
  switch (requested.type) {
    case 'AES256':
      return requested.type;
    case 'unsaid':
      return requested.bucketKey === true ? 'aws:kms bucket-key' : requested.bucketKey === false ? 'aws:kms' : byRule;
    case 'aws:kms':
      return (requested.bucketKey ?? byRule === 'aws:kms bucket-key') ? 'aws:kms bucket-key' : 'aws:kms';
    case 'customer':
      return 'aws:kms';
    default:
      return unreachable(requested);
  }
}

/** Without a hint, or with one of another time: what the object is, sealed under a KMS key. */
export function shownEncryption(hint: string | undefined, keyArn: string, md5: string | undefined): ShownEncryption {
  if (md5 !== undefined) return { type: 'customer', md5 };
  if (hint === 'AES256') return { type: hint };
  return { type: 'aws:kms', keyArn, bucketKey: hint === 'aws:kms bucket-key' };
}

/** Headers of answers: they tell clients that the ETag is no MD5, and auditors that the object is encrypted. */
export function encryptionHeaders(shown: ShownEncryption): S3Headers {
  switch (shown.type) {
    case 'AES256':
      return { 'x-amz-server-side-encryption': 'AES256' };
    case 'aws:kms':
      return {
        'x-amz-server-side-encryption': 'aws:kms',
        'x-amz-server-side-encryption-aws-kms-key-id': shown.keyArn,
        ...(shown.bucketKey ? { 'x-amz-server-side-encryption-bucket-key-enabled': 'true' } : {}),
      };
    case 'customer':
      return {
        'x-amz-server-side-encryption-customer-algorithm': 'AES256',
        'x-amz-server-side-encryption-customer-key-md5': shown.md5,
      };
    default:
      return unreachable(shown);
  }
}
