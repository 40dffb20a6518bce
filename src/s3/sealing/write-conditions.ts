/**
 * Conditions of a write (`If-None-Match: *`, `If-Match`): looked at beforehand, and sent along. Where the backend obeys them on this
 * operation (not all do on completing an upload), it decides; elsewhere two writers at the same instant can both pass the look.
 */
import { S3Error } from '../errors.ts';
import type { GatewayContext, S3Headers, S3Request } from '../operation.ts';
import { bareEtag, splitEtagList, upstreamEtagList } from './etag.ts';
import { upstreamError } from './upstream-errors.ts';

/** The headers to send along. Throws ERR_S3_PRECONDITION_FAILED, ERR_S3_NO_SUCH_KEY, ERR_S3_NOT_IMPLEMENTED. */
export async function writeConditions(request: S3Request, gateway: GatewayContext): Promise<S3Headers> {
  const { 'if-match': match, 'if-none-match': noneMatch } = request.headers;
  if (noneMatch !== undefined && noneMatch.trim() !== '*') {
    throw new S3Error('ERR_S3_NOT_IMPLEMENTED', 'A write can be conditional on If-None-Match: * only.');
  }
  if (match === undefined && noneMatch === undefined) return {};
  await lookFirst(request, gateway);
  return {
    ...(match === undefined ? {} : { 'if-match': upstreamEtagList(match) }),
    ...(noneMatch === undefined ? {} : { 'if-none-match': '*' }),
  };
}

async function lookFirst({ bucket, key, headers, signal }: S3Request, gateway: GatewayContext): Promise<void> {
  const response = await gateway.upstream.send({ method: 'HEAD', bucket, key, signal });
  await response.body.release();
  const exists = response.status < 300;
  if (!exists && response.status !== 404) throw await upstreamError(response);
  if (exists && headers['if-none-match'] !== undefined) throw new S3Error('ERR_S3_PRECONDITION_FAILED');
  if (headers['if-match'] === undefined) return;
  if (!exists) throw new S3Error('ERR_S3_NO_SUCH_KEY');
  const etag = bareEtag(response.headers['etag'] ?? '');
  const wanted = splitEtagList(upstreamEtagList(headers['if-match']));
  if (!wanted.includes('*') && !wanted.includes(etag)) throw new S3Error('ERR_S3_PRECONDITION_FAILED');
}
