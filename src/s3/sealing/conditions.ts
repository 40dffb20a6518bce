/**
 * The conditions of a read (RFC 9110 13.2.2), evaluated here on the answer of the backend: backends differ in which they obey, and
 * clients compare with ETags as the gateway shows them.
 */
import { S3Error } from '../errors.ts';
import type { S3Headers } from '../operation.ts';
import { bareEtag, clientEtag, splitEtagList, upstreamEtag, upstreamEtagList } from './etag.ts';

/**
 * Throws ERR_S3_PRECONDITION_FAILED or ERR_S3_NOT_MODIFIED where a condition of the request decides so. `shown`: how clients see the
 * backend's ETag.
 */
export function checkReadConditions(
  request: S3Headers,
  upstream: S3Headers,
  shown: (etag: string) => string = clientEtag,
): void {
  const etag = upstream['etag'] === undefined ? undefined : bareEtag(shown(upstream['etag']));
  const modified = Date.parse(upstream['last-modified'] ?? '');
  if (request['if-match'] !== undefined) {
    if (!listHas(request['if-match'], etag)) throw failed('If-Match');
  } else if (isAfter(modified, request['if-unmodified-since'])) throw failed('If-Unmodified-Since');
  if (request['if-none-match'] !== undefined) {
    if (listHas(request['if-none-match'], etag)) throw notModified(upstream);
  } else if (isNotAfter(modified, request['if-modified-since'])) throw notModified(upstream);
}

/** The 304 of a read whose conditions say that it is one. */
export function notModifiedOf(request: S3Headers, upstream: S3Headers): S3Error | undefined {
  try {
    checkReadConditions(request, upstream);
  } catch (error) {
    if (error instanceof S3Error && error.code === 'ERR_S3_NOT_MODIFIED') return error;
  }
  return undefined;
}

/** Whether a Range header counts: If-Range is not given, or names the object's ETag or its date. */
export function checkIfRange(request: S3Headers, upstream: S3Headers): boolean {
  const condition = request['if-range'];
  if (condition === undefined) return true;
  const etag = upstream['etag'] === undefined ? undefined : clientEtag(upstream['etag']);
  return condition.trim() === etag || Date.parse(condition) === Date.parse(upstream['last-modified'] ?? '');
}

const CONDITIONS = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'] as const;

export const READ_CONDITIONS: ReadonlySet<string> = new Set(CONDITIONS);

/**
 * The condition as the backend understands it, which saves the body. Only one that stands alone, and no list or `*`: Ceph RGW 16 compares
 * either as one ETag, and which of two conditions counts not every backend knows.
 */
export function upstreamConditions(request: S3Headers): S3Headers {
  const [name, other] = CONDITIONS.filter((condition) => request[condition] !== undefined);
  const value = name === undefined ? undefined : request[name];
  if (name === undefined || value === undefined || other !== undefined) return {};
  if (name !== 'if-match' && name !== 'if-none-match') return Number.isNaN(Date.parse(value)) ? {} : { [name]: value };
  // Ceph RGW 16 takes what only begins with the object's ETag for it: what is no ETag of ours is not asked about.
  const isOurs = bareEtag(clientEtag(upstreamEtag(value))) === bareEtag(value);
  return value.includes(',') || value.trim() === '*' || !isOurs ? {} : { [name]: upstreamEtagList(value) };
}

/** What a 304 still says of the object. */
function notModified(upstream: S3Headers): S3Error {
  const headers: Record<string, string> = {};
  if (upstream['etag'] !== undefined) headers['etag'] = clientEtag(upstream['etag']);
  for (const name of ['last-modified', 'cache-control', 'expires', 'x-amz-version-id']) {
    const value = upstream[name];
    if (value !== undefined) headers[name] = value;
  }
  return new S3Error('ERR_S3_NOT_MODIFIED', undefined, { headers });
}

const failed = (condition: string): S3Error =>
  new S3Error('ERR_S3_PRECONDITION_FAILED', undefined, { details: { Condition: condition } });

const listHas = (list: string, etag: string | undefined): boolean =>
  etag !== undefined && (list.trim() === '*' || splitEtagList(list).includes(etag));

/** Dates that cannot be read are ignored (RFC 9110 13.1.3). HTTP dates are whole seconds. */
const isAfter = (modified: number, date: string | undefined): boolean => modified > Date.parse(date ?? '');
const isNotAfter = (modified: number, date: string | undefined): boolean => modified <= Date.parse(date ?? '');
