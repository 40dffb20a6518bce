/**
 * CreateMultipartUpload: the envelope is set now, in the metadata the object will have; the client's UploadId is a sealed token. The
 * token is also kept as a hidden object while the upload is open, so that an upload found in a listing can be resumed.
 */
import type { ChecksumChoice } from '../../envelope/object/object-envelope.ts';
import { S3Error } from '../errors.ts';
import { refuseHiddenKey } from '../listing/hidden-names.ts';
import { childText, formatXml, parseXml } from '../listing/xml-tree.ts';
import { makeUploadToken } from '../multipart/open-upload.ts';
import { sweepWhenDue } from '../multipart/sweep-bucket.ts';
import { keepToken } from '../multipart/token-objects.ts';
import type { GatewayContext, S3Headers, S3Operation, S3Request } from '../operation.ts';
import { checksumOfUpload } from '../sealing/checksum-choice.ts';
import { newObjectKey } from '../sealing/data-key.ts';
import { envelopeHeaders } from '../sealing/envelope-headers.ts';
import { MAX_LIST_BYTES } from '../sealing/limits.ts';
import { sendOrThrow } from '../sealing/upstream-errors.ts';
import { encryptionHeaders } from '../sse/shown-encryption.ts';

export const createMultipartUpload: S3Operation = {
  name: 'CreateMultipartUpload',
  async handle(request, gateway) {
    const { bucket, key } = request;
    refuseHiddenKey(key);
    const checksum = checksumOfUpload(request.headers);
    const objectKey = await newObjectKey(request, gateway);
    const headers = envelopeHeaders(request, gateway, objectKey, {
      layout: 'multipart',
      checksum: checksum ?? defaultChecksum(gateway),
    });
    const backendUploadId = await createUpstream(request, gateway, headers);
    const { objectId, wrapped, kept } = objectKey;
    const wrap = { type: 'direct', wrapped } as const;
    const fields = { ...kept, backendUploadId, objectId, wrap, createdMs: gateway.now(), checksum };
    const token = await abortingOnError(request, gateway, backendUploadId, async () => {
      const made = await makeUploadToken(request, gateway, fields);
      await keepToken(request, gateway, { token: made, objectId, backendUploadId });
      return made;
    });
    sweepWhenDue(gateway, bucket);
    const body = formatXml('InitiateMultipartUploadResult', { Bucket: bucket, Key: key, UploadId: token });
    return {
      status: 200,
      headers: {
        'content-type': 'application/xml',
        'content-length': String(body.length),
        ...encryptionHeaders(objectKey.shown),
        ...checksumHeaders(checksum),
      },
      body,
    };
  },
};

/** An upload whose id the client never gets would stay for ever. */
async function abortingOnError<T>(
  { bucket, key }: S3Request,
  { upstream }: GatewayContext,
  backendUploadId: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const query = new Map([['uploadId', backendUploadId]]);
    const aborted = upstream.send({ method: 'DELETE', bucket, key, query });
    // What failed first is what the client is told.
    await aborted.then(({ body }) => body.release()).catch(() => undefined);
    throw error;
  }
}

/** The backend's id of an upload that makes an object with these headers. */
export async function createUpstream(request: S3Request, gateway: GatewayContext, headers: S3Headers): Promise<string> {
  const { bucket, key, signal } = request;
  const query = new Map([['uploads', '']]);
  const response = await sendOrThrow(gateway, { method: 'POST', bucket, key, query, headers, signal });
  const root = parseXml(await response.body.text(MAX_LIST_BYTES), 'InitiateMultipartUploadResult');
  const uploadId = childText(root, 'UploadId');
  if (uploadId === undefined || uploadId === '') throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
  return uploadId;
}

/** What the object gets though the upload names nothing: clients are not told of it here. */
const defaultChecksum = ({ options }: GatewayContext): ChecksumChoice | undefined =>
  options.defaultChecksum === 'none' ? undefined : { algorithm: options.defaultChecksum, type: 'FULL_OBJECT' };

const checksumHeaders = (checksum: ChecksumChoice | undefined): S3Headers =>
  checksum === undefined
    ? {}
    : { 'x-amz-checksum-algorithm': checksum.algorithm.toUpperCase(), 'x-amz-checksum-type': checksum.type };
