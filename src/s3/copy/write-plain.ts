/** What a copy writes where nothing is sealed: as a PUT or UploadPart of a client's own would go on, with the checksum it has. */
import { outgoingBody } from '../edge/forward.ts';
import type { GatewayContext, S3Headers, S3Request } from '../operation.ts';
import { sendOrThrow } from '../sealing/upstream-errors.ts';

/** Headers of the answer. */
export async function writePlain(request: S3Request, gateway: GatewayContext): Promise<S3Headers> {
  const { bucket, key, query, body, signal } = request;
  const outgoing = await outgoingBody(request, gateway.upstream.storeOf(bucket).capabilities);
  const asSent = body.announced !== undefined;
  const response = await sendOrThrow(gateway, { method: 'PUT', bucket, key, query, asSent, ...outgoing, signal });
  await response.body.release();
  return response.headers;
}
