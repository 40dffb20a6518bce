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
import type { DataKey } from '../../keys/uses/data-keys.ts';
import { checkGiven, unwrapObjectKey, wholeObjectKey, type ObjectKey, type SealedKey } from '../sealing/data-key.ts';
import { ownObject } from '../sealing/envelope-headers.ts';
import { codeOf } from '../sealing/error-code.ts';
import { asKeyAnswers, keyAnswer } from '../sse/chosen-key.ts';

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
  const { epoch, key: serviceKey } = await asKeyAnswers(() => gateway.dataKeys.serviceKey(TOKEN_PURPOSE));
  try {
    return sealUploadToken(fields, serviceKey, epoch, { bucket, key }, gateway.random);
  } catch (error) {
    if (codeOf(error) !== 'ERR_ENVELOPE_TOO_LARGE' || fields.context === undefined) throw error;
    const message = 'The encryption context is too long for a multipart upload: its upload id has to carry it.';
    throw new S3Error('ERR_S3_ENCRYPTION_CONTEXT', message, { cause: error });
  }
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
    throw keyAnswer(error);
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

const ON_PARTS = { needed: 'ERR_S3_UPLOAD_ENCRYPTION', notApplicable: 'ERR_S3_UPLOAD_ENCRYPTION' } as const;

/** The upload's DEK, for requests that seal or open. Throws ERR_S3_UPLOAD_ENCRYPTION, ERR_S3_UPLOAD_ENCRYPTION_CHANGED. */
export async function uploadKey(request: S3Request, gateway: GatewayContext, upload: OpenUpload): Promise<ObjectKey> {
  const { given } = ownObject(request, gateway);
  checkGiven(upload, given, ON_PARTS);
  const unwrapped = await unwrapUploadKey(request, gateway, upload);
  return wholeObjectKey(unwrapped, sealedKeyOf(upload), given, 'ERR_S3_UPLOAD_ENCRYPTION_CHANGED');
}

/** What the upload's token holds: asked for where only the caller's right to the upload is the question. */
export function unwrapUploadKey(request: S3Request, gateway: GatewayContext, upload: OpenUpload): Promise<DataKey> {
  return unwrapObjectKey(request, gateway, sealedKeyOf(upload), upload);
}

function sealedKeyOf(upload: OpenUpload): SealedKey {
  const { wrap } = upload;
  if (wrap.type !== 'direct') throw new S3Error('ERR_S3_NO_SUCH_UPLOAD');
  return { ...upload, wrapped: wrap.wrapped };
}
