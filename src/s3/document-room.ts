/** Memory for documents that clients send: up to 8 MiB of XML, and many times of it once it is parsed. A bound of its own. */
import { S3Error } from './errors.ts';
import { DOCUMENT_COST, MAX_DOCUMENT_BYTES, STREAM_COST_BYTES } from './limits.ts';
import type { GatewayContext, S3Request } from './operation.ts';
import type { Share } from './sealing/governor.ts';

/** Room for the request's document while it is read and parsed. These shares are taken before any of the common bound, never after. */
export function documentRoom(
  { body, signal, client }: Pick<S3Request, 'body' | 'signal' | 'client'>,
  { documents }: Pick<GatewayContext, 'documents'>,
): Promise<Share> {
  if (body.length > MAX_DOCUMENT_BYTES) throw new S3Error('ERR_S3_ENTITY_TOO_LARGE');
  return documents.take(STREAM_COST_BYTES + DOCUMENT_COST * body.length, { signal, holder: client });
}
