/** Memory that a request takes before it is handled, and in which of the bounds. */
import type { Decision } from '../decide.ts';
import { documentRoom } from '../document-room.ts';
import { LISTING_COST_BYTES, STREAM_COST_BYTES } from '../limits.ts';
import type { S3OperationName } from '../operation-names.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import type { Share } from '../sealing/governor.ts';

/** Undefined where the operation takes its own. Rejects with ERR_S3_SLOW_DOWN, ERR_S3_ENTITY_TOO_LARGE, ERR_S3_REQUEST_TIMEOUT. */
export async function admit(
  request: S3Request,
  decision: Decision,
  gateway: GatewayContext,
): Promise<Share | undefined> {
  const { operation, signal, client, caller } = request;
  // Completing takes shares of two bounds, one within the other: who held a third and waited could wait for ever.
  if (operation === 'CompleteMultipartUpload' && decision.type === 'handle') return undefined;
  if (operation === 'DeleteObjects') return documentRoom(request, gateway);
  const whole = operation === 'ListBuckets' && (caller.rights !== undefined || gateway.upstream.stores.length > 1);
  const listing = whole || (decision.type === 'handle' && LISTINGS.has(operation));
  const bytes = listing ? LISTING_COST_BYTES : STREAM_COST_BYTES;
  return gateway.governor.take(bytes, { signal, holder: client });
}

/** Read whole, parsed and written anew. */
const LISTINGS: ReadonlySet<S3OperationName> = new Set<S3OperationName>([
  'ListMultipartUploads',
  'ListObjectVersions',
  'ListObjects',
  'ListObjectsV2',
  'ListParts',
]);
