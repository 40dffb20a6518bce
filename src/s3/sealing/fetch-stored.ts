/**
 * Reads of stored bytes, pinned to the object that was seen first: by version where there are versions, and by ETag, which is compared
 * here too since not every backend obeys If-Match. So an envelope never meets the bytes of another object.
 */
import { S3Error } from '../errors.ts';
import type { GatewayContext, S3Headers, S3Request } from '../operation.ts';
import type { UpstreamRequest, UpstreamResponse } from '../upstream/client.ts';
import { bareEtag } from './etag.ts';
import { parseContentRange, type ByteRange } from './range-header.ts';
import { upstreamError } from './upstream-errors.ts';

/** A stored object as its first answer showed it. */
export type StoredAnswer = {
  readonly key: string;
  readonly versionId: string | undefined;
  /** The backend's, without quotes. */
  readonly etag: string;
  readonly storedSize: number;
  readonly headers: S3Headers;
};

/** The object was replaced between two reads of it: the request begins anew. To clients: try again. */
export class ObjectChanged extends S3Error {
  constructor() {
    super('ERR_S3_SLOW_DOWN', 'The object changed while it was read. Please try again.');
  }
}

/** What an answer to GET or HEAD, whole or of a range, says of the object. */
export function storedAnswer(key: string, { headers, status }: UpstreamResponse): StoredAnswer {
  const range = status === 206 ? parseContentRange(headers['content-range']) : undefined;
  const storedSize = range?.total ?? Number(headers['content-length']);
  const etag = headers['etag'];
  if (!Number.isSafeInteger(storedSize) || etag === undefined || (status === 206 && range === undefined)) {
    throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
  }
  const version = headers['x-amz-version-id'];
  return { key, versionId: version === 'null' ? undefined : version, etag: bareEtag(etag), storedSize, headers };
}

/** Few bytes, `from` to `to` (inclusive), as stored. The answer for the whole object may be held meanwhile. Throws ObjectChanged. */
export async function fetchStored(
  request: S3Request,
  gateway: GatewayContext,
  stored: Pick<StoredAnswer, 'key' | 'versionId' | 'etag' | 'storedSize'>,
  range: ByteRange,
): Promise<Uint8Array> {
  const { body } = await fetchPinned(request, gateway, stored, range, { lane: 'beside' });
  return body.bytes(range.to - range.from + 1);
}

/** Any range, as an answer that flows. Throws ObjectChanged. */
export async function fetchPinned(
  request: S3Request,
  gateway: GatewayContext,
  stored: Pick<StoredAnswer, 'key' | 'versionId' | 'etag' | 'storedSize'>,
  range: ByteRange,
  how: Pick<UpstreamRequest, 'lane'> = {},
): Promise<UpstreamResponse> {
  const response = await gateway.upstream.send({
    method: 'GET',
    bucket: request.bucket,
    key: stored.key,
    query: stored.versionId === undefined ? new Map() : new Map([['versionId', stored.versionId]]),
    headers: { range: `bytes=${range.from}-${range.to}`, 'if-match': `"${stored.etag}"` },
    signal: request.signal,
    ...how,
  });
  if (isOf(stored, range, response)) return response;
  if (response.status === 412 || response.status === 416 || response.status < 300) {
    await response.body.release();
    throw new ObjectChanged();
  }
  throw await upstreamError(response);
}

function isOf(
  stored: Pick<StoredAnswer, 'etag' | 'storedSize'>,
  range: ByteRange,
  { status, headers }: UpstreamResponse,
): boolean {
  const got = parseContentRange(headers['content-range']);
  if (status !== 206 || got === undefined || bareEtag(headers['etag'] ?? '') !== stored.etag) return false;
  return got.from === range.from && got.to === range.to && got.total === stored.storedSize;
}
