/** A held last part, read back: a short one whole, part 10 000, which may have 5 GiB, as it flows. Nothing of it is used that was not proven. */
import { hiddenPartKey } from '../../envelope/object/hidden-object.ts';
import { BodyOpener } from '../../envelope/object/body-opener.ts';
import { SALT_REFERENCE_BYTES } from '../../envelope/object/footer.ts';
import type { BodyRecord } from '../../envelope/object/record.ts';
import { plainSize, sealedSize } from '../../envelope/object/sizes.ts';
import { SHORT_PART_BYTES } from '../../envelope/limits.ts';
import { concatBytes, equalBytes } from '../../crypto/bytes.ts';
import type { Take } from '../bodies/byte-source.ts';
import { freeBytes } from '../bodies/spent-bytes.ts';
import { S3Error } from '../errors.ts';
import type { GatewayContext, S3Body } from '../operation.ts';
import type { ObjectKey } from '../sealing/data-key.ts';
import { bareEtag, clientEtag } from '../sealing/etag.ts';
import { asOpeningError, invalidObject, opening } from '../sealing/sealed-errors.ts';
import { upstreamError } from '../sealing/upstream-errors.ts';
import type { UpstreamBody, UpstreamResponse } from '../upstream/client.ts';
import type { FoundPart } from './named-parts.ts';
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
  upload: OpenUpload,
  part: FoundPart,
  { dek, objectId }: ObjectKey,
): Promise<HeldPart> {
  const response = await fetchHeld(gateway, upload, part);
  const stored = await response.body.bytes(sealedSize(SHORT_PART_BYTES));
  return opening(() => {
    const opener = new BodyOpener({ dek, objectId, expect: { layout: 'held', partNumber: part.number } });
    const plaintext = concatBytes(...opener.push(stored));
    const record = opener.finish();
    refuseOtherAttempt(part, opener);
    return { plaintext, record };
  });
}

/** A held part that flows: its length is known before, its record when all of `body` was taken. */
export type FlowingPart = {
  readonly plainLength: number;
  readonly body: Pick<S3Body, 'lend'>;
  readonly record: () => BodyRecord;
};

/** Likewise, of any length. Precondition: `body` is taken, or `signal` aborted. */
export async function openHeldPart(
  gateway: GatewayContext,
  upload: OpenUpload,
  part: FoundPart,
  { dek, objectId }: ObjectKey,
  signal: AbortSignal,
): Promise<FlowingPart> {
  const { headers, body } = await fetchHeld(gateway, upload, part, signal);
  const plainLength = plainSize(Number(headers['content-length']));
  if (plainLength === undefined) throw invalidObject();
  const opener = new BodyOpener({ dek, objectId, expect: { layout: 'held', partNumber: part.number, plainLength } });
  return {
    plainLength,
    body: { lend: (take) => lendOpened(body, part, opener, take) },
    record: () => opening(() => opener.finish()),
  };
}

async function lendOpened(stored: UpstreamBody, part: FoundPart, opener: BodyOpener, take: Take): Promise<void> {
  const takeOpened: Take = (chunks) => {
    const opened: Uint8Array[] = [];
    for (const chunk of chunks) {
      opened.push(...opener.push(chunk));
      freeBytes(chunk);
    }
    refuseOtherAttempt(part, opener);
    if (opened.length === 0) return undefined;
    const taking = take(opened);
    for (const piece of opened) freeBytes(piece);
    return taking;
  };
  try {
    await stored.pour(takeOpened);
    opener.finish();
  } catch (error) {
    throw asOpeningError(error);
  }
}

async function fetchHeld(
  gateway: GatewayContext,
  { bucket, objectId }: OpenUpload,
  part: FoundPart,
  signal?: AbortSignal,
): Promise<UpstreamResponse> {
  const key = hiddenPartKey(objectId, part.number);
  const response = await gateway.upstream.send({ method: 'GET', bucket, key, ...(signal && { signal }) });
  if (response.status === 404 || (response.status === 200 && bareEtag(response.headers['etag'] ?? '') !== part.etag)) {
    await response.body.release();
    throw notThatPart(part);
  }
  if (response.status !== 200) throw await upstreamError(response);
  return response;
}

/** A store may say this ETag of an earlier attempt: noticed where this process took the one that the client names. */
function refuseOtherAttempt(part: FoundPart, { salt }: BodyOpener): void {
  if (salt === undefined || part.saltId === undefined) return;
  if (!equalBytes(salt.subarray(0, SALT_REFERENCE_BYTES), part.saltId)) throw notThatPart(part);
}

const notThatPart = (part: FoundPart): S3Error =>
  new S3Error('ERR_S3_INVALID_PART', undefined, { details: partDetails(part) });
