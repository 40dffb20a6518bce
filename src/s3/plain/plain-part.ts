/** A part, by its number, of a still-plain object: the store alone knows where the parts of an upload lie. */
import { S3Error } from '../errors.ts';
import type { GatewayContext, S3Request, S3Response } from '../operation.ts';
import { bareEtag, partsInEtag } from '../sealing/etag.ts';
import { ObjectChanged, type StoredAnswer } from '../sealing/fetch-stored.ts';
import { noSuchPart } from '../sealing/selection.ts';
import { upstreamError } from '../sealing/upstream-errors.ts';
import type { UpstreamBody, UpstreamResponse } from '../upstream/client.ts';
import { plainHeaders } from './plain-answer.ts';

type PartAnswer = S3Response & { readonly body: UpstreamBody };

/** Throws ERR_S3_INVALID_RANGE, ObjectChanged, and ERR_S3_NOT_IMPLEMENTED where the store reads no parts. */
export async function plainPart(
  request: S3Request,
  gateway: GatewayContext,
  stored: StoredAnswer,
  method: 'GET' | 'HEAD',
  partNumber: number,
): Promise<PartAnswer> {
  const { bucket, key, signal } = request;
  const isWhole = partsInEtag(stored.etag) === undefined;
  if (isWhole && partNumber !== 1) throw noSuchPart(partNumber, 1);
  const version = stored.versionId;
  const query = new Map([
    ...(isWhole ? [] : [['partNumber', String(partNumber)] as const]),
    ...(version === undefined ? [] : [['versionId', version] as const]),
  ]);
  const headers = { 'if-match': `"${stored.etag}"` };
  const response = await gateway.upstream.send({ method, bucket, key, query, headers, signal });
  try {
    if (response.status === 412) throw new ObjectChanged();
    if (response.status >= 300) throw await upstreamError(response);
    if (bareEtag(response.headers['etag'] ?? '') !== stored.etag) throw new ObjectChanged();
    if (isWhole) return wholeAsPart(request, stored, response);
    // A store that passes over the number has answered with all of it.
    if (response.status !== 206 && response.headers['x-amz-mp-parts-count'] === undefined) throw readsNoParts();
  } catch (error) {
    await response.body.release();
    throw error;
  }
  return { status: 206, headers: plainHeaders(request, response.headers), body: response.body };
}

/** The one part of what was put whole. Of an empty one there are no bytes to name. */
function wholeAsPart(
  request: S3Request,
  { storedSize }: StoredAnswer,
  response: Pick<UpstreamResponse, 'headers' | 'body'>,
): PartAnswer {
  const headers = { ...plainHeaders(request, response.headers), 'content-length': String(storedSize) };
  return storedSize === 0
    ? { status: 200, headers, body: response.body }
    : {
        status: 206,
        headers: { ...headers, 'content-range': `bytes 0-${storedSize - 1}/${storedSize}` },
        body: response.body,
      };
}

const readsNoParts = (): S3Error =>
  new S3Error('ERR_S3_NOT_IMPLEMENTED', 'The storage does not read parts of its objects by their numbers.');
