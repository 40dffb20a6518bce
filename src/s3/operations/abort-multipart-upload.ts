/** AbortMultipartUpload: the backend's parts, and what was kept beside them. */
import { openUpload } from '../multipart/open-upload.ts';
import { sweepUpload } from '../multipart/sweep-upload.ts';
import type { S3Operation } from '../operation.ts';
import { upstreamError } from '../sealing/upstream-errors.ts';

export const abortMultipartUpload: S3Operation = {
  name: 'AbortMultipartUpload',
  async handle(request, gateway) {
    const { bucket, key, signal } = request;
    const upload = await openUpload(request, gateway);
    const query = new Map([['uploadId', upload.backendUploadId]]);
    const response = await gateway.upstream.send({ method: 'DELETE', bucket, key, query, signal });
    const error = response.status >= 300 ? await upstreamError(response) : undefined;
    if (error === undefined) await response.body.release();
    // Gone, or given up for good at a backend that knows no abort. While it may still be there, what it needs stays.
    if (error === undefined || error.status < 500 || error.status === 501) await sweepUpload(request, gateway, upload);
    if (error !== undefined) throw error;
    return { status: 204, headers: {} };
  },
};
