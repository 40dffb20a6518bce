/** AbortMultipartUpload: the backend's parts, and what was kept beside them. */
import { S3Error } from '../errors.ts';
import { openUpload } from '../multipart/open-upload.ts';
import { sweepUpload } from '../multipart/sweep-upload.ts';
import type { S3Operation } from '../operation.ts';
import { sendToUpload } from '../sealing/upstream-errors.ts';

const GONE: ReadonlySet<number> = new Set([404, 405, 501]);

export const abortMultipartUpload: S3Operation = {
  name: 'AbortMultipartUpload',
  async handle(request, gateway) {
    const { bucket, key, signal } = request;
    const upload = await openUpload(request, gateway);
    const query = new Map([['uploadId', upload.backendUploadId]]);
    try {
      const response = await sendToUpload(gateway, { method: 'DELETE', bucket, key, query, signal });
      await response.body.release();
    } catch (error) {
      // Gone, or given up for good at a backend that knows no abort. While it may still be there, what it needs stays.
      if (error instanceof S3Error && GONE.has(error.status)) await sweepUpload(gateway, upload);
      throw error;
    }
    await sweepUpload(gateway, upload);
    return { status: 204, headers: {} };
  },
};
