/** What a read answers: headers in terms of the plaintext. What the backend says of the ciphertext (checksums, its own encryption) stays out. */
import { S3Error } from '../errors.ts';
import type { S3Headers, S3Query, S3Request } from '../operation.ts';
import { encryptionHeaders } from '../sse/shown-encryption.ts';
import type { ObjectKey } from './data-key.ts';
import type { OpenedEnvelope } from './envelope-headers.ts';
import { clientEtag } from './etag.ts';
import { BOUND_SYSTEM_HEADERS, pick } from './request-headers.ts';
import { mailSafe } from './user-metadata.ts';

/** The backend's word alone; what the object's author said is vouched for by the envelope. */
const KEPT = [
  'last-modified',
  'x-amz-delete-marker',
  'x-amz-expiration',
  'x-amz-missing-meta',
  'x-amz-object-lock-legal-hold',
  'x-amz-object-lock-mode',
  'x-amz-object-lock-retain-until-date',
  'x-amz-replication-status',
  'x-amz-request-charged',
  'x-amz-restore',
  'x-amz-storage-class',
  'x-amz-tagging-count',
  'x-amz-version-id',
] as const;

/** Headers of GET and HEAD but for those about length and range. */
export function readHeaders(
  upstream: S3Headers,
  opened: OpenedEnvelope,
  { isCopySource }: Pick<S3Request, 'isCopySource'>,
): S3Headers {
  return {
    ...pick(upstream, KEPT),
    ...opened.vouched,
    // Encoded words take up to three times the room: copies of copies would outgrow what metadata may have.
    ...(isCopySource === true ? opened.userMetadata : mailSafe(opened.userMetadata)),
    ...opened.redirect,
    ...(upstream['etag'] === undefined ? {} : { etag: clientEtag(upstream['etag']) }),
    'accept-ranges': 'bytes',
    ...encryptionHeaders(opened.key.shown),
  };
}

/** Headers of PUT, UploadPart and the like. */
export function writeHeaders(upstream: S3Headers, { shown }: Pick<ObjectKey, 'shown'>): S3Headers {
  return {
    ...pick(upstream, ['x-amz-version-id', 'x-amz-expiration', 'x-amz-request-charged']),
    ...(upstream['etag'] === undefined ? {} : { etag: clientEtag(upstream['etag']) }),
    ...encryptionHeaders(shown),
  };
}

/** `response-content-type` and its kind, of presigned URLs. Throws ERR_S3_INVALID_ARGUMENT for what is no header. */
export function overriddenHeaders(query: S3Query): S3Headers {
  const headers: Record<string, string> = {};
  for (const name of BOUND_SYSTEM_HEADERS) {
    const value = query.get(`response-${name}`);
    if (value === undefined || value === '') continue;
    if (!/^[\t\x20-\x7e\x80-\xff]*$/u.test(value))
      throw new S3Error('ERR_S3_INVALID_ARGUMENT', 'Header value cannot be represented using ISO-8859-1.');
    headers[name] = value;
  }
  return headers;
}
