/**
 * What belongs to a bucket or an object beside its data (tags, ACL, retention, a lifecycle): a small document that goes to the backend and
 * comes back as it is. Headers both ways are an allow-list; refusals are said in our words.
 */
import { createHash } from 'node:crypto';
import { MAX_SUBRESOURCE_BYTES } from '../limits.ts';
import type { GatewayContext, S3Headers, S3Request, S3Response } from '../operation.ts';
import { pick } from '../sealing/request-headers.ts';
import { MAX_LIST_BYTES } from '../sealing/limits.ts';
import { sendOrThrow } from '../sealing/upstream-errors.ts';
import { refuseListing, refuseUnknown } from './understood.ts';

const SENT = [
  'content-type',
  'x-amz-bucket-object-lock-token',
  'x-amz-bypass-governance-retention',
  'x-amz-confirm-remove-self-bucket-access',
  'x-amz-expected-bucket-owner',
  'x-amz-mfa',
  'x-amz-request-payer',
  'x-amz-skip-destination-validation',
  'x-amz-transition-default-minimum-object-size',
] as const;

const ANSWERED = [
  'content-type',
  'x-amz-delete-marker',
  'x-amz-object-lock-legal-hold',
  'x-amz-request-charged',
  'x-amz-restore-output-path',
  'x-amz-transition-default-minimum-object-size',
  'x-amz-version-id',
] as const;

export type Relayed = { readonly body?: Uint8Array; readonly headers?: S3Headers };

/** The request's document, whole and verified. Throws ERR_S3_ENTITY_TOO_LARGE. */
export const documentOf = ({ body }: S3Request): Promise<Uint8Array> => body.bytes(MAX_SUBRESOURCE_BYTES);

/** Sends the request on, with `body` for its document and `headers` beside those of the allow-list. Throws the backend's refusal. */
export async function relay(
  { method, bucket, key, query, signal, headers }: S3Request,
  gateway: GatewayContext,
  { body, headers: more }: Relayed = {},
): Promise<S3Response> {
  const response = await sendOrThrow(gateway, {
    method,
    bucket,
    ...(key === '' ? {} : { key }),
    query,
    headers: { ...pick(headers, SENT), ...more, ...(body === undefined ? {} : { 'content-md5': md5(body) }) },
    signal,
    ...(body === undefined ? {} : { body }),
  });
  await refuseUnknown(response, method);
  const document = await response.body.bytes(MAX_LIST_BYTES);
  if (method === 'GET') refuseListing(document);
  const answered = pick(response.headers, ANSWERED);
  // An empty answer with a length is what S3 gives to PUT; to DELETE it gives 204 without.
  return { status: response.status, headers: answered, ...(response.status === 204 ? {} : { body: document }) };
}

/** S3 wants a digest of most documents, in this or a newer form; every backend knows this one. */
const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('base64');
