/**
 * Parts of uploads into buckets with Object Lock. Amazon S3 takes those only with a checksum, and the one that an upload need not name when it
 * begins is Content-MD5, which stands before the body: so such a part is sealed whole, in memory, before it is sent.
 *
 * Room for it is taken after all other shares of the request, and never before them: who holds it waits for its client and for the storage alone.
 */
import { gather } from '../bodies/byte-source.ts';
import { S3Error } from '../errors.ts';
import { MAX_WHOLE_PART_BYTES } from '../limits.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import type { UpstreamRequest } from '../upstream/client.ts';

type Content = Pick<UpstreamRequest, 'body' | 'contentLength'>;

/** Throws ERR_S3_ENTITY_TOO_LARGE for a part that could not be held, before anything of it is read. */
export async function refuseUnlessHoldable({ bucket, body }: S3Request, gateway: GatewayContext): Promise<void> {
  if (body.length <= MAX_WHOLE_PART_BYTES || !(await wantsWhole(gateway, bucket))) return;
  throw new S3Error(
    'ERR_S3_ENTITY_TOO_LARGE',
    'Parts of uploads into a bucket with Object Lock are held whole until their digest is known. Send smaller parts.',
    { details: { ProposedSize: String(body.length), MaxSizeAllowed: String(MAX_WHOLE_PART_BYTES) } },
  );
}

/** Sends a part, whole where the bucket is such a one. Rejects with what `send` does, ERR_S3_SLOW_DOWN, ERR_S3_REQUEST_TIMEOUT. */
export async function sendingPart<T>(
  { bucket, signal, client }: S3Request,
  gateway: GatewayContext,
  content: Content,
  send: (content: Content) => Promise<T>,
): Promise<T> {
  const { body, contentLength } = content;
  if (body === undefined || body instanceof Uint8Array || contentLength === undefined) return send(content);
  if (!(await wantsWhole(gateway, bucket))) return send(content);
  // In pieces, and then in one.
  const share = await gateway.wholeParts.take(2 * contentLength, { signal, holder: client });
  try {
    const whole = await gather(body);
    share.shrinkTo(whole.length);
    return await send({ body: whole, contentLength });
  } finally {
    share.giveBack();
  }
}

/** Only of a store that gets checksums of ours: others are not known to want any. */
const wantsWhole = async (gateway: GatewayContext, bucket: string): Promise<boolean> =>
  gateway.upstream.storeOf(bucket).capabilities.ownChecksum !== 'none' &&
  (await gateway.caches.objectLocks.isLocked(bucket, gateway));
