/**
 * CreateMultipartUpload: the envelope is set now, in the metadata the object will have; the client's UploadId is a sealed token. The
 * token is also kept as a hidden object while the upload is open, so that an upload found in a listing can be resumed.
 */
import type { ChecksumChoice } from '../../envelope/object/object-envelope.ts';
import { CHECKSUMS } from '../../envelope/object/record.ts';
import { S3Error } from '../errors.ts';
import { refuseHiddenKey } from '../listing/hidden-names.ts';
import { childText, formatXml, parseXml } from '../listing/xml-tree.ts';
import { makeUploadToken } from '../multipart/open-upload.ts';
import { keepToken } from '../multipart/token-objects.ts';
import type { GatewayContext, S3Headers, S3Operation, S3Request } from '../operation.ts';
import { newObjectKey } from '../sealing/data-key.ts';
import { envelopeHeaders } from '../sealing/envelope-headers.ts';
import { MAX_LIST_BYTES } from '../sealing/limits.ts';
import { encryptionHeaders } from '../sealing/response-headers.ts';
import { sendOrThrow } from '../sealing/upstream-errors.ts';

export const createMultipartUpload: S3Operation = {
  name: 'CreateMultipartUpload',
  async handle(request, gateway) {
    const { bucket, key } = request;
    refuseHiddenKey(key);
    const checksum = chosenChecksum(request.headers);
    const objectKey = await newObjectKey(request, gateway);
    const headers = envelopeHeaders(request, gateway, objectKey, { layout: 'multipart', checksum });
    const backendUploadId = await createUpstream(request, gateway, headers);
    const { objectId, wrapped } = objectKey;
    const wrap = { type: 'direct', wrapped } as const;
    const fields = { backendUploadId, objectId, wrap, createdMs: gateway.now(), checksum };
    const token = await makeUploadToken(request, gateway, fields);
    await keepToken(request, gateway, { token, objectId, backendUploadId });
    const body = formatXml('InitiateMultipartUploadResult', { Bucket: bucket, Key: key, UploadId: token });
    return {
      status: 200,
      headers: {
        'content-type': 'application/xml',
        'content-length': String(body.length),
        ...encryptionHeaders(objectKey.keyArn),
        ...checksumHeaders(checksum),
      },
      body,
    };
  },
};

async function createUpstream(request: S3Request, gateway: GatewayContext, headers: S3Headers): Promise<string> {
  const { bucket, key, signal } = request;
  const query = new Map([['uploads', '']]);
  const response = await sendOrThrow(gateway, { method: 'POST', bucket, key, query, headers, signal });
  const root = parseXml(await response.body.text(MAX_LIST_BYTES), 'InitiateMultipartUploadResult');
  const uploadId = childText(root, 'UploadId');
  if (uploadId === undefined || uploadId === '') throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
  return uploadId;
}

function chosenChecksum(headers: S3Headers): ChecksumChoice | undefined {
  const algorithm = headers['x-amz-checksum-algorithm']?.toLowerCase();
  const row = CHECKSUMS.find(({ name }) => name === algorithm);
  if (row === undefined) return undefined;
  const type =
    headers['x-amz-checksum-type']?.toUpperCase() ?? (algorithm === 'crc64nvme' ? 'FULL_OBJECT' : 'COMPOSITE');
  if (type !== 'FULL_OBJECT' && type !== 'COMPOSITE') throw new S3Error('ERR_S3_INVALID_ARGUMENT');
  return { algorithm: row.name, type };
}

const checksumHeaders = (checksum: ChecksumChoice | undefined): S3Headers =>
  checksum === undefined
    ? {}
    : { 'x-amz-checksum-algorithm': checksum.algorithm.toUpperCase(), 'x-amz-checksum-type': checksum.type };
