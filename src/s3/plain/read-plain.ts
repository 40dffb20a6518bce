/** GET of a still-plain object. Each read is the caller's right and on record; each answer is of the object that was looked at. */
import { S3Error } from '../errors.ts';
import type { GatewayContext, S3Request, S3Response } from '../operation.ts';
import { checkReadConditions } from '../sealing/conditions.ts';
import { fetchPinned, fetchStored, ObjectChanged, storedAnswer, type StoredAnswer } from '../sealing/fetch-stored.ts';
import { MAX_BUFFERED_BYTES } from '../sealing/limits.ts';
import { resolveRange, type ByteRange, type RangeRequest } from '../sealing/range-header.ts';
import type { Selection } from '../sealing/selection.ts';
import type { UpstreamResponse } from '../upstream/client.ts';
import { plainHeaders } from './plain-answer.ts';
import { authorizePlainRead, BEGINNING_BYTES, isStillPlain, readsPlain, refuseSealedBody } from './plain-mode.ts';
import { plainPart } from './plain-part.ts';
import { knownPlain, rememberPlain } from './known-plain.ts';

/** All of it; `response` is the store's answer to a GET. */
export async function readPlainWhole(
  request: S3Request,
  gateway: GatewayContext,
  response: UpstreamResponse,
): Promise<S3Response> {
  const stored = storedAnswer(request.key, response);
  await authorizePlainRead(request, gateway);
  const headers = { ...plainHeaders(request, response.headers), 'content-length': String(stored.storedSize) };
  if (stored.storedSize > MAX_BUFFERED_BYTES) {
    await lookAtBeginning(request, gateway, stored);
    return { status: 200, headers, body: response.body };
  }
  const bytes = await response.body.bytes(stored.storedSize);
  if (bytes.length !== stored.storedSize) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
  refuseSealedBody(bytes);
  return { status: 200, headers, body: bytes };
}

/** A range of an object that is remembered to lie plain: one read. Undefined where the object itself has to be looked at first. */
export async function readKnownPlain(
  request: S3Request,
  gateway: GatewayContext,
  selection: Selection,
): Promise<S3Response | undefined> {
  const known = knownPlain(request, gateway);
  if (known === undefined || selection.type !== 'range' || request.headers['if-range'] !== undefined) return undefined;
  const range = rangeWithin(selection.range, known.storedSize);
  if (range === undefined || !readsPlain(request.rule, gateway)) return undefined;
  await authorizePlainRead(request, gateway);
  const stored = { key: request.key, versionId: request.query.get('versionId'), ...known };
  const response = await fetchPinned(request, gateway, stored, range);
  try {
    checkReadConditions(request.headers, response.headers);
    if (!isStillPlain(request, gateway, response.headers)) throw new ObjectChanged();
  } catch (error) {
    await response.body.release();
    throw error;
  }
  return rangeAnswer(request, { ...known, headers: response.headers }, range, response.body);
}

function rangeWithin(range: RangeRequest, size: number): ByteRange | undefined {
  try {
    return resolveRange(range, size);
  } catch {
    return undefined;
  }
}

/** A range or a part of it. `beginning`: the first bytes, as far as they were read; undefined where the store ignored the range. */
export async function readPlainSelection(
  request: S3Request,
  gateway: GatewayContext,
  { response, beginning }: { readonly response: UpstreamResponse; readonly beginning: Uint8Array | undefined },
  selection: Exclude<Selection, { type: 'whole' }>,
): Promise<S3Response> {
  const stored = storedAnswer(request.key, response);
  await authorizePlainRead(request, gateway);
  if (beginning === undefined) await lookAtBeginning(request, gateway, stored);
  else refuseSealedBody(beginning);
  rememberPlain(request, gateway, stored);
  if (selection.type === 'part') return plainPart(request, gateway, stored, 'GET', selection.partNumber);
  const range = resolveRange(selection.range, stored.storedSize);
  if (beginning !== undefined && range.to < beginning.length)
    return rangeAnswer(request, stored, range, beginning.subarray(range.from, range.to + 1));
  const rest = await fetchPinned(request, gateway, stored, range);
  return rangeAnswer(request, { ...stored, headers: rest.headers }, range, rest.body);
}

function rangeAnswer(
  request: S3Request,
  { headers, storedSize }: Pick<StoredAnswer, 'headers' | 'storedSize'>,
  { from, to }: ByteRange,
  body: NonNullable<S3Response['body']>,
): S3Response {
  return {
    status: 206,
    headers: {
      ...plainHeaders(request, headers),
      'content-length': String(to - from + 1),
      'content-range': `bytes ${from}-${to}/${storedSize}`,
    },
    body,
  };
}

async function lookAtBeginning(request: S3Request, gateway: GatewayContext, stored: StoredAnswer): Promise<void> {
  if (stored.storedSize < BEGINNING_BYTES) return;
  refuseSealedBody(await fetchStored(request, gateway, stored, { from: 0, to: BEGINNING_BYTES - 1 }));
}
