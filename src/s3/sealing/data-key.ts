/**
 * The DEK of an object, asked of the key manager on behalf of the caller. Its encryption context is the object's ARN (so policies
 * written for AWS match) and the object id, never a rule's name: rules are renamed, data stays.
 */
import type { Dek } from '../../crypto/key-types.ts';
import type { EncryptionContext } from '../../envelope/encryption-context.ts';
import type { KeyUse } from '../../keys/uses/data-keys.ts';
import { S3Error, type S3ErrorCode } from '../errors.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import type { S3Rule } from '../rules.ts';
import { codeOf } from './error-code.ts';

export type SealRule = Extract<S3Rule, { type: 'seal' }>;

/** A DEK in use for one object. */
export type ObjectKey = {
  readonly dek: Dek;
  readonly keyArn: string;
  readonly wrapped: Uint8Array;
  /** 16 random bytes: what the data is bound to. */
  readonly objectId: Uint8Array;
};

const OBJECT_ID_BYTES = 16;

/** The sealing rule of the request's key; operations are only ever asked about sealed keys. */
export function sealRule(request: S3Request): SealRule {
  if (request.rule?.type === 'seal') return request.rule;
  throw new S3Error('ERR_S3_INTERNAL', 'A sealed operation was asked about a key without a sealing rule.');
}

/** A fresh object id and DEK, wrapped under the rule's key. */
export async function newObjectKey(request: S3Request, gateway: GatewayContext): Promise<ObjectKey> {
  const rule = sealRule(request);
  const objectId = gateway.random(OBJECT_ID_BYTES);
  const context = objectContext(request, rule, objectId);
  const key = await asS3Errors(() =>
    gateway.dataKeys.generateDataKey({ keyId: rule.keyId, context }, keyUse(request, request.key)),
  );
  return { ...key, objectId };
}

/** The DEK of an existing object. The caller's right to it is checked and recorded on every call, cached DEK or not. */
export async function openObjectKey(
  request: S3Request,
  gateway: GatewayContext,
  sealed: { readonly wrapped: Uint8Array; readonly objectId: Uint8Array },
  key: string = request.key,
): Promise<ObjectKey> {
  const rule = gateway.rules.forKey(request.bucket, key);
  if (rule?.type !== 'seal') throw new S3Error('ERR_S3_INTERNAL', 'A key without a sealing rule was to be opened.');
  const context = objectContext({ bucket: request.bucket, key }, rule, sealed.objectId);
  const opened = await asS3Errors(() =>
    gateway.dataKeys.decrypt({ wrapped: sealed.wrapped, context }, keyUse(request, key)),
  );
  return { ...opened, wrapped: sealed.wrapped, objectId: sealed.objectId };
}

/** What a wrapped DEK of an object is bound to. */
export function objectContext(
  place: { readonly bucket: string; readonly key: string },
  rule: SealRule,
  objectId: Uint8Array,
): EncryptionContext {
  return {
    'aws:s3:arn': `arn:aws:s3:::${rule.bucketId ?? place.bucket}/${place.key}`,
    'sealgate:object-id': Buffer.from(objectId).toString('hex'),
  };
}

const keyUse = (request: S3Request, key: string): KeyUse => ({
  principal: request.caller.principal,
  via: 's3',
  resource: `s3://${request.bucket}/${key}`,
  requestId: request.requestId,
});

/** Which answer a refusal of the key manager is. Anything else is an internal error: the log has its cause. */
const KEY_ANSWERS: Readonly<Record<string, S3ErrorCode>> = {
  ERR_KEYS_ACCESS_DENIED: 'ERR_S3_ACCESS_DENIED',
  ERR_KEYS_DISABLED: 'ERR_S3_KEY_UNAVAILABLE',
  ERR_KEYS_INVALID_STATE: 'ERR_S3_KEY_UNAVAILABLE',
  ERR_KEYS_PERIOD_OVER: 'ERR_S3_KEY_UNAVAILABLE',
  ERR_KEYS_NOT_FOUND: 'ERR_S3_KEY_UNAVAILABLE',
  ERR_KEYS_CIPHERTEXT_INVALID: 'ERR_S3_SEALED_OBJECT_INVALID',
  ERR_KEYS_REMOTE_UNAVAILABLE: 'ERR_S3_KEYS_UNREACHABLE',
};

async function asS3Errors<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const answer = KEY_ANSWERS[codeOf(error) ?? ''];
    if (answer !== undefined) throw new S3Error(answer, undefined, { cause: error });
    throw error;
  }
}
