/**
 * A backend that lists no parts is not asked whether it still holds the parts a client names, and may complete with others (s3rver looks
 * at no ETags). There the completed object's headers are held against its sealed list before the client is told of success: what would
 * not open is deleted, and the upload has failed.
 */
import { equalBytes } from '../../crypto/bytes.ts';
import {
  matchesParts,
  SALT_REFERENCE_BYTES,
  type Footer,
  type FooterInput,
  type FooterPart,
} from '../../envelope/object/footer.ts';
import { partTable } from '../../envelope/object/part-table.ts';
import { BODY_PREFIX_BYTES } from '../../envelope/object/sizes.ts';
import { openPrefix } from '../../envelope/object/stream.ts';
import { S3Error } from '../errors.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import { isOfUpload } from './complete-upstream.ts';
import { mapBounded } from '../sealing/bounded-map.ts';
import type { ObjectKey } from '../sealing/data-key.ts';
import { fetchStored, ObjectChanged, storedAnswer, type StoredAnswer } from '../sealing/fetch-stored.ts';
import { SIZE_LOOKUPS_AT_ONCE } from '../sealing/limits.ts';
import { opening } from '../sealing/sealed-errors.ts';
import { sendOrThrow } from '../sealing/upstream-errors.ts';

/**
 * Throws ERR_S3_INVALID_PART, with the object deleted. An object that was replaced meanwhile is somebody else's. What keeps it from being looked at
 * (the storage cannot be reached, or breaks down) is thrown as it is: the object stays, and is looked at when the client completes once more.
 */
export async function checkCompleted(
  request: S3Request,
  gateway: GatewayContext,
  key: ObjectKey,
  { parts, salts }: FooterInput,
): Promise<void> {
  if (await hasLookedItself(request, gateway)) return;
  const response = await sendOrThrow(gateway, { method: 'HEAD', bucket: request.bucket, key: request.key });
  await response.body.release();
  if (!isOfUpload(response, key.objectId)) return;
  const stored = storedAnswer(request.key, response);
  await refuseOtherParts(request, gateway, stored, async () => {
    const found = await readSalts(request, gateway, stored, key, parts);
    return salts === undefined || found.every((salt, at) => equalBytes(salt, salts[at] ?? salt));
  });
}

/** Likewise of an object that was completed before, by its own list: whoever completed it may not have come to look. */
export async function checkCompletedBefore(
  request: S3Request,
  gateway: GatewayContext,
  key: ObjectKey,
  { stored, footer }: { readonly stored: StoredAnswer; readonly footer: Footer },
): Promise<void> {
  const { parts } = footer;
  // Of a list without lengths each read finds out by walking.
  if (parts === undefined || (await hasLookedItself(request, gateway))) return;
  await refuseOtherParts(request, gateway, stored, async () => {
    const found = await readSalts(request, gateway, stored, key, parts);
    return matchesParts(footer, parts, footer.saltsDigest === undefined ? undefined : found);
  });
}

async function hasLookedItself({ bucket }: S3Request, gateway: GatewayContext): Promise<boolean> {
  return (await gateway.caches.backend.learn(gateway, bucket))?.listsParts !== false;
}

/** What was found to be wrong with the object, and not that it could not be found out. */
const FOUND: ReadonlySet<string> = new Set(['ERR_S3_INVALID_PART', 'ERR_S3_SEALED_OBJECT_INVALID']);

async function refuseOtherParts(
  { bucket, key }: S3Request,
  gateway: GatewayContext,
  { versionId }: StoredAnswer,
  hasParts: () => Promise<boolean>,
): Promise<void> {
  let cause: unknown;
  try {
    if (await hasParts()) return;
  } catch (error) {
    if (error instanceof ObjectChanged) return;
    if (!(error instanceof S3Error && FOUND.has(error.code))) throw error;
    cause = error;
  }
  const query = versionId === undefined ? new Map() : new Map([['versionId', versionId]]);
  const deleted = await sendOrThrow(gateway, { method: 'DELETE', bucket, key, query });
  await deleted.body.release();
  throw new S3Error('ERR_S3_INVALID_PART', undefined, { cause });
}

/** As far as digests are made of them. Throws ERR_S3_INVALID_PART, ERR_S3_SEALED_OBJECT_INVALID where there are other parts. */
async function readSalts(
  request: S3Request,
  gateway: GatewayContext,
  stored: StoredAnswer,
  { dek, objectId }: ObjectKey,
  parts: readonly FooterPart[],
): Promise<readonly Uint8Array[]> {
  // Who left does not end it: the upload would be left half over.
  const asked = { ...request, signal: AbortSignal.any([]) };
  return mapBounded(partTable(parts).parts, SIZE_LOOKUPS_AT_ONCE, async (part) => {
    const range = { from: part.storedStart, to: part.storedStart + BODY_PREFIX_BYTES - 1 };
    if (range.to >= stored.storedSize) throw new S3Error('ERR_S3_INVALID_PART');
    const prefix = await fetchStored(asked, gateway, stored, range);
    const { header, salt } = opening(() => openPrefix(prefix, dek, objectId));
    if (header.partNumber !== part.partNumber || header.plainLength !== part.plainLength)
      throw new S3Error('ERR_S3_INVALID_PART');
    return salt.subarray(0, SALT_REFERENCE_BYTES);
  });
}
