/**
 * An open upload, as its token says. The UploadId that clients hold is a sealed token: whoever serves a part needs no state, and the
 * DEK is asked of the key manager for each use, on behalf of the caller.
 */
import {
  openUploadToken,
  sealUploadToken,
  uploadTokenEpoch,
  type UploadTokenFields,
} from '../../envelope/object/upload-token.ts';
import { S3Error } from '../errors.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import { openObjectKey, type ObjectKey } from '../sealing/data-key.ts';
import { codeOf } from '../sealing/error-code.ts';

export type OpenUpload = UploadTokenFields & {
  readonly bucket: string;
  readonly key: string;
  /** What the client gave. */
  readonly token: string;
};

const TOKEN_PURPOSE = 's3-upload-token';

export async function makeUploadToken(
  { bucket, key }: S3Request,
  gateway: GatewayContext,
  fields: UploadTokenFields,
): Promise<string> {
  const { epoch, key: serviceKey } = await gateway.dataKeys.serviceKey(TOKEN_PURPOSE);
  return sealUploadToken(fields, serviceKey, epoch, { bucket, key }, gateway.random);
}

/** The upload of the request's `uploadId`. Throws ERR_S3_NO_SUCH_UPLOAD for anything but a token of ours for this bucket and key. */
export async function openUpload(request: S3Request, gateway: GatewayContext): Promise<OpenUpload> {
  const { bucket, key } = request;
  const token = request.query.get('uploadId') ?? '';
  const epoch = uploadTokenEpoch(token);
  if (epoch === undefined) throw new S3Error('ERR_S3_NO_SUCH_UPLOAD');
  try {
    const { key: serviceKey } = await gateway.dataKeys.serviceKey(TOKEN_PURPOSE, epoch);
    return { ...openUploadToken(token, serviceKey, { bucket, key }), bucket, key, token };
  } catch (error) {
    if (NOT_OURS.has(codeOf(error))) {
      throw new S3Error('ERR_S3_NO_SUCH_UPLOAD', undefined, { cause: error });
    }
    throw error;
  }
}

/** A forged epoch is not known; a forged token does not open. */
const NOT_OURS: ReadonlySet<string | undefined> = new Set([
  'ERR_ENVELOPE_OPEN_FAILED',
  'ERR_ENVELOPE_MALFORMED',
  'ERR_KEYS_NOT_FOUND',
  'ERR_KEYS_INVALID_REQUEST',
]);

/** Under which work on one upload is done one after another. */
export const uploadName = ({ objectId }: OpenUpload): string => Buffer.from(objectId).toString('hex');

/** The upload's DEK. */
export function uploadKey(request: S3Request, gateway: GatewayContext, upload: OpenUpload): Promise<ObjectKey> {
  const { wrap, objectId } = upload;
  if (wrap.type !== 'direct') throw new S3Error('ERR_S3_NO_SUCH_UPLOAD');
  return openObjectKey(request, gateway, { wrapped: wrap.wrapped, objectId });
}
