/** The hidden objects that hold the tokens of open uploads: found again when a client lists its uploads. */
import { createHash } from 'node:crypto';
import { HIDDEN_PREFIX, hiddenTokenKey, parseHiddenKey } from '../../envelope/object/hidden-object.ts';
import { MAX_UPLOAD_TOKEN_CHARS } from '../../envelope/limits.ts';
import { listHidden } from '../listing/delete-hidden.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import { mapBounded } from '../sealing/bounded-map.ts';
import { SIZE_LOOKUPS_AT_ONCE } from '../sealing/limits.ts';
import { sendOrThrow, upstreamError } from '../sealing/upstream-errors.ts';
import type { OpenUpload } from './open-upload.ts';

/** Says which upload a token is of, without the token being opened. */
export const UPLOAD_MARK_NAME = 'x-amz-meta-sealgate-upload';

export const uploadMark = (key: string, backendUploadId: string): string =>
  createHash('sha256')
    .update(JSON.stringify([key, backendUploadId]))
    .digest('hex');

/** Says the same without the key: lists of uploads may spell keys in another way, and what is swept must not depend on that. */
export const UPLOAD_ID_MARK_NAME = 'x-amz-meta-sealgate-upload-id';

export const uploadIdMark = (backendUploadId: string): string =>
  createHash('sha256').update(backendUploadId).digest('hex');

/** Keeps the token beside the upload. */
export async function keepToken(
  { bucket, key, signal }: Pick<S3Request, 'bucket' | 'key' | 'signal'>,
  gateway: GatewayContext,
  upload: Pick<OpenUpload, 'token' | 'objectId' | 'backendUploadId'>,
): Promise<void> {
  const response = await sendOrThrow(gateway, {
    method: 'PUT',
    bucket,
    key: hiddenTokenKey(upload.objectId),
    headers: {
      'content-type': 'text/plain',
      [UPLOAD_MARK_NAME]: uploadMark(key, upload.backendUploadId),
      [UPLOAD_ID_MARK_NAME]: uploadIdMark(upload.backendUploadId),
    },
    body: Buffer.from(upload.token),
    signal,
  });
  await response.body.release();
}

/** Whether the upload's token still lies there: it does from creation until completing or aborting has succeeded. */
export async function isOpen({ upstream }: GatewayContext, { bucket, objectId }: OpenUpload): Promise<boolean> {
  const response = await upstream.send({ method: 'HEAD', bucket, key: hiddenTokenKey(objectId) });
  if (response.status >= 300 && response.status !== 404) throw await upstreamError(response);
  await response.body.release();
  return response.status !== 404;
}

/** Tokens of the bucket's open uploads by their marks. */
export async function readTokens(request: S3Request, gateway: GatewayContext): Promise<ReadonlyMap<string, string>> {
  const rows = await listHidden({ upstream: gateway.upstream, bucket: request.bucket }, HIDDEN_PREFIX);
  const names = rows.map((row) => row.key).filter((key) => parseHiddenKey(key)?.type === 'token');
  const found = await mapBounded(names, SIZE_LOOKUPS_AT_ONCE, (name) => readToken(request, gateway, name));
  return new Map(found.filter((entry) => entry !== undefined));
}

/** Undefined where the upload ended meanwhile. */
async function readToken(
  { bucket, signal }: S3Request,
  gateway: GatewayContext,
  key: string,
): Promise<readonly [mark: string, token: string] | undefined> {
  const response = await gateway.upstream.send({ method: 'GET', bucket, key, signal });
  const mark = response.headers[UPLOAD_MARK_NAME];
  if (response.status !== 200 || mark === undefined) {
    await response.body.release();
    return undefined;
  }
  return [mark, await response.body.text(MAX_UPLOAD_TOKEN_CHARS)];
}
