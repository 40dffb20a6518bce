/** The encryption context a client gives: `x-amz-server-side-encryption-context`, base64 of a JSON object of strings. */
import type { EncryptionContext } from '../../envelope/encryption-context.ts';
import { S3Error } from '../errors.ts';

/** Pairs the gateway adds itself, whatever a client gives. */
export const OBJECT_ARN = 'aws:s3:arn';
const OWN_NAMES = 'sealgate:';

/** Throws ERR_S3_ENCRYPTION_CONTEXT. */
export function parseKmsContext(header: string): EncryptionContext {
  const pairs = parseObject(header);
  for (const [name, value] of Object.entries(pairs)) {
    if (typeof value !== 'string' || !name.isWellFormed() || !value.isWellFormed()) throw noContext();
    if (name.startsWith(OWN_NAMES))
      throw new S3Error(
        'ERR_S3_ENCRYPTION_CONTEXT',
        `Names in an encryption context that begin with ${OWN_NAMES} are reserved.`,
      );
  }
  // Each value was looked at above.
  return pairs as EncryptionContext;
}

/**
 * What of a client's context is beyond the pairs that the place gives. S3 adds the object's ARN unless it is given; another's ARN would
 * bind the key to another's place. Throws ERR_S3_ENCRYPTION_CONTEXT.
 */
export function contextBeyond(place: EncryptionContext, given: EncryptionContext): EncryptionContext | undefined {
  const { [OBJECT_ARN]: arn, ...rest } = given;
  if (arn !== undefined && arn !== place[OBJECT_ARN])
    throw new S3Error(
      'ERR_S3_ENCRYPTION_CONTEXT',
      `${OBJECT_ARN} in an encryption context must be the object's own ARN.`,
    );
  return Object.keys(rest).length === 0 ? undefined : rest;
}

function parseObject(header: string): object {
  if (!/^[A-Za-z0-9+/]+={0,2}$/u.test(header)) throw noContext();
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(header, 'base64'));
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  } catch (cause) {
    throw new S3Error('ERR_S3_ENCRYPTION_CONTEXT', undefined, { cause });
  }
  throw noContext();
}

const noContext = (): S3Error => new S3Error('ERR_S3_ENCRYPTION_CONTEXT');
