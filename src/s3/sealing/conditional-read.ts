/** GET and HEAD of a sealed object at the backend, with the conditions of the request as far as every backend reads them alike. */
import { S3Error } from '../errors.ts';
import type { GatewayContext, S3Headers, S3Request } from '../operation.ts';
import type { UpstreamResponse } from '../upstream/client.ts';
import { plainAsked } from '../plain/plain-answer.ts';
import { readsPlain } from '../plain/plain-mode.ts';
import { upstreamConditions } from './conditions.ts';
import { clientEtag } from './etag.ts';
import { sendOrThrow } from './upstream-errors.ts';

/** The answer, unread, or the backend's refusal. What conditions decide is for `checkReadConditions` to say of it. */
export async function sendRead(
  request: S3Request,
  gateway: GatewayContext,
  method: 'GET' | 'HEAD',
  headers: S3Headers = {},
): Promise<UpstreamResponse> {
  const { bucket, key, signal, query } = request;
  const version = query.get('versionId');
  const conditions = upstreamConditions(request.headers);
  try {
    return await sendOrThrow(gateway, {
      method,
      bucket,
      key,
      query: version === undefined ? new Map() : new Map([['versionId', version]]),
      headers: { ...conditions, ...(readsPlain(request.rule, gateway) ? plainAsked(request) : {}), ...headers },
      signal,
    });
  } catch (error) {
    throw withEtag(error, conditions['if-none-match']);
  }
}

/** Not every backend (s3rver does not) says which ETag it is that has not changed. */
function withEtag(error: unknown, asked: string | undefined): unknown {
  if (!(error instanceof S3Error) || error.status !== 304 || error.headers['etag'] !== undefined) return error;
  if (asked === undefined) return error;
  const headers = { ...error.headers, etag: clientEtag(asked) };
  return new S3Error('ERR_S3_NOT_MODIFIED', undefined, { headers, cause: error });
}
