/**
 * A backend that lists no parts is not asked whether it still holds the parts a client names, and may complete with others (s3rver looks
 * at no ETags). There the completed object's headers are held against its sealed list before the client is told of success: what would
 * not open is deleted, and the upload has failed.
 */
import { equalBytes } from '../../crypto/bytes.ts';
import { SALT_REFERENCE_BYTES, type FooterInput } from '../../envelope/object/footer.ts';
import { partTable } from '../../envelope/object/part-table.ts';
import { BODY_PREFIX_BYTES } from '../../envelope/object/sizes.ts';
import { openPrefix } from '../../envelope/object/stream.ts';
import { S3Error } from '../errors.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import { mapBounded } from '../sealing/bounded-map.ts';
import type { ObjectKey } from '../sealing/data-key.ts';
import { fetchStored, ObjectChanged, storedAnswer, type StoredAnswer } from '../sealing/fetch-stored.ts';
import { SIZE_LOOKUPS_AT_ONCE } from '../sealing/limits.ts';
import { opening } from '../sealing/sealed-errors.ts';
import { sendOrThrow } from '../sealing/upstream-errors.ts';

/** Throws ERR_S3_INVALID_PART, with the object deleted. An object that was replaced meanwhile is somebody else's. */
export async function checkCompleted(
  request: S3Request,
  gateway: GatewayContext,
  key: ObjectKey,
  footer: FooterInput,
): Promise<void> {
  const backend = await gateway.caches.backend.learn(gateway, request.bucket);
  if (backend?.listsParts !== false) return;
  const place = { bucket: request.bucket, key: request.key };
  const response = await sendOrThrow(gateway, { method: 'HEAD', ...place });
  await response.body.release();
  try {
    await holdAgainst(request, gateway, storedAnswer(request.key, response), key, footer);
  } catch (error) {
    if (error instanceof ObjectChanged) return;
    const deleted = await sendOrThrow(gateway, { method: 'DELETE', ...place });
    await deleted.body.release();
    throw new S3Error('ERR_S3_INVALID_PART', undefined, { cause: error });
  }
}

async function holdAgainst(
  request: S3Request,
  gateway: GatewayContext,
  stored: StoredAnswer,
  { dek, objectId }: ObjectKey,
  { parts, salts }: FooterInput,
): Promise<void> {
  await mapBounded([...partTable(parts).parts.entries()], SIZE_LOOKUPS_AT_ONCE, async ([index, part]) => {
    const range = { from: part.storedStart, to: part.storedStart + BODY_PREFIX_BYTES - 1 };
    const prefix = await fetchStored(request, gateway, stored, range);
    const { header, salt } = opening(() => openPrefix(prefix, dek, objectId));
    const named = salts?.[index] ?? salt.subarray(0, SALT_REFERENCE_BYTES);
    const isSame =
      header.partNumber === part.partNumber &&
      header.plainLength === part.plainLength &&
      equalBytes(named, salt.subarray(0, SALT_REFERENCE_BYTES));
    if (!isSame) throw new S3Error('ERR_S3_INVALID_PART');
  });
}
