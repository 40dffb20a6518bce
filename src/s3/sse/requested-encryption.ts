/**
 * How a client wants an object encrypted, of the headers of PutObject, CreateMultipartUpload, CopyObject, or the fields of a form: the one
 * place that reads them. What of it a rule allows is settled in `chosen-key.ts`.
 */
import type { EncryptionContext } from '../../envelope/encryption-context.ts';
import { S3Error, type S3ErrorCode } from '../errors.ts';
import type { S3Headers } from '../operation.ts';
import { customerKeyOf, givesCustomerKey, type GivenKey } from './customer-key.ts';
import { parseKmsContext } from './kms-context.ts';

export type RequestedEncryption =
  /** What the rule says. */
  | { readonly type: 'unsaid'; readonly bucketKey: boolean | undefined }
  | { readonly type: 'AES256' }
  | {
      readonly type: 'aws:kms';
      /** Id, ARN or alias; undefined: the rule's. */
      readonly keyId: string | undefined;
      readonly context: EncryptionContext | undefined;
      /** Undefined: as the rule has it. */
      readonly bucketKey: boolean | undefined;
    }
  | { readonly type: 'customer'; readonly given: GivenKey };

const METHOD = 'x-amz-server-side-encryption';
const KEY_ID = `${METHOD}-aws-kms-key-id`;
const CONTEXT = `${METHOD}-context`;
const BUCKET_KEY = `${METHOD}-bucket-key-enabled`;

/**
 * Throws ERR_S3_ENCRYPTION_METHOD, ERR_S3_ENCRYPTION_CONFLICT, ERR_S3_ENCRYPTION_CONTEXT, ERR_S3_CUSTOMER_KEY_*.
 *
 * `aws:kms:dsse` promises two layers by independent implementations. There is one here: it is refused, since whoever asks for it does so
 * because an auditor will.
 */
export function requestedEncryption(headers: S3Headers): RequestedEncryption {
  const method = headers[METHOD];
  if (givesCustomerKey(headers)) return customer(headers, method);
  if (method !== undefined && method !== 'AES256' && method !== 'aws:kms')
    throw refused('ERR_S3_ENCRYPTION_METHOD', method);
  const bucketKey = bucketKeyOf(headers[BUCKET_KEY]);
  const [keyId, context] = [headers[KEY_ID], headers[CONTEXT]];
  if (method === 'aws:kms')
    return { type: method, keyId, bucketKey, context: context === undefined ? undefined : parseKmsContext(context) };
  if (keyId !== undefined || context !== undefined || (method === 'AES256' && bucketKey === true))
    throw refused('ERR_S3_ENCRYPTION_CONFLICT', method ?? 'null');
  return method === undefined ? { type: 'unsaid', bucketKey } : { type: method };
}

/** Reads say nothing of how an object is encrypted, and parts nothing that their upload said. Throws ERR_S3_ENCRYPTION_NOT_HERE. */
export function refuseRequestedEncryption(headers: S3Headers): void {
  for (const name of [METHOD, KEY_ID, CONTEXT, BUCKET_KEY]) {
    const value = headers[name];
    if (value === undefined) continue;
    throw new S3Error('ERR_S3_ENCRYPTION_NOT_HERE', `${name} header is not supported for this operation.`, {
      details: { ArgumentName: name, ArgumentValue: value },
    });
  }
}

function customer(headers: S3Headers, method: string | undefined): RequestedEncryption {
  const others = [KEY_ID, CONTEXT, BUCKET_KEY].some((name) => headers[name] !== undefined);
  if (method !== undefined || others)
    throw refused(
      'ERR_S3_ENCRYPTION_CONFLICT',
      method ?? 'null',
      'Server Side Encryption with Customer provided key is incompatible with the encryption method specified',
    );
  const given = customerKeyOf(headers);
  if (given === undefined) throw new S3Error('ERR_S3_INTERNAL');
  return { type: 'customer', given };
}

function bucketKeyOf(value: string | undefined): boolean | undefined {
  if (value === undefined) return undefined;
  if (/^false$/iu.test(value)) return false;
  if (/^true$/iu.test(value)) return true;
  throw new S3Error('ERR_S3_INVALID_ARGUMENT', `The value of ${BUCKET_KEY} is true or false.`, {
    details: { ArgumentName: BUCKET_KEY, ArgumentValue: value },
  });
}

const refused = (code: S3ErrorCode, value: string, message?: string): S3Error =>
  new S3Error(code, message, { details: { ArgumentName: METHOD, ArgumentValue: value } });
