/**
 * Which headers of a PUT or CreateMultipartUpload go to the backend: an allow-list. Anything else is dropped (among it all that clients say
 * of encryption: see `sse/`) or, where dropping it would break a promise (an ACL), refused.
 */
import { S3Error } from '../errors.ts';
import type { S3Headers } from '../operation.ts';
import { isOwnersAlone } from '../request/canned-acl.ts';
import { checkTagging } from '../request/tagging.ts';

/** Stored with the object, given back on reads, and bound by the envelope. */
export const BOUND_SYSTEM_HEADERS = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
] as const;

/** About storing, not about content: forwarded as they are. */
const FORWARDED = [
  'x-amz-storage-class',
  'x-amz-tagging',
  'x-amz-object-lock-mode',
  'x-amz-object-lock-retain-until-date',
  'x-amz-object-lock-legal-hold',
  'x-amz-expected-bucket-owner',
  'x-amz-request-payer',
  // For the store's own website, if it has one; what reads show is sealed (`user-metadata.ts`).
  'x-amz-website-redirect-location',
] as const;

/** What S3 stores for an object without Content-Type; said by us, since the envelope binds it. */
const DEFAULT_CONTENT_TYPE = 'binary/octet-stream';

/** Headers with which an object is made: system headers, and those about storing it. */
export function storageHeaders(request: S3Headers): S3Headers {
  refuseUnsupported(request);
  return { ...systemHeaders(request), ...pick(request, FORWARDED) };
}

/** Of those, the ones the envelope vouches for: what every store gives back as it got it. */
export const boundHeaders = (headers: S3Headers): S3Headers => pick(headers, BOUND_SYSTEM_HEADERS);

function systemHeaders(request: S3Headers): S3Headers {
  const headers = pick(request, BOUND_SYSTEM_HEADERS);
  return { ...headers, 'content-type': headers['content-type'] ?? DEFAULT_CONTENT_TYPE };
}

function refuseUnsupported(request: S3Headers): void {
  for (const name of Object.keys(request)) {
    if (name.startsWith('x-amz-grant-')) throw refusal('access grants');
  }
  checkTagging(request['x-amz-tagging']);
  if (!isOwnersAlone(request)) throw refusal('ACLs other than private');
  if (request['x-amz-write-offset-bytes'] !== undefined) throw refusal('appending');
}

const refusal = (what: string): S3Error =>
  new S3Error('ERR_S3_NOT_IMPLEMENTED', `A sealing rule applies to this key, and ${what} cannot be honoured.`);

export function pick<Name extends string>(headers: S3Headers, names: readonly Name[]): Partial<Record<Name, string>> {
  const picked: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const value = headers[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}
