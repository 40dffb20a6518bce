/**
 * Pass-through: the request as it is, framed and signed afresh; the answer as it comes. What clients see is the backend's, except the
 * metadata names that are ours.
 */
import type { ByteSource } from '../bodies/byte-source.ts';
import { checksumBytes, type ChecksumAlgorithm } from '../bodies/checksums.ts';
import type { S3Body, S3Headers, S3Request, S3Response } from '../operation.ts';
import type { UpstreamCapabilities } from '../upstream/capabilities.ts';
import type { Trailer } from '../upstream/framing.ts';
import { isReservedName } from '../request/headers.ts';
import type { UpstreamClient, UpstreamRequest } from '../upstream/client.ts';
import { BUFFERED_BODY_BYTES, MAX_DOCUMENT_BYTES } from '../limits.ts';
import type { VerifiedBody } from '../bodies/verified-body.ts';
import { refuseEscapingKeys } from './named-keys.ts';

export async function forward(request: S3Request, upstream: UpstreamClient): Promise<S3Response> {
  const outgoing = await outgoingBody(request, upstream.storeOf(request.bucket).capabilities);
  const { method, bucket, key, query, signal } = request;
  const response = await upstream.send({ method, bucket, key, query, signal, asSent: true, ...outgoing });
  return { status: response.status, headers: answerHeaders(response.headers), body: response.body };
}

type Outgoing = Pick<UpstreamRequest, 'headers' | 'body' | 'contentLength' | 'trailer'>;

/**
 * A small body is verified before anything is sent, and may be sent again. A large one is streamed with its last piece withheld, so
 * that the backend never has the whole of a body that does not verify.
 */
export async function outgoingBody(request: S3Request, capabilities: UpstreamCapabilities): Promise<Outgoing> {
  const { body, headers, method } = request;
  if (request.operation === 'DeleteObjects') {
    const bytes = await body.bytes(MAX_DOCUMENT_BYTES);
    refuseEscapingKeys(bytes, request.bucket);
    return { headers: withChecksum(headers, await body.verified), body: bytes };
  }
  if (method !== 'PUT' && method !== 'POST') {
    // S3 knows none here; a store that looks for none would take it for the next request, on a connection that others use.
    if (body.length > 0) await body.bytes(BUFFERED_BODY_BYTES);
    return { headers };
  }
  if (body.length <= BUFFERED_BODY_BYTES) {
    const bytes = await body.bytes(BUFFERED_BODY_BYTES);
    return { headers: withChecksum(headers, await body.verified), body: bytes };
  }
  const stream = { body: withholdingLast(body), contentLength: body.length };
  if (body.trailing === undefined) return { headers, ...stream };
  if (capabilities.trailingChecksums) return { headers, ...stream, trailer: trailerOf(body, body.trailing) };
  // The checksum was for the way to us, and is verified; the backend could not take it after the body.
  const { 'x-amz-sdk-checksum-algorithm': _algorithm, ...kept } = headers;
  return { headers: kept, ...stream };
}

function trailerOf(body: S3Body, algorithm: ChecksumAlgorithm): Trailer {
  return {
    name: `x-amz-checksum-${algorithm}`,
    valueBytes: 4 * Math.ceil(checksumBytes(algorithm) / 3),
    value: async () => (await body.verified).checksum?.value ?? '',
  };
}

/** A checksum that came as a trailer goes on as a header. */
function withChecksum(headers: S3Headers, verified: VerifiedBody): S3Headers {
  const { checksum } = verified;
  return checksum === undefined ? headers : { ...headers, [`x-amz-checksum-${checksum.algorithm}`]: checksum.value };
}

/** Gives each piece only when the next has come: the last one after the body has verified. */
export const withholdingLast = (body: ByteSource): ByteSource => ({
  pour: async (take) => {
    let held: Uint8Array[] = [];
    await body.pour((pieces) => {
      const ready = [...held, ...pieces.filter((piece) => piece.length > 0)];
      held = ready.splice(-1);
      return ready.length === 0 ? undefined : take(ready);
    });
    if (held.length > 0) await take(held);
  },
});

/** Of the upstream's connection (RFC 9110, 7.6.1), not of its answer. */
const OF_THE_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Clients can never read our metadata names, in any bucket. */
export function answerHeaders(headers: S3Headers): S3Headers {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!OF_THE_CONNECTION.has(name) && !isReservedName(name)) kept[name] = value;
  }
  return kept;
}
