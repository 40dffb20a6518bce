/** GET and HEAD of a sealed object at the backend, with the conditions of the request as far as every backend reads them alike. */
import { S3Error } from '../errors.ts';
import type { GatewayContext, S3Headers, S3Request } from '../operation.ts';
import type { UpstreamRequest, UpstreamResponse } from '../upstream/client.ts';
import { plainAsked } from '../plain/plain-answer.ts';
import { readsPlain } from '../plain/plain-mode.ts';
import { notModifiedOf, upstreamConditions } from './conditions.ts';
import { clientEtag } from './etag.ts';
import { sendOrThrow } from './upstream-errors.ts';

/** The answer, unread, or the backend's refusal. What conditions decide is for `checkReadConditions` to say of it. */
export async function sendRead(
  request: S3Request,
  gateway: GatewayContext,
  method: 'GET' | 'HEAD',
  headers: S3Headers = {},
): Promise<UpstreamResponse> {
  // A HEAD has no body to save, and its answer says what a 304 has to.
  const conditions = method === 'HEAD' ? {} : upstreamConditions(request.headers);
  const asked = readsPlain(request.rule, gateway) ? plainAsked(request) : {};
  try {
    return await sendOrThrow(gateway, {
      ...placeOf(request),
      method,
      headers: { ...conditions, ...asked, ...headers },
    });
  } catch (error) {
    if (!(error instanceof S3Error) || error.status !== 304) throw error;
    throw (await saidInFull(request, gateway, error)) ?? withEtag(error, conditions['if-none-match']);
  }
}

function placeOf({
  bucket,
  key,
  signal,
  query,
}: S3Request): Pick<UpstreamRequest, 'bucket' | 'key' | 'signal' | 'query'> {
  const version = query.get('versionId');
  return { bucket, key, signal, query: version === undefined ? new Map() : new Map([['versionId', version]]) };
}

/** Ceph RGW 16 and s3rver leave the object's ETag, its date or both out of a 304. Undefined where it changed meanwhile, or the store does not say. */
async function saidInFull(request: S3Request, gateway: GatewayContext, said: S3Error): Promise<S3Error | undefined> {
  if (said.headers['etag'] !== undefined && said.headers['last-modified'] !== undefined) return said;
  try {
    const { status, headers, body } = await gateway.upstream.send({ ...placeOf(request), method: 'HEAD' });
    await body.release();
    return status === 200 ? notModifiedOf(request.headers, headers) : undefined;
  } catch {
    // The answer is known, and is none the less true where the store says no more of it.
    return undefined;
  }
}

/** At least the ETag that was asked about. */
function withEtag(error: S3Error, asked: string | undefined): S3Error {
  if (asked === undefined || error.headers['etag'] !== undefined) return error;
  const headers = { ...error.headers, etag: clientEtag(asked) };
  return new S3Error('ERR_S3_NOT_MODIFIED', undefined, { headers, cause: error });
}
