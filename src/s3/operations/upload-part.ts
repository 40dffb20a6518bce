/**
 * UploadPart: sealed with a fresh salt under the upload's DEK, so any replica takes any part, in any order, any number of times. A part
 * below 5 MiB can only be the last one and may have nothing behind it, and behind part 10 000 nothing has room: they are held as hidden
 * objects until the upload completes.
 */
import { hiddenPartKey } from '../../envelope/object/hidden-object.ts';
import { BodySealer } from '../../envelope/object/body-sealer.ts';
import { SALT_REFERENCE_BYTES } from '../../envelope/object/footer.ts';
import { S3Error } from '../errors.ts';
import { deleteHiddenKey } from '../listing/delete-hidden.ts';
import type { ProbedCapabilities } from '../check.ts';
import { storeBackendPart } from '../multipart/backend-part.ts';
import { openUpload, uploadKey, uploadName, type OpenUpload } from '../multipart/open-upload.ts';
import { isOpen } from '../multipart/token-objects.ts';
import { isHeldUntilEnd, parsePartNumber, refusePart } from '../multipart/part-number.ts';
import { knownPartName, partEtag } from '../multipart/known-parts.ts';
import { refuseUnlessHoldable } from '../multipart/whole-part.ts';
import type { GatewayContext, S3Operation, S3Request } from '../operation.ts';
import { agreeWithUpload } from '../sealing/checksum-choice.ts';
import { bodyChecksumHeader } from '../sealing/checksum-headers.ts';
import { recordOf, sealedPayload, type UpstreamPayload } from '../sealing/sealed-body.ts';
import { sendToUpload } from '../sealing/upstream-errors.ts';
import { refuseRequestedEncryption } from '../sse/requested-encryption.ts';
import { encryptionHeaders } from '../sse/shown-encryption.ts';

export const uploadPart: S3Operation = {
  name: 'UploadPart',
  async handle(request, gateway) {
    const partNumber = parsePartNumber(request.query.get('partNumber'));
    const { body } = request;
    refuseRequestedEncryption(request.headers);
    refusePart(partNumber, body.length);
    const upload = await openUpload(request, gateway);
    agreeWithUpload(body, upload.checksum, gateway);
    await refuseUnlessHoldable(request, gateway, body.length);
    const backend = await gateway.caches.backend.learn(gateway, request.bucket);
    const { dek, objectId, shown } = await uploadKey(request, gateway, upload);
    const held = isHeldUntilEnd(partNumber, body.length);
    const input = { dek, objectId, partNumber, plainLength: body.length, final: false, held };
    const sealer = new BodySealer(input, gateway.random);
    const payload = await sealedPayload(body, sealer);
    // An earlier attempt of the other kind may lie beside it: the ETag that the client names on completion tells the two apart.
    const send = held ? holdPart : storePart;
    const etag = await beforeItEnds(gateway, upload, backend, () =>
      send(request, gateway, upload, partNumber, payload),
    );
    const verified = await body.verified;
    const saltId = sealer.salt.slice(0, SALT_REFERENCE_BYTES);
    const known = { plainLength: body.length, saltId, digests: recordOf(verified).digests };
    gateway.caches.knownParts.set(knownPartName(objectId, partNumber, etag), known);
    return {
      status: 200,
      headers: {
        // A held part is read on completion: its ETag need carry nothing.
        etag: partEtag(etag, known, !held && backend?.listsParts !== true),
        ...encryptionHeaders(shown),
        ...bodyChecksumHeader(verified),
        'content-length': '0',
      },
    };
  },
};

/** A backend that lists no parts does not keep a completion and a part that comes meanwhile apart. */
function beforeItEnds(
  { caches }: GatewayContext,
  upload: OpenUpload,
  backend: ProbedCapabilities | undefined,
  store: () => Promise<string>,
): Promise<string> {
  if (backend?.listsParts !== false) return store();
  const name = uploadName(upload);
  if (caches.endings.has(name)) throw new S3Error('ERR_S3_SLOW_DOWN', 'This upload is being completed.');
  return caches.partsInFlight.during(name, store);
}

/** The backend does not know that a held part belongs to an upload: that the upload is still open is looked at here, afterwards. */
async function holdPart(
  request: S3Request,
  gateway: GatewayContext,
  upload: OpenUpload,
  partNumber: number,
  payload: UpstreamPayload,
): Promise<string> {
  const { bucket, signal } = request;
  const key = hiddenPartKey(upload.objectId, partNumber);
  const response = await sendToUpload(gateway, { method: 'PUT', bucket, key, ...payload, signal });
  await response.body.release();
  const etag = response.headers['etag'];
  if (etag === undefined) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
  if (await isOpen(gateway, upload)) return etag;
  await deleteHiddenKey({ upstream: gateway.upstream, bucket }, key);
  throw new S3Error('ERR_S3_NO_SUCH_UPLOAD');
}

async function storePart(
  request: S3Request,
  gateway: GatewayContext,
  upload: OpenUpload,
  partNumber: number,
  payload: UpstreamPayload,
): Promise<string> {
  return (await storeBackendPart(request, gateway, upload, partNumber, payload)).etag;
}
