/**
 * Parts of uploads into buckets with Object Lock. Amazon S3 takes those only with a checksum, and the one that an upload need not name when it
 * begins is Content-MD5, which stands before the body: so such a part is sealed whole, in memory, before it is sent.
 *
 * Room for it is taken after all other shares of the request, and never before them: who holds it waits for its client and for the storage
 * alone. And not for a connection that a copy holds which waits for room itself: it is sent on the lane of those.
 */
import { PART_OVERHEAD } from '../../envelope/object/sizes.ts';
import { holdWhole } from '../bodies/held-blocks.ts';
import { S3Error } from '../errors.ts';
import { MAX_WHOLE_PART_BYTES } from '../limits.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import type { UpstreamRequest } from '../upstream/client.ts';

type Content = Pick<UpstreamRequest, 'body' | 'contentLength'>;
type Sent = Pick<UpstreamRequest, keyof Content | 'headers' | 'bodySha256' | 'lane'>;

/**
 * Throws ERR_S3_ENTITY_TOO_LARGE for a part that could not be held, before anything of it is read.
 * @param details what the error says besides of the part.
 */
export async function refuseUnlessHoldable(
  { bucket }: Pick<S3Request, 'bucket'>,
  gateway: GatewayContext,
  plainLength: number,
  details: Readonly<Record<string, string>> = {},
): Promise<void> {
  if (plainLength > MAX_WHOLE_PART_BYTES && (await wantsWhole(gateway, bucket))) throw tooLong(plainLength, details);
}

/**
 * Sends a part, whole where the bucket is such a one. Rejects with what `send` does, ERR_S3_SLOW_DOWN, ERR_S3_REQUEST_TIMEOUT, and
 * ERR_S3_ENTITY_TOO_LARGE: the bucket may have become such a one, or have been found to be, since the part was let in.
 */
export async function sendingPart<T>(
  { bucket, signal, client }: Pick<S3Request, 'bucket' | 'signal' | 'client'>,
  gateway: GatewayContext,
  content: Content,
  send: (content: Sent) => Promise<T>,
): Promise<T> {
  const { body, contentLength } = content;
  if (body === undefined || body instanceof Uint8Array || contentLength === undefined) return send(content);
  if (!(await wantsWhole(gateway, bucket))) return send(content);
  const plainLength = contentLength - PART_OVERHEAD;
  if (plainLength > MAX_WHOLE_PART_BYTES) throw tooLong(plainLength);
  const share = await gateway.wholeParts.take(contentLength, { signal, holder: client });
  try {
    const held = await holdWhole(body, contentLength);
    const headers = { 'content-md5': held.md5 };
    return await send({ body: held.body, contentLength, headers, bodySha256: held.sha256, lane: 'copy' });
  } finally {
    share.giveBack();
  }
}

const tooLong = (plainLength: number, details: Readonly<Record<string, string>> = {}): S3Error =>
  new S3Error(
    'ERR_S3_ENTITY_TOO_LARGE',
    'Parts of uploads into a bucket with Object Lock are held whole until their digest is known. Send smaller parts.',
    { details: { ...details, ProposedSize: String(plainLength), MaxSizeAllowed: String(MAX_WHOLE_PART_BYTES) } },
  );

/** Only of a store that gets checksums of ours: others are not known to want any. */
const wantsWhole = async (gateway: GatewayContext, bucket: string): Promise<boolean> =>
  gateway.upstream.storeOf(bucket).capabilities.ownChecksum !== 'none' &&
  (await gateway.caches.objectLocks.isLocked(bucket, gateway));
