/**
 * Operations that may take minutes (CopyObject, UploadPartCopy, CompleteMultipartUpload): so that nobody in between takes the connection for
 * dead, the answer begins with status 200 and goes on with spaces until the document is known, as S3 does. A failure is then in the document,
 * where SDKs look for it. Headers that only the end knows (the version) are left out. Source: Amazon S3 API reference, CopyObject.
 */
import type { ByteSource } from '../bodies/byte-source.ts';
import { S3Error } from '../errors.ts';
import { LATE_ANSWER_MS, LATE_ANSWER_SPACE_MS } from '../limits.ts';
import type { GatewayContext, S3Operation, S3Request, S3Response } from '../operation.ts';
import { askedFor } from '../xml/error-details.ts';
import { formatErrorDocument } from '../xml/error-document.ts';

/** Every document of ours begins so; nothing may stand before it. */
const DECLARATION = Buffer.from('<?xml version="1.0" encoding="UTF-8"?>\n');
const SPACE = Buffer.from(' ');

/** Precondition: the operation answers 200 and a document, or fails. */
export const answeringLate = (operation: S3Operation): S3Operation => ({
  name: operation.name,
  async handle(request, gateway) {
    const work = operation.handle(request, gateway);
    const { afterMs, everyMs } = gateway.options.lateAnswers ?? {
      afterMs: LATE_ANSWER_MS,
      everyMs: LATE_ANSWER_SPACE_MS,
    };
    const answer = await within(work, afterMs);
    if (answer !== undefined) return answer;
    const document = work.then(bodyOf).catch((error: unknown) => errorOf(error, request, gateway));
    return { status: 200, headers: { 'content-type': 'application/xml' }, body: spacedOut(document, everyMs) };
  },
});

/** Undefined: it is still under way. */
async function within<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

const spacedOut = (document: Promise<Uint8Array>, everyMs: number): ByteSource => ({
  pour: async (take) => {
    await take([Uint8Array.from(DECLARATION)]);
    for (;;) {
      const known = await within(document, everyMs);
      // What is taken belongs to the taker.
      await take([known?.subarray(DECLARATION.length) ?? Uint8Array.from(SPACE)]);
      if (known !== undefined) return;
    }
  },
});

function bodyOf({ body }: S3Response): Uint8Array {
  if (body instanceof Uint8Array) return body;
  throw new S3Error('ERR_S3_INTERNAL', 'An answer that may come late is a document.');
}

function errorOf(error: unknown, request: S3Request, { log }: GatewayContext): Uint8Array {
  const { bucket, key, requestId, method, query, headers } = request;
  const known = error instanceof S3Error ? error : new S3Error('ERR_S3_INTERNAL', undefined, { cause: error });
  log.warn(
    { requestId, code: known.code, err: error instanceof S3Error ? undefined : error },
    'failed after its answer began',
  );
  const asked = askedFor({ bucket, key, method, query }, headers);
  return formatErrorDocument(known, requestId, `/${bucket}/${key}`, asked);
}
