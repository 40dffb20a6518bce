/**
 * Memory for segments larger than usual. A segment leaves only after its tag has verified, so one is held for each stream that opens;
 * parts beyond 32 MiB have larger ones (a part of 5 GiB: 10 MiB), for which a request's common share has no room.
 *
 * These shares are of a bound of their own, taken after the common one and never before it: who holds one waits for nobody.
 */
import { MIN_SEGMENT_BYTES } from '../../envelope/limits.ts';
import { segmentSizeFor } from '../../envelope/object/sizes.ts';
import type { GatewayContext, S3Request } from '../operation.ts';

/** Resolves with the way to give the room back. `plainLength`: of the longest part that is opened. */
export async function segmentRoom(
  { segments }: Pick<GatewayContext, 'segments'>,
  { signal }: Pick<S3Request, 'signal'>,
  plainLength: number,
): Promise<() => void> {
  const size = segmentSizeFor(plainLength);
  return size <= MIN_SEGMENT_BYTES ? () => undefined : segments.take(size, signal);
}
