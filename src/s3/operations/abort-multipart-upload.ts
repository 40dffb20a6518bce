/** AbortMultipartUpload: the backend's parts, and what was kept beside them. Never while somebody completes the upload. */
import { uploadTokenEpoch } from '../../envelope/object/upload-token.ts';
import { S3Error } from '../errors.ts';
import { closeForAbort } from '../multipart/completion-mark.ts';
import { openUpload, uploadName, type OpenUpload } from '../multipart/open-upload.ts';
import { sweepUpload } from '../multipart/sweep-upload.ts';
import { keepToken, readTokens, uploadMark } from '../multipart/token-objects.ts';
import type { GatewayContext, S3Operation, S3Request, S3Response } from '../operation.ts';
import { sendToUpload } from '../sealing/upstream-errors.ts';

const GONE: ReadonlySet<number> = new Set([404, 405, 501]);

export const abortMultipartUpload: S3Operation = {
  name: 'AbortMultipartUpload',
  async handle(request, gateway) {
    if (uploadTokenEpoch(request.query.get('uploadId') ?? '') === undefined) return abortOrphan(request, gateway);
    const upload = await openUpload(request, gateway);
    await gateway.caches.endings.run(uploadName(upload), () => abortOnce(request, gateway, upload));
    return { status: 204, headers: {} };
  },
};

/**
 * An upload of the backend's without a token: it was made, and the answer to whoever made it was lost. It shows in listings under the
 * backend's id, by which it can be ended and nothing else. Throws ERR_S3_NO_SUCH_UPLOAD where it has a token: then that is its id.
 */
async function abortOrphan(request: S3Request, gateway: GatewayContext): Promise<S3Response> {
  const { bucket, key } = request;
  const id = request.query.get('uploadId') ?? '';

  if (id === '' || (await readTokens(request, gateway)).has(uploadMark(key, id)))
    throw new S3Error('ERR_S3_NO_SUCH_UPLOAD');
  const query = new Map([['uploadId', id]]);
  const response = await sendToUpload(gateway, { method: 'DELETE', bucket, key, query });
  await response.body.release();
  return { status: 204, headers: {} };
}

async function abortOnce(request: S3Request, gateway: GatewayContext, upload: OpenUpload): Promise<void> {
  const { bucket, key } = request;
  const query = new Map([['uploadId', upload.backendUploadId]]);
  try {
    await closeForAbort(gateway, upload);
    // A client that leaves does not end it: nobody would know how far it came.
    const response = await sendToUpload(gateway, { method: 'DELETE', bucket, key, query });
    await response.body.release();
  } catch (error) {
    // Gone, or given up for good at a backend that knows no abort. Where it refused, the upload is still there, and goes on.
    if (error instanceof S3Error && GONE.has(error.status)) await sweepUpload(gateway, upload);
    else if (error instanceof S3Error && error.code === 'ERR_S3_UPSTREAM_ANSWER')
      await keepToken(request, gateway, upload);
    throw error;
  }
  await sweepUpload(gateway, upload);
}
