/** PutObject on a sealed key: a fresh DEK and object id, the envelope in the metadata, the body sealed as it flows. */
import { BodySealer } from '../../envelope/object/body-sealer.ts';
import { MAX_PUT_PLAIN_BYTES } from '../../envelope/object/sizes.ts';
import { S3Error } from '../errors.ts';
import { refuseHiddenKey } from '../listing/hidden-names.ts';
import type { VerifiedBody } from '../bodies/verified-body.ts';
import type { GatewayContext, S3Headers, S3Operation, S3Request } from '../operation.ts';
import { checksumOfPut } from '../sealing/checksum-choice.ts';
import { bodyChecksumHeader } from '../sealing/checksum-headers.ts';
import { newObjectKey } from '../sealing/data-key.ts';
import { envelopeHeaders } from '../sealing/envelope-headers.ts';
import { writeHeaders } from '../sealing/response-headers.ts';
import { sealedPayload } from '../sealing/sealed-body.ts';
import { sendOrThrow } from '../sealing/upstream-errors.ts';
import { writeConditions, type LearnConditions } from '../sealing/write-conditions.ts';

export const putObject: S3Operation = {
  name: 'PutObject',
  handle: async (request, gateway) => ({ status: 200, headers: await putSealed(request, gateway) }),
};

/** Headers of the answer. `learn` as `writeConditions` has it. */
export async function putSealed(
  request: S3Request,
  gateway: GatewayContext,
  learn?: LearnConditions,
): Promise<S3Headers> {
  const { bucket, key, body, signal } = request;
  refuseHiddenKey(key);
  if (body.length > MAX_PUT_PLAIN_BYTES) throw new S3Error('ERR_S3_ENTITY_TOO_LARGE');
  const conditions = await writeConditions(request, gateway, learn);
  const objectKey = await newObjectKey(request, gateway);
  const checksum = checksumOfPut(body, gateway);
  const headers = {
    ...envelopeHeaders(request, gateway, objectKey, { layout: 'single', checksum }),
    ...conditions,
  };
  const { dek, objectId } = objectKey;
  const sealer = new BodySealer(
    { dek, objectId, partNumber: 0, plainLength: body.length, final: true },
    gateway.random,
  );
  const payload = await sealedPayload(body, sealer);
  const response = await sendOrThrow(gateway, { method: 'PUT', bucket, key, headers, ...payload, signal });
  await response.body.release();
  return {
    ...writeHeaders(response.headers, objectKey),
    ...checksumHeaders(await body.verified),
    'content-length': '0',
  };
}

function checksumHeaders(verified: VerifiedBody): S3Headers {
  return verified.checksum === undefined
    ? {}
    : { ...bodyChecksumHeader(verified), 'x-amz-checksum-type': 'FULL_OBJECT' };
}
