/** A part of the backend's upload, as the gateway itself writes it. */
import { S3Error } from '../errors.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import { bareEtag } from '../sealing/etag.ts';
import { sendToUpload } from '../sealing/upstream-errors.ts';
import type { UpstreamRequest } from '../upstream/client.ts';
import type { OpenUpload } from './open-upload.ts';
import { sendingPart } from './whole-part.ts';

/** A part as the backend is to complete it. */
export type BackendPart = { readonly number: number; readonly etag: string };

export async function storeBackendPart(
  request: S3Request,
  gateway: GatewayContext,
  { backendUploadId }: OpenUpload,
  number: number,
  content: Pick<UpstreamRequest, 'body' | 'contentLength'>,
): Promise<BackendPart> {
  const { bucket, key, signal } = request;
  const query = new Map([
    ['partNumber', String(number)],
    ['uploadId', backendUploadId],
  ]);
  const response = await sendingPart(request, gateway, content, (part) =>
    sendToUpload(gateway, { method: 'PUT', bucket, key, query, ...part, signal }),
  );
  await response.body.release();
  const etag = response.headers['etag'];
  if (etag === undefined) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
  return { number, etag: bareEtag(etag) };
}
