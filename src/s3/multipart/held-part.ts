/** A held last part, read back: at most 5 MiB, opened and proven whole before anything is done with it. */
import { hiddenPartKey } from '../../envelope/object/hidden-object.ts';
import { BodyOpener } from '../../envelope/object/body-opener.ts';
import type { BodyRecord } from '../../envelope/object/record.ts';
import { sealedSize } from '../../envelope/object/sizes.ts';
import { SHORT_PART_BYTES } from '../../envelope/limits.ts';
import { concatBytes } from '../../crypto/bytes.ts';
import { S3Error } from '../errors.ts';
import type { GatewayContext } from '../operation.ts';
import type { ObjectKey } from '../sealing/data-key.ts';
import { bareEtag, clientEtag } from '../sealing/etag.ts';
import { opening } from '../sealing/sealed-errors.ts';
import { upstreamError } from '../sealing/upstream-errors.ts';
import type { OpenUpload } from './open-upload.ts';

/** A part as S3's errors name it. */
export const partDetails = ({ number, etag }: { readonly number: number; readonly etag: string }) => ({
  PartNumber: String(number),
  ETag: clientEtag(etag),
});

export type HeldPart = { readonly plaintext: Uint8Array; readonly record: BodyRecord };

/** Throws ERR_S3_INVALID_PART where none is held under this number with this ETag. */
export async function readHeldPart(
  gateway: GatewayContext,
  { bucket, objectId }: OpenUpload,
  part: { readonly number: number; readonly etag: string },
  { dek }: ObjectKey,
): Promise<HeldPart> {
  const response = await gateway.upstream.send({ method: 'GET', bucket, key: hiddenPartKey(objectId, part.number) });
  if (response.status === 404 || (response.status === 200 && bareEtag(response.headers['etag'] ?? '') !== part.etag)) {
    await response.body.release();
    throw new S3Error('ERR_S3_INVALID_PART', undefined, { details: partDetails(part) });
  }
  if (response.status !== 200) throw await upstreamError(response);
  const stored = await response.body.bytes(sealedSize(SHORT_PART_BYTES));
  return opening(() => {
    const opener = new BodyOpener({ dek, objectId, expect: { layout: 'held', partNumber: part.number } });
    const plaintext = concatBytes(...opener.push(stored));
    return { plaintext, record: opener.finish() };
  });
}
