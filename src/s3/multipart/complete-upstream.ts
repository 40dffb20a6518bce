/** Completing at the backend, and finding out whether that had happened before. */
import type { ObjectChecksum } from '../../envelope/object/footer.ts';
import { equalBytes } from '../../crypto/bytes.ts';
import { childText, formatXml, parseXml } from '../listing/xml-tree.ts';
import type { GatewayContext, S3Headers, S3Request } from '../operation.ts';
import { readEnvelope } from '../sealing/envelope-headers.ts';
import { bareEtag } from '../sealing/etag.ts';
import { storedAnswer, type StoredAnswer } from '../sealing/fetch-stored.ts';
import { MAX_LIST_BYTES } from '../sealing/limits.ts';
import { errorDocument, sendToUpload } from '../sealing/upstream-errors.ts';
import type { ShownEncryption } from '../sse/shown-encryption.ts';
import type { UpstreamResponse } from '../upstream/client.ts';
import type { BackendPart } from './backend-part.ts';
import type { OpenUpload } from './open-upload.ts';

type Completed = { readonly etag: string; readonly versionId: string | undefined };
export type CompletedUpload = Completed & {
  readonly checksum: ObjectChecksum | undefined;
  /** Of the client's parts. */
  readonly partCount: number;
  readonly shown: ShownEncryption;
};

/**
 * Throws the backend's refusal, also one that comes with status 200 (S3 begins its answer before it knows). A client that leaves does not
 * end it: the upload would be left half over.
 */
export async function completeUpstream(
  request: S3Request,
  gateway: GatewayContext,
  upload: Pick<OpenUpload, 'backendUploadId' | 'objectId'>,
  parts: readonly BackendPart[],
  conditions: S3Headers,
): Promise<Completed> {
  const { bucket, key } = request;
  const response = await sendToUpload(gateway, {
    method: 'POST',
    bucket,
    key,
    query: new Map([['uploadId', upload.backendUploadId]]),
    headers: { 'content-type': 'application/xml', ...conditions },
    body: formatXml('CompleteMultipartUpload', {
      Part: parts.map(({ number, etag }) => ({ PartNumber: number, ETag: `"${etag}"` })),
    }),
  });
  const text = await response.body.text(MAX_LIST_BYTES);
  const etag = childText(parseXml(text.trim(), 'CompleteMultipartUploadResult'), 'ETag');
  if (etag === undefined) throw errorDocument(text.trim(), response);
  // Ceph RGW 16 leaves it empty.
  const completed = bareEtag(etag) === '' ? await alreadyCompleted(request, gateway, upload) : undefined;
  return completed === undefined
    ? { etag: bareEtag(etag), versionId: response.headers['x-amz-version-id'] }
    : { etag: completed.etag, versionId: completed.versionId };
}

/** The completed object, if the one at the key is this upload's: its envelope has the token's object id. */
export async function alreadyCompleted(
  { bucket, key }: S3Request,
  gateway: GatewayContext,
  { objectId }: Pick<OpenUpload, 'objectId'>,
): Promise<StoredAnswer | undefined> {
  const response = await gateway.upstream.send({ method: 'HEAD', bucket, key });
  await response.body.release();
  return response.status === 200 && isOfUpload(response, objectId) ? storedAnswer(key, response) : undefined;
}

/** Whether an object is what an upload became, by its envelope; another may have been put in its place. */
export function isOfUpload({ headers }: Pick<UpstreamResponse, 'headers'>, objectId: Uint8Array): boolean {
  try {
    const envelope = readEnvelope(headers);
    return envelope.layout === 'multipart' && equalBytes(envelope.objectId, objectId);
  } catch {
    return false;
  }
}
